#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two uplinks, and one remote machine that is reached through both: answers leave
# by the interface that the client came by, whatever the routing table prefers.
. "$(dirname "$0")/lib.sh"

REMOTE4=198.18.0.1 REMOTE6=2001:db8:9::1
WAN1_4=203.0.113.129 WAN1_6=2001:db8:3::1

# The client's eth1 is the other provider. It accepts an answer only by the right uplink.
two_uplinks() {
	topology
	cable client eth1 router wan1
	address client eth1 203.0.113.130/25 2001:db8:3::2/64
	address router wan1 $WAN1_4/25 $WAN1_6/64
	address client lo $REMOTE4/32 $REMOTE6/128
	in_client sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.eth1.rp_filter=1
	ip -n client route replace $WAN4/32 dev eth0 src $REMOTE4
	ip -n client route replace $WAN1_4/32 dev eth1 src $REMOTE4
	ip -n client -6 route replace $WAN6/128 dev eth0 src $REMOTE6
	ip -n client -6 route replace $WAN1_6/128 dev eth1 src $REMOTE6
	"$1"
}

unequal_metrics() {
	ip -n router route add default via $CLIENT4 metric 100
	ip -n router route add default via 203.0.113.130 metric 200
	ip -n router -6 route add default via $CLIENT6 metric 100
	ip -n router -6 route add default via 2001:db8:3::2 metric 200
}

equal_metrics() {
	ip -n router route add default nexthop via $CLIENT4 nexthop via 203.0.113.130
	ip -n router -6 route add default nexthop via $CLIENT6 nexthop via 2001:db8:3::2
}

sent() { # DEVICE: packets that the router sent there
	in_router ip -s -j link show "$1" | jq '.[0].stats64.tx.packets'
}

# uses DEVICE OTHER COMMAND...: what the router sends meanwhile goes to DEVICE.
uses() {
	local device=$1 other=$2 before before_other
	shift 2
	before=$(sent "$device") before_other=$(sent "$other")
	"$@"
	more "packets to $device" $(($(sent "$device") - before)) 49
	[ $(($(sent "$other") - before_other)) -lt 20 ] || fail "$(($(sent "$other") - before_other)) packets left by $other"
}

answers() {
	local routes=$1 tier=$2
	shift 2
	two_uplinks "$routes"
	tier "$tier"
	web_server server 8443
	udp_server server :: 7000
	xdpfwd load wan0 wan1 --mode "$MODE"
	xdpfwd map add tcp :443 $SERVER4:8443 "$@"
	xdpfwd map add tcp :443 "[$SERVER6]:8443" "$@"
	xdpfwd map add udp :5000 $SERVER4:7000 "$@"
	xdpfwd map add udp :5000 "[$SERVER6]:7000" "$@"
	uses wan0 wan1 udp_ask client $WAN4 5000 50
	uses wan1 wan0 udp_ask client $WAN1_4 5000 50
	uses wan0 wan1 udp_ask client $WAN6 5000 50
	uses wan1 wan0 udp_ask client $WAN1_6 5000 50
	uses wan0 wan1 download client "http://$WAN4:443/file"
	uses wan1 wan0 download client "http://$WAN1_4:443/file"
	uses wan0 wan1 download client "http://[$WAN6]:443/file"
	uses wan1 wan0 download client "http://[$WAN1_6]:443/file"
}

for tier in tc fast; do
	for metrics in unequal equal; do
		it "two uplinks, $metrics metrics, $tier, preserve" answers ${metrics}_metrics $tier
		it "two uplinks, $metrics metrics, $tier, masquerade" answers ${metrics}_metrics $tier --source masquerade
	done
done

done_testing
