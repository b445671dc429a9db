#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Several masquerade addresses: each client keeps one of them for all that it
# does, clients are spread over them, and answers and errors find their way. Those
# of IPv4 are the router's own; those of IPv6 are only routed to it.
. "$(dirname "$0")/lib.sh"

POOL4="192.0.2.100-192.0.2.107" POOL6="2001:db8:f::fffe-2001:db8:f::1:5"
CLIENTS=6

setup() {
	topology
	tier "$1"
	web_server server 8443
	udp_server server :: 7000
	for i in {100..107}; do
		address router lan0 "192.0.2.$i/32"
	done
	xdpfwd load wan0 --mode "$MODE"
	rules "$SERVER4" $POOL4 v4
	rules "[$SERVER6]" $POOL6 v6 2>"$TMP/warned"
	cat "$TMP/warned"
}

# rules TARGET POOL NAME: port 5000 and 443 are served, 5001 is a closed port.
rules() {
	xdpfwd map add udp :5000 "$1:7000" --name "udp-$3" --source "masquerade=$2"
	xdpfwd map add tcp :443 "$1:8443" --name "tcp-$3" --source "masquerade=$2"
	xdpfwd map add udp :5001 "$1:7001" --name "closed-$3" --source "masquerade=$2"
}

# client_is N: from now on the client is another one.
client_is() {
	address client lo "198.51.100.$((100 + $1))/32" "2001:db8:1::1:$1/128"
	ip -n client route replace $WAN4/32 dev eth0 src "198.51.100.$((100 + $1))"
	ip -n client -6 route replace $WAN6/128 dev eth0 src "2001:db8:1::1:$1"
	ip -n router route replace "198.51.100.$((100 + $1))/32" via $CLIENT4
	ip -n router -6 route replace "2001:db8:1::1:$1/128" via $CLIENT6
}

# one_of ADDR POOL: is it among them?
one_of() {
	python3 -c '
import ipaddress, sys
first, last = map(ipaddress.ip_address, sys.argv[2].split("-"))
sys.exit(not first <= ipaddress.ip_address(sys.argv[1]) <= last)' "$1" "$2" || fail "$1 is not in $2"
}

# keeps_one WAN POOL LISTEN: says who the server sees, by UDP from two ports and by TCP.
keeps_one() {
	local seen
	seen=$(udp_ask client "$1" 5000 5)
	seen=${seen% *}
	equal "seen from another port" "$seen 7000" "$(udp_ask client "$1" 5000)"
	in_client curl -sS --noproxy '*' --max-time 20 -o /dev/null "http://$3:443/port?$seen"
	wait_for_line "$TMP/access.log" "GET /port\\?$seen "
	equal "seen by TCP" "$seen" "$(last_visitor)"
	one_of "$seen" "$2"
	echo "$seen" >>"$TMP/seen-$2"
}

clients() {
	local i
	setup "$1"
	for ((i = 1; i <= CLIENTS; i++)); do
		client_is "$i"
		keeps_one $WAN4 $POOL4 $WAN4
		keeps_one $WAN6 $POOL6 "[$WAN6]"
	done
	more "addresses that the server saw (v4)" "$(sort -u "$TMP/seen-$POOL4" | wc -l)" 1
	more "addresses that the server saw (v6)" "$(sort -u "$TMP/seen-$POOL6" | wc -l)" 1
	rm "$TMP"/seen-*
}

errors() {
	setup "$1"
	equal "error (v4)" "ECONNREFUSED 3 3 $WAN4 0 1500" "$(in_client python3 "$E2E_DIR/icmp.py" provoke $WAN4 5001)"
	equal "error (v6)" "ECONNREFUSED 1 4 $WAN6 0 1500" "$(in_client python3 "$E2E_DIR/icmp.py" provoke $WAN6 5001)"
}

words() {
	setup tc
	equal "warnings" 3 "$(grep -c '2001:db8:f::fffe is no address of this machine' "$TMP/warned")"
	equal "source" "masquerade=$POOL4 masquerade=$POOL6" \
		"$(xdpfwd map list --json | jq -r '[.[] | select(.name | startswith("udp")) | .source] | join(" ")')"
	matches "map show" "\[$POOL6\]:FREE-PORT -> \[$SERVER6\]:7000" "$(xdpfwd map show udp-v6)"
	refused 1 'ends before it begins' map add tcp :1 $SERVER4 --source masquerade=192.0.2.9-192.0.2.1
	refused 1 '257 addresses are too many, write 256 at most' \
		map add tcp :1 $SERVER4 --source masquerade=192.0.2.0-192.0.3.0
	refused 1 'one family' map add tcp :1 $SERVER4 --source masquerade=2001:db8::1-2001:db8::2
	refused 1 "192.0.2.1-192.0.2.20: that is the target's own address" \
		map add tcp :1 $SERVER4 --source masquerade=192.0.2.1-192.0.2.20
	equal "rules" 6 "$(xdpfwd map list --json | jq length)"
}

for tier in tc fast; do
	it "$tier: each client keeps its address" clients $tier
	it "$tier: an error finds its way" errors $tier
done
it "what is shown, and what is refused" words

done_testing
