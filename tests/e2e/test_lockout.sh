#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules that would lock their author out, or take a local service's port, are
# refused without --force: by map add and by map enable, of both families, and
# also when sudo has taken sshd's variables away.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	unset SSH_CONNECTION SSH_CLIENT
	xdpfwd load wan0
}

nothing_added() {
	equal "rules" "[]" "$(xdpfwd map list --json | jq -c '[.[].name]')"
}

session_of_environment() {
	setup
	export SSH_CONNECTION="$CLIENT4 50000 $WAN4 2222"
	refused 1 'port 2222 .*SSH session.*--force' map add tcp :2222 $SERVER4:22
	refused 1 'SSH session.*--force' map add tcp $WAN4:2000-3000 $SERVER4
	export SSH_CONNECTION="$CLIENT6 50000 $WAN6 2222"
	refused 1 'SSH session.*--force' map add tcp wan0:2222 "[$SERVER6]:22"
	nothing_added
	xdpfwd map add tcp :2222 $SERVER4:22 --name four
	xdpfwd map add tcp :2222 "[$SERVER6]:22" --name six --force
}

# A process that calls itself sshd has the connection, and all that was started by it.
session_of_ancestor() {
	setup
	start sshd nsenter --net=/run/netns/router -- python3 "$E2E_DIR/session.py" $WAN4 2222 \
		"$XDPFWD" map add tcp :2222 $SERVER4:22
	wait_for_line "$TMP/sshd.out" '^ready'
	start client nsenter --net=/run/netns/client -- bash -c "read -r <>/dev/tcp/$WAN4/2222"
	wait_for_line "$TMP/sshd.out" '^exit code'
	equal "the command's exit code" "exit code 1" "$(tail -n 1 "$TMP/sshd.out")"
	matches "what it says" "^xdpfwd: tcp port 2222 .*SSH session.* sshd \(pid $(cat "$TMP/sshd.pid")\).*--force" \
		"$(cat "$TMP/sshd.err")"
	nothing_added
}

listener() {
	setup
	start web nsenter --net=/run/netns/router -- python3 "$E2E_DIR/tcp.py" serve "" 8080
	wait_for_line "$TMP/web.out" ready
	refused 1 "port 8080 is in use by python3 \(pid $(cat "$TMP/web.pid")\).*--force" map add tcp :8080 $SERVER4:80
	refused 1 'port 8080 .*--force' map add tcp "[$WAN6]:8080" "[$SERVER6]:80" --disabled
	nothing_added
	# What leads there anyway hides nothing.
	xdpfwd map add tcp $PUBLIC4:8080 $WAN4:8080 --name same
}

# The socket came after the rule.
enabling() {
	setup
	xdpfwd map add tcp :8080 $SERVER4:80 --name web --disabled
	xdpfwd map add tcp :9090 $SERVER4:80 --name other --disabled
	start web nsenter --net=/run/netns/router -- python3 "$E2E_DIR/tcp.py" serve "" 8080
	wait_for_line "$TMP/web.out" ready
	refused 1 'rule web: tcp port 8080 .*python3.*--force' map enable other web
	equal "enabled" "[false,false]" "$(xdpfwd map list --json | jq -c '[.[].enabled]')"
	xdpfwd map enable web other --force
	equal "enabled" "[true,true]" "$(xdpfwd map list --json | jq -c '[.[].enabled]')"
}

it "the SSH session that the environment tells of is not taken without --force" session_of_environment
it "nor the one of the sshd that has started the command" session_of_ancestor
it "nor a local listener's port, and whose it is stands in the error" listener
it "map enable asks the same" enabling

done_testing
