#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ICMP errors as real clients and servers meet them: closed ports, TTLs that run
# out, forwarders that point at each other.
. "$(dirname "$0")/lib.sh"

ICMP=$E2E_DIR/icmp.py

# both_families TARGET-PORT [OPTION...]: rules rule4 and rule6 for port 5000.
both_families() {
	local port=$1
	shift
	xdpfwd map add udp :5000 "$SERVER4:$port" --name rule4 "$@"
	xdpfwd map add udp :5000 "[$SERVER6]:$port" --name rule6 "$@"
}

setup() {
	local tier=$1
	shift
	topology
	tier "$tier"
	xdpfwd load wan0 --mode "$MODE"
	both_families 7000 "$@"
}

provoke() { in_client python3 "$ICMP" provoke "$@"; }

# dropped RULE REASON
dropped() {
	xdpfwd map list --json | jq --arg rule "$1" --arg reason "$2" \
		'.[] | select(.name == $rule) | .counters.drops[$reason] // 0'
}

# A client's send to a port where nobody listens on the target.
closed_port() {
	setup "$@"
	equal "error (v4)" "ECONNREFUSED 3 3 $WAN4 0 1500" "$(provoke $WAN4 5000)"
	equal "error (v6)" "ECONNREFUSED 1 4 $WAN6 0 1500" "$(provoke $WAN6 5000)"
	equal "error (another address)" "ECONNREFUSED 3 3 $PUBLIC4 0 1500" "$(provoke $PUBLIC4 5000)"
	equal "error (large datagram)" "ECONNREFUSED 3 3 $WAN4 0 1500" "$(provoke $WAN4 5000 size=1400)"
	equal "counted: packets, not errors" "3 0 1 0" \
		"$(counter rule4 packets_in) $(counter rule4 packets_out) $(counter rule6 packets_in) $(counter rule6 packets_out)"
}

# server_hears EXPECTED ADDR LISTEN [OPTION...]: of the error about its answer to a client.
server_hears() {
	local expected=$1 addr=$2 listen=$3
	shift 3
	rm -f "$TMP/go"
	mkfifo "$TMP/go"
	start answer nsenter --net=/run/netns/server -- python3 "$ICMP" answer "$addr" 7000 "$TMP/go" "$@"
	wait_for_line "$TMP/answer.out" ready
	in_client python3 "$ICMP" send "$listen" 5000
	timeout "$EVENT_TIMEOUT" bash -c "echo >'$TMP/go'"
	wait_for_line "$TMP/answer.out" '^E'
	equal "error at the server" "$expected" "$(tail -n 1 "$TMP/answer.out")"
	stop answer # the next one wants its port
}

# The client is gone when the answer comes.
closed_client() {
	local tier=$1 from4=$2 from6=$3
	shift 3
	setup "$tier" "$@"
	server_hears "ECONNREFUSED 3 3 $from4 0 1500" $SERVER4 $WAN4
	server_hears "ECONNREFUSED 1 4 $from6 0 1500" $SERVER6 $WAN6
}

# The client's packets run out here, and it is told so by whom it sent them to.
ttl_of_the_client() {
	setup "$@"
	equal "error (v4)" "EHOSTUNREACH 11 0 $WAN4 0 1500" "$(provoke $WAN4 5000 ttl=1)"
	equal "error (v6)" "EHOSTUNREACH 3 0 $WAN6 0 1500" "$(provoke $WAN6 5000 ttl=1)"
	equal "error (large datagram)" "EHOSTUNREACH 11 0 $PUBLIC4 0 1500" "$(provoke $PUBLIC4 5000 ttl=1 size=1400)"
	equal "no flows" "0 0" "$(counter rule4 flows_created) $(counter rule6 flows_created)"
	equal "drops" "2 1" "$(dropped rule4 ttl_exceeded) $(dropped rule6 ttl_exceeded)"
	equal "one more hop is enough" "ECONNREFUSED 3 3 $WAN4 0 1500" "$(provoke $WAN4 5000 ttl=2)"
}

ttl_of_the_server() {
	local tier=$1 from4=$2 from6=$3
	shift 3
	setup "$tier" "$@"
	server_hears "EHOSTUNREACH 11 0 $from4 0 1500" $SERVER4 $WAN4 ttl=1
	server_hears "EHOSTUNREACH 3 0 $from6 0 1500" $SERVER6 $WAN6 ttl=1
	equal "drops" "1 1" "$(dropped rule4 ttl_exceeded) $(dropped rule6 ttl_exceeded)"
}

