#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules without state: real connections over both families and by both tiers;
# two routers that share the work and replace each other in mid-connection; a
# flood that leaves nothing behind; what such a rule cannot be.
. "$(dirname "$0")/lib.sh"

VIP6=2001:db8:9::7

# setup TIER [OPTION...]: the options are load's.
setup() {
	topology
	tier "$1"
	shift
	xdpfwd load wan0 --mode "$MODE" "$@"
}

# add PROTO PORT TARGET-PORT [OPTION...]: rules rule4 and rule6.
add() {
	local proto=$1 port=$2 target=$3
	shift 3
	xdpfwd map add "$proto" "$WAN4:$port" "$SERVER4:$target" --name rule4 --stateless "$@"
	xdpfwd map add "$proto" "[$WAN6]:$port" "[$SERVER6]:$target" --name rule6 --stateless "$@"
}

flows() { xdpfwd flows --json | jq length; }

tcp() {
	setup "$1"
	web_server server 8080
	add tcp 80 8080
	download client "http://$WAN4/file"
	equal "who the server saw" $CLIENT4 "$(last_visitor)"
	download client "http://[$WAN6]/file"
	equal "who the server saw, v6" $CLIENT6 "$(last_visitor)"
	equal "flows" "0 0 0" "$(flows) $(counter rule4 flows_created) $(counter rule6 flows_created)"
	more "octets out" "$(counter rule4 bytes_out)" 20000000
	more "octets out, v6" "$(counter rule6 bytes_out)" 20000000
}

udp() {
	setup "$1"
	udp_server server :: 7000
	add udp 5000 7000
	equal "who the server saw" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000 50)"
	equal "who the server saw, v6" "$CLIENT6 7000" "$(udp_ask client $WAN6 5000 50)"
	equal "packets" "50 50 50 50" "$(counter rule4 packets_in) $(counter rule4 packets_out) \
$(counter rule6 packets_in) $(counter rule6 packets_out)"
	equal "flows" "0 0 0" "$(flows) $(counter rule4 flows_created) $(counter rule6 flows_created)"

	xdpfwd map disable rule4
	xdpfwd map del rule6
	! udp_ask client $WAN6 5000 2>/dev/null || fail "forwarded by a rule that was deleted"
	equal "packets of the disabled one" "50 50" "$(counter rule4 packets_in) $(counter rule4 packets_out)"
	xdpfwd map enable rule4
	udp_ask client $WAN4 5000 5
	xdpfwd map del rule4
	! udp_ask client $WAN4 5000 2>/dev/null || fail "forwarded by a rule that was deleted"
	# What was the target's port is like any other again.
	xdpfwd map add udp $WAN4:5001 $SERVER4:7000 --source masquerade --name other
	equal "who the server saw" "$LAN4 7000" "$(udp_ask client $WAN4 5001 5)"
}

range() {
	local offset
	setup "$1"
	udp_server server :: 37000 37500 37999
	add udp 27000-27999 37000
	for offset in 0 500 999; do
		equal "port $((27000 + offset))" "$CLIENT4 $((37000 + offset))" \
			"$(udp_ask client $WAN4 $((27000 + offset)) 5)"
		equal "port $((27000 + offset)), v6" "$CLIENT6 $((37000 + offset))" \
			"$(udp_ask client $WAN6 $((27000 + offset)) 5)"
	done
	! udp_ask client $WAN4 28000 2>/dev/null || fail "port 28000 was forwarded"
	xdpfwd map del rule4
	! udp_ask client $WAN4 27500 2>/dev/null || fail "forwarded by a rule that was deleted"
	equal "flows" 0 "$(flows)"
}

closed_port() {
	setup "$1"
	add udp 5000 7000
	equal "error (v4)" "ECONNREFUSED 3 3 $WAN4 0 1500" "$(in_client python3 "$E2E_DIR/icmp.py" provoke $WAN4 5000)"
	equal "error (v6)" "ECONNREFUSED 1 4 $WAN6 0 1500" "$(in_client python3 "$E2E_DIR/icmp.py" provoke $WAN6 5000)"
}

