#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Targets behind a bridge and behind a tun device: ways out that take no XDP
# frames. The interface that leads to the target is attached without being asked for.
. "$(dirname "$0")/lib.sh"

attached() {
	xdpfwd status --json | jq -e --arg name "$1" 'any(.interfaces[]; .name == $name)' >/dev/null
}

forwards_through() {
	local kind=$1 tier=$2 visitor4=$3 visitor6=$4
	shift 4
	topology "$kind"
	tier "$tier"
	web_server server 8443
	udp_server server :: 7000
	xdpfwd load wan0 --mode "$MODE"
	! attached "$LAN" || fail "$LAN is attached before there is a rule"
	xdpfwd map add tcp :443 $SERVER4:8443 "$@"
	attached "$LAN" || fail "$LAN was not attached"
	xdpfwd map add tcp :443 "[$SERVER6]:8443" "$@"
	xdpfwd map add udp :5000 $SERVER4:7000 --name udp4 "$@"
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name udp6 "$@"

	download client "http://$WAN4:443/file"
	equal "visitor (v4)" "$visitor4" "$(last_visitor)"
	: >"$TMP/access.log"
	download client "http://[$WAN6]:443/file"
	equal "visitor (v6)" "$visitor6" "$(last_visitor)"
	equal "datagrams (v4)" "$visitor4 7000" "$(udp_ask client $WAN4 5000 200)"
	equal "datagrams (v6)" "$visitor6 7000" "$(udp_ask client $WAN6 5000 200)"
	equal "counted" "200 200" "$(counter udp4 packets_in) $(counter udp6 packets_out)"
}

# Two machines on one bridge.
both_ports() {
	topology bridge
	udp_server server $SERVER4 7000
	udp_server server2 192.0.2.11 7000
	xdpfwd load wan0
	xdpfwd map add udp :5000 $SERVER4:7000 --name one
	xdpfwd map add udp :5001 192.0.2.11:7000 --name two
	udp_ask client $WAN4 5000 100
	udp_ask client $WAN4 5001 100
	equal "counted" "100 100" "$(counter one packets_out) $(counter two packets_out)"
}

not_attached_when_told() {
	topology
	xdpfwd load wan0 --mode tc --no-auto-attach
	xdpfwd map add tcp :443 $SERVER4:8443
	! attached lan0 || fail "lan0 was attached in spite of --no-auto-attach"
}

for kind in plain bridge tun; do
	for tier in tc native; do
		it "$kind, $tier, preserve" forwards_through $kind $tier $CLIENT4 $CLIENT6
		it "$kind, $tier, masquerade" forwards_through $kind $tier $LAN4 $LAN6 --source masquerade
	done
done
it "bridge: targets on both ports" both_ports
it "--no-auto-attach attaches nothing else" not_attached_when_told

done_testing
