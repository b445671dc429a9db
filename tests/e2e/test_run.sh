#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `run` keeps the data plane true while the world around it changes, and may die at any moment.
. "$(dirname "$0")/lib.sh"

KILLS=${KILLS:-45}
ZONE=$TMP/zone NEW4=203.0.113.99 SECOND4=192.0.2.11
export NOTIFY_SOCKET=$TMP/notify.socket

answered() { udp_ask "${3:-client}" "$1" "$2" >/dev/null 2>&1; }
# A port that leads nowhere is told so at once; nobody has to wait for silence.
is_refused() {
	local said
	said=$(udp_ask client "$1" "$2" 2>&1) || true
	grep -q ConnectionRefused <<<"$said"
}
silent() { until_true is_refused "$1" "$2"; }
up() { xdpfwd map list --json | jq -c --arg rule "$1" '.[] | select(.name == $rule) | .targets[0].up'; }
is_up() { [ "$(up "$1")" = "$2" ]; }
said() { wait_for_line "$TMP/run.err" "$1"; }
targets_of() { xdpfwd flows --rule "$1" --json | jq -r '[.[].target] | unique | join(" ")'; }

config() {
	cat >"$TMP/config.new"
	mv "$TMP/config.new" "$TMP/config"
}

first_config() {
	config <<-END
		interfaces: [wan0]
		metrics: {listen: "127.0.0.1:9977"}
		rules:
		  - {name: any, protocol: udp, listen: ":5000", target: "$SERVER4:7000"}
		  - {name: iface, protocol: udp, listen: "wan0:5001", target: "$SERVER4:7000"}
		  - {name: web, protocol: tcp, listen: ":6000", target: "$SERVER4:8000"}
	END
}

# run_it [OPTION...]: until it says that it is ready.
run_it() {
	rm -f "$TMP/run.err"
	start notify python3 "$E2E_DIR/run.py" notify "$NOTIFY_SOCKET"
	wait_for_line "$TMP/notify.out" listening
	start run nsenter --net=/run/netns/router -- "$XDPFWD" run --config "$TMP/config" "$@"
	wait_for_line "$TMP/notify.out" READY=1
}

end_run() {
	stop run
	stop notify
}

kill_run() {
	local pid
	pid=$(cat "$TMP/run.pid")
	kill -KILL "$pid"
	until_true is_gone "$pid"
	stop notify
}

setup() {
	topology
	udp_server server :: 7000
	first_config
}

wan0_again() {
	ip -n router link del wan0
	cable client eth0 router wan0
	address client eth0 $CLIENT4/24 $CLIENT6/64
	address router wan0 $WAN4/24 $WAN6/64
	gateway client $WAN4 $WAN6
}

network() {
	setup
	run_it
	udp_ask client $WAN4 5000 5
	udp_ask client $WAN4 5001 5
	address router wan0 $NEW4/32
	until_true answered $NEW4 5001
	until_true answered $NEW4 5000
	ip -n router addr del $NEW4/32 dev wan0
	address router lan0 $NEW4/32
	until_true answered $NEW4 5000
	silent $NEW4 5001
	wan0_again
	until_true answered $WAN4 5000
	until_true answered $WAN4 5001
	# Another one gets the name, and with it the rule.
	second_client
	ip -n router link set wan0 down
	ip -n router link set wan0 name outside
	ip -n router link set outside up
	ip -n router link set wan1 down
	ip -n router link set wan1 name wan0
	ip -n router link set wan0 up
	until_true answered 203.0.113.129 5001 client2
	silent $WAN4 5001
	ip -n router link set wan0 down
	ip -n router link set wan0 name wan1
	ip -n router link set outside down
	ip -n router link set outside name wan0
	ip -n router link set wan0 up
	until_true answered $WAN4 5001
	end_run
	udp_ask client $WAN4 5001 5
}

# An interface that is not there yet keeps nobody from forwarding.
late_interface() {
	setup
	sed -i 's/\[wan0\]/[wan0, {name: late0, mode: tc}]/' "$TMP/config"
	run_it
	said 'late0 is not there'
	udp_ask client $WAN4 5000
	namespace late
	cable late eth0 router late0
	said 'late0: attached'
	equal "tier" tc "$(xdpfwd status --json | jq -r '.interfaces[] | select(.name == "late0") | .tier')"
	end_run
}

name_server() {
	echo "nameserver $SERVER4" >"$TMP/resolv.conf"
	echo "127.0.0.1 localhost" >"$TMP/hosts"
	mount --bind "$TMP/resolv.conf" /etc/resolv.conf
	mount --bind "$TMP/hosts" /etc/hosts
	start dns nsenter --net=/run/netns/server -- python3 "$E2E_DIR/run.py" dns $SERVER4 "$ZONE"
	wait_for_line "$TMP/dns.out" ready
}

