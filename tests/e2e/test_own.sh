#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Clients that are this machine: the router itself uses a forwarded public address.
. "$(dirname "$0")/lib.sh"

# own_uses TIER [OPTION...]: the router's connections to its own addresses, which other machines' are forwarded.
own_uses() {
	topology
	tier "$1"
	shift
	web_server server 8443
	udp_server server :: 7000
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add tcp :443 $SERVER4:8443 --name tcp4 "$@"
	xdpfwd map add tcp :443 "[$SERVER6]:8443" --name tcp6 "$@"
	xdpfwd map add udp :5000 $SERVER4:7000 --name udp4 "$@"
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name udp6 "$@"
	download router "http://$WAN4:443/file"
	equal "visitor (v4)" $LAN4 "$(last_visitor)"
	: >"$TMP/access.log"
	download router "http://$PUBLIC4:443/file"
	: >"$TMP/access.log"
	download router "http://[$WAN6]:443/file"
	equal "visitor (v6)" $LAN6 "$(last_visitor)"
	equal "datagrams (v4)" "$LAN4 7000" "$(udp_ask router $WAN4 5000 200)"
	equal "datagrams (v6)" "$LAN6 7000" "$(udp_ask router $WAN6 5000 200)"
	equal "counted (v4)" "200 200" "$(counter udp4 packets_in) $(counter udp4 packets_out)"
	equal "counted (v6)" "200 200" "$(counter udp6 packets_in) $(counter udp6 packets_out)"
	# Others are served as before.
	download client "http://$WAN4:443/file"
	download client "http://[$WAN6]:443/file"
}

own_is_refused() {
	topology
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp+udp :5000 $SERVER4:7999
	xdpfwd map add tcp+udp :5000 "[$SERVER6]:7999"
	closed_to router
}

# own_uses_local TARGET4 TARGET6: both ends of the connection are the router.
own_uses_local() {
	local target4=$1 target6=$2
	topology
	web_server router 8443
	udp_server router "$target4" 7000
	udp_server router "${target6//[][]/}" 7000
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp :443 "$target4:8443"
	xdpfwd map add tcp :443 "$target6:8443"
	xdpfwd map add udp :5000 "$target4:7000" --name udp4
	xdpfwd map add udp :5000 "$target6:7000" --name udp6
	download router "http://$WAN4:443/file"
	download router "http://[$WAN6]:443/file"
	equal "datagrams (v4)" "$WAN4 7000" "$(udp_ask router $WAN4 5000 200)"
	equal "datagrams (v6)" "$WAN6 7000" "$(udp_ask router $WAN6 5000 200)"
	equal "counted" "200 200" "$(counter udp4 packets_out) $(counter udp6 packets_out)"
}

# Loopback's own addresses are nobody's to forward: a resolver there keeps its port.
own_loopback_stays() {
	topology
	udp_server router 127.0.0.1 5000
	udp_server router ::1 5000
	udp_server server :: 7000
	xdpfwd load wan0 --mode tc
	xdpfwd map add udp :5000 $SERVER4:7000
	xdpfwd map add udp :5000 "[$SERVER6]:7000"
	equal "asked 127.0.0.1" "127.0.0.1 5000" "$(udp_ask router 127.0.0.1 5000)"
	equal "asked ::1" "::1 5000" "$(udp_ask router ::1 5000)"
	equal "asked the public address" "$LAN4 7000" "$(udp_ask router $WAN4 5000)"
}

# Connection tracking sees both ends of these connections, and a flow that is flushed begins anew.
own_under_conntrack() {
	topology
	in_router nft -f - <<-EOF
		table inet filter {
			chain in { type filter hook input priority 0; ct state invalid drop; }
			chain out { type filter hook output priority 0; ct state invalid drop; }
		}
	EOF
	udp_server server :: 7000
	web_server server 8443
	xdpfwd load wan0 --mode tc
	xdpfwd map add udp :5000 $SERVER4:7000 --name echo
	xdpfwd map add tcp :443 $SERVER4:8443
	hold_udp 5000 4000
	xdpfwd flows flush
	hold_udp 5000 4000
	equal "flows" 2 "$(counter echo flows_created)"
	download router "http://$WAN4:443/file"
}

hold_udp() { # PORT SOURCE-PORT
	equal "datagrams" "$LAN4 7000" \
		"$(in_router python3 "$E2E_DIR/udp.py" ask $WAN4 "$1" 5 "$2")"
}

# What lo carries in one piece is cut to what the way to the target does.
own_uploads() {
	local addr
	topology
	head -c 20000000 /dev/urandom >"$TMP/sent"
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp :443 $SERVER4:8443
	xdpfwd map add tcp :443 "[$SERVER6]:8443"
	for addr in $WAN4 "[$WAN6]"; do
		start sink in_server socat -d -d -u TCP6-LISTEN:8443,reuseaddr,ipv6only=0 CREATE:"$TMP/got"
		wait_for_line "$TMP/sink.err" listening
		in_router socat -u OPEN:"$TMP/sent" "TCP:$addr:443"
		until_true cmp -s "$TMP/sent" "$TMP/got"
	done
}

# Datagrams that lo carries in one piece leave in several.
own_path_mtu() {
	topology
	start large in_server python3 "$E2E_DIR/fragments.py" echo $SERVER4 7000
	wait_for_line "$TMP/large.out" ready
	xdpfwd load wan0 --mode tc
	xdpfwd map add udp :5000-5002 $SERVER4:7000 --name echo
	equal "whom the server saw" $LAN4 "$(in_router python3 "$E2E_DIR/fragments.py" ask $WAN4 5000 8000 20)"
	equal "too big" null "$(xdpfwd map list --json | jq '.[].counters.drops.too_big')"
}

for tier in tc native gro; do
	it "own connections, $tier" own_uses $tier
	it "own connections, $tier, preserve" own_uses $tier --source preserve
done
it "own connections, tc, masquerade" own_uses tc --source masquerade
it "own connections to a closed port" own_is_refused
it "own connections: 20 MB upwards" own_uploads
it "own connections: path MTU" own_path_mtu
it "own connections to another port of this machine" own_uses_local $LAN4 "[$LAN6]"
it "own connections to loopback, by a public address" own_uses_local 127.0.0.1 "[::1]"
it "own connections to loopback itself are left alone" own_loopback_stays
it "own connections under connection tracking" own_under_conntrack

done_testing
