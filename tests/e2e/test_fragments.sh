#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Datagrams that are larger than a packet: both ways, in order and reversed,
# through a rule, to the router itself, and past it.
. "$(dirname "$0")/lib.sh"

COUNT=20

# fragment_server NAMESPACE ADDR PORT HOW
fragment_server() {
	local name="fragments-$1-$3"
	start "$name" nsenter --net="/run/netns/$1" -- python3 "$E2E_DIR/fragments.py" serve "$2" "$3" "$4"
	wait_for_line "$TMP/$name.out" ready
}

fragments() { # NAMESPACE COMMAND ARG...
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- python3 "$E2E_DIR/fragments.py" "$@"
}

drops() { # RULE REASON
	xdpfwd map list --json | jq --arg rule "$1" --arg reason "$2" \
		'.[] | select(.name == $rule).counters.drops[$reason] // 0'
}

# setup TIER HOW [LAN] [OPTION...]: servers that answer in that order, and a rule for each.
setup() {
	local tier=$1 how=$2 kind=${3:-plain}
	shift 2
	[ $# -eq 0 ] || shift
	topology "$kind"
	tier "$tier"
	fragment_server server $SERVER4 7000 "$how"
	fragment_server server $SERVER6 7006 "$how"
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add udp :5000 $SERVER4:7000 --name udp4 "$@"
	xdpfwd map add udp :5000 "[$SERVER6]:7006" --name udp6 "$@"
}

# asked RULE ADDR SEEN SIZE HOW: each datagram is answered, and each of its packets is counted once.
asked() {
	local rule=$1 before after per
	before=$(counter "$rule" packets_in)
	equal "$rule: whom the server saw" "$3" "$(fragments client ask "$2" 5000 "$4" $COUNT "$5")"
	after=$(counter "$rule" packets_in)
	per=$((($4 + 8 + 1431) / 1432))
	equal "$rule: packets in" $((per * COUNT)) $((after - before))
	equal "$rule: packets out" "$after" "$(counter "$rule" packets_out)"
}

both_ways() {
	local tier=$1 how=$2 kind=$3 seen4=$4 seen6=$5
	shift 5
	setup "$tier" "$how" "$kind" "$@"
	# 8000 octets are six packets however the kernel cuts them, with either IP and with the answer's prefix.
	asked udp4 $WAN4 "$seen4" 8000 "$how"
	asked udp6 $WAN6 "$seen6" 8000 "$how"
	equal "flows" "1 1" "$(counter udp4 flows_created) $(counter udp6 flows_created)"
}

# As large as they come: 45 fragments.
largest() {
	setup "$1" "$2"
	equal "whom the server saw" $CLIENT4 "$(fragments client ask $WAN4 5000 64000 5 "$2")"
	equal "whom the server saw" $CLIENT6 "$(fragments client ask $WAN6 5000 64000 5 "$2")"
	more "packets in" "$(counter udp4 packets_in)" 219
	more "packets in" "$(counter udp6 packets_in)" 219
}

# An error says whose datagram it was, though the target quotes what it put together.
closed_port() {
	setup "$1" kernel
	xdpfwd map add udp :5001 $SERVER4:7999
	xdpfwd map add udp :5001 "[$SERVER6]:7999"
	local addr answer
	for addr in $WAN4 $WAN6; do
		answer=$(fragments client ask $addr 5001 8000 1 kernel 2>&1) && fail "a closed port has answered"
		matches "what the client hears" "ConnectionRefused" "$answer"
	done
}

overlapping() {
	setup "$1" kernel
	# Of each datagram two fragments are dropped: the one that overlaps, and the one behind it.
	local sent
	sent=$(fragments client teardrop $WAN4 5000)
	equal "dropped" $((2 * sent)) "$(drops udp4 bad_fragment)"
	equal "forwarded" $((2 * sent + 1)) "$(counter udp4 packets_in)"
	sent=$(fragments client teardrop $WAN6 5000)
	equal "dropped" $((2 * sent)) "$(drops udp6 bad_fragment)"
	equal "forwarded" $((2 * sent + 1)) "$(counter udp6 packets_in)"
}

# Fragments that no rule wants: to the router itself, and from the target on its own account.
not_ours() {
	setup "$1" kernel
	local how
	fragment_server router $WAN4 6000 reversed
	fragment_server router $WAN6 6006 reversed
	fragment_server client $CLIENT4 6000 reversed
	fragment_server client $CLIENT6 6006 reversed
	# From now on the target is known to be one.
	asked udp4 $WAN4 $CLIENT4 8000 kernel
	asked udp6 $WAN6 $CLIENT6 8000 kernel
	for how in kernel reversed first-last; do
		equal "whom the router saw" $CLIENT4 "$(fragments client ask $WAN4 6000 8000 $COUNT $how)"
		equal "whom the router saw" $CLIENT6 "$(fragments client ask $WAN6 6006 8000 $COUNT $how)"
		equal "whom the client saw" $SERVER4 "$(fragments server ask $CLIENT4 6000 8000 $COUNT $how)"
		equal "whom the client saw" $SERVER6 "$(fragments server ask $CLIENT6 6006 8000 $COUNT $how)"
	done
	equal "packets in" "$((6 * COUNT)) $((6 * COUNT))" "$(counter udp4 packets_in) $(counter udp6 packets_in)"
}

# Fragments of one datagram on several CPUs at once.
at_once() {
	setup "$1" kernel
	fragments client race $WAN4 5000 500
	fragments client race $WAN6 5000 500
	equal "packets in" "3000 3000" "$(counter udp4 packets_in) $(counter udp6 packets_in)"
}

for tier in tc native gro; do
	for how in kernel reversed first-last; do
		it "fragments, $tier, $how, preserve" both_ways $tier $how plain $CLIENT4 $CLIENT6
		it "fragments, $tier, $how, masquerade" both_ways $tier $how plain $LAN4 $LAN6 --source masquerade
	done
	it "fragments, $tier: 64 KB" largest $tier kernel
	it "fragments, $tier: 64 KB reversed" largest $tier reversed
	it "fragments, $tier: the client hears of a closed port" closed_port $tier
	it "fragments, $tier: overlapping ones are dropped and counted" overlapping $tier
	it "fragments, $tier: others arrive too" not_ours $tier
	it "fragments, $tier: on several CPUs at once" at_once $tier
done
for kind in bridge tun; do
	for how in kernel reversed; do
		it "fragments, $kind, $how, preserve" both_ways tc $how $kind $CLIENT4 $CLIENT6
		it "fragments, $kind, $how, masquerade" both_ways native $how $kind $LAN4 $LAN6 --source masquerade
	done
done

done_testing
