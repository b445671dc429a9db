#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A web server behind the forwarder: 20 MB arrive unchanged, and the server sees
# who the source mode says it sees. On every tier, IPv4 and IPv6.
. "$(dirname "$0")/lib.sh"

both_families() {
	xdpfwd map add tcp :443 $SERVER4:8443 --name web4 "$@"
	xdpfwd map add tcp :443 "[$SERVER6]:8443" --name web6 "$@"
}

transfer() {
	local tier=$1 visitor4=$2 visitor6=$3
	shift 3
	topology
	tier "$tier"
	web_server server 8443
	xdpfwd load wan0 --mode "$MODE"
	both_families "$@"

	download client "http://$WAN4:443/file"
	equal "visitor (v4)" "$visitor4" "$(last_visitor)"
	: >"$TMP/access.log"
	download client "http://[$WAN6]:443/file"
	equal "visitor (v6)" "$visitor6" "$(last_visitor)"
	equal "connections" "1 1" "$(counter web4 flows_created) $(counter web6 flows_created)"
	more "bytes out (v4)" "$(counter web4 bytes_out)" 20000000
	more "bytes out (v6)" "$(counter web6 bytes_out)" 20000000
}

# Every packet finished by the fast tier: nothing that counts, counted elsewhere.
all_fast() {
	local rule
	transfer fast "$@"
	for rule in web4 web6; do
		more "$rule: packets that the fast tier finished" "$(counter $rule fast_packets)" 0
	done
}

for tier in tc native gro; do
	it "tcp, $tier, preserve: 20 MB intact, the client's own address in the log" \
		transfer $tier $CLIENT4 $CLIENT6
	it "tcp, $tier, masquerade: 20 MB intact, the router's address in the log" \
		transfer $tier $LAN4 $LAN6 --source masquerade
done
# fast MODE VISITOR4 VISITOR6
fast() {
	local name="tcp, whole checksums, $1: the fast tier does it"
	if tells_xdp_features; then
		it "$name" all_fast "$2" "$3" --source "$1"
	else
		skip "$name" "this kernel does not tell xdp-features, so that none of a veth is known"
	fi
}

fast preserve $CLIENT4 $CLIENT6
fast masquerade $LAN4 $LAN6

done_testing
