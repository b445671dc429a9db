#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whole sets of rules: compared, applied in one step under traffic, confirmed or
# rolled back, saved, and killed at random moments.
. "$(dirname "$0")/lib.sh"

CONFIG=$TMP/config.yaml

setup() {
	topology
	xdpfwd load wan0 --mode tc --max-rules 2048
	udp_server server :: 7000 7001
}

# rules NAME... : a config of UDP rules; the port of each is 5000 and the number that its name ends with.
write_rules() {
	local name
	echo "rules:"
	for name in "$@"; do
		echo "  - {name: $name, protocol: udp, listen: \"$WAN4:$((5000 + ${name//[^0-9]/}))\", target: \"$SERVER4:7000\"}"
	done
}

names() { xdpfwd map list --json | jq -r '[.[].name] | sort | join(" ")'; }
ask() { udp_ask client $WAN4 "$1" "${2:-3}"; }

differences() {
	setup
	write_rules a1 b2 c3 >"$CONFIG"
	xdpfwd apply "$CONFIG" --dry-run >"$TMP/out"
	equal "dry run" "$(printf 'added %s\n' a1: b2: c3:)" "$(cut -d ' ' -f 1,2 "$TMP/out")"
	equal "rules after it" "" "$(names)"
	xdpfwd apply "$CONFIG" >"$TMP/out2"
	diff "$TMP/out" "$TMP/out2"
	equal "rules" "a1 b2 c3" "$(names)"
	ask 5001
	ask 5003
	equal "nothing differs" "no difference: 3 rules" "$(xdpfwd apply "$CONFIG")"

	write_rules a1 d4 >"$CONFIG"
	sed -i '/a1/s/}/, max-flows: 9, comment: other}/' "$CONFIG"
	xdpfwd apply "$CONFIG" >"$TMP/out"
	equal "what differs" "removed b2:
removed c3:
changed a1:
added d4:" "$(cut -d ' ' -f 1,2 "$TMP/out")"
	equal "fields" 'changed a1: max_flows none -> 9, comment "" -> "other"' "$(grep a1 "$TMP/out")"
	equal "rules" "a1 d4" "$(names)"
	ask 5001
	ask 5004
	equal "the removed one's flow" 0 "$(xdpfwd flows --json | jq '[.[] | select(.rule != "a1" and .rule != "d4")] | length')"
	xdpfwd apply "$CONFIG" --json >"$TMP/json"
	equal "as JSON" '0 0 0 2 []' "$(jq -r '"\(.added) \(.changed) \(.removed) \(.unchanged) \(.changes)"' "$TMP/json")"
}

# Of each kind: what is wrong with the file itself, and what this machine has against it.
mistakes() {
	setup
	write_rules a1 b2 >"$CONFIG"
	xdpfwd apply "$CONFIG" >/dev/null
	cat >"$CONFIG" <<-EOF
		rules:
		  - {name: one, protocol: tcp, listen: ":80", target: 192.0.2.10}
		  - {name: one, protocol: tcp, listen: ":81", target: 192.0.2.10, nosuch: 1}
		  - {name: two, protocol: tcp, listen: ":80", target: 192.0.2.10:99999}
		  - {name: three, protocol: tcp, listen: ":80", target: 192.0.2.11}
	EOF
	local rc=0
	(cd "$TMP" && xdpfwd apply config.yaml) >"$TMP/out" 2>"$TMP/err" || rc=$?
	equal "exit code" 1 "$rc"
	equal "stdout" "" "$(cat "$TMP/out")"
	equal "where" "config.yaml:3:12 config.yaml:3:67 config.yaml:4:55 config.yaml:5:42 " \
		"$(grep -oE '^config.yaml:[0-9]+:[0-9]+' "$TMP/err" | tr '\n' ' ')"
	equal "lines" 4 "$(wc -l <"$TMP/err")"
	rc=0
	xdpfwd apply "$CONFIG" --json >"$TMP/out" 2>"$TMP/err" || rc=$?
	equal "exit code with --json" 1 "$rc"
	equal "the same as JSON" "$(cat "$TMP/err")" "$(jq -r .error "$TMP/out")"

	cat >"$CONFIG" <<-EOF
		rules:
		  - {name: far, protocol: udp, listen: ":5001", target: 198.18.7.7}
		  - {name: free, protocol: udp, listen: ":5002", target: 192.0.2.10}
		  - {name: here, protocol: tcp, listen: ":8080", target: 192.0.2.10}
	EOF
	in_router ip route add unreachable 198.18.7.0/24
	start listener in_router python3 -c '
import socket, time
s = socket.create_server(("", 8080))
print("ready", flush=True)
time.sleep(1000)'
	wait_for_line "$TMP/listener.out" ready
	rc=0
	xdpfwd apply "$CONFIG" >"$TMP/out" 2>"$TMP/err" || rc=$?
	equal "exit code" 1 "$rc"
	matches "no route" "^$CONFIG:2:5: rule far: no route to 198.18.7.7" "$(sed -n 1p "$TMP/err")"
	matches "in use" "^$CONFIG:4:5: rule here: tcp port 8080 is in use by python3" "$(sed -n 2p "$TMP/err")"
	equal "lines" 2 "$(wc -l <"$TMP/err")"
	equal "rules" "a1 b2" "$(names)"
	ask 5001
}

