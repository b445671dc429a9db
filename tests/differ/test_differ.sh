#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same random packets through xdpfwd and through an nftables router that is
# its twin, address by address. What comes out must be the same, or be one of the
# differences that are decisions (decisions.py).
#
# DIFFER_SEED=N DIFFER_PACKETS=N: other packets, or more.
. "$(dirname "$0")/../e2e/lib.sh"

DIFFER=$TOP/tests/differ
SEED=${DIFFER_SEED:-1}
PACKETS=${DIFFER_PACKETS:-1500}

# One router with both its sides. Clients and servers have no addresses and answer nothing.
twin() { # SUFFIX WAN-MTU LAN-MTU
	local client=client$1 router=router$1 server=server$1 ns
	namespace "$client"
	namespace "$router"
	namespace "$server"
	nsenter --net="/run/netns/$router" -- sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1 net.ipv6.auto_flowlabels=0 \
		net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0 net.ipv6.icmp.ratemask='' \
		net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 \
		net.ipv4.ipfrag_time=600 net.ipv6.ip6frag_time=600
	for ns in "$client" "$server"; do
		nsenter --net="/run/netns/$ns" -- sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	done
	cable "$client" eth0 "$router" wan0
	cable "$server" eth0 "$router" lan0
	ip -n "$client" link set eth0 address 02:00:00:00:01:02
	ip -n "$server" link set eth0 address 02:00:00:00:02:02
	ip -n "$router" link set wan0 address 02:00:00:00:01:01 mtu "$2"
	ip -n "$router" link set lan0 address 02:00:00:00:02:01 mtu "$3"
	# Who does not answer is not asked: else the error about it comes seconds later.
	nsenter --net="/run/netns/$router" -- sysctl -qw net.ipv4.neigh.wan0.mcast_solicit=0 \
		net.ipv4.neigh.lan0.mcast_solicit=0 net.ipv6.neigh.wan0.mcast_solicit=0 net.ipv6.neigh.lan0.mcast_solicit=0
	address "$router" wan0 $WAN4/24 $PUBLIC4/32 $WAN6/64 2001:db8:99::7/128
	address "$router" lan0 $LAN4/24 $LAN6/64
	for ns in $CLIENT4 $CLIENT6; do
		ip -n "$router" neigh replace "$ns" lladdr 02:00:00:00:01:02 dev wan0 nud permanent
	done
	for ns in $SERVER4 $SERVER6 192.0.2.20 2001:db8:2::20; do
		ip -n "$router" neigh replace "$ns" lladdr 02:00:00:00:02:02 dev lan0 nud permanent
	done
	ip -n "$router" route add 198.18.0.0/16 via $CLIENT4
	ip -n "$router" -6 route add 2001:db8:c::/48 via $CLIENT6
}

with_nft() {
	python3 "$DIFFER/rules.py" nft >"$TMP/differ.nft"
	nsenter --net=/run/netns/router-nft -- nft -f "$TMP/differ.nft"
	# A damaged packet stays damaged, and windows are the hosts' affair: as xdpfwd has it.
	nsenter --net=/run/netns/router-nft -- sysctl -qw net.netfilter.nf_conntrack_checksum=0 \
		net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_frag6_timeout=600
}

with_xdpfwd() { # TIER
	local rule
	tier "$1"
	xdpfwd load wan0 lan0 --mode "$MODE"
	while read -r rule; do
		# shellcheck disable=SC2086 # words
		xdpfwd map add $rule
	done < <(python3 "$DIFFER/rules.py" xdpfwd)
}

fast_packets() { xdpfwd map list --json | jq '[.[].counters.fast_packets] | add'; }

alike() { # TIER WAN-MTU LAN-MTU SEED
	local rc=0
	teardown
	mount_bpffs
	twin "" "$2" "$3"
	twin -nft "$2" "$3"
	with_nft
	with_xdpfwd "$1"
	PYTHONDONTWRITEBYTECODE=1 python3 "$DIFFER/differ.py" --tier "$1" --seed "$4" --packets "$PACKETS" \
		--mtu-wan "$2" --mtu-lan "$3" >"$TMP/differ.out" || rc=$?
	while read -r line; do tap "# $line"; done <"$TMP/differ.out"
	[ "$rc" -eq 0 ] || fail "differ.py: exit code $rc"
	[ "$1" != fast ] || more "packets that the fast tier forwarded" "$(fast_packets)" 100
}

it "alike but for decisions: tc, narrow inside, seed $SEED" alike tc 1500 1400 "$SEED"
it "alike but for decisions: tc, narrow outside, seed $((SEED + 1))" alike tc 1400 1500 $((SEED + 1))
it "alike but for decisions: native, narrow inside, seed $((SEED + 2))" alike fast 1500 1400 $((SEED + 2))
it "alike but for decisions: native, narrow outside, seed $((SEED + 3))" alike fast 1400 1500 $((SEED + 3))
done_testing
