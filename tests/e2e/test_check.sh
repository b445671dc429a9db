#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The doctor: what it says of a healthy instance, and of what is spoiled on purpose.
. "$(dirname "$0")/lib.sh"

# finding ID SUBJECT: its result, or nothing.
finding() { jq -r --arg id "$1" --arg subject "$2" '.checks[] | select(.id == $id and .subject == $subject).result' "$TMP/check"; }

# check CODE [NAME...]: its JSON is in $TMP/check, each finding whole.
check() {
	local code=$1 rc=0
	shift
	xdpfwd check "$@" --json >"$TMP/check" || rc=$?
	equal "exit code of check $*" "$code" "$rc"
	equal "fields" '["id","message","remedy","result","subject"]' "$(jq -c '[.checks[] | keys] | add | unique' "$TMP/check")"
	equal "what is not ok and has no remedy" 0 \
		"$(jq '[.checks[] | select((.result != "ok") != (.remedy != null))] | length' "$TMP/check")"
}

setup() {
	topology
	udp_server server $SERVER4 7000
	xdpfwd load wan0 --mode tc "$@"
	xdpfwd map add udp :5000 $SERVER4:7000 --name echo --source masquerade
}

healthy() {
	setup
	udp_ask client $WAN4 5000 3
	check 0
	equal "replies" ok "$(finding replies echo)"
	equal "forwarding" ok "$(finding forwarding 'wan0 IPv4')"
	equal "findings that are not ok" 0 "$(jq '[.checks[] | select(.result != "ok")] | length' "$TMP/check")"
	matches "for people" '^ok +replies echo: 3 packets to the target, 3 back' "$(xdpfwd check)"
	refused 1 'no rule is named "nosuch"' check nosuch
	refused 2 nosuch check --nosuch
}

not_forwarding() {
	setup
	in_router sysctl -qw net.ipv4.conf.wan0.forwarding=0
	check 1
	equal "forwarding" failure "$(finding forwarding 'wan0 IPv4')"
	eval "in_router $(jq -r '.checks[] | select(.id == "forwarding" and .result == "failure").remedy' "$TMP/check")"
	check 0
}

came() { [ "$(counter "$1" packets_in)" -gt 0 ]; }

# One port for masquerading, which another client has.
ports_used_up() {
	setup --masquerade-ports 20000-20000
	udp_ask client $WAN4 5000 3
	udp_ask client $WAN4 5000 1 2>/dev/null && fail "a second client was given the only port"
	check 0 echo
	equal "masquerade ports" warning "$(finding masquerade-ports echo)"
}

never_answers() {
	setup
	xdpfwd map add tcp :5001 192.0.2.77:7000 --name nobody
	ip -n server address add 192.0.2.77/24 dev eth0
	in_server nft 'add table inet t; add chain inet t c { type filter hook input priority 0; };
		add rule inet t c ip daddr 192.0.2.77 drop'
	start knocks nsenter --net=/run/netns/client -- python3 "$E2E_DIR/tcp.py" hold $WAN4 5001 1 40000 /dev/null
	until_true came nobody
	check 1 nobody
	equal "replies" failure "$(finding replies nobody)"
	equal "of others" "" "$(finding replies echo)"
	check 0 echo
}

it "a healthy instance" healthy
it "an interface that does not forward, and the remedy" not_forwarding
it "masquerade ports that ran out" ports_used_up
it "a target that never answers" never_answers

done_testing