# A flow of a rule whose conditions change goes on, one of a rule that changes ends, one that goes may live out.
flows_go_on() {
	setup
	tcp_server server $SERVER4 9000
	cat >"$CONFIG" <<-EOF
		rules:
		  - {name: stays, protocol: tcp, listen: "$WAN4:80", target: "$SERVER4:9000"}
		  - {name: goes, protocol: tcp, listen: "$WAN4:81", target: "$SERVER4:9000"}
		  - {name: moves, protocol: udp, listen: "$WAN4:5000", target: "$SERVER4:7000"}
	EOF
	xdpfwd apply "$CONFIG" >/dev/null
	hold client $WAN4 80 3 40000
	equal "moves" "$CLIENT4 7000" "$(ask 5000)"
	local before
	before=$(counter moves packets_in)
	sed -i '/stays/s/}/, max-flows: 5, comment: x}/; /goes/d; s/7000/7001/' "$CONFIG"
	xdpfwd apply "$CONFIG" >"$TMP/out"
	equal "moves" "$CLIENT4 7001" "$(ask 5000)"
	equal "packets of what moves" $((before + 3)) "$(counter moves packets_in)"
	release client
	xdpfwd map add tcp $WAN4:82 $SERVER4:9000 --name last
	hold client $WAN4 82 1 41000
	xdpfwd apply "$CONFIG" --keep-flows >"$TMP/out"
	equal "what goes" "removed last:" "$(cut -d ' ' -f 1,2 "$TMP/out")"
	release client
	! tcp_connect client $WAN4 82 2>/dev/null || fail "a new connection by a rule that went"
}

# After the tool and its terminal are gone, and all that it may have started.
rolls_back() {
	setup
	write_rules a1 b2 >"$CONFIG"
	xdpfwd apply "$CONFIG" >/dev/null
	ask 5001
	write_rules a1 c3 >"$CONFIG"
	sed -i '/a1/s/7000/7001/' "$CONFIG"
	start terminal setsid script -qefc "nsenter --net=/run/netns/router -- $XDPFWD apply $CONFIG --confirm 3; sleep 1000" /dev/null
	wait_for_line "$TMP/terminal.out" 'unless .xdpfwd confirm'
	equal "before the end" "a1 c3" "$(names)"
	equal "before the end" "$CLIENT4 7001" "$(ask 5001)"
	pkill -KILL --session "$(cat "$TMP/terminal.pid")" || true
	until_true is_gone "$(cat "$TMP/terminal.pid")"
	until_true rolled_back
	equal "after it" "$CLIENT4 7000" "$(ask 5001)"
	ask 5002
	xdpfwd map add udp :6000 $SERVER4 --name e5
	equal "the next command" "a1 b2 e5" "$(names)"
	no_rubbish 3
	wrong_confirm 'nothing waits'
}

rolled_back() { [ "$(names)" = "a1 b2" ]; }

wrong_confirm() {
	local rc=0
	xdpfwd confirm 2>"$TMP/err" || rc=$?
	equal "exit code of confirm" 1 "$rc"
	matches "confirm" "^xdpfwd: $1" "$(cat "$TMP/err")"
}

