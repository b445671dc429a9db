#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What real stacks do besides sending data one after the other, through the
# forwarder: beginnings that are lost, crossed or carry data, ends of all kinds,
# everything that is rare. Each on every tier, with IPv4 and IPv6, preserved and
# masqueraded; tcp_details.py has both ends in hand and says what must happen.
. "$(dirname "$0")/lib.sh"

MASKED6=2001:db8:1::7 # as PUBLIC4 is for IPv4: clients keep some things by address
RULES=(
	"kept4,$WAN4,6000,$SERVER4,7000,$CLIENT4"
	"kept6,$WAN6,6000,$SERVER6,7000,$CLIENT6"
	"masked4,$PUBLIC4,6001,$SERVER4,7001,$LAN4"
	"masked6,$MASKED6,6001,$SERVER6,7001,$LAN6"
)

setup() {
	local ns
	topology
	tier "$1"
	address router wan0 $MASKED6/128
	for ns in client server; do
		# Explicit congestion notification, data in a SYN on both sides, ports that
		# are used again at once, and no loss of what comes in by another way than
		# the answer goes.
		nsenter --net=/run/netns/$ns -- sysctl -qw net.ipv4.tcp_ecn=1 net.ipv4.tcp_fastopen=3 \
			net.ipv4.tcp_tw_reuse=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
		nsenter --net=/run/netns/$ns -- sysctl -qw net.ipv4.tcp_tw_reuse_delay=1 2>/dev/null || true # since 6.14
	done
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add tcp+udp $WAN4:6000 $SERVER4:7000 --name kept4 --source preserve
	xdpfwd map add tcp+udp "[$WAN6]:6000" "[$SERVER6]:7000" --name kept6 --source preserve
	xdpfwd map add tcp+udp $PUBLIC4:6001 $SERVER4:7001 --name masked4 --source masquerade
	xdpfwd map add tcp+udp "[$MASKED6]:6001" "[$SERVER6]:7001" --name masked6 --source masquerade
}

fast_packets() {
	xdpfwd map list --json | jq '[.[].counters.fast_packets] | add'
}

# topic NAME: with all rules; and by the tier that is meant to do it.
topic() {
	local before
	before=$(fast_packets)
	XDPFWD=$XDPFWD python3 -B "$E2E_DIR/tcp_details.py" "$1" "${RULES[@]}"
	case $TIER in
	fast) more "packets that the fast tier finished" "$(fast_packets)" "$before" ;;
	*) equal "packets that the fast tier finished" "$before" "$(fast_packets)" ;;
	esac
}

# with NAMESPACE RULESET TOPIC: nftables does this to the packets meanwhile.
with() {
	in_"$1" nft "$2"
	# shellcheck disable=SC2064 # this namespace; a test is a shell of its own
	trap "in_$1 nft delete table inet fate" EXIT
	topic "$3"
}

# The first of each connection's packets like this is lost where it arrives.
lose_first() {
	echo "table inet fate {
		set met { typeof meta nfproto . tcp sport . tcp dport; size 1000; flags dynamic; }
		chain arriving {
			type filter hook prerouting priority raw;
			tcp flags & (syn | ack) == $1 meta nfproto . tcp sport . tcp dport != @met \
				add @met { meta nfproto . tcp sport . tcp dport } drop
		}
	}"
}

# As a router on the way does whose queue is long.
MARK="table inet fate {
	chain leaving {
		type filter hook output priority 0;
		meta l4proto tcp ip ecn ect0 ip ecn set ce
		meta l4proto tcp ip6 ecn ect0 ip6 ecn set ce
	}
}"

# Checksums that the sender writes whole, so that the wire shows what came of them.
whole_checksums() {
	in_client ethtool -K eth0 tx off >/dev/null
	in_server ethtool -K eth0 tx off >/dev/null
	topic "$1"
}

for TIER in tc native fast; do
	it "$TIER: the network" setup $TIER
	it "$TIER: a SYN is lost and comes again" with server "$(lose_first syn)" lost_syn
	it "$TIER: a SYN-ACK is lost" with client "$(lose_first 'syn | ack')" lost_syn_ack
	it "$TIER: both open at the same time" with server "$(lose_first syn)" simultaneous_open
	it "$TIER: data in the SYN" topic fast_open
	it "$TIER: half-closed, in both orders" topic half_close
	it "$TIER: resets, of either side and for every cause" topic resets
	it "$TIER: half-open, and what ends it" topic half_open
	it "$TIER: the same port again" topic port_again
	it "$TIER: keepalive" topic keepalive
	it "$TIER: idle for hours" topic patience
	it "$TIER: segments of one octet" topic single_octets
	it "$TIER: urgent data" topic urgent
	it "$TIER: closed windows and their probes" topic window
	it "$TIER: out of order, and twice" topic muddled
	it "$TIER: headers as they were, congestion marks and options too" with client "$MARK" unchanged
	it "$TIER: UDP without a checksum, and with one of zero" whole_checksums udp_sums
done

done_testing