names() {
	topology
	address server eth0 $SECOND4/24
	tcp_server server "" 8000
	echo "srv.example 1 $SERVER4" >"$ZONE"
	echo "later.example none -" >>"$ZONE"
	name_server
	config <<-END
		interfaces: [wan0]
		rules:
		  - {name: named, protocol: tcp, listen: ":6000", target: "srv.example:8000"}
		  - {name: later, protocol: tcp, listen: ":6001", target: "later.example:8000"}
	END
	run_it --health 0
	# What has no address yet is left out, and comes in when it has.
	equal "rules" named "$(xdpfwd map list --json | jq -r '.[].name')"
	equal "target" srv.example:8000 "$(xdpfwd map list --json | jq -r '.[0].targets[0].target')"
	hold client $WAN4 6000 3 40000
	equal "where they are" $SERVER4:8000 "$(targets_of named)"
	printf '%s\n' "srv.example 1 $SECOND4" "later.example 1 $SECOND4" >"$ZONE"
	said "new connections go to srv.example, which is $SECOND4 now"
	until_true tcp_connect client $WAN4 6001
	tcp_connect client $WAN4 6000
	equal "where they are" "$SERVER4:8000 $SECOND4:8000" "$(targets_of named)"
	release client
	# A name server that is gone changes nothing, and is told once.
	stop dns
	said 'srv.example cannot be resolved: .*; it stays'
	tcp_connect client $WAN4 6000
	kill_run
	run_it --health 0
	tcp_connect client $WAN4 6000
	end_run
	umount /etc/hosts /etc/resolv.conf
}

by_hand() {
	topology
	tcp_server server "" 8000
	echo "srv.example 300 $SERVER4" >"$ZONE"
	echo "six.example 300 $SERVER6" >>"$ZONE"
	name_server
	xdpfwd load wan0
	xdpfwd map add tcp :6000 srv.example:8000 --name named 2>"$TMP/err"
	matches "what is said" "^xdpfwd: warning: srv.example is $SERVER4 now; .*only .xdpfwd run. follows" "$(cat "$TMP/err")"
	tcp_connect client $WAN4 6000
	xdpfwd map add tcp "[$WAN6]:6000" six.example:8000 --name six
	tcp_connect client $WAN6 6000
	refused 1 'nosuch.example cannot be resolved' map add tcp :6001 nosuch.example
	refused 1 'six.example .*no IPv4 address' map add tcp :6001 six.example
	refused 1 'stateless' map add tcp :6001 srv.example --stateless
	equal "rules" 2 "$(xdpfwd status --json | jq .rules)"
	umount /etc/hosts /etc/resolv.conf
}

health() {
	setup
	tcp_server server "" 8000
	run_it --health 1 --health-threshold 2
	until_true is_up web true
	until_true is_up any true
	stop tcp-server
	said 'target of rule "web", is down'
	is_up web false
	in_router curl -sS http://127.0.0.1:9977/metrics >"$TMP/metrics"
	matches "metric" "^xdpfwd_target_up\{rule=\"web\",target=\"$SERVER4:8000\"\} 0" "$(cat "$TMP/metrics")"
	matches "metric" "^xdpfwd_target_up\{rule=\"any\",target=\"$SERVER4:7000\"\} 1" "$(cat "$TMP/metrics")"
	promtool check metrics <"$TMP/metrics"
	tcp_server server "" 8000
	until_true is_up web true
	end_run
	equal "nobody looks any more" null "$(up web)"
}

# reload HOW: what was written is in force when the manager hears READY again.
ready_again() {
	local before
	before=$(grep -c READY=1 "$TMP/notify.out")
	"$@"
	until_true eval "[ \"\$(grep -c READY=1 '$TMP/notify.out')\" -gt $before ]"
}
hang_up() { kill -HUP "$(cat "$TMP/run.pid")"; }
in_place() { sed -i 's/5000/5002/' "$TMP/config"; }
renamed_over() { first_config; }

