#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs are replaced under traffic: by the same version, by one with another
# layout of the maps, and by ones that are killed on the way.
. "$(dirname "$0")/lib.sh"

NEXT=$BUILD/next-abi/xdpfwd
KILLS=${KILLS:-50}
RATE=1000 # packets a second, of each family

# Streams and connections of both families, through every kind of rule that looks up differently.
setup() {
	topology
	tier "$1"
	start server4 nsenter --net=/run/netns/server -- python3 "$E2E_DIR/numbered.py" serve $SERVER4 7000
	start server6 nsenter --net=/run/netns/server -- python3 "$E2E_DIR/numbered.py" serve $SERVER6 7000
	wait_for_line "$TMP/server4.out" ready
	wait_for_line "$TMP/server6.out" ready
	tcp_server server "" 7001
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add udp :5000 $SERVER4:7000 --name udp4 --source masquerade
	xdpfwd map add udp "[$WAN6]:5000" "[$SERVER6]:7000" --name udp6
	xdpfwd map add tcp wan0:6000 $SERVER4:7001 --name tcp4 --source masquerade
	xdpfwd map add tcp :6000-6010 "[$SERVER6]:7001" --name tcp6
}

start_traffic() {
	hold client $WAN4 6000 20 20000
	start stream4 nsenter --net=/run/netns/client -- python3 "$E2E_DIR/numbered.py" send $WAN4 5000 $RATE
	start stream6 nsenter --net=/run/netns/client -- python3 "$E2E_DIR/numbered.py" send $WAN6 5000 $RATE
	wait_for_line "$TMP/stream4.out" flowing
	wait_for_line "$TMP/stream6.out" flowing
}

# Nothing was lost, no client's port has changed, and all of it was counted.
stop_traffic() {
	local family sent
	for family in 4 6; do
		kill -TERM "$(cat "$TMP/stream$family.pid")"
		wait_for_line "$TMP/stream$family.out" '^sent'
		tail -n 1 "$TMP/stream$family.out"
		matches "IPv$family" '^sent [0-9]+ lost 0 ports 1$' "$(tail -n 1 "$TMP/stream$family.out")"
		sent=$(awk '/^sent/ { print $2 }' "$TMP/stream$family.out")
		equal "packets in, IPv$family" "$sent" "$(counter udp$family packets_in)"
		equal "packets out, IPv$family" "$sent" "$(counter udp$family packets_out)"
		equal "flows of IPv$family" 1 "$(counter udp$family flows_created)"
	done
	release client
	equal "TCP flows" 20 "$(counter tcp4 flows_created)"
	tcp_connect client $WAN6 6000
}

# All counters of rules and flows, one a line: what only grows.
counts() {
	xdpfwd map list --json | jq -r '.[] | .name as $n | .counters | to_entries[] |
		select(.value | type == "number") | select(.key != "last_hit") | "\($n) \(.key) \(.value)"'
	xdpfwd flows --json | jq -r '.[] |
		"flow:\(.client) packets_in \(.packets_in)", "flow:\(.client) packets_out \(.packets_out)"'
}

not_backwards() {
	counts >"$TMP/counts.now"
	awk 'NR == FNR { before[$1 " " $2] = $3; next } { now[$1 " " $2] = $3 }
		END { for (k in before) if (!(k in now) || now[k] + 0 < before[k] + 0) { print k, before[k], now[k]; bad = 1 }
			exit bad }' "$TMP/counts" "$TMP/counts.now" || fail "a counter is gone or went backwards"
	mv "$TMP/counts.now" "$TMP/counts"
}

same_version() {
	local i
	setup "$1"
	start_traffic
	counts >"$TMP/counts"
	for ((i = 0; i < 3; i++)); do
		xdpfwd load wan0 --mode "$MODE"
		not_backwards
	done
	stop_traffic
}

across_layouts() {
	setup "$1"
	start_traffic
	counts >"$TMP/counts"
	XDPFWD=$NEXT refused 1 "is older \(ABI .*run .xdpfwd load" map list
	XDPFWD=$NEXT
	xdpfwd load wan0 --mode "$MODE"
	not_backwards
	equal "put aside, and left there" "" "$(pins | sed -n /_next/p)"
	stop_traffic
	# The old one knows whose it is, and keeps off.
	XDPFWD=$BUILD/xdpfwd
	pins >"$TMP/before"
	refused 1 'is newer than this one.*--discard-state' load wan0
	refused 1 'is newer than this one' status
	diff "$TMP/before" <(pins)
	xdpfwd load wan0 --discard-state --mode "$MODE"
	equal "rules" "[]" "$(xdpfwd map list --json)"
	xdpfwd unload --all
	equal "left in the bpffs" "" "$(pins)"
	! in_router bpftool net show | grep -q xf_ || fail "a program stayed attached"
}

