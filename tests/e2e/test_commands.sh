#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the commands refuse, how they say it, and that a refusal changes nothing.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	xdpfwd load wan0
	xdpfwd map add tcp :443 $SERVER4:8443 --name web --comment "the web server"
	xdpfwd map add udp $PUBLIC4:27000-27999 $SERVER4:27000 --name game
	xdpfwd map add tcp wan0:25 $SERVER4 --name mail
}

everything() {
	xdpfwd map list --json
	xdpfwd status --json | jq 'del(.flows)'
}

# map_add_refused CODE TEXT PROTO LISTEN TARGET [OPTION...]
map_add_refused() {
	local code=$1 text=$2
	shift 2
	everything >"$TMP/before"
	refused "$code" "$text" map add "$@"
	diff "$TMP/before" <(everything) || fail "'map add $*' was refused and changed something"
}

bad_endpoints() {
	setup
	map_add_refused 1 'IPv4|IPv6|famil' tcp $PUBLIC4:80 "[$SERVER6]:80"
	map_add_refused 1 'IPv4|IPv6|famil' tcp "[$WAN6]:80" $SERVER4:80
	map_add_refused 1 '65535|range|port' tcp :8000-8999 $SERVER4:65000
	map_add_refused 1 '9000-8000|range' tcp :9000-8000 $SERVER4
	map_add_refused 1 'port' tcp :0 $SERVER4:80
	map_add_refused 1 ':0: ' tcp :80 $SERVER4:0
	map_add_refused 1 '80abc' tcp :80abc $SERVER4:80
	map_add_refused 1 '80abc' tcp :80 $SERVER4:80abc
	map_add_refused 1 '65536' tcp :65536 $SERVER4:80
	map_add_refused 1 '192\.0\.2\.300' tcp :80 192.0.2.300:80
	map_add_refused 1 '192\.0\.2' tcp :80 192.0.2:80
	map_add_refused 1 'nosuch0' tcp nosuch0:80 $SERVER4:80
	map_add_refused 1 '224\.0\.0\.1' tcp :80 224.0.0.1:80
	map_add_refused 1 '0\.0\.0\.0' tcp :80 0.0.0.0:80
	map_add_refused 1 'sctp' sctp :80 $SERVER4:80
}

# Ranges of unequal length, with an end of the target's range spelled out.
unequal_ranges() {
	setup
	map_add_refused 1 '8000|range|port' tcp :8000-8009 $SERVER4:9000-9008
}

claimed_endpoints() {
	setup
	map_add_refused 1 'web' tcp :443 192.0.2.11:443
	map_add_refused 1 'web' tcp+udp :443 192.0.2.11:443
	map_add_refused 1 'web' tcp :400-500 192.0.2.11
	map_add_refused 1 'game' udp $PUBLIC4:27500 192.0.2.11:27500
	map_add_refused 1 'mail' tcp wan0:25 192.0.2.11
	map_add_refused 1 'web' tcp :444 192.0.2.11:444 --name web
	# Another protocol, family, address or interface is another endpoint.
	xdpfwd map add udp :443 $SERVER4:443
	xdpfwd map add tcp :443 "[$SERVER6]:443"
	xdpfwd map add tcp $PUBLIC4:443 $SERVER4:444
	xdpfwd map add tcp lan0:443 $SERVER4:445
}

itself() {
	setup
	map_add_refused 1 'itself|loop|same' tcp $PUBLIC4:80 $PUBLIC4:80
	map_add_refused 1 'itself|loop|same' tcp "[$WAN6]:80" "[$WAN6]:80"
}

shadowed_socket() {
	setup
	start sshd nsenter --net=/run/netns/router -- python3 "$E2E_DIR/tcp.py" serve $WAN4 22
	wait_for_line "$TMP/sshd.out" ready
	map_add_refused 1 '22.*--force|--force.*22' tcp :22 $SERVER4:22
	map_add_refused 1 '--force' tcp $WAN4:22 $SERVER4:22
	map_add_refused 1 '--force' tcp :20-30 $SERVER4
	xdpfwd map add tcp $PUBLIC4:22 $SERVER4:22 --name other-address
	xdpfwd map add tcp :22 $SERVER4:22 --name forced --force
	xdpfwd map list --json | jq -e 'any(.[]; .name == "forced")' >/dev/null
	start dns nsenter --net=/run/netns/router -- python3 "$E2E_DIR/udp.py" serve $WAN4 53
	wait_for_line "$TMP/dns.out" ready
	map_add_refused 1 '--force' udp :53 $SERVER4:53
}

other_refusals() {
	setup
	everything >"$TMP/before"
	refused 1 'nosuch' map del nosuch
	refused 1 'nosuch' map del web nosuch
	refused 1 'nosuch' map show nosuch
	refused 1 'nosuch' unload nosuch
	refused 1 'nosuch0' load nosuch0
	map_add_refused 1 'bad name' tcp :80 $SERVER4:80 --name 'bad name'
	diff "$TMP/before" <(everything)
}

wrong_usage() {
	setup
	refused 2 'nosuch' nosuch
	refused 2 . map
	refused 2 'nosuch' map nosuch
	refused 2 . map add
	refused 2 . map add tcp :80
	refused 2 '--nosuch' map add tcp :80 $SERVER4:80 --nosuch
	refused 2 '--name' map add tcp :80 $SERVER4:80 --name
	refused 2 . map del
	refused 2 . load
	refused 2 'turbo' load wan0 --mode turbo
	refused 2 '--nosuch' --nosuch status
	refused 2 . unload
}

