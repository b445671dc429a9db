#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Links narrower than what both ends believe. Whatever carries the news, the MSS
# of the handshake, our own ICMP errors, or those of others that we translate:
# 5 MB arrive in both directions.
#
#	client eth0 -- in outer out -- wan0 router lan0 -- out inner in -- eth0 server
#	198.18.1.2     198.51.100.2    198.51.100.1 192.0.2.1 192.0.2.10   198.18.2.10
. "$(dirname "$0")/lib.sh"

BULK=$E2E_DIR/bulk.py
ICMP=$E2E_DIR/icmp.py
OCTETS=5000000
FAR_CLIENT4=198.18.1.2 FAR_CLIENT6=2001:db8:11::2
FAR_SERVER4=198.18.2.10 FAR_SERVER6=2001:db8:22::10

# A router between this machine and an end: NS, its address on our link, its address on the end's link.
between() {
	local ns=$1 end=$2 link=$3
	namespace "$ns"
	nsenter --net="/run/netns/$ns" -- sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n router link del "$link"
	cable "$ns" out router "$link"
	cable "$ns" in "$end" eth0
}

far_topology() {
	local tier=$1 ns
	topology
	between outer client wan0
	between inner server lan0
	address router wan0 $WAN4/24 $WAN6/64
	address router lan0 $LAN4/24 $LAN6/64
	address outer out $CLIENT4/24 $CLIENT6/64
	address outer in 198.18.1.1/24 2001:db8:11::1/64
	address inner out $SERVER4/24 $SERVER6/64
	address inner in 198.18.2.1/24 2001:db8:22::1/64
	address client eth0 $FAR_CLIENT4/24 $FAR_CLIENT6/64
	address server eth0 $FAR_SERVER4/24 $FAR_SERVER6/64
	gateway outer $WAN4 $WAN6
	gateway inner $LAN4 $LAN6
	gateway client 198.18.1.1 2001:db8:11::1
	gateway server 198.18.2.1 2001:db8:22::1
	gateway router $CLIENT4 $CLIENT6
	ip -n router route add 198.18.2.0/24 via $SERVER4
	ip -n router route add 2001:db8:22::/64 via $SERVER6
	tier "$tier"
	[ "$tier" != fast ] || for ns in outer inner; do nsenter --net=/run/netns/$ns -- ethtool -K out gro on; done
}

# setup TIER SOURCE
setup() {
	far_topology "$1"
	start bulk nsenter --net=/run/netns/server -- python3 "$BULK" serve :: 7000
	wait_for_line "$TMP/bulk.out" ready
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add tcp+udp :5000 $FAR_SERVER4:7000 --name rule4 --source "$2"
	xdpfwd map add tcp+udp :5000 "[$FAR_SERVER6]:7000" --name rule6 --source "$2"
}

narrow() { ip -n "$1" link set "$2" mtu "$3"; }

# The end's link is narrow, and it claims in its handshakes that it is not.
lying_end() {
	local ns=$1 via4=$2 via6=$3
	narrow "$ns" eth0 1280
	ip -n "$ns" route replace default via "$via4" advmss 1460
	ip -n "$ns" -6 route replace default via "$via6" advmss 1440
}

no_icmp() {
	local ns
	for ns in client outer inner server; do
		nsenter --net="/run/netns/$ns" -- nft 'table inet mute { chain input {
			type filter hook prerouting priority -300;
			icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }'
	done
}

transfer() { in_client python3 "$BULK" "$@"; }

both_directions() {
	transfer get "$1" 5000 $OCTETS
	transfer put "$1" 5000 $OCTETS
}

# Our own link is the narrow one, and all ICMP is lost: only the MSS can help. 12 octets of each segment are timestamps.
mss_alone() {
	setup "$@"
	no_icmp
	narrow router lan0 1280
	narrow inner out 1280
	equal "segments (v4)" "1228 1228 1228 1228" "$(both_directions $WAN4 | xargs)"
	equal "segments (v6)" "1208 1208 1208 1208" "$(both_directions $WAN6 | xargs)"
}

