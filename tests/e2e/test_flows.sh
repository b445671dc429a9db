#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Connections as the flow table sees them.
. "$(dirname "$0")/lib.sh"

flows() { xdpfwd flows --json; }

listed() {
	topology
	tier "$1"
	tcp_server server $SERVER4 7000
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add tcp :6000 $SERVER4:7000 --name kept
	xdpfwd map add tcp :6001 $SERVER4:7000 --name masked --source masquerade
	hold client $WAN4 6000 2 40000
	flows >"$TMP/flows"
	equal "flows" 2 "$(jq length "$TMP/flows")"
	equal "the flow of port 40001" "kept tcp $WAN4:6000 $SERVER4:7000 $CLIENT4:40001 established" \
		"$(jq -r --arg client $CLIENT4:40001 '.[] | select(.client == $client) |
			"\(.rule) \(.protocol) \(.listen) \(.target) \(.translated_source) \(.state)"' "$TMP/flows")"
	equal "keys" "age_seconds bytes_in bytes_out client idle_seconds listen packets_in packets_out protocol rule state target translated_source" \
		"$(jq -r '.[0] | keys | join(" ")' "$TMP/flows")"
	equal "flows that status counts" 2 "$(xdpfwd status --json | jq .flows.established)"
	release client

	hold client $WAN4 6001 1 41000
	equal "translated source" "$(head -n 1 "$TMP/held-client.out" | tr ' ' :)" \
		"$(flows | jq -r '.[] | select(.rule == "masked").translated_source')"
	equal "flows --rule" masked "$(xdpfwd flows --rule masked --json | jq -r '[.[].rule] | unique | .[]')"
	release client
}

# Two clients, the same source ports, one target: no port is given out twice.
unique_ports() {
	local tier=$1
	topology
	second_client
	tier "$tier"
	tcp_server server $SERVER4 7000
	xdpfwd load wan0 wan1 --mode "$MODE"
	xdpfwd map add tcp :6000 $SERVER4:7000 --name masked --source masquerade
	hold client $WAN4 6000 200 40000
	hold client2 203.0.113.129 6000 200 40000
	grep -h ^$LAN4 "$TMP/held-client.out" "$TMP/held-client2.out" >"$TMP/seen"
	equal "connections" 400 "$(wc -l <"$TMP/seen")"
	equal "sources" 400 "$(sort -u "$TMP/seen" | wc -l)"
	equal "flows that status counts" 400 "$(xdpfwd status --json | jq .flows.established)"
	release client
	release client2
}

# A full table refuses new connections, says so, and keeps the old ones.
full_table() {
	topology
	tcp_server server $SERVER4 7000
	udp_server server :: 7000
	xdpfwd load wan0 --mode "$1" --max-flows 64
	xdpfwd map add tcp :6000 $SERVER4:7000 --name tcp
	xdpfwd map add udp :6000 $SERVER4:7000 --name udp
	equal "limit" 64 "$(xdpfwd status --json | jq .limits.flows)"
	hold client $WAN4 6000 64 40000
	! udp_ask client $WAN4 6000 2>/dev/null || fail "there was room for a flow more"
	more "drops" "$(xdpfwd map list --json | jq '.[] | select(.name == "udp").counters.drops.flow_table_full')" 0
	equal "flows of the rule that found no room" 0 "$(counter udp flows_created)"
	release client
}

# Room comes back without a process that looks for it: a flood of datagrams that nobody answers.
unanswered() {
	topology
	tcp_server server $SERVER4 7000
	xdpfwd load wan0 --mode "$1" --max-flows 64
	xdpfwd map add tcp :6000 $SERVER4:7000 --name tcp
	xdpfwd map add udp :6000 $SERVER4:7001 --name udp
	hold client $WAN4 6000 32 40000
	in_server nft 'table inet silent { chain output { type filter hook output priority 0; icmp type destination-unreachable drop; }; }'
	in_client python3 - <<-EOF
		import socket
		for port in range(20000, 20500):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.bind(("", port))
		    s.sendto(b"anyone?", ("$WAN4", 6000))
	EOF
	release client
	hold client $WAN4 6000 16 42000
	release client
}

deleted() {
	topology
	tcp_server server $SERVER4 7000
	xdpfwd load wan0 --mode "$1"
	xdpfwd map add tcp :6000 $SERVER4:7000 --name ends
	xdpfwd map add tcp :6001 $SERVER4:7000 --name lives
	hold client $WAN4 6001 2 40000
	xdpfwd map del lives --keep-flows
	release client
	hold client $WAN4 6000 2 41000
	xdpfwd map del ends
	equal "flows after map del" 0 "$(flows | jq '[.[] | select(.rule == "ends")] | length')"
}

for tier in tc gro; do
	it "flows are listed while they live, $tier" listed $tier
	it "masquerade gives no port twice, $tier" unique_ports $tier
done
for mode in tc native; do
	it "a full table refuses new flows and keeps the old, $mode" full_table $mode
	it "unanswered flows give way, $mode" unanswered $mode
	it "map del ends flows, --keep-flows lets them live out, $mode" deleted $mode
done

done_testing