again() {
	setup
	WATCHDOG_USEC=400000 run_it
	wait_for_line "$TMP/notify.out" WATCHDOG=1
	udp_ask client $WAN4 5000
	ready_again in_place
	udp_ask client $WAN4 5002
	answered $WAN4 5000 && fail "the old rule answers"
	ready_again renamed_over
	udp_ask client $WAN4 5000
	ready_again hang_up
	matches "what the manager is told" '^MONOTONIC_USEC=[0-9]+$' "$(cat "$TMP/notify.out")"
	# One that is wrong is told in all its lines, and changes nothing.
	ready_again config <<-END
		interfaces: [wan0]
		rules:
		  - {name: bad, protocol: sctp, listen: ":5000", target: "$SERVER4:7000"}
		  - {name: worse, protocol: udp, listen: ":99999", target: "$SERVER4:7000"}
	END
	matches "first error" "$TMP/config:3:" "$(cat "$TMP/run.err")"
	matches "second error" "$TMP/config:4:" "$(cat "$TMP/run.err")"
	udp_ask client $WAN4 5000
	equal "rules" 3 "$(xdpfwd status --json | jq .rules)"
	# So is one that is not there.
	rm "$TMP/config"
	said 'cannot read .*config: No such file'
	ready_again renamed_over
	equal "rules" 3 "$(xdpfwd status --json | jq .rules)"
	kill "$(cat "$TMP/run.pid")"
	wait_for_line "$TMP/notify.out" STOPPING=1
}

wrong_from_the_start() {
	setup
	echo "rules: [{name: x}]" >"$TMP/config"
	local rc=0
	xdpfwd run --config "$TMP/config" 2>"$TMP/err" || rc=$?
	equal "exit code" 1 "$rc"
	matches "error" "^$TMP/config:1:" "$(cat "$TMP/err")"
	rc=0
	xdpfwd run --config "$TMP/nosuch" 2>"$TMP/err" || rc=$?
	equal "exit code" 1 "$rc"
	matches "error" "^xdpfwd: cannot read $TMP/nosuch: No such file" "$(cat "$TMP/err")"
	equal "what is left" "" "$(pins)"
}

stream() {
	rm -f "$TMP/stream.fifo"
	mkfifo "$TMP/stream.fifo"
	start stream nsenter --net=/run/netns/client -- python3 "$E2E_DIR/run.py" stream "$1" "$2" "$TMP/stream.fifo"
	wait_for_line "$TMP/stream.out" ready
}

killed() {
	setup
	run_it
	stream $WAN4 5000
	kill_run
	run_it
	ready_again hang_up
	kill_run
	run_it
	echo >"$TMP/stream.fifo"
	wait_for_line "$TMP/stream.out" '^sent'
	matches "the stream" '^sent [0-9]+ lost 0$' "$(tail -n 1 "$TMP/stream.out")"
	equal "packets that were counted" "$(awk '/^sent/ { print $2 }' "$TMP/stream.out")" "$(counter any packets_in)"
	equal "flows" 1 "$(counter any flows_created)"
	end_run
}

# At any moment of its life, the first one included: the rules are there, and forward.
killed_at_random() {
	local i pid
	setup
	xdpfwd load wan0 --config "$TMP/config" >/dev/null
	unset NOTIFY_SOCKET
	for ((i = 0; i < KILLS; i++)); do
		start run nsenter --net=/run/netns/router -- "$XDPFWD" run --config "$TMP/config"
		pid=$(cat "$TMP/run.pid")
		# How far it comes is what the test is about.
		sleep "$(printf '0.%03d' $((RANDOM % 1000)))"
		kill -KILL "$pid"
		until_true is_gone "$pid"
		equal "rules after SIGKILL $i" "any iface web" \
			"$(xdpfwd map list --json | jq -r '[.[].name] | sort | join(" ")')"
		udp_ask client $WAN4 $((5000 + i % 2)) >/dev/null
	done
	equal "packets that were counted" "$KILLS" "$(($(counter any packets_in) + $(counter iface packets_in)))"
	export NOTIFY_SOCKET=$TMP/notify.socket
	run_it
	end_run
}

# What it may need is what it keeps.
privileges() {
	setup
	run_it
	# CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF
	matches "capabilities" 'CapEff:.000000c000001000' "$(cat "/proc/$(cat "$TMP/run.pid")/status")"
	wan0_again
	until_true answered $WAN4 5001
	ready_again hang_up
	end_run
}

it "run follows addresses, and interfaces that go, come and are renamed" network
it "an interface that comes late is attached when it does" late_interface
it "names are asked for again; connections stay where they are" names
it "map add asks for a name once" by_hand
it "targets are up or down" health
it "the file comes into force when it changes and on SIGHUP, unless it is wrong" again
it "a file that is wrong from the start loads nothing" wrong_from_the_start
it "no packet is lost and no counter goes back when run is killed" killed
it "$KILLS SIGKILLs leave the rules as they are, and forwarding" killed_at_random
it "capabilities that are not needed are given away" privileges

done_testing