# no_rubbish RULES: nothing but what so many rules with a port each need is in the maps.
no_rubbish() {
	equal "listen keys" "$1" "$(bpftool map dump pinned /sys/fs/bpf/xdpfwd/listen -j | jq length)"
	equal "what is said of rules" "$1" "$(bpftool map dump pinned /sys/fs/bpf/xdpfwd/rule_meta -j | jq length)"
}

confirms() {
	setup
	write_rules a1 b2 >"$CONFIG"
	xdpfwd apply "$CONFIG" >/dev/null
	write_rules a1 c3 >"$CONFIG"
	xdpfwd apply "$CONFIG" --confirm 100 >/dev/null
	local rc=0
	xdpfwd map add udp :6000 $SERVER4 2>"$TMP/err" || rc=$?
	equal "another change meanwhile" 1 "$rc"
	matches "why" '^xdpfwd: .*wait to be confirmed.* or wait [0-9]+ s' "$(cat "$TMP/err")"
	equal "confirm" "confirmed" "$(xdpfwd confirm)"
	no_rubbish 2
	wrong_confirm 'nothing waits'
	equal "rules" "a1 c3" "$(names)"
	xdpfwd map add udp :6000 $SERVER4 --name e5
	equal "nothing to confirm" "no difference: 2 rules" "$(write_rules a1 c3 >"$CONFIG" && xdpfwd map del e5 >/dev/null && xdpfwd apply "$CONFIG" --confirm 5)"
}

# save takes what there is, and apply finds it so.
saves() {
	topology
	cat >"$CONFIG" <<-EOF
		interfaces: [{name: wan0, mode: tc}]
		limits: {rules: 700, flows: 5000}
		rules:
		  - {protocol: tcp+udp, listen: "wan0:443", target: "$SERVER4:8443", allow: [198.51.100.0/24, "@$TMP/list"]}
		  - {name: r6, protocol: udp, listen: "[$WAN6]:27000-27015", target: "[$SERVER6]:28000", source: masquerade}
	EOF
	echo 203.0.113.0/24 >"$TMP/list"
	xdpfwd load --config "$CONFIG" >"$TMP/out"
	equal "limits" "700 5000" "$(xdpfwd status --json | jq -r '"\(.limits.rules) \(.limits.flows)"')"
	equal "rules" "rules: 2 added, 0 changed, 0 removed, 0 as before" "$(tail -n 1 "$TMP/out")"
	xdpfwd map add tcp :25 $SERVER4 --expires 2h --rate 20/min,burst=40 --rate-per-source 3/s --comment 'a "quoted" \ one' \
		--deny "192.0.2.0/24,@$TMP/list" --timeout tcp=1h --syn-protect --max-flows 7 --max-flows-per-source 2 --disabled
	xdpfwd map add tcp $PUBLIC4:53 $SERVER4:5353 --stateless --expires 2040-01-02T03:04:05Z
	xdpfwd save "$TMP/saved"
	equal "apply of what was saved" "no difference: 4 rules" "$(xdpfwd apply "$TMP/saved")"
	xdpfwd save >"$TMP/again"
	diff "$TMP/saved" "$TMP/again"
	grep -q 'name: "wan0", mode: tc' "$TMP/saved"
	# The list has changed, its name has not.
	echo 203.0.113.0/25 >"$TMP/list"
	equal "another list" "changed tcp+udp-443: allow 198.51.100.0/24,@$TMP/list: other networks in the file" \
		"$(xdpfwd apply "$TMP/saved" --dry-run | grep 443)"
	local seed
	for seed in 1 2 3 4 5; do
		python3 "$E2E_DIR/some_config.py" "$seed" 300 >"$CONFIG"
		xdpfwd apply "$CONFIG" >/dev/null
		xdpfwd save "$TMP/saved"
		equal "random set $seed" "no difference: 300 rules" "$(xdpfwd apply "$TMP/saved" --dry-run)"
		xdpfwd apply "$TMP/saved" >/dev/null
		xdpfwd save | diff "$TMP/saved" -
	done
	xdpfwd unload --all
	xdpfwd load --config "$TMP/saved" >/dev/null
	xdpfwd save | diff "$TMP/saved" -
}

