#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The network changes under rules that stay: another `load` makes them whole again.
. "$(dirname "$0")/lib.sh"

interfaces() { xdpfwd status --json | jq -r '[.interfaces[].name] | sort | join(" ")'; }
unanswered() { ! udp_ask "$@" 2>/dev/null || fail "'udp_ask $*' was answered"; }
managed() { in_router ip neigh show dev lan0 | grep -c managed || true; }

setup() {
	topology
	udp_server server :: 7000
	xdpfwd load wan0
	xdpfwd map add udp :5000 $SERVER4:7000 --name any
	xdpfwd map add udp wan0:5001 $SERVER4:7000 --name iface
	xdpfwd map add udp wan0:5001 "[$SERVER6]:7000" --name iface6
	xdpfwd map add udp :6000-6999 $SERVER4:7000 --name hidden --source masquerade
}

all_work() {
	udp_ask client $WAN4 5000 5
	udp_ask client $WAN4 5001 5
	udp_ask client $WAN6 5001 5
	equal "who the target sees" "$1 7000" "$(udp_ask client $WAN4 6000 5 | sed 's/ .* / /')"
}

rewire_server() {
	ip -n router link del lan0
	cable router lan0 server eth0
	address router lan0 "$1"/24 $LAN6/64
	address server eth0 $SERVER4/24 $SERVER6/64
	gateway server "$1" $LAN6
}

# The interface that targets are reached through is attached by load, not only by map add.
way_out_detached() {
	setup
	all_work $LAN4
	xdpfwd unload lan0
	unanswered client $WAN4 5000
	xdpfwd load wan0
	equal "interfaces" "lan0 wan0" "$(interfaces)"
	all_work $LAN4
	xdpfwd unload --all
	xdpfwd load wan0 --no-auto-attach
	xdpfwd map add udp :5000 $SERVER4:7000
	xdpfwd load wan0
	equal "interfaces with --no-auto-attach" wan0 "$(interfaces)"
}

# It is another device with the same name now, and the router has another address on it.
way_out_replaced() {
	setup
	equal "managed neighbours" 2 "$(managed)"
	rewire_server 192.0.2.2
	equal "interfaces" wan0 "$(interfaces)"
	xdpfwd load wan0
	equal "interfaces" "lan0 wan0" "$(interfaces)"
	equal "managed neighbours" 2 "$(managed)"
	all_work 192.0.2.2
	equal "flows that the rule took" 1 "$(counter any flows_created)"
	xdpfwd map del any iface hidden
	equal "managed neighbours without the IPv4 rules" 1 "$(managed)"
	xdpfwd map del iface6
	equal "managed neighbours without rules" 0 "$(managed)"
}

# IFACE:PORT means whatever has that name.
way_in_replaced() {
	setup
	all_work $LAN4
	ip -n router link del wan0
	cable client eth0 router wan0
	address client eth0 $CLIENT4/24 $CLIENT6/64
	address router wan0 $WAN4/24 $WAN6/64
	gateway client $WAN4 $WAN6
	xdpfwd load wan0
	all_work $LAN4
	xdpfwd load wan0
	all_work $LAN4
	xdpfwd map del iface
	unanswered client $WAN4 5001
}

swapped_names() {
	setup
	second_client
	xdpfwd load wan0 wan1
	xdpfwd map add udp wan1:5001 $SERVER4:7001 --name other
	ip -n router link set wan0 down
	ip -n router link set wan1 down
	ip -n router link set wan0 name wanx
	ip -n router link set wan1 name wan0
	ip -n router link set wanx name wan1
	ip -n router link set wan0 up
	ip -n router link set wan1 up
	address router wan0 2001:db8:3::1/64
	xdpfwd load wan0 wan1
	equal "interfaces" "lan0 wan0 wan1" "$(interfaces)"
	# What was wan1 has the client of 203.0.113.128/25, and is wan0 now.
	udp_ask client2 203.0.113.129 5001 5
	equal "packets of the rule on wan0" 5 "$(counter iface packets_in)"
}

# A target that cannot be reached now is no reason not to load; it is told.
unreachable() {
	setup
	ip -n router route add 192.0.2.128/32 via $SERVER4
	xdpfwd map add udp :5002 192.0.2.128:7000 --name far
	xdpfwd map add udp :5003 192.0.2.128:7000 --name far2
	ip -n router link del lan0
	xdpfwd load wan0 2>"$TMP/err"
	matches "warning" '^xdpfwd: warning: rule "[a-z0-9]+": no route to .*more rules$' "$(grep rule "$TMP/err")"
	equal "lines about it" 1 "$(grep -c rule "$TMP/err")"
	equal "rules" 6 "$(xdpfwd status --json | jq .rules)"
}

it "load attaches the way out that somebody detached" way_out_detached
it "load finds a way out that was made anew, its neighbours and its address" way_out_replaced
it "load finds an interface to listen on that was made anew" way_in_replaced
it "interfaces that swap their names swap their rules" swapped_names
it "a target out of reach does not keep load from its work" unreachable

done_testing
