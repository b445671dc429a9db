#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A flood of SYNs from sources that do not exist, against a rule that is
# protected: the target sees none of them, and real clients get in meanwhile,
# from behind firewalls and NAT of their own as well.
. "$(dirname "$0")/lib.sh"

CLIENTS=10
RATE=5000 MOST=1000000 # SYNs of the flood: a second, and in all if the test does not end it before

# The flood comes by wan1, the clients by wan0.
protected_topology() {
	topology
	second_client
	tier "$1"
	[ "$MODE" = tc ] || nsenter --net=/run/netns/client2 -- ethtool -K eth0 gro on
	in_server nft -f - <<-EOR
		table inet seen {
			chain in {
				type filter hook prerouting priority -400;
				ip saddr 198.18.0.0/15 counter
				ip6 saddr 2001:db8:f000::/36 counter
			}
		}
	EOR
	web_server server 8443
	xdpfwd load wan0 wan1 --mode "$MODE"
	xdpfwd map add tcp :443 $SERVER4:8443 --name web4 --syn-protect --syn-threshold 1000
	xdpfwd map add tcp :443 "[$SERVER6]:8443" --name web6 --syn-protect --syn-threshold 1000
	in_router python3 "$E2E_DIR/half_open.py" 0 1000
	in_router python3 "$E2E_DIR/half_open.py" 1 1000
}

flood() {
	local addr
	for addr in $WAN4 $WAN6; do
		start "flood-$addr" nsenter --net=/run/netns/client2 -- "$HELPERS/synflood" eth0 \
			"$(ip -n router -j link show wan1 | jq -r '.[0].address')" "$addr" 443 $RATE $MOST
	done
	until_true flood_is_met web4
	until_true flood_is_met web6
}

flood_is_met() {
	[ "$(challenged "$1")" -gt 1000 ]
}

challenged() {
	xdpfwd map list --json | jq --arg rule "$1" '.[] | select(.name == $rule) | .counters.drops.syn_challenged // 0'
}

proven() {
	xdpfwd map list --json | jq --arg rule "$1" '.[] | select(.name == $rule) | .counters.drops.syn_proven // 0'
}

# It must have lasted until now, or nothing was shown.
flood_ends() {
	local addr
	for addr in $WAN4 $WAN6; do
		kill "$(cat "$TMP/flood-$addr.pid")"
	done
	equal "SYNs of the flood that the target saw" "0 0" \
		"$(in_server nft -j list table inet seen | jq -r '[.nftables[].rule.expr[]?.counter.packets // empty] | join(" ")')"
}

# visits NAMESPACE: one connection after the other, and whole files.
visits() {
	local i
	for ((i = 0; i < CLIENTS; i++)); do
		equal "answer" 8443 "$(nsenter --net="/run/netns/$1" -- curl -sS --noproxy '*' --max-time 60 "http://$WAN4:443/port")"
		equal "answer (v6)" 8443 "$(nsenter --net="/run/netns/$1" -- curl -sS --noproxy '*' --max-time 60 "http://[$WAN6]:443/port")"
	done
	download "$1" "http://$WAN4:443/file"
	download "$1" "http://[$WAN6]:443/file"
}

everyone_got_in() {
	local rule
	for rule in web4 web6; do
		equal "$rule: flows" $((CLIENTS + 1)) "$(counter $rule flows_created)"
		more "$rule: proofs" "$(proven $rule)" 1
	done
}

clients_get_in() {
	protected_topology "$1"
	flood
	visits client
	flood_ends
	everyone_got_in
}

# The fast tier alone: it answers, and the stack of the router sees no SYN.
fast_alone() {
	clients_get_in fast
	more "packets that the fast tier finished" "$(counter web4 fast_packets)" 0
}

# Namespace "inside" is behind "client", which masquerades, and drops what its connection tracking holds for invalid.
nat_gateway() {
	namespace inside
	cable inside eth0 client in0
	address inside eth0 198.18.200.2/24 2001:db8:9::2/64
	address client in0 198.18.200.1/24 2001:db8:9::1/64
	gateway inside 198.18.200.1 2001:db8:9::1
	in_client sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_client nft -f - <<-EOR
		table inet gateway {
			chain out {
				type nat hook postrouting priority srcnat;
				oifname eth0 masquerade $1
			}
			chain through {
				type filter hook forward priority filter; policy drop;
				ct state invalid counter drop
				ct state established,related accept
				iifname in0 accept
			}
			chain up {
				type filter hook input priority filter; policy drop;
				ct state established,related accept
				meta l4proto 58 accept
			}
		}
	EOR
}

clients_behind_nat_get_in() {
	protected_topology "$1"
	nat_gateway "$2"
	flood
	visits inside
	flood_ends
	everyone_got_in
}

for tier in tc native gro; do
	it "$tier: clients get in during a flood, the target sees nothing of it" clients_get_in $tier
done
it "fast: clients get in during a flood, the target sees nothing of it" fast_alone
it "tc: clients behind NAT that drops what is invalid get in" clients_behind_nat_get_in tc ""
it "fast: clients behind NAT that drops what is invalid get in" clients_behind_nat_get_in fast ""
it "fast: clients behind NAT with random ports get in" clients_behind_nat_get_in fast fully-random

done_testing
