#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where a rule may listen: the first and the last port, all of them at once, an
# address that is not this machine's; and which of several rules gets a packet.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	udp_server server :: 1 2 443 7000 7001 7002 32768 65534 65535
	xdpfwd load wan0
}

# asks ADDR PORT TARGET-PORT: what the target says it was asked on, over UDP.
asks() { equal "the target's port behind $1 port $2" "$3" "$(udp_ask client "$1" "$2" 3 | cut -d ' ' -f 2)"; }

ends() {
	setup
	local server wan
	for server in $SERVER4 "[$SERVER6]"; do
		[ "$server" = $SERVER4 ] && wan=$WAN4 || wan=$WAN6
		xdpfwd map add tcp+udp :1 "$server:65535" --name "first-${#server}"
		xdpfwd map add tcp+udp :65535 "$server:1" --name "last-${#server}"
		xdpfwd map add udp :65533-65534 "$server:1" --name "pair-${#server}"
		asks $wan 1 65535
		asks $wan 65535 1
		asks $wan 65533 1
		asks $wan 65534 2
	done
	equal "packets in of the rules for one port and for two" "3 3 3 3 6 6" \
		"$(xdpfwd map list --json | jq -r '[.[].counters.packets_in] | sort | join(" ")')"
}

every_port() {
	setup
	web_server server 8443
	xdpfwd map add tcp+udp $PUBLIC4:1-65535 $SERVER4 --name all
	xdpfwd map add tcp+udp "[$WAN6]:1-65535" "[$SERVER6]" --name all6
	local port
	for port in 1 2 443 32768 65534 65535; do
		asks $PUBLIC4 $port $port
		asks $WAN6 $port $port
	done
	download client "http://$PUBLIC4:8443/file"
	download client "http://[$WAN6]:8443/file"
	equal "UDP packets and connections" "7 7" \
		"$(xdpfwd map list --json | jq -r '[.[].counters.flows_created] | join(" ")')"
	# All other addresses are as they were.
	! udp_ask client $WAN4 443 2>/dev/null || fail "another address was forwarded"
	xdpfwd map del all all6
	! udp_ask client $PUBLIC4 443 2>/dev/null || fail "forwarded without a rule"
}

# The address before the interface, the interface before every address, one port before a range of the same.
the_closest_rule() {
	setup
	xdpfwd map add udp :5000-5009 $SERVER4:7000 --name wide
	asks $WAN4 5002 7002
	xdpfwd map add udp wan0:5002 $SERVER4:7001 --name iface
	asks $WAN4 5002 7001
	xdpfwd map add udp $WAN4:5000-5001 $SERVER4:65534 --name addr-range
	xdpfwd map add udp $PUBLIC4:5002 $SERVER4:443 --name addr
	asks $PUBLIC4 5002 443
	asks $WAN4 5000 65534
	xdpfwd map del addr addr-range
	asks $WAN4 5002 7001
	xdpfwd map del iface
	asks $WAN4 5002 7002
}

# An address that only is routed here.
not_ours() {
	setup
	xdpfwd map add udp 203.0.113.200:5000 $SERVER4:7000 --name routed
	xdpfwd map add udp "[2001:db8:9::1]:5000" "[$SERVER6]:7000" --name routed6
	asks 203.0.113.200 5000 7000
	asks 2001:db8:9::1 5000 7000
	equal "what is listened on" "[2001:db8:9::1]:5000" \
		"$(xdpfwd map list --json | jq -r '.[] | select(.name == "routed6").listen')"
	xdpfwd map del udp '[2001:0DB8:0009:0:0::0001]:5000'
}

it "the first and the last port, tcp+udp, pairs at the end" ends
it "a rule of all ports of an address" every_port
it "the closest of several rules gets the packet" the_closest_rule
it "an address that is only routed here" not_ours

done_testing