who_may() {
	setup "$1"
	udp_server server :: 7000
	add udp 5000 7000 --deny $CLIENT4,$CLIENT6
	! udp_ask client $WAN4 5000 2>/dev/null || fail "a denied client got in"
	! udp_ask client $WAN6 5000 2>/dev/null || fail "a denied client got in"
	equal "denied" "1 1" "$(xdpfwd map list --json | jq -r '[.[].counters.drops.denied] | join(" ")')"
	xdpfwd map del rule4 rule6
	add udp 5000 7000 --allow $CLIENT4,$CLIENT6 --expires 1h
	udp_ask client $WAN4 5000 5
	udp_ask client $WAN6 5000 5
}

# Each datagram from another address, and the rule has more of them than the table has flows.
flood() {
	setup "$1" --max-flows 1024
	udp_server server :: 7000
	# The flood goes to the second port, so that the server has time for who asks.
	add udp 5000-5001 7000
	ip -n client route add local 198.18.0.0/16 dev lo
	ip -n client route add local 2001:db8:f000::/64 dev lo
	ip -n router route add 198.18.0.0/16 via $CLIENT4
	ip -n router route add 2001:db8:f000::/64 via $CLIENT6
	in_client python3 "$E2E_DIR/udp.py" spray $WAN4 5001 3000 198.18.0.0
	in_client python3 "$E2E_DIR/udp.py" spray $WAN6 5001 3000 2001:db8:f000::
	equal "who the server saw" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000 20)"
	equal "who the server saw, v6" "$CLIENT6 7000" "$(udp_ask client $WAN6 5000 20)"
	equal "packets" "3020 3020" "$(counter rule4 packets_in) $(counter rule6 packets_in)"
	equal "flows" "0 0 0" "$(flows) $(counter rule4 flows_created) $(counter rule6 flows_created)"
	equal "pending and established" "0 0" "$(xdpfwd status --json | jq -r '"\(.flows.pending) \(.flows.established)"')"
}

# ---- two routers

in_router2() { nsenter --net=/run/netns/router2 -- "$@"; }
xdpfwd2() { in_router2 "$XDPFWD" --state /sys/fs/bpf/second "$@"; }
count2() { xdpfwd2 map list --json | jq --arg rule "$1" '.[] | select(.name == $rule) | .counters.packets_in + .counters.packets_out'; }
slow_has() { [ "$(stat -c %s "$TMP/slow" 2>/dev/null || echo 0)" -ge "$1" ]; }

# A second way from the client to the server; both routers have the addresses that clients know.
second_router() {
	local ns
	namespace router2
	in_router2 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1
	cable client eth1 router2 wan0
	cable server eth1 router2 lan0
	address client eth1 198.18.1.2/24 2001:db8:11::2/64
	address router2 wan0 198.18.1.1/24 $PUBLIC4/32 2001:db8:11::1/64 $VIP6/128
	address router2 lan0 198.18.2.1/24 2001:db8:12::1/64
	address server eth1 198.18.2.10/24 2001:db8:12::10/64
	address router wan0 $VIP6/128
	ip -n router2 route add $CLIENT4 via 198.18.1.2
	ip -n router2 route add $SERVER4 via 198.18.2.10
	ip -n router2 -6 route add $CLIENT6 via 2001:db8:11::2
	ip -n router2 -6 route add $SERVER6 via 2001:db8:12::10
	for ns in client server; do
		nsenter --net=/run/netns/$ns -- sysctl -qw net.ipv4.conf.{all,eth0,eth1}.rp_filter=0
	done
}

client_by_second() {
	ip -n client route replace default via 198.18.1.1 src $CLIENT4
	ip -n client -6 route replace default via 2001:db8:11::1 src $CLIENT6
}

