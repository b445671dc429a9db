#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# After `unload --all` the machine is as it was before `load`.
. "$(dirname "$0")/lib.sh"

# What the router has that a load could leave behind. Neighbours that the kernel
# learned by itself come and go; those that somebody asked for do not.
snapshot() {
	local dev
	in_router ip -d link | sed 's/ promiscuity.*//; s/_timer *[0-9.]*//g'
	in_router ip addr
	in_router ip route show table all
	in_router ip -6 route show table all | sed 's/ expires [0-9]*sec//'
	for dev in wan0 $LAN; do
		in_router tc qdisc show dev "$dev"
		in_router tc filter show dev "$dev" ingress
		in_router tc filter show dev "$dev" egress
		echo "neighbours of $dev: $(in_router ip neigh show dev "$dev" | grep -cE 'managed|PERMANENT|extern' || true)"
	done
	in_router bpftool net show
	in_router sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.(conf|neigh|ip_forward)' | sort
	pins
}

# The kernel's numbers of everything that is pinned: "map 12", "prog 34", "link 56".
pinned_ids() {
	local pin kind id
	pins | while read -r pin; do
		for kind in map prog link; do
			id=$(bpftool -j $kind show pinned "$pin" 2>/dev/null | jq -r '.id // empty' || true)
			[ -z "$id" ] || echo "$kind $id"
		done
	done | sort -u
}

gone() {
	! bpftool "$1" show id "$2" >/dev/null 2>&1
}

leaves_nothing() {
	local kind=$1 tier=$2 what id
	topology "$kind"
	tier "$tier"
	web_server server 8443
	snapshot >"$TMP/before"
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add tcp :443 $SERVER4:8443
	xdpfwd map add tcp :443 "[$SERVER6]:8443" --source masquerade
	xdpfwd map add udp :27000-27999 $SERVER4
	download client "http://$WAN4:443/file"
	download client "http://[$WAN6]:443/file"
	! diff -q "$TMP/before" <(snapshot) >/dev/null || fail "the snapshot does not see what load does"
	pinned_ids >"$TMP/ids"
	more "pinned objects" "$(wc -l <"$TMP/ids")" 10

	xdpfwd unload --all
	diff "$TMP/before" <(snapshot) || fail "unload left something behind, see the log"
	while read -r what id; do
		until_true gone "$what" "$id"
	done <"$TMP/ids"
	xdpfwd unload --all
	diff "$TMP/before" <(snapshot)
}

# Nothing but its own: others' filters and qdiscs stay.
spares_others() {
	topology
	in_router tc qdisc add dev wan0 clsact
	in_router tc filter add dev wan0 ingress prio 7 bpf da obj "$HELPERS/someone.bpf.o" sec tc
	snapshot >"$TMP/before"
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp :443 $SERVER4:8443
	xdpfwd unload --all
	diff "$TMP/before" <(snapshot)
}

# One interface of two: the rules and the other one stay.
one_interface() {
	topology
	second_client
	udp_server server :: 7000
	xdpfwd load wan0 wan1
	xdpfwd map add udp :5000 $SERVER4:7000 --name echo
	udp_ask client $WAN4 5000 10
	udp_ask client2 203.0.113.129 5000 10
	xdpfwd unload wan1
	udp_ask client $WAN4 5000 10
	! udp_ask client2 203.0.113.129 5000 2>/dev/null || fail "wan1 still forwards"
	equal "packets in" 30 "$(counter echo packets_in)"
	equal "interfaces" "lan0 lo wan0" \
		"$(xdpfwd status --json | jq -r '[.interfaces[].name] | sort | join(" ")')"
}

# Where no bpffs is mounted, load mounts one.
mounts_bpffs() {
	topology
	umount /sys/fs/bpf
	! mountpoint -q /sys/fs/bpf || fail "a bpffs is still mounted"
	xdpfwd load wan0
	mountpoint -q /sys/fs/bpf
	equal "the state directory's mode and owner" "700 0:0" "$(stat -c '%a %u:%g' /sys/fs/bpf/xdpfwd)"
	equal "pins that others can open" "" "$(find /sys/fs/bpf/xdpfwd -type f ! -perm 0600)"
	xdpfwd unload --all
	equal "left in the bpffs" "" "$(pins)"
}

for kind in plain bridge tun; do
	it "unload --all leaves nothing: $kind, tc" leaves_nothing $kind tc
	it "unload --all leaves nothing: $kind, native" leaves_nothing $kind gro
done
it "unload --all spares what is not its own" spares_others
it "unload IFACE leaves the rest at work" one_interface
it "load mounts a bpffs where there is none, for root alone" mounts_bpffs

done_testing
