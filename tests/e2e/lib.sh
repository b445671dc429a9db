# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every end-to-end test starts with: the sandbox, and tests in it. Output is
# TAP; what the tests themselves print goes to standard error, for the log.
. "$(dirname "${BASH_SOURCE[0]}")/sandbox.sh"

exec 3>&1 1>&2
tests_run=0 tests_failed=0

tap() {
	echo "$*" >&3
	echo "$*" >&2
}

where_it_failed() {
	local i where=
	for ((i = 1; i < ${#FUNCNAME[@]} - 1; i++)); do
		where+=" $(basename "${BASH_SOURCE[i]}"):${BASH_LINENO[i - 1]}"
	done
	tap "# exit code $1: $2, at$where"
}

# it NAME FUNCTION [ARG...]: one test. Any command in it that fails, fails it.
it() {
	local name=$1 rc
	shift
	tests_run=$((tests_run + 1))
	echo "== $name" >&2
	(
		trap 'where_it_failed $? "$BASH_COMMAND"' ERR
		set -Eeuo pipefail
		"$@"
	) 1>&2
	rc=$?
	if [ $rc -eq 0 ]; then
		tap "ok $tests_run - $name"
	else
		tests_failed=$((tests_failed + 1))
		tap "not ok $tests_run - $name"
		post_mortem
	fi
}

# skip NAME WHY: a test that this kernel has not got what it needs for.
skip() {
	tests_run=$((tests_run + 1))
	tap "ok $tests_run - $1 # SKIP $2"
}

done_testing() {
	tap "1..$tests_run"
	[ "$tests_failed" -eq 0 ]
}

fail() {
	tap "# $*"
	return 1
}

# equal WHAT EXPECTED ACTUAL
equal() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# more WHAT ACTUAL THAN
more() {
	[ "$2" -gt "$3" ] || fail "$1: expected more than $3, got '$2'"
}

# matches WHAT REGEX TEXT
matches() {
	grep -Eq -- "$2" <<<"$3" || fail "$1: '$3' does not match '$2'"
}

# What one wants to see of a failed test, for the log.
post_mortem() {
	echo "-- state after the failure"
	[ -e /run/netns/router ] || return 0
	xdpfwd status
	xdpfwd map list --json
	xdpfwd flows --limit 10
	in_router ip -s link
	in_router ip neigh
	in_router nstat -az 2>/dev/null | grep -E 'Error|Drop|Discard|NoRoute' | grep -v ' 0 '
} >&2

# ---- the tool's answers

# counter RULE NAME: one of its counters.
counter() {
	xdpfwd map list --json | jq -e --arg rule "$1" --arg name "$2" \
		'.[] | select(.name == $rule) | .counters[$name]'
}

# refused CODE TEXT ARG...: the command must exit with CODE and one line on stderr that has TEXT.
refused() {
	local code=$1 text=$2 rc=0
	shift 2
	xdpfwd "$@" >"$TMP/refused.out" 2>"$TMP/refused.err" || rc=$?
	equal "exit code of '$*' ($(cat "$TMP/refused.err"))" "$code" "$rc"
	if [ "$code" -eq 1 ]; then
		equal "lines on stderr of '$*' ($(cat "$TMP/refused.err"))" 1 "$(wc -l <"$TMP/refused.err")"
		matches "stderr of '$*'" '^xdpfwd: ' "$(cat "$TMP/refused.err")"
	fi
	matches "stderr of '$*'" "$text" "$(cat "$TMP/refused.err")"
}

# closed_to NS: port 5000 of the router leads to closed ports, and who asks there hears so from where it asked.
closed_to() {
	local addr answer
	for addr in $WAN4 $WAN6; do
		answer=$(udp_ask "$1" "$addr" 5000 2>&1) && fail "a closed port answered"
		matches "UDP to $addr" ConnectionRefusedError "$answer"
		answer=$(tcp_connect "$1" "$addr" 5000 2>&1) && fail "a closed port answered"
		matches "TCP to $addr" ConnectionRefusedError "$answer"
	done
}

# two_ways_in TIER: clients at wan0 and at wan1, and rules for servers that answer both.
two_ways_in() {
	topology
	second_client
	tier "$1"
	tcp_server server "" 7000 # of both families
	udp_server server :: 7000
	xdpfwd load wan0 wan1 --mode "$MODE"
	xdpfwd map add tcp :6000 $SERVER4:7000 --name tcp4
	xdpfwd map add tcp :6000 "[$SERVER6]:7000" --name tcp6
	xdpfwd map add udp :6000 $SERVER4:7000 --name udp4
}
