#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Living with the host: a rule's port may be the source port of a connection that
# the router made itself, or that netfilter masquerades for a machine behind it;
# its answers are not the rule's. And forwarded packets need nothing of the
# firewall and of rp_filter.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	udp_server client :: 7000
	tcp_server client 0.0.0.0 7001
	tcp_server client :: 7001
	udp_server server :: 7000
	xdpfwd load wan0 --mode "$1"
	xdpfwd map add udp :5000 $SERVER4:7000 --name udp4
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name udp6
	xdpfwd map add tcp :5001 $SERVER4:7001 --name tcp4
	xdpfwd map add tcp :5002 "[$SERVER6]:7001" --name tcp6
}

# talks NAMESPACE ADDR SEEN: from the rules' ports to the client's servers, which see SEEN.
talks() {
	local mapped=$3 port=5002
	[[ $3 = *:* ]] || mapped=$3 port=5001
	equal "datagrams: whom the client saw" "$mapped 7000" \
		"$(nsenter --net="/run/netns/$1" -- python3 "$E2E_DIR/udp.py" ask "$2" 7000 50 5000)"
	hold "$1" "$2" 7001 1 $port
	matches "connection: whom the client saw" "^$3 $port$" "$(cat "$TMP/held-$1.out")"
	release "$1"
}

nothing_taken() {
	local rule
	for rule in udp4 udp6 tcp4 tcp6; do
		equal "packets that $rule took" 0 "$(counter $rule packets_in)"
	done
}

routers_own() {
	setup "$1"
	talks router $CLIENT4 $WAN4
	talks router $CLIENT6 $WAN6
	nothing_taken
}

masqueraded() {
	setup "$1"
	in_router nft -f - <<-EOF
		table inet nat {
			chain postrouting {
				type nat hook postrouting priority srcnat
				oifname wan0 masquerade
			}
		}
	EOF
	talks server $CLIENT4 $WAN4
	talks server $CLIENT6 $WAN6
	nothing_taken
}

# The rule still serves strangers while the host uses the same port.
both_at_once() {
	setup "$1"
	second_client
	xdpfwd load wan1 --mode "$1"
	talks router $CLIENT4 $WAN4
	equal "a stranger" "203.0.113.130 7000" "$(udp_ask client2 $WAN4 5000 20)"
	equal "packets in" 20 "$(counter udp4 packets_in)"
}

# What another tool's DNAT does on other ports goes on.
others_dnat() {
	setup "$1"
	in_router nft -f - <<-EOF
		table ip docker {
			chain prerouting {
				type nat hook prerouting priority dstnat
				iifname wan0 udp dport 6000 dnat to $SERVER4:7000
			}
		}
	EOF
	equal "through nftables" "$CLIENT4 7000" "$(udp_ask client $WAN4 6000 50)"
	equal "through xdpfwd" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000 50)"
	equal "packets in" 50 "$(counter udp4 packets_in)"
}

needs_no_firewall() {
	setup "$1"
	in_router nft 'table inet filter { chain forward { type filter hook forward priority filter; policy drop; }; }'
	in_router nft 'table inet early { chain pre { type filter hook prerouting priority filter; ct state invalid drop; }; }'
	in_router sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.wan0.rp_filter=1 net.ipv4.conf.lan0.rp_filter=1
	equal "v4" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000 50)"
	equal "v6" "$CLIENT6 7000" "$(udp_ask client $WAN6 5000 50)"
}

# What it does need is said by name, and counted.
needs_forwarding() {
	topology
	udp_server server :: 7000
	in_router sysctl -qw net.ipv4.conf.wan0.forwarding=0
	xdpfwd load wan0
	xdpfwd map add udp :5000 $SERVER4:7000 --name udp4 2>"$TMP/warning"
	matches "warning" 'net.ipv4.conf.wan0.forwarding' "$(cat "$TMP/warning")"
	! udp_ask client $WAN4 5000 || fail "forwarded with forwarding off"
	equal "drops" 1 "$(xdpfwd map list --json | jq '.[0].counters.drops.forwarding_disabled')"
}

for mode in tc native; do
	it "host, $mode: the router's own connections" routers_own $mode
	it "host, $mode: connections that nftables masquerades" masqueraded $mode
	it "host, $mode: the rule serves others meanwhile" both_at_once $mode
	it "host, $mode: another tool's DNAT goes on" others_dnat $mode
	it "host, $mode: FORWARD drop, INVALID drop, strict rp_filter" needs_no_firewall $mode
done
it "host: the forwarding sysctl is asked for by name" needs_forwarding

done_testing
