#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Datagrams through rules that listen on any address, on one address, on an
# interface. Each is answered, and each is counted, once, exactly.
. "$(dirname "$0")/lib.sh"

COUNT=500

setup() {
	TIER=$1
	topology
	tier "$1"
	udp_server server :: 7000
	xdpfwd load wan0 --mode "$MODE"
}

# asked RULE ADDR PORT SEEN: COUNT datagrams to it; the server sees SEEN; the rule's counters say COUNT.
asked() {
	local rule=$1 addr=$2 port=$3 seen=$4
	equal "$rule: whom the server saw" "$seen 7000" "$(udp_ask client "$addr" "$port" $COUNT)"
	equal "$rule: packets in" $COUNT "$(counter "$rule" packets_in)"
	equal "$rule: packets out" $COUNT "$(counter "$rule" packets_out)"
	equal "$rule: flows" 1 "$(counter "$rule" flows_created)"
	# All but those before the neighbour was known, and what looks like an unfinished checksum: 1 in 65,536.
	[ "$TIER" != fast ] || more "$rule: by the fast tier" "$(counter "$rule" fast_packets)" $((2 * COUNT - 10))
}

listens() {
	local tier=$1 seen4=$2 seen6=$3
	shift 3
	setup "$tier"
	xdpfwd map add udp :5000 $SERVER4:7000 --name any4 "$@"
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name any6 "$@"
	xdpfwd map add udp $PUBLIC4:5001 $SERVER4:7000 --name addr4 "$@"
	xdpfwd map add udp "[$WAN6]:5001" "[$SERVER6]:7000" --name addr6 "$@"
	xdpfwd map add udp wan0:5002 $SERVER4:7000 --name iface4 "$@"
	xdpfwd map add udp wan0:5002 "[$SERVER6]:7000" --name iface6 "$@"

	asked any4 $WAN4 5000 "$seen4"
	asked any6 $WAN6 5000 "$seen6"
	asked addr4 $PUBLIC4 5001 "$seen4"
	asked addr6 $WAN6 5001 "$seen6"
	asked iface4 $PUBLIC4 5002 "$seen4"
	asked iface6 $WAN6 5002 "$seen6"
}

# What a rule does not claim is left to this machine: its port is closed there.
others_left_alone() {
	setup tc
	xdpfwd map add udp $PUBLIC4:5001 $SERVER4:7000 --name addr4
	local answer
	answer=$(udp_ask client $WAN4 5001 2>&1) && fail "an address that no rule has was forwarded"
	matches "answer of the closed port" "ConnectionRefused" "$answer"
	equal "packets in" 0 "$(counter addr4 packets_in)"
}

for tier in tc native gro fast; do
	if [ $tier = fast ] && ! tells_xdp_features; then
		skip "udp, fast" "this kernel does not tell xdp-features, so that none of a veth is known"
		continue
	fi
	it "udp, $tier, preserve: every datagram answered and counted" listens $tier $CLIENT4 $CLIENT6
	it "udp, $tier, masquerade: every datagram answered and counted" \
		listens $tier $LAN4 $LAN6 --source masquerade
done
it "udp: other addresses are left alone" others_left_alone

done_testing
