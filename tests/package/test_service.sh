#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The service, started by a systemd that runs: as the package installs it, with
# all of its confinement.
. "$(dirname "$0")/root.sh"

config() {
	cat >"$ROOT/etc/xdpfwd/xdpfwd.yaml"
}

main_pid() { in_system systemctl show -P MainPID xdpfwd; }
is_service() { [ "$(in_system systemctl is-active xdpfwd || true)" = "$1" ]; }
has_rule() { xdpfwd map list --json | jq -e --arg name "$1" 'any(.[]; .name == $name)' >/dev/null; }

confined() {
	local exposure
	exposure=$(systemd-analyze security --offline=true "$TOP/packaging/systemd/xdpfwd.service" 2>/dev/null |
		sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
	awk -v exposure="$exposure" 'BEGIN { exit !(exposure != "" && exposure <= 2.5) }' ||
		fail "systemd-analyze security says $exposure"
}

started() {
	topology
	fresh_root
	in_root dpkg -i "/packages/$(basename "$DEB")"
	config <<-EOF
		interfaces: [wan0]
		rules:
		  - {name: web, protocol: tcp, listen: ":443", target: "$SERVER4:8443"}
	EOF
	web_server server 8443
	boot
	in_system systemctl enable --now xdpfwd
	# `start` returns when it says that it is ready.
	download client "http://$WAN4:443/file"
	equal "CapBnd" 000000c000203000 "$(in_system sed -n 's/^CapBnd:\t//p' "/proc/$(main_pid)/status")"
	equal "NoNewPrivs" 1 "$(in_system sed -n 's/^NoNewPrivs:\t//p' "/proc/$(main_pid)/status")"
}

# From here on each test goes on where the one before it stopped.
reloaded() {
	config <<-EOF
		interfaces: [wan0]
		rules:
		  - {name: web, protocol: tcp, listen: ":443", target: "$SERVER4:8443"}
		  - {name: more, protocol: tcp, listen: ":444", target: "$SERVER4:8443"}
	EOF
	in_system systemctl reload xdpfwd
	until_true has_rule more
	download client "http://$WAN4:444/file"
}

killed() {
	local flows
	in_system systemctl kill --signal KILL xdpfwd
	download client "http://$WAN4:443/file"
	flows=$(counter web flows_created)
	until_true is_service active
	equal "restarts" 1 "$(in_system systemctl show -P NRestarts xdpfwd)"
	equal "flows taken" "$flows" "$(counter web flows_created)"
}

reinstalled() {
	local pid
	pid=$(main_pid)
	mkdir -p "$ROOT/root"
	cp "$DEB" "$ROOT/root/again.deb"
	in_system dpkg -i /root/again.deb
	is_service active
	[ "$pid" != "$(main_pid)" ] || fail "the old process still runs"
	download client "http://$WAN4:443/file"
}

stopped() {
	in_system systemctl stop xdpfwd
	is_service inactive
	download client "http://$WAN4:443/file"
	in_system systemctl start xdpfwd
	in_system dpkg -P xdpfwd
	equal "pins" "" "$(pins)"
	equal "what is enabled" "" "$(find "$ROOT/etc/systemd/system" -name 'xdpfwd*')"
}

trap power_off EXIT
build_package
it "its unit is confined: exposure 2.5 or less" confined
if "$XDPFWD" run --help >/dev/null 2>&1; then
	it "starts, is ready when it forwards, and is confined" started
	it "reload applies the config again" reloaded
	it "killed: traffic goes on, and it comes back" killed
	it "another version takes over from the one that runs" reinstalled
	it "stopped: traffic goes on; purged: it ends" stopped
else
	skip "the service" "this version has no command run"
fi

done_testing