server_by_second() {
	ip -n server route replace default via 198.18.2.1 src $SERVER4
	ip -n server -6 route replace default via 2001:db8:12::1 src $SERVER6
}

# slow_download URL: while it goes on, packets change to the other router, one direction at a time.
slow_download() {
	rm -f "$TMP/slow"
	start slow nsenter --net=/run/netns/client -- \
		curl -sS --noproxy '*' --max-time 60 --limit-rate 5M -o "$TMP/slow" "$1"
	until_true slow_has 2000000
	client_by_second
	until_true slow_has 6000000
	server_by_second
	until_true slow_has 10000000
	# The first is not needed any more.
	xdpfwd unload --all
	in_router sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	until_true is_gone "$(cat "$TMP/slow.pid")"
	cmp "$TMP/slow" "$TMP/www/file"
}

two_routers() {
	local addr=$2 url=http://$2/file before
	[[ $addr != *:* ]] || url="http://[$addr]/file"
	setup "$1"
	second_router
	web_server server 8080
	case $addr in
	*:*) tcp_server server :: 7000 ;;
	*) tcp_server server 0.0.0.0 7000 ;;
	esac
	xdpfwd2 load wan0 --mode "$MODE"
	for tool in xdpfwd xdpfwd2; do
		$tool map add tcp $PUBLIC4:80 $SERVER4:8080 --name web4 --stateless
		$tool map add tcp "[$VIP6]:80" "[$SERVER6]:8080" --name web6 --stateless
		$tool map add tcp $PUBLIC4:5000 $SERVER4:7000 --name held4 --stateless
		$tool map add tcp "[$VIP6]:5000" "[$SERVER6]:7000" --name held6 --stateless
	done
	hold client "$addr" 5000 5 40000
	slow_download "$url"
	release client
	download client "$url"
	before=$(($(count2 web4) + $(count2 web6)))
	more "packets by the second" "$before" 1000
	more "packets by the second, of connections that the first began" $(($(count2 held4) + $(count2 held6))) 9
	equal "flows" "0" "$(xdpfwd2 flows --json | jq length)"
}

# ---- the address, and what is refused

one_address() {
	setup tc
	udp_server server :: 7000
	refused 1 "wan0:5000 is $WAN4, $PUBLIC4,.*ADDR:PORT" map add udp wan0:5000 $SERVER4:7000 --stateless
	refused 1 ":5000 is .*$LAN4.*ADDR:PORT" map add udp :5000 $SERVER4:7000 --stateless
	refused 1 "lo:5000 has no IPv4 address.*ADDR:PORT" map add udp lo:5000 $SERVER4:7000 --stateless
	ip -n router addr del $PUBLIC4/32 dev wan0
	xdpfwd map add udp wan0:5000 $SERVER4:7000 --name rule4 --stateless
	xdpfwd map add udp wan0:5000 "[$SERVER6]:7000" --name rule6 --stateless
	udp_ask client $WAN4 5000 5
	udp_ask client $WAN6 5000 5
	matches "reply in map show" "reply out +$WAN4:5000 +-> CLIENT:PORT" "$(xdpfwd map show rule4)"
	matches "reply in map show, v6" "reply out +\[$WAN6\]:5000 +-> CLIENT:PORT" "$(xdpfwd map show rule6)"

	# Followed like the source of masquerading.
	ip -n router addr del $WAN4/24 dev wan0
	address router wan0 198.51.100.9/24
	xdpfwd load wan0 --mode tc
	udp_ask client 198.51.100.9 5000 5
	# Which of two it is cannot be known: it stays as it is, and one is told.
	address router wan0 $PUBLIC4/32
	matches "warning" 'rule "rule4": wan0:5000 is 198.51.100.9, 203.0.113.7' "$(xdpfwd load wan0 --mode tc 2>&1)"
	udp_ask client 198.51.100.9 5000 5
}