# set_of NUMBER: 500 rules, of which two are in all sets, one of them each time with another condition.
set_of() {
	local i
	echo "rules:"
	echo "  - {name: stays, protocol: udp, listen: \"$WAN4:5000\", target: \"$SERVER4:7000\"}"
	echo "  - {name: changes, protocol: udp, listen: \"$WAN4:5001\", target: \"$SERVER4:7001\", max-flows: $((100000 + $1))}"
	for ((i = 0; i < 498; i++)); do
		echo "  - {name: r$(((i + 37 * $1) % 700)), protocol: tcp, listen: \":$((10000 + (i + 37 * $1) % 700))\", target: \"$SERVER4:$((1000 + i % 3))\"}"
	done
}

stream_begins() {
	rm -f "$TMP/stream.fifo"
	mkfifo "$TMP/stream.fifo"
	start stream nsenter --net=/run/netns/client -- python3 "$E2E_DIR/steady.py" $WAN4 5000,5001 2000 "$TMP/stream.fifo"
	wait_for_line "$TMP/stream.out" ready
}

stream_ends() {
	echo >"$TMP/stream.fifo"
	wait_for_line "$TMP/stream.out" '^sent'
	cat "$TMP/stream.out"
	matches "packets" '^sent [0-9]+ lost 0$' "$(tail -n 1 "$TMP/stream.out")"
}

under_traffic() {
	setup
	local i
	for i in 0 1 2 3 4; do
		set_of $i >"$TMP/set$i"
	done
	xdpfwd apply "$TMP/set0" >/dev/null
	stream_begins
	for ((i = 1; i <= 50; i++)); do
		xdpfwd apply "$TMP/set$((i % 5))" >/dev/null
	done
	stream_ends
	no_rubbish 500
	# Until the last packet is counted, each of them is one of the two rules'.
	equal "packets of both" "$(sed -n 's/^sent \([0-9]*\) .*/\1/p' "$TMP/stream.out")" \
		$(($(counter stays packets_in) + $(counter changes packets_in)))
}

# consistent: the rules are those of the one set or of the other, and they forward.
consistent() {
	local now
	now=$(xdpfwd map list --json | jq -S '[.[] | del(.counters)]' | sha256sum)
	grep -qF "$now" "$TMP/sums" || fail "neither set: $(names)"
	udp_ask client $WAN4 5000 1 >/dev/null
}

# Killed when it has gone on for a while that is chosen anew each time; or it was faster, and is done.
kill_some_time() {
	local pid
	in_router "$XDPFWD" "$@" >/dev/null 2>&1 &
	pid=$!
	read -rt "0.$(printf %03d $((RANDOM % 60)))" <> <(:) || true
	kill -KILL $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
}

killed() {
	setup
	local i
	for i in 0 1; do
		set_of $i >"$TMP/set$i"
		xdpfwd apply "$TMP/set$i" >/dev/null
		xdpfwd map list --json | jq -S '[.[] | del(.counters)]' | sha256sum >>"$TMP/sums"
	done
	for ((i = 0; i < 60; i++)); do
		kill_some_time apply "$TMP/set$((i % 2))"
		consistent
	done
	xdpfwd apply "$TMP/set0" >/dev/null
	consistent
	no_rubbish 500
	for ((i = 0; i < 10; i++)); do
		kill_some_time apply "$TMP/set$((1 - i % 2))" --confirm 1
		consistent
		until_true xdpfwd apply "$TMP/set$((i % 2))"
	done
	for ((i = 0; i < 30; i++)); do
		kill_some_time map add udp $WAN4:$((6000 + i)) $SERVER4:7000 --name "k$i"
		xdpfwd map list --json >/dev/null
		udp_ask client $WAN4 5000 1 >/dev/null
	done
	xdpfwd apply "$TMP/set0" >/dev/null
	no_rubbish 500
	consistent
}

it "apply prints what differs, and makes it so" differences
it "mistakes: all of them, with their places, and nothing is changed" mistakes
it "flows of rules that stay go on" flows_go_on
it "what is not confirmed is rolled back, though every process is gone" rolls_back
it "what is confirmed stays" confirms
it "apply of what save wrote changes nothing; load --config" saves
it "50 applies of 500 rules under 2,000 packets a second: none lost" under_traffic
it "killed 100 times: one set or the other, and the next command works" killed

done_testing
