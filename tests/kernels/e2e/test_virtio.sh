#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Native XDP on NICs with several queues: what comes in by one leaves by the other without
# ever being a socket buffer.
. "$(dirname "$0")/devices.sh"
. "$(dirname "$0")/virtio.sh"
needs virtio vlan

queues() { in_router ethtool -l "$1" | awk '/^Combined:/ { n = $2 } END { print n }'; }

# nearly_all RULE: of its packets, the fast tier sent those that came after the first.
nearly_all() {
	local all fast
	all=$(($(counter "$1" packets_in) + $(counter "$1" packets_out)))
	fast=$(counter "$1" fast_packets)
	more "packets of $1" "$all" 1000
	more "of $all packets of $1, fast ones" $((fast * 100)) $((all * 99))
}

# Both directions in both families, source by source; the web server's file is 20 MB.
redirects() {
	network virtio virtio
	more "queues of wan0" "$(queues wan0)" 1
	more "queues of lan0" "$(queues lan0)" 1
	xdpfwd load wan0
	rules --source preserve
	equal "tiers" "native native" "$(tier_of wan0) $(tier_of lan0)"
	traffic $CLIENT4 $CLIENT6 1448 1428
	nearly_all rule4
	nearly_all rule6
	web_server server 8443
	xdpfwd map add tcp :443 $SERVER4:8443 --name web4
	xdpfwd map add tcp :443 "[$SERVER6]:8443" --name web6
	download client "http://$WAN4:443/file"
	download client "http://[$WAN6]:443/file"
	nearly_all web4
	nearly_all web6
	rules --source masquerade
	traffic $LAN4 $LAN6 1448 1428
	nearly_all rule4
	nearly_all rule6
}

# Both NICs run native XDP; the traffic is tagged, and so is the VLAN devices', whose tier is TC.
tagged() {
	network virtio_vlan virtio_vlan
	xdpfwd load wan0 lan0 wan0.100 lan0.100
	rules
	equal "tiers" "native native tc tc" \
		"$(tier_of wan0) $(tier_of lan0) $(tier_of wan0.100) $(tier_of lan0.100)"
	traffic $CLIENT4 $CLIENT6 1448 1428
	equal "fast packets" "0 0" "$(counter rule4 fast_packets) $(counter rule6 fast_packets)"
}

it "native redirect from NIC to NIC" redirects
it "tagged traffic through NICs with native XDP" tagged

done_testing
