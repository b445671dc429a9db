#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What load does about programs that are there already, its own included.
. "$(dirname "$0")/lib.sh"

tier_of() {
	xdpfwd status --json | jq -er --arg name "$1" '.interfaces[] | select(.name == $name).tier'
}

someone_elses_program() {
	topology
	udp_server server :: 7000
	in_router ip link set dev wan0 xdpdrv obj "$HELPERS/someone.bpf.o" sec xdp
	pins >"$TMP/before"
	refused 1 'someone_else.*--mode tc' load wan0 --mode native
	diff "$TMP/before" <(pins) || fail "the refusal left something behind"
	xdpfwd load wan0 --mode tc
	equal "tier" tc "$(tier_of wan0)"
	xdpfwd map add udp :5000 $SERVER4:7000
	udp_ask client $WAN4 5000 10
	in_router ip -d link show wan0 | grep -q someone_else || fail "the other program is gone"
	xdpfwd unload --all
	diff "$TMP/before" <(pins) || fail "unload left something behind"
	in_router ip -d link show wan0 | grep -q someone_else || fail "the other program is gone after unload"
}

# With libxdp's dispatcher, or one line that says why not and nothing claimed.
dispatcher() {
	topology
	if xdpfwd load wan0 --mode native --dispatcher 2>"$TMP/err"; then
		in_router ip -d link show wan0 | grep -q xdp_dispatcher || fail "load claims a dispatcher that is not there"
		xdpfwd unload --all
	else
		equal "lines" 1 "$(wc -l <"$TMP/err")"
		matches "what it says" '^xdpfwd: .*dispatcher' "$(cat "$TMP/err")"
	fi
	! in_router ip -d link show wan0 | grep -q 'prog/xdp' || fail "a program stayed on wan0"
	equal "left in the bpffs" "" "$(pins)"
}

tiers() {
	local mode
	for mode in native generic tc; do
		topology
		udp_server server :: 7000
		xdpfwd load wan0 --mode $mode
		equal "tier" $mode "$(tier_of wan0)"
		xdpfwd map add udp :5000 $SERVER4:7000
		xdpfwd map add udp :5000 "[$SERVER6]:7000"
		udp_ask client $WAN4 5000 50
		udp_ask client $WAN6 5000 50
	done
}

# The numbers of what is attached, and to what.
attachments() {
	in_router bpftool -j net show | jq -S .
	in_router ip -d link | grep -o 'prog/xdp id [0-9]*'
}

twice() {
	topology
	second_client
	udp_server server :: 7000
	xdpfwd load wan0 --mode "$1"
	xdpfwd map add udp :5000 $SERVER4:7000 --name echo
	udp_ask client $WAN4 5000 100
	xdpfwd status --json >"$TMP/status"
	xdpfwd load wan0 --mode "$1"
	diff <(jq 'del(.flows)' "$TMP/status") <(xdpfwd status --json | jq 'del(.flows)')
	equal "packets in" 100 "$(counter echo packets_in)"
	xdpfwd load wan1 --mode "$1"
	udp_ask client $WAN4 5000 100
	udp_ask client2 203.0.113.129 5000 100
	equal "packets in" 300 "$(counter echo packets_in)"
	equal "interfaces" "lan0 lo wan0 wan1" \
		"$(xdpfwd status --json | jq -r '[.interfaces[].name] | sort | join(" ")')"
}

# A download that stands still while the programs are replaced, and then goes on.
under_traffic() {
	local mode=$1 i before
	topology
	web_server server 8443
	xdpfwd load wan0 --mode "$mode"
	xdpfwd map add tcp :443 $SERVER4:8443 --name web
	mkfifo "$TMP/stream"
	start curl nsenter --net=/run/netns/client -- curl -sS --max-time 60 -o "$TMP/stream" "http://$WAN4:443/file"
	exec 4<"$TMP/stream"
	for i in 1 2 3; do
		head -c 1000000 <&4 >>"$TMP/received"
		before=$(counter web packets_out)
		xdpfwd load wan0 --mode "$mode"
		[ "$(counter web packets_out)" -ge "$before" ] || fail "a counter went backwards"
	done
	cat <&4 >>"$TMP/received"
	exec 4<&-
	cmp "$TMP/received" "$TMP/www/file"
	equal "connections" 1 "$(counter web flows_created)"
	rm "$TMP/received" "$TMP/stream"
}

# All interfaces or none.
all_or_none() {
	topology
	refused 1 nosuch0 load wan0 nosuch0
	equal "left in the bpffs" "" "$(pins)"
	! in_router bpftool net show | grep -q xf_ || fail "a program stayed attached"
}

it "someone else's XDP program: named, spared, and --mode tc works beside it" someone_elses_program
it "--dispatcher works or says in one line why not" dispatcher
it "each tier attaches and forwards" tiers
for mode in native tc; do
	it "load again is idempotent and adds interfaces, $mode" twice $mode
	it "load again during a download neither breaks it nor resets a counter, $mode" under_traffic $mode
done
it "load of several interfaces does all or none" all_or_none

done_testing