helps() {
	local command
	topology
	equal "version" "xdpfwd $(cat "$TOP/VERSION")" "$(xdpfwd --version | head -n 1)"
	xdpfwd --help | grep -q 'map add'
	for command in load unload status "map add" "map del" "map list" "map show" stats flows metrics serve; do
		# shellcheck disable=SC2086 # a list of words
		matches "$command --help" "xdpfwd .*$command" "$(xdpfwd $command --help)"
	done
}

# {"error": ...} on stdout, the exit code unchanged.
json_errors() {
	local args
	topology
	for args in "status --json" "map list --json" "flows --json" "stats --json"; do
		# shellcheck disable=SC2086 # a list of words
		refused 1 'xdpfwd load' $args
		matches "stdout of $args" 'xdpfwd load' "$(jq -er .error "$TMP/refused.out")"
	done
	xdpfwd load wan0
	refused 1 nosuch map show nosuch --json
	matches "stdout of map show" nosuch "$(jq -er .error "$TMP/refused.out")"
}

not_loaded() {
	topology
	local args
	for args in status "map list" "map add tcp :80 $SERVER4:80" "map del web" "map show web" flows stats metrics; do
		# shellcheck disable=SC2086 # a list of words
		refused 1 'xdpfwd load' $args
	done
	equal "left in the bpffs" "" "$(pins)"
}

state_directories() {
	topology
	mkdir -p "$TMP/elsewhere"
	refused 1 "$TMP/elsewhere" --state "$TMP/elsewhere" load wan0
	refused 1 "$TMP/elsewhere" --state "$TMP/elsewhere" status
	equal "left there" "" "$(ls "$TMP/elsewhere")"
	# Pins that are not ours, under our names.
	mkdir /sys/fs/bpf/foreign
	bpftool map create /sys/fs/bpf/foreign/config type array key 4 value 8 entries 1 name someones
	refused 1 'foreign' --state /sys/fs/bpf/foreign load wan0
	refused 1 'foreign' --state /sys/fs/bpf/foreign map list
	xdpfwd --state /sys/fs/bpf/foreign unload --all
	equal "what was there" config "$(ls /sys/fs/bpf/foreign)"
	# Two instances, side by side; the environment names one, too.
	xdpfwd --state /sys/fs/bpf/mine load wan0
	XDPFWD_STATE=/sys/fs/bpf/mine xdpfwd map add tcp :80 $SERVER4:80 --name mine
	equal "rules of mine" mine "$(xdpfwd --state /sys/fs/bpf/mine map list --json | jq -r '.[].name')"
	refused 1 'xdpfwd load' map list
	xdpfwd --state /sys/fs/bpf/mine unload --all
}

other_namespace() {
	setup
	local rc=0
	in_client "$XDPFWD" map add tcp :80 $SERVER4:80 2>"$TMP/err" || rc=$?
	equal "exit code in another network namespace" 1 $rc
	matches "what it says" '^xdpfwd: .*namespace' "$(cat "$TMP/err")"
}

# Rule by rule, as its user would see it.
what_is_listed() {
	setup
	xdpfwd map list --json >"$TMP/list"
	equal "names" "game mail web" "$(jq -r '[.[].name] | sort | join(" ")' "$TMP/list")"
	equal "web" 'tcp :443 192.0.2.10:8443 auto true the web server' \
		"$(jq -r '.[] | select(.name == "web") | "\(.protocol) \(.listen) \(.targets[0].target) \(.source) \(.enabled) \(.comment)"' "$TMP/list")"
	equal "game's listen" "$PUBLIC4:27000-27999" "$(jq -r '.[] | select(.name == "game").listen' "$TMP/list")"
	equal "keys of a rule" "allow comment counters deny enabled expired expires listen max_flows max_flows_per_source name protocol rate rate_per_source source stateless syn_threshold targets timeouts" \
		"$(jq -r '.[0] | keys | join(" ")' "$TMP/list")"
	equal "keys of its counters" "bytes_in bytes_out drops fast_packets flows_created last_hit packets_in packets_out" \
		"$(jq -r '.[0].counters | keys | join(" ")' "$TMP/list")"
	xdpfwd map list | grep -q web
	xdpfwd map show web | grep -q "$SERVER4:8443"
	xdpfwd map del mail
	xdpfwd map del udp $PUBLIC4:27000-27999
	equal "names after deleting" web "$(xdpfwd map list --json | jq -r '.[].name')"
	xdpfwd map add tcp :444 $SERVER4
	xdpfwd map add tcp $PUBLIC4:444 $SERVER4:445
	equal "names that it made" "tcp-444 tcp-444-2 web" \
		"$(xdpfwd map list --json | jq -r '[.[].name] | sort | join(" ")')"
}

add_many() {
	local i
	for i in $(seq 50); do
		xdpfwd map add tcp ":$(($1 + i))" $SERVER4:80
	done
}

at_once() {
	setup
	add_many 1000 &
	local first=$!
	add_many 2000 &
	local second=$!
	wait $first
	wait $second
	equal "rules" 103 "$(xdpfwd map list --json | jq length)"
	equal "endpoints" 103 "$(xdpfwd map list --json | jq '[.[].listen] | unique | length')"
	equal "rules that status counts" 103 "$(xdpfwd status --json | jq .rules)"
}

it "map add refuses bad endpoints" bad_endpoints
it "map add refuses ranges of unequal length" unequal_ranges
it "map add refuses what another rule has" claimed_endpoints
it "map add refuses a target that is the rule itself" itself
it "map add refuses to shadow a local socket unless forced" shadowed_socket
it "other commands' refusals change nothing" other_refusals
it "wrong usage exits with 2" wrong_usage
it "help and version" helps
it "errors as JSON" json_errors
it "without a data plane, commands name xdpfwd load" not_loaded
it "state directories that are not ours are refused" state_directories
it "another network namespace is refused" other_namespace
it "rules are listed as they were given" what_is_listed
it "two loops of map add at once lose nothing" at_once

done_testing