# A way in without Ethernet: the error goes back by a device that knows no link addresses.
tunnel() {
	topology tun
	MODE=tc
	xdpfwd load wan0 --mode tc
	both_families 7000 --source preserve
	equal "closed port (v4)" "ECONNREFUSED 3 3 $WAN4 0 1500" "$(provoke $WAN4 5000)"
	equal "closed port (v6)" "ECONNREFUSED 1 4 $WAN6 0 1500" "$(provoke $WAN6 5000)"
	server_hears "EHOSTUNREACH 11 0 $CLIENT4 0 1500" $SERVER4 $WAN4 ttl=1
	server_hears "EHOSTUNREACH 3 0 $CLIENT6 0 1500" $SERVER6 $WAN6 ttl=1
	ip -n router link set wan0 mtu 1380
	server_hears "EMSGSIZE 3 4 $CLIENT4 1380 1380" $SERVER4 $WAN4 size=1400 df
	server_hears "EMSGSIZE 2 0 $CLIENT6 1380 1380" $SERVER6 $WAN6 size=1400 df
}

# Senders leave checksums unfinished; here it is the router's device that must finish them, or find them whole.
router_finishes_checksums() {
	setup tc
	in_router ethtool -K wan0 tx off >/dev/null
	in_router ethtool -K lan0 tx off >/dev/null
	equal "error (v4)" "EHOSTUNREACH 11 0 $WAN4 0 1500" "$(provoke $WAN4 5000 ttl=1)"
	equal "error (v6)" "EHOSTUNREACH 3 0 $WAN6 0 1500" "$(provoke $WAN6 5000 ttl=1)"
	ip -n router link set lan0 mtu 1380
	equal "error (v4)" "EMSGSIZE 3 4 $WAN4 1380 1380" "$(provoke $WAN4 5000 size=1400 df)"
	equal "error (v6)" "EMSGSIZE 2 0 $WAN6 1380 1380" "$(provoke $WAN6 5000 size=1400 df)"
}

in_b() { in_server "$XDPFWD" --state /sys/fs/bpf/b "$@"; }
count_b() { in_b map list --json | jq --arg rule "$1" '.[] | select(.name == $rule) | .counters.packets_in'; }

# A second forwarder where the server would be: each sends to the other. A packet visits as many as its TTL says.
loop() {
	local tier=$1 rule
	shift
	topology
	tier "$tier"
	xdpfwd load wan0 lan0 --mode "$MODE"
	in_server sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_b load eth0 --mode "$MODE"
	both_families 5000 "$@"
	in_b map add udp :5000 $WAN4:5000 --name rule4 "$@"
	in_b map add udp :5000 "[$WAN6]:5000" --name rule6 "$@"
	equal "error (v4)" "EHOSTUNREACH 11 0 $WAN4 0 1500" "$(provoke $WAN4 5000 ttl=32)"
	equal "error (v6)" "EHOSTUNREACH 3 0 $WAN6 0 1500" "$(provoke $WAN6 5000 ttl=32)"
	for rule in rule4 rule6; do
		equal "$rule: hops" 31 $(($(counter $rule packets_in) + $(count_b $rule)))
	done
}

for tier in tc fast; do
	it "$tier, preserve: a closed port of the target" closed_port "$tier" --source preserve
	it "$tier, masquerade: a closed port of the target" closed_port "$tier" --source masquerade
	it "$tier, preserve: the client is gone" closed_client "$tier" $CLIENT4 $CLIENT6 --source preserve
	it "$tier, masquerade: the client is gone" closed_client "$tier" $LAN4 $LAN6 --source masquerade
	it "$tier, preserve: TTL of the client" ttl_of_the_client "$tier" --source preserve
	it "$tier, masquerade: TTL of the client" ttl_of_the_client "$tier" --source masquerade
	it "$tier, preserve: TTL of the server" ttl_of_the_server "$tier" $CLIENT4 $CLIENT6 --source preserve
	it "$tier, masquerade: TTL of the server" ttl_of_the_server "$tier" $LAN4 $LAN6 --source masquerade
	it "$tier, preserve: two forwarders that point at each other" loop "$tier" --source preserve
	it "$tier, masquerade: two forwarders that point at each other" loop "$tier" --source masquerade
done
it "native: a closed port of the target" closed_port native
it "native: TTL of the client" ttl_of_the_client native
it "native: two forwarders that point at each other" loop native --source preserve
it "tun: closed ports, TTL and size" tunnel
it "unfinished checksums: errors of ours are whole" router_finishes_checksums

done_testing
