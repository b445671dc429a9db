#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How many flows a rule and each of its sources may have at a time, and for how
# long: with real clients, over both families and by both tiers.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	tier "$1"
	second_client
	xdpfwd load wan0 wan1 --mode "$MODE"
}

# drops RULE REASON
drops() { xdpfwd map list --json | jq --arg rule "$1" --arg why "$2" '.[] | select(.name == $rule) | .counters.drops[$why] // 0'; }
has_drops() { [ "$(drops "$1" "$2")" -ge "$3" ]; }
# flows_of RULE [STATE]
flows_of() { xdpfwd flows --rule "$1" --json | jq --arg state "${2:-}" '[.[] | select($state == "" or .state == $state)] | length'; }
has_flows() { [ "$(flows_of "$1" "${3:-}")" -eq "$2" ]; }

max_flows() {
	setup "$1"
	tcp_server server 0.0.0.0 7000
	tcp_server server :: 7000
	xdpfwd map add tcp :5000 $SERVER4:7000 --name limit4 --max-flows 3
	xdpfwd map add tcp :5000 "[$SERVER6]:7000" --name limit6 --max-flows 3
	hold client $WAN4 5000 3 40000
	hold client2 2001:db8:3::1 5000 3 40000
	start late4 nsenter --net=/run/netns/client2 -- python3 "$E2E_DIR/tcp.py" hold 203.0.113.129 5000 1 41000 /dev/null
	start late6 nsenter --net=/run/netns/client -- python3 "$E2E_DIR/tcp.py" hold $WAN6 5000 1 41000 /dev/null
	until_true has_drops limit4 max_flows 1
	until_true has_drops limit6 max_flows 1
	equal "flows" "3 3" "$(flows_of limit4) $(flows_of limit6)"
	# Those that stand go on; when they have ended, who still tries gets in.
	release client
	release client2
	wait_for_line "$TMP/late4.out" ready
	wait_for_line "$TMP/late6.out" ready
}

max_flows_per_source() {
	setup "$1"
	tcp_server server 0.0.0.0 7000
	tcp_server server :: 7000
	xdpfwd map add tcp :5000 $SERVER4:7000 --name each4 --max-flows-per-source 2
	xdpfwd map add tcp :5000 "[$SERVER6]:7000" --name each6 --max-flows-per-source 2 --max-flows 4
	hold client $WAN4 5000 2 40000
	start late4 nsenter --net=/run/netns/client -- python3 "$E2E_DIR/tcp.py" hold $WAN4 5000 1 41000 /dev/null
	until_true has_drops each4 max_flows_per_source 1
	hold client2 203.0.113.129 5000 2 40000
	equal "flows" 4 "$(flows_of each4)"
	release client
	wait_for_line "$TMP/late4.out" ready
	release client2

	# Two addresses of one /64 are one source.
	hold client $WAN6 5000 2 42000
	address client eth0 2001:db8:1::3/64
	start late6 nsenter --net=/run/netns/client -- python3 -c \
		'import socket; socket.create_connection(("2001:db8:1::1", 5000), 60, ("2001:db8:1::3", 0)); print("ready", flush=True)'
	until_true has_drops each6 max_flows_per_source 1
	hold client2 2001:db8:3::1 5000 2 42000
	release client
	release client2
	wait_for_line "$TMP/late6.out" ready
}

# A rule's own timeouts, beside a rule that has the instance's.
rule_timeouts() {
	setup "$1"
	udp_server server :: 7000
	xdpfwd map add udp :5000 $SERVER4:7000 --name short --timeout udp=1s,udp-pending=1s
	xdpfwd map add udp :5001 $SERVER4:7000 --name long
	xdpfwd map add udp :5002 "[$SERVER6]:7000" --name short6 --timeout udp=1s,udp-pending=1s
	udp_ask client $WAN4 5001 3
	udp_ask client $WAN4 5000 3
	udp_ask client $WAN6 5002 3
	until_true has_flows short 0
	until_true has_flows short6 0
	equal "flows of the other" 1 "$(flows_of long)"
}

for tier in tc fast; do
	it "max-flows, $tier" max_flows $tier
	it "max-flows per source, $tier" max_flows_per_source $tier
	it "timeouts of a rule, $tier" rule_timeouts $tier
done

done_testing
