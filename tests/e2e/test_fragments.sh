#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Datagrams that are larger than a packet: both ways, in order and reversed,
# through a rule, to the router itself, and past it.
. "$(dirname "$0")/lib.sh"

COUNT=20

# fragment_server NAMESPACE ADDR PORT: on three ports, and what it answers comes in an order of its own on each.
fragment_server() {
	local name="fragments-$1-$3"
	start "$name" nsenter --net="/run/netns/$1" -- python3 "$E2E_DIR/fragments.py" serve "$2" "$3"
	wait_for_line "$TMP/$name.out" ready
}

fragments() { # NAMESPACE COMMAND ARG...
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- python3 "$E2E_DIR/fragments.py" "$@"
}

drops() { # RULE REASON
	xdpfwd map list --json | jq --arg rule "$1" --arg reason "$2" \
		'.[] | select(.name == $rule) | .counters.drops[$reason] // 0'
}

# setup TIER [LAN] [OPTION...]
setup() {
	local tier=$1 kind=${2:-plain}
	shift
	[ $# -eq 0 ] || shift
	topology "$kind"
	tier "$tier"
	fragment_server server $SERVER4 7000
	fragment_server server $SERVER6 7010
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add udp :5000-5002 $SERVER4:7000 --name udp4 "$@"
	xdpfwd map add udp :5000-5002 "[$SERVER6]:7010" --name udp6 "$@"
}

# asked RULE ADDR SEEN: each datagram is answered, and each of its packets is counted once.
asked() {
	equal "$1: whom the server saw" "$3" "$(fragments client ask "$2" 5000 8000 $COUNT)"
	# 8000 octets are six packets however they are cut, with either IP and also with the answer's prefix.
	equal "$1: packets in" $((3 * 6 * COUNT)) "$(counter "$1" packets_in)"
	equal "$1: packets out" $((3 * 6 * COUNT)) "$(counter "$1" packets_out)"
	equal "$1: flows" 3 "$(counter "$1" flows_created)"
}

both_ways() {
	local tier=$1 kind=$2 seen4=$3 seen6=$4
	shift 4
	setup "$tier" "$kind" "$@"
	asked udp4 $WAN4 "$seen4"
	asked udp6 $WAN6 "$seen6"
}

# As large as they come: 45 fragments, of which IPv4 saves one where the kernel cuts them.
largest() {
	setup "$1"
	equal "whom the server saw" $CLIENT4 "$(fragments client ask $WAN4 5000 64000 5)"
	equal "whom the server saw" $CLIENT6 "$(fragments client ask $WAN6 5000 64000 5)"
	equal "packets in" "670 675" "$(counter udp4 packets_in) $(counter udp6 packets_in)"
	equal "packets out" "670 675" "$(counter udp4 packets_out) $(counter udp6 packets_out)"
}

# An error says whose datagram it was, though the target quotes what it put together.
closed_port() {
	setup "$1"
	xdpfwd map add udp :5009 $SERVER4:7999
	xdpfwd map add udp :5009 "[$SERVER6]:7999"
	local addr answer
	for addr in $WAN4 $WAN6; do
		answer=$(fragments client ask "$addr" 5009 8000 1 2>&1) && fail "a closed port has answered"
		matches "what the client hears" "ConnectionRefused" "$answer"
	done
}

# Of each datagram two fragments are dropped: the one that overlaps, and the one behind it.
overlapping() {
	local sent
	setup "$1"
	sent=$(fragments client teardrop $WAN4 5000)
	equal "dropped" $((2 * sent)) "$(drops udp4 bad_fragment)"
	equal "forwarded" $((2 * sent + 1)) "$(counter udp4 packets_in)"
	sent=$(fragments client teardrop $WAN6 5000)
	equal "dropped" $((2 * sent)) "$(drops udp6 bad_fragment)"
	equal "forwarded" $((2 * sent + 1)) "$(counter udp6 packets_in)"
}

# Fragments that no rule wants: to the router itself, and from the target on its own account.
not_ours() {
	setup "$1"
	fragment_server router $WAN4 6000
	fragment_server router $WAN6 6010
	fragment_server client $CLIENT4 6000
	fragment_server client $CLIENT6 6010
	asked udp4 $WAN4 $CLIENT4 # from now on the target is known to be one
	asked udp6 $WAN6 $CLIENT6
	equal "whom the router saw" $CLIENT4 "$(fragments client ask $WAN4 6000 8000 $COUNT)"
	equal "whom the router saw" $CLIENT6 "$(fragments client ask $WAN6 6010 8000 $COUNT)"
	equal "whom the client saw" $SERVER4 "$(fragments server ask $CLIENT4 6000 8000 $COUNT)"
	equal "whom the client saw" $SERVER6 "$(fragments server ask $CLIENT6 6010 8000 $COUNT)"
	equal "packets in" "$((18 * COUNT)) $((18 * COUNT))" "$(counter udp4 packets_in) $(counter udp6 packets_in)"
}

# Fragments of one datagram on several CPUs at once.
at_once() {
	setup "$1"
	fragments client race $WAN4 5000 500
	fragments client race $WAN6 5000 500
	equal "packets in" "3000 3000" "$(counter udp4 packets_in) $(counter udp6 packets_in)"
}

for tier in tc native gro; do
	it "fragments, $tier, preserve: both ways, in any order" both_ways $tier plain $CLIENT4 $CLIENT6
	it "fragments, $tier, masquerade: both ways, in any order" both_ways $tier plain $LAN4 $LAN6 --source masquerade
done
for tier in tc native; do
	it "fragments, $tier: 64 KB" largest $tier
	it "fragments, $tier: the client hears of a closed port" closed_port $tier
	it "fragments, $tier: overlapping ones are dropped and counted" overlapping $tier
	it "fragments, $tier: others arrive too" not_ours $tier
	it "fragments, $tier: on several CPUs at once" at_once $tier
done
for kind in bridge tun; do
	it "fragments, $kind, preserve" both_ways tc $kind $CLIENT4 $CLIENT6
	it "fragments, $kind, masquerade" both_ways native $kind $LAN4 $LAN6 --source masquerade
done

done_testing
