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

it "apply prints what differs, and makes it so" differences

done_testing
