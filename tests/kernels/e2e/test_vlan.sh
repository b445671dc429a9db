#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# VLAN devices and stacked ones (802.1ad outside, 802.1Q inside) as way in, as way out and as
# port of a bridge; and what becomes of tagged frames on a device below that is attached itself.
. "$(dirname "$0")/devices.sh"
needs vlan

# forwards WAY-IN WAY-OUT
forwards() {
	network "$1" "$2"
	xdpfwd load "$WAN"
	rules --source preserve
	equal "tier of the way out" tc "$(tier_of "$LAN")"
	traffic $CLIENT4 $CLIENT6 1448 1428
	rules --source masquerade
	traffic $LAN4 $LAN6 1448 1428
}

# Three ports: a VLAN device with the server behind it, and two Ethernets.
way_bridge() {
	namespace server2
	namespace server3
	ip -n router link add br0 up type bridge forward_delay 0 mcast_snooping 0
	cable "$1" eth0 router "${2}0"
	cable server2 eth0 router "${2}1"
	cable server3 eth0 router "${2}2"
	on_top "$1" eth0 100
	on_top router "${2}0" 100
	ip -n router link set "${2}0.100" master br0
	ip -n router link set "${2}1" master br0
	ip -n router link set "${2}2" master br0
	address server2 eth0 192.0.2.11/24 2001:db8:2::11/64
	gateway server2 $LAN4 $LAN6
	END=eth0.100 DEVICE=br0
	ends "$1" "$2"
}

bridge() {
	network plain bridge
	xdpfwd load "$WAN"
	rules
	equal "tier of the bridge" tc "$(tier_of br0)"
	udp_server server2 192.0.2.11 7000
	xdpfwd map add udp :5001 192.0.2.11:7000 --name other
	traffic $CLIENT4 $CLIENT6 1448 1428
	equal "another port" "$CLIENT4 7000" "$(udp_ask client $WAN4 5001 20)"
}

# The devices below get the tag beside the frame, where XDP does not see it. They leave tagged traffic alone.
device_below() {
	network vlan vlan
	in_client ethtool -K eth0 gro on tx off >/dev/null
	in_server ethtool -K eth0 gro on tx off >/dev/null
	xdpfwd load wan0 lan0 wan0.100 lan0.100 "$@"
	rules
	traffic $CLIENT4 $CLIENT6 1448 1428
	equal "fast packets" "0 0" "$(counter rule4 fast_packets) $(counter rule6 fast_packets)"
	refused 1 'use --mode tc' load wan0 --mode native
	refused 1 'use --mode tc' load wan0 --mode generic
	equal "tier" tc "$(tier_of wan0)"
}

# Loading again notices it.
vlan_made_later() {
	network plain plain
	xdpfwd load wan0 --mode native
	equal "tier" native "$(tier_of wan0)"
	on_top router wan0 100
	refused 1 'use --mode tc' load wan0 --mode native
	equal "tier" native "$(tier_of wan0)"
	xdpfwd load wan0
	equal "tier" tc "$(tier_of wan0)"
	matches "why" 'VLAN' "$(xdpfwd status)"
	ip -n router link del wan0.100
	xdpfwd load wan0 --mode native
	equal "tier" native "$(tier_of wan0)"
}

it "VLAN in, QinQ out" forwards vlan qinq
it "QinQ in, VLAN out" forwards qinq vlan
it "a bridge of three ports, one of them a VLAN" bridge
it "tagged traffic, the device below attached, too" device_below
it "tagged traffic, the device below attached with --mode tc" device_below --mode tc
it "a VLAN device made later" vlan_made_later

done_testing
