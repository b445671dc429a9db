#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The state directory as one gets it wrong, and answers that are true of what is attached now.
. "$(dirname "$0")/lib.sh"

# Each is refused by its name with what is wrong, and nothing is made or mounted for it.
wrong_places() {
	topology
	mkdir "$TMP/second"
	mount -t bpf bpf "$TMP/second"
	refused 1 '^xdpfwd: /sys/fs/bpf is a bpffs as a whole.*/sys/fs/bpf/xdpfwd' --state /sys/fs/bpf load wan0
	refused 1 "^xdpfwd: $TMP/second is a bpffs as a whole" --state "$TMP/second" status
	refused 1 '^xdpfwd: cannot open /sys/fs/bpf/a\.b: .* dot' --state /sys/fs/bpf/a.b load wan0
	refused 1 'cannot make /sys/fs/bpf/a/b: there is no /sys/fs/bpf/a' --state /sys/fs/bpf/a/b load wan0
	refused 1 '/sys/fs/bpf/0{40,}\.\.\.: .*too long' --state "/sys/fs/bpf/$(printf '0%.0s' {1..5000})" load wan0
	equal "left in the bpffs" "" "$(pins)"
	umount /sys/fs/bpf
	refused 1 'there is no /sys/fs/bpf/a' --state /sys/fs/bpf/a/b load wan0
	! mountpoint -q /sys/fs/bpf || fail "a bpffs was mounted for a directory that could not be made"
	xdpfwd --state "$TMP/second/one" load wan0
	xdpfwd --state "$TMP/second/one" map add tcp :80 $SERVER4 --name mine
	equal "rules" mine "$(XDPFWD_STATE=$TMP/second/one xdpfwd map list --json | jq -r '.[].name')"
	xdpfwd --state "$TMP/second/one" unload --all
	equal "left in the second bpffs" "" "$(find "$TMP/second" -mindepth 1 -not -name '*.debug')"
	umount "$TMP/second"
}

another_namespace() {
	topology
	xdpfwd load wan0
	local rc=0
	in_client "$XDPFWD" load eth0 2>"$TMP/err" || rc=$?
	equal "exit code" 1 $rc
	matches "what it says" '^xdpfwd: .*namespace.*--state' "$(cat "$TMP/err")"
	in_client "$XDPFWD" --state /sys/fs/bpf/client load eth0
	in_client "$XDPFWD" --state /sys/fs/bpf/client unload --all
	equal "tier of wan0, asked from elsewhere" tc "$(in_client "$XDPFWD" status --json | jq -r '.interfaces[0].tier')"
}

interfaces() { xdpfwd status --json | jq -r '[.interfaces[].name] | sort | join(" ")'; }

# What is gone is not attached, and what was renamed is called what it is called.
gone_and_renamed() {
	topology
	xdpfwd load wan0
	xdpfwd map add tcp :80 $SERVER4
	ip -n router link set wan0 down
	ip -n router link set wan0 name uplink
	ip -n router link set uplink up
	equal "interfaces after a renaming" "lan0 uplink" "$(interfaces)"
	refused 1 'wan0' unload wan0
	ip -n router link del lan0
	equal "interfaces after lan0 is gone" uplink "$(interfaces)"
	equal "in the metrics" 'xdpfwd_interface_info{interface="uplink",tier="tc"} 1' \
		"$(xdpfwd metrics | grep '^xdpfwd_interface_info')"
	xdpfwd unload uplink
	equal "interfaces after unload" "" "$(interfaces)"
}

# Two readings with no traffic in between are equal, to the last digit.
readings_are_stable() {
	topology
	udp_server server :: 7000
	xdpfwd load wan0
	xdpfwd map add udp :5000 $SERVER4:7000
	udp_ask client $WAN4 5000 3
	local i
	xdpfwd map list --json >"$TMP/first"
	for i in $(seq 20); do
		diff "$TMP/first" <(xdpfwd map list --json) || fail "reading $i differs"
	done
}

it "state directories that cannot be: refused by name, nothing made" wrong_places
it "another network namespace's instance: refused, with the way out" another_namespace
it "status tells what is attached now, by its name of now" gone_and_renamed
it "a rule's answers do not change without traffic" readings_are_stable

done_testing
