#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Ranges of 1,000 ports: first, middle and last arrive where they belong, the
# neighbours outside do not arrive at all.
. "$(dirname "$0")/lib.sh"

udp_range() {
	local tier=$1 base=$2 offset
	topology
	tier "$tier"
	udp_server server :: "$base" $((base + 500)) $((base + 999))
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add udp :27000-27999 "$SERVER4:$base" --name game4
	xdpfwd map add udp :27000-27999 "[$SERVER6]:$base" --name game6
	for offset in 0 500 999; do
		equal "port $((27000 + offset))" "$CLIENT4 $((base + offset))" \
			"$(udp_ask client $WAN4 $((27000 + offset)) 10)"
		equal "port $((27000 + offset)), v6" "$CLIENT6 $((base + offset))" \
			"$(udp_ask client $WAN6 $((27000 + offset)) 10)"
	done
	! udp_ask client $WAN4 26999 2>/dev/null || fail "port 26999 was forwarded"
	! udp_ask client $WAN4 28000 2>/dev/null || fail "port 28000 was forwarded"
	equal "packets in" "30 30" "$(counter game4 packets_in) $(counter game6 packets_in)"
}

tcp_range() {
	local tier=$1 base=$2 offset
	topology
	tier "$tier"
	web_server server "$base" $((base + 500)) $((base + 999))
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add tcp :27000-27999 "$SERVER4:$base" --name passive4
	xdpfwd map add tcp :27000-27999 "[$SERVER6]:$base" --name passive6
	for offset in 0 500 999; do
		equal "port $((27000 + offset))" $((base + offset)) \
			"$(in_client curl -sS --max-time 20 "http://$WAN4:$((27000 + offset))/port")"
		equal "port $((27000 + offset)), v6" $((base + offset)) \
			"$(in_client curl -sS --max-time 20 "http://[$WAN6]:$((27000 + offset))/port")"
	done
	equal "connections" "3 3" "$(counter passive4 flows_created) $(counter passive6 flows_created)"
}

for tier in tc gro; do
	it "range, udp, $tier, to the same ports" udp_range $tier 27000
	it "range, udp, $tier, to other ports" udp_range $tier 37000
	it "range, tcp, $tier, to the same ports" tcp_range $tier 27000
	it "range, tcp, $tier, to other ports" tcp_range $tier 37000
done

done_testing
