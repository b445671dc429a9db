#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two seconds of iperf3 in each direction: bytes arrive all the time, not only
# at the start. No figure is asserted; what is measured depends on the machine.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	tier "$1"
	start iperf nsenter --net=/run/netns/server -- iperf3 -s -p 5201 --forceflush
	wait_for_line "$TMP/iperf.out" listening
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add tcp+udp :5201 $SERVER4:5201 --name iperf4
	xdpfwd map add tcp+udp :5201 "[$SERVER6]:5201" --name iperf6
}

measure() {
	in_client timeout 30 iperf3 -p 5201 -t 2 -i 0.5 --json "$@" >"$TMP/iperf.json" ||
		fail "iperf3 $*: $(jq -r .error "$TMP/iperf.json")"
}

tcp() {
	local args
	setup "$1"
	for args in "-c $WAN4" "-c $WAN4 -R" "-c $WAN6" "-c $WAN6 -R"; do
		# shellcheck disable=SC2086 # a list of words
		measure $args
		more "$args: bytes received" "$(jq '.end.sum_received.bytes | floor' "$TMP/iperf.json")" 1000000
		equal "$args: intervals without a byte" 0 \
			"$(jq '[.intervals[] | select(.sum.bytes == 0)] | length' "$TMP/iperf.json")"
	done
}

# What is handed on in one piece reaches the receiver so that it can join it to what is there, as if nobody had been
# between: data that was moved into the headers' part of the buffer cannot be joined.
joined_so_far() {
	nsenter --net=/run/netns/server nstat -asz TcpExtTCPRcvCoalesce |
		awk '$1 == "TcpExtTCPRcvCoalesce" { print $2 }'
}

joined() {
	local args before
	setup tc
	for args in "-c $WAN4" "-c $WAN6"; do
		before=$(joined_so_far)
		# shellcheck disable=SC2086 # a list of words
		measure $args
		more "$args: segments joined by the receiver" $(($(joined_so_far) - before)) 100
	done
}

udp() {
	local args sent lost
	setup "$1"
	for args in "-c $WAN4" "-c $WAN4 -R" "-c $WAN6" "-c $WAN6 -R"; do
		# shellcheck disable=SC2086 # a list of words
		measure -u -b 50M -l 1372 $args
		sent=$(jq '.end.sum.packets' "$TMP/iperf.json")
		lost=$(jq '.end.sum.lost_packets' "$TMP/iperf.json")
		more "$args: datagrams" "$sent" 1000
		# A busy machine overruns the receiver's socket; a broken forwarder loses all.
		more "$args: datagrams received of $sent" $((sent - lost)) $((sent / 2))
	done
}

for tier in tc native gro fast; do
	it "iperf3, tcp, $tier" tcp $tier
	it "iperf3, udp, $tier" udp $tier
done
it "the receiver joins segments, tc" joined

done_testing