# Of a version that nobody remembers.
not_convertible() {
	local config=/sys/fs/bpf/xdpfwd/config value
	setup tc
	value=$(bpftool -j map dump pinned $config | jq -r '.[0].value | map(ltrimstr("0x")) | join(" ")')
	# shellcheck disable=SC2086 # a list of octets
	bpftool map update pinned $config key hex 00 00 00 00 value hex 01 ${value#* }
	pins >"$TMP/before"
	refused 1 "$(cat "$TOP/VERSION").*cannot take over.*--discard-state" load wan0
	refused 1 'cannot take over.*--discard-state' map list
	diff "$TMP/before" <(pins)
	tcp_connect client $WAN6 6000
	xdpfwd load wan0 --discard-state
	equal "rules" "[]" "$(xdpfwd map list --json)"
}

# A moment in what the command takes.
moment() {
	printf '%d.%03d' $((RANDOM * LONGEST / 32768 / 1000)) $((RANDOM * LONGEST / 32768 % 1000))
}

# how_long COMMAND...: sets LONGEST, in ms.
how_long() {
	local from=${EPOCHREALTIME/./}
	"$@"
	LONGEST=$(((${EPOCHREALTIME/./} - from) / 1000 + 10))
}

# kill_at_random COMMAND...: it may also be done before.
kill_at_random() {
	local rc=0
	timeout -s KILL "$(moment)" "$@" >"$TMP/killed.out" 2>&1 || rc=$?
	[ $rc -eq 0 ] || [ $rc -eq 137 ] || fail "$*: exit code $rc: $(cat "$TMP/killed.out")"
}

# What was there is there, and works.
consistent() {
	equal "rules" "tcp4 tcp6 udp4 udp6" "$(xdpfwd map list --json | jq -r '[.[].name] | sort | join(" ")')"
	xdpfwd status --json | jq -e '[.interfaces[].name] | contains(["lan0", "wan0"])' >/dev/null
	tcp_connect client $WAN4 6000
	tcp_connect client $WAN6 6000
}

# Before there is an instance, and what is left of one then.
killed_first() {
	local i
	setup tc
	how_long xdpfwd load wan0 --mode tc
	for ((i = 0; i < KILLS / 12; i++)); do
		xdpfwd unload --all
		kill_at_random nsenter --net=/run/netns/router -- "$XDPFWD" load wan0 --mode tc
		xdpfwd load wan0 --mode tc
		xdpfwd map add tcp :6000 $SERVER4:7001
		tcp_connect client $WAN4 6000
	done
	xdpfwd unload --all
	equal "left in the bpffs" "" "$(pins)"
	! in_router bpftool net show | grep -q xf_ || fail "a program stayed attached"
}

killed_replacing() {
	local i
	setup gro
	hold client $WAN4 6000 5 20000
	how_long xdpfwd load wan0 --mode native
	for ((i = 0; i < KILLS; i++)); do
		kill_at_random nsenter --net=/run/netns/router -- "$XDPFWD" load wan0 --mode native
		consistent
	done
	xdpfwd load wan0 --mode native
	release client
	xdpfwd unload --all
	equal "left in the bpffs" "" "$(pins)"
}

killed_upgrading() {
	local i
	for ((i = 0; i < KILLS / 12; i++)); do
		setup tc
		hold client $WAN4 6000 5 20000
		[ $i -gt 0 ] || how_long xdpfwd load wan0 --mode tc
		kill_at_random nsenter --net=/run/netns/router -- "$NEXT" load wan0 --mode tc
		tcp_connect client $WAN4 6000
		tcp_connect client $WAN6 6000
		# The newer one finishes it; the older one can take it back, if it has not come to its end.
		[ $i -eq 0 ] || [ $((i % 2)) -eq 1 ] || ! xdpfwd load wan0 --mode tc || consistent
		XDPFWD=$NEXT
		xdpfwd load wan0 --mode tc
		consistent
		release client
		equal "put aside, and left there" "" "$(pins | sed -n /_next/p)"
		XDPFWD=$BUILD/xdpfwd
	done
}

for tier in tc gro; do
	it "load again under 2000 packets a second loses none, $tier" same_version $tier
	it "nor does a version with another layout, which keeps flows and counters, $tier" across_layouts $tier
done
it "state that cannot be taken over is refused, or thrown away when told so" not_convertible
it "kills of the first load: the next one works" killed_first
it "$KILLS kills while programs are replaced: forwarding goes on" killed_replacing
it "kills during an upgrade: the next load finishes it" killed_upgrading

done_testing
