#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Several instances, network namespaces, and containers that have but the
# capabilities they need.
. "$(dirname "$0")/lib.sh"

ONE=/sys/fs/bpf/one
TWO=/sys/fs/bpf/two

# Clients at wan0 and at wan1, and a server that says who asked.
setup() {
	topology
	second_client
	udp_server server :: 7000 7001
}

two_interfaces() {
	setup
	xdpfwd --state $ONE load wan0 lan0 --no-auto-attach --mode "$1"
	xdpfwd --state $TWO load wan1 lan0 --no-auto-attach --mode tc
	xdpfwd --state $ONE map add udp :5000 $SERVER4:7000 --name one --source masquerade
	xdpfwd --state $TWO map add udp :5000 $SERVER4:7001 --name two
	equal "what the server saw" "$LAN4 7000" "$(udp_ask client $WAN4 5000 20)"
	equal "what the server saw" "203.0.113.130 7001" "$(udp_ask client2 203.0.113.129 5000 20)"
	equal "rules of one" one "$(xdpfwd --state $ONE map list --json | jq -r '.[].name')"
	equal "packets of two" 20 "$(xdpfwd --state $TWO map list --json | jq '.[].counters.packets_in')"
	# What one takes away, the other does not miss.
	xdpfwd --state $ONE unload --all
	udp_ask client2 203.0.113.129 5000 20
	xdpfwd --state $TWO load wan1 --no-auto-attach --mode tc
	udp_ask client2 203.0.113.129 5000 20
	xdpfwd --state $TWO unload --all
	equal "left in the bpffs" "" "$(pins)"
	! in_router bpftool net show | grep -q xf_ || fail "a program stayed attached"
}

# Only one can have the fast tier; the full tiers share, each with its own rules.
one_interface() {
	setup
	xdpfwd --state $ONE load wan0 --mode native
	xdpfwd --state $ONE map add udp :5000 $SERVER4:7000
	pins >"$TMP/before"
	refused 1 '^xdpfwd: wan0: .*another instance.*"one".*--mode tc' --state $TWO load wan0
	refused 1 '^xdpfwd: wan0: .*another instance.*"one".*--mode tc' --state $TWO load wan0 --mode native
	diff "$TMP/before" <(pins)
	xdpfwd --state $TWO load wan0 --mode tc
	xdpfwd --state $TWO map add udp :5001 $SERVER4:7001
	udp_ask client $WAN4 5000 20
	udp_ask client $WAN4 5001 20
	xdpfwd --state $TWO load wan0 --mode tc
	xdpfwd --state $TWO unload --all
	udp_ask client $WAN4 5000 20
	xdpfwd --state $ONE unload --all
	equal "left in the bpffs" "" "$(pins)"
	! in_router bpftool net show | grep -q xf_ || fail "a program stayed attached"
}

# Client, router and server each forward something, with one bpffs for all.
three_namespaces() {
	local ns
	setup
	for ns in client server; do
		nsenter --net=/run/netns/$ns -- sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
		nsenter --net=/run/netns/$ns -- "$XDPFWD" --state /sys/fs/bpf/$ns load eth0 --mode tc
	done
	xdpfwd --state /sys/fs/bpf/router load wan0 --mode tc
	in_server "$XDPFWD" --state /sys/fs/bpf/server map add udp :6000 $SERVER4:7001
	xdpfwd --state /sys/fs/bpf/router map add udp :5000 $SERVER4:6000
	refused 1 'another network namespace' --state /sys/fs/bpf/server map add udp :1 $SERVER4
	refused 1 'another network namespace' --state /sys/fs/bpf/server load wan0
	equal "what the server saw" "$CLIENT4 7001" "$(udp_ask client $WAN4 5000 20)"
	in_client "$XDPFWD" --state /sys/fs/bpf/client unload --all
	udp_ask client $WAN4 5000 20
}

# with CAPS ARG...: the tool with these capabilities alone.
with() {
	local caps=$1
	shift
	in_router setpriv --bounding-set "-all${caps:+,$caps}" "$XDPFWD" "$@"
}

# lacks CAPS WHAT ARG...: refused, and what is missing is named, and nothing else.
lacks() {
	local caps=$1 what=$2 rc=0
	shift 2
	with "$caps" "$@" 2>"$TMP/err" || rc=$?
	equal "exit code of '$*' with '$caps'" 1 $rc
	matches "what '$*' says with '$caps'" "^xdpfwd: .* takes $what, which this process has not got" "$(cat "$TMP/err")"
}

capabilities() {
	local load="load wan0 --mode $1"
	setup
	# shellcheck disable=SC2086 # a list of words
	{
		lacks "" "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON" $load
		lacks +bpf,+net_admin CAP_PERFMON $load
		lacks +bpf,+perfmon CAP_NET_ADMIN $load
		lacks +net_admin,+perfmon CAP_BPF $load
		equal "left in the bpffs" "" "$(pins)"
		with +bpf,+net_admin,+perfmon $load
		with +bpf,+net_admin,+perfmon $load
	}
	lacks +net_admin CAP_BPF map add udp :5000 $SERVER4:7000
	lacks +bpf CAP_NET_ADMIN map add udp :5000 $SERVER4:7000
	with +bpf,+net_admin map add udp :5000 $SERVER4:7000 --name echo
	with +bpf,+net_admin map add udp :5000 "[$SERVER6]:7000" --name echo6
	udp_ask client $WAN4 5000 20
	udp_ask client $WAN6 5000 20
	lacks "" CAP_BPF status
	with +bpf status --json | jq -e '.rules == 2' >/dev/null
	with +bpf map list --json | jq -e '.[0].counters.packets_in == 20' >/dev/null
	with +bpf,+net_admin flows --json | jq -e length >/dev/null
	with +bpf,+net_admin map del echo
	lacks +bpf CAP_NET_ADMIN unload --all
	with +bpf,+net_admin unload --all
	equal "left in the bpffs" "" "$(pins)"
	! in_router bpftool net show | grep -q xf_ || fail "a program stayed attached"
}

# Root of a container whose user namespace is its own has all capabilities, and they count for nothing.
user_namespace() {
	local rc=0
	setup
	in_router unshare --user --map-root-user "$XDPFWD" load wan0 2>"$TMP/err" || rc=$?
	equal "exit code" 1 $rc
	equal "lines" 1 "$(wc -l <"$TMP/err")"
	cat "$TMP/err"
	equal "left in the bpffs" "" "$(pins)"
}

# A container without a bpffs cannot mount one.
no_bpffs() {
	setup
	umount /sys/fs/bpf
	local rc=0
	with +bpf,+net_admin,+perfmon load wan0 2>"$TMP/err" || rc=$?
	equal "exit code" 1 $rc
	matches "what it says" '^xdpfwd: .*bpffs.*CAP_SYS_ADMIN.*mount -t bpf' "$(cat "$TMP/err")"
}

it "two instances on two interfaces" two_interfaces native
it "load, map and unload with the capabilities they need, and no others" capabilities native
it "two instances on one interface: the second is refused by name, or gets the full tier" one_interface
it "three network namespaces, three instances" three_namespaces
it "a user namespace's root is told why it may not" user_namespace
it "without a bpffs, what it would take to mount one is said" no_bpffs

done_testing
