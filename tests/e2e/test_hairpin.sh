#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine in the target's own network uses the public address. The target must
# see the router then, or it would answer past it; whoever is elsewhere is seen
# as who he is.
. "$(dirname "$0")/lib.sh"

setup() {
	topology bridge
	web_server server 8443
	udp_server server :: 7000
	xdpfwd load wan0 --mode "$1"
	xdpfwd map add tcp :443 $SERVER4:8443 --name web4
	xdpfwd map add tcp :443 "[$SERVER6]:8443" --name web6
	xdpfwd map add udp :5000 $SERVER4:7000 --name echo4
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name echo6
}

# visits NAMESPACE SEEN4 SEEN6: TCP and UDP of both families; the target sees these addresses.
visits() {
	: >"$TMP/access.log"
	download "$1" "http://$WAN4:443/file"
	equal "visitor (v4)" "$2" "$(last_visitor)"
	: >"$TMP/access.log"
	download "$1" "http://[$WAN6]:443/file"
	equal "visitor (v6)" "$3" "$(last_visitor)"
	equal "datagrams (v4)" "$2 7000" "$(udp_ask "$1" $WAN4 5000 50)"
	equal "datagrams (v6)" "$3 7000" "$(udp_ask "$1" $WAN6 5000 50)"
}

neighbour() {
	setup "$1"
	visits server2 $LAN4 $LAN6
}

target_itself() {
	setup "$1"
	visits server $LAN4 $LAN6
}

elsewhere() {
	setup "$1"
	visits client $CLIENT4 $CLIENT6
}

# Told to preserve, it does; and the neighbour's connection then fails, as it must.
preserve_means_it() {
	topology bridge
	udp_server server $SERVER4 7000
	xdpfwd load wan0
	xdpfwd map add udp :5000 $SERVER4:7000 --source preserve
	! udp_ask server2 $WAN4 5000 || fail "the hairpin was masqueraded"
}

for mode in tc auto native; do
	it "hairpin, $mode: a neighbour of the target" neighbour $mode
	it "hairpin, $mode: the target itself" target_itself $mode
	it "hairpin, $mode: others are seen as who they are" elsewhere $mode
done
it "hairpin: preserve means preserve" preserve_means_it

done_testing