refusals() {
	local rules option
	setup tc
	xdpfwd map add tcp $WAN4:80 $SERVER4:8080 --name web --stateless
	xdpfwd map add tcp $WAN4:90 $SERVER4:8090 --name state
	rules=$(xdpfwd map list --json | jq -c 'map(del(.counters))')
	refused 1 'target of rule "web"' map add tcp :81 $SERVER4:8080
	refused 1 'target of rule "web"' map add tcp+udp :8000-8100 $SERVER4 --source masquerade
	refused 1 'target of rule "web"' map add tcp $WAN4:81 $SERVER4:8080 --stateless
	refused 1 'target of rule "state"' map add tcp $WAN4:81 $SERVER4:8090 --stateless
	refused 1 'source masquerade.*leave it out' map add udp $WAN4:53 $SERVER4 --stateless --source masquerade
	refused 1 'address of this machine.*leave --stateless out' map add udp $WAN4:53 $LAN4 --stateless
	refused 1 'address of this machine.*leave --stateless out' map add udp $WAN4:53 127.0.0.1 --stateless
	for option in '--rate 1/s' '--rate-per-source 1/s' '--max-flows 1' '--max-flows-per-source 1' \
		'--timeout tcp=1m' '--syn-protect'; do
		# shellcheck disable=SC2086 # an option and its value
		refused 1 "${option%% *} is about flows.*leave it out" map add tcp $WAN4:53 $SERVER4 --stateless $option
	done
	refused 1 '"web" is stateless.*leave --keep-flows out' map del state web --keep-flows
	equal "rules" "$rules" "$(xdpfwd map list --json | jq -c 'map(del(.counters))')"
	equal "stateless in JSON" "true false" "$(xdpfwd map list --json | jq -r '[.[].stateless] | join(" ")')"
	matches "map list" 'web .*enabled, stateless' "$(xdpfwd map list)"

	# Another protocol and another port are another target; and a target is free once its rule is gone.
	xdpfwd map add udp $WAN4:80 $SERVER4:8080 --name udp --stateless
	xdpfwd map add tcp $WAN4:81 $SERVER4:8081 --name next --stateless
	xdpfwd map del web
	xdpfwd map add tcp $WAN4:82 $SERVER4:8080 --name again
}

# As many as of any others, though each takes four entries.
as_many() {
	topology
	tier tc
	xdpfwd load wan0 --mode tc --max-rules 4
	for i in 1 2 3 4; do
		xdpfwd map add tcp+udp "$WAN4:500$i" "$SERVER4:700$i" --name "rule$i" --stateless
	done
	refused 1 'max-rules' map add tcp $WAN4:5005 $SERVER4:7005
	equal "rules" 4 "$(xdpfwd map list --json | jq length)"
}

# What a former rule's connections still need is not taken from them.
former_rule() {
	setup tc
	tcp_server server 0.0.0.0 7000
	xdpfwd map add tcp :5000 $SERVER4:7000 --name old
	hold client $WAN4 5000 2 40000
	xdpfwd map del old --keep-flows
	refused 1 'former rule "old"' map add tcp $WAN4:5000 $SERVER4:7000 --stateless
	release client
	xdpfwd flows flush
	xdpfwd map add tcp $WAN4:5000 $SERVER4:7000 --stateless
	tcp_connect client $WAN4 5000
}

for tier in tc native gro; do
	it "tcp, $tier" tcp $tier
	it "udp, $tier" udp $tier
	it "a closed port of the target, $tier" closed_port $tier
	it "allow and deny, $tier" who_may $tier
	it "spoofed datagrams, $tier" flood $tier
	it "two routers, v4, $tier" two_routers $tier $PUBLIC4
	it "two routers, v6, $tier" two_routers $tier $VIP6
done
for tier in tc gro; do
	it "a range, $tier" range $tier
done
it "the one address" one_address
it "refused" refusals
it "flows of a former rule" former_rule
it "as many rules as may be" as_many

done_testing