# The same for the way to the client.
mss_alone_outside() {
	setup "$@"
	no_icmp
	narrow router wan0 1280
	narrow outer out 1280
	equal "segments (v4)" "1228 1228 1228 1228" "$(both_directions $WAN4 | xargs)"
	equal "segments (v6)" "1208 1208 1208 1208" "$(both_directions $WAN6 | xargs)"
}

# Nobody has told us of the narrow link one hop inside: what its router says reaches the client as ours.
errors_translated_inside() {
	setup "$@"
	narrow inner in 1280
	lying_end server 198.18.2.1 2001:db8:22::1
	matches "segments (v4)" '^1448 ' "$(transfer put $WAN4 5000 $OCTETS)"
	matches "segments (v6)" '^1428 ' "$(transfer put $WAN6 5000 $OCTETS)"
	both_directions $WAN4
	both_directions $WAN6
}

# And one hop outside: it must reach the server.
errors_translated_outside() {
	setup "$@"
	narrow outer in 1280
	lying_end client 198.18.1.1 2001:db8:11::1
	matches "segments (v4)" ' 1448$' "$(transfer get $WAN4 5000 $OCTETS)"
	matches "segments (v6)" ' 1428$' "$(transfer get $WAN6 5000 $OCTETS)"
	both_directions $WAN4
	both_directions $WAN6
}

# after_handshake WHAT ADDR NS DEV: the links become narrow when the segment size is agreed on; we say so ourselves.
after_handshake() {
	local what=$1 addr=$2
	rm -f "$TMP/go"
	mkfifo "$TMP/go"
	start transfer nsenter --net=/run/netns/client -- python3 "$BULK" "$what" "$addr" 5000 $OCTETS "$TMP/go"
	wait_for_line "$TMP/transfer.out" connected
	narrow router "$3" 1280
	narrow "$4" out 1280
	timeout "$EVENT_TIMEOUT" bash -c "echo >'$TMP/go'"
	wait_for_line "$TMP/transfer.out" '^[0-9]+ [0-9]+$'
}

errors_of_ours_to_the_client() {
	setup "$1" "$2"
	after_handshake put "$3" lan0 inner
}

errors_of_ours_to_the_server() {
	setup "$1" "$2"
	after_handshake get "$3" wan0 outer
}

provoke() { in_client python3 "$ICMP" provoke "$@" size=1400 df; }

# Datagrams that may not be fragmented: the client hears of the right MTU, wherever the narrow link is.
datagrams() {
	setup "$@"
	narrow router lan0 1380
	narrow inner out 1380
	equal "our link (v4)" "EMSGSIZE 3 4 $WAN4 1380 1380" "$(provoke $WAN4 5000)"
	equal "our link (v6)" "EMSGSIZE 2 0 $WAN6 1380 1380" "$(provoke $WAN6 5000)"
	in_client ip route flush cache
	in_client ip -6 route flush cache
	narrow inner in 1340
	narrow router lan0 1500
	narrow inner out 1500
	xdpfwd map del rule4 rule6
	xdpfwd map add udp :5000 $FAR_SERVER4:7000 --name rule4 --source "$2"
	xdpfwd map add udp :5000 "[$FAR_SERVER6]:7000" --name rule6 --source "$2"
	equal "a link inside (v4)" "EMSGSIZE 3 4 $WAN4 1340 1340" "$(provoke $WAN4 5000)"
	equal "a link inside (v6)" "EMSGSIZE 2 0 $WAN6 1340 1340" "$(provoke $WAN6 5000)"
}

for tier in tc fast; do
	for source in preserve masquerade; do
		it "$tier, $source: narrow link inside, MSS alone" mss_alone "$tier" "$source"
		it "$tier, $source: narrow link outside, MSS alone" mss_alone_outside "$tier" "$source"
		it "$tier, $source: a hop inside, errors translated" errors_translated_inside "$tier" "$source"
		it "$tier, $source: a hop outside, errors translated" errors_translated_outside "$tier" "$source"
		for addr in $WAN4 $WAN6; do
			it "$tier, $source, $addr: upload, errors of ours" errors_of_ours_to_the_client "$tier" "$source" "$addr"
			it "$tier, $source, $addr: download, errors of ours" errors_of_ours_to_the_server "$tier" "$source" "$addr"
		done
		it "$tier, $source: datagrams that may not be fragmented" datagrams "$tier" "$source"
	done
done

done_testing
