#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rented server: a public address is forwarded into a WireGuard tunnel, to a machine at
# home that has no public address, and the answers come back by the tunnel.
. "$(dirname "$0")/devices.sh"
. "$(dirname "$0")/wireguard.sh"
needs wireguard

# Home sends everything into the tunnel, so that answers to any client find their way.
rented_server() {
	network plain wireguard
	xdpfwd load "$WAN"
	rules --source preserve
	equal "the tunnel's tier" tc "$(tier_of "$LAN")"
	traffic $CLIENT4 $CLIENT6 1368 1348
	too_big 1420
}

# Home has its own way to the Internet, and knows the tunnel only for the server's own network.
home_routes_nothing() {
	network plain wireguard
	ip -n server link add isp0 up type dummy
	ip -n server route replace default dev isp0
	ip -n server -6 route replace default dev isp0
	xdpfwd load "$WAN"
	rules --source preserve
	in_client timeout 5 python3 "$E2E_DIR/udp.py" ask $WAN4 5000 1 && fail "an answer came without a way"
	more "the question arrived" "$(counter rule4 packets_in)" 0
	equal "no answer" 0 "$(counter rule4 packets_out)"
	rules --source masquerade
	traffic $LAN4 $LAN6 1368 1348
	too_big 1420
}

# The tunnel as way in: the client is at the other end of it.
way_in() {
	network wireguard plain
	xdpfwd load "$WAN"
	rules "$@"
	traffic $CLIENT4 $CLIENT6 1368 1348
}

it "way out, preserve: home's answers go by the tunnel" rented_server
it "way out, home has another default route: preserve has no answers, masquerade has" home_routes_nothing
it "way in" way_in --source preserve

done_testing
