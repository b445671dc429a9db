#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Targets that are this machine: another port, another address, loopback.
. "$(dirname "$0")/lib.sh"

# serves_locally TIER TARGET4 TARGET6: HTTP and datagrams from the client to services of the router.
serves_locally() {
	local tier=$1 target4=$2 target6=$3
	topology
	tier "$tier"
	web_server router 8443
	xdpfwd load wan0 --mode "$MODE"
	udp_server router "$target4" 7000
	udp_server router "${target6//[][]/}" 7000
	xdpfwd map add tcp :443 "$target4:8443" --name tcp4
	xdpfwd map add tcp :443 "$target6:8443" --name tcp6
	xdpfwd map add udp :5000 "$target4:7000" --name udp4
	xdpfwd map add udp :5000 "$target6:7000" --name udp6

	download client "http://$WAN4:443/file"
	equal "visitor (v4)" "$CLIENT4" "$(last_visitor)"
	: >"$TMP/access.log"
	download client "http://[$WAN6]:443/file"
	equal "visitor (v6)" "$CLIENT6" "$(last_visitor)"
	equal "datagrams (v4)" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000 200)"
	equal "datagrams (v6)" "$CLIENT6 7000" "$(udp_ask client $WAN6 5000 200)"
	equal "counted (v4)" "200 200" "$(counter udp4 packets_in) $(counter udp4 packets_out)"
	equal "counted (v6)" "200 200" "$(counter udp6 packets_in) $(counter udp6 packets_out)"
}


settings() {
	in_router sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.(conf|neigh|ip_forward)' | sort
}

setting() { # IFACE NAME
	in_router sysctl -n "net.ipv4.conf.$1.$2"
}

loopback_drops() {
	xdpfwd status --json | jq '.drops.loopback // 0'
}

# large_datagrams TIER TARGET4 TARGET6: in fragments of any order on the way in, and of the kernel's on the way out.
large_datagrams() {
	local target4=$2 target6=$3
	topology
	tier "$1"
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add udp :5000-5002 "$target4:7000" --name udp4
	xdpfwd map add udp :5000-5002 "$target6:7000" --name udp6
	large_server "$target4"
	large_server "${target6//[][]/}"
	equal "whom the server saw (v4)" $CLIENT4 "$(in_client python3 "$E2E_DIR/fragments.py" ask $WAN4 5000 8000 20)"
	equal "whom the server saw (v6)" $CLIENT6 "$(in_client python3 "$E2E_DIR/fragments.py" ask $WAN6 5000 8000 20)"
	# Six packets each, three ports.
	equal "counted (v4)" "360 360" "$(counter udp4 packets_in) $(counter udp4 packets_out)"
	equal "counted (v6)" "360 360" "$(counter udp6 packets_in) $(counter udp6 packets_out)"
}

large_server() {
	start large in_router python3 "$E2E_DIR/fragments.py" echo "$1" 7000
	wait_for_line "$TMP/large.out" ready
}

# The client knows the port as closed, and by the address that it asked.
refuses() {
	local target4=$1 target6=$2
	topology
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp+udp :5000 "$target4:7999" --name closed4
	xdpfwd map add tcp+udp :5000 "$target6:7999" --name closed6
	closed_to client
}

# The first answer needs the client's link address, which the router has to ask for.
neighbour_unknown() {
	topology
	udp_server router 127.0.0.1 7000
	xdpfwd load wan0 --mode tc
	xdpfwd map add udp :5000 127.0.0.1:7000
	udp_ask client $WAN4 5000 >/dev/null
	in_router ip neigh flush all
	equal "datagrams" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000)"
}

strict_reverse_path() {
	topology
	web_server router 8443
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp :443 127.0.0.1:8443
	xdpfwd map add tcp :444 $SERVER4:8443
	in_router sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.wan0.rp_filter=1
	download client "http://$WAN4:443/file"
}

# loopback_dropped N: has the guard held off so many?
loopback_dropped() { [ "$(loopback_drops)" -ge "$1" ]; }

# Nobody on the link gets to loopback but by the rule.
guards_loopback() {
	local frame sent=0
	topology
	udp_server router 127.0.0.1 7000
	xdpfwd load wan0 --mode tc
	in_router ping -c 1 $CLIENT4 # or it would ask for the client's link address in the name of 127.0.0.1
	# The guard is what holds them off: without it they arrive.
	in_router sysctl -qw net.ipv4.conf.wan0.route_localnet=1
	equal "without a guard" "arrived" "$(intrude plain)"
	in_router sysctl -qw net.ipv4.conf.wan0.route_localnet=0
	equal "as the kernel does it" "lost" "$(intrude plain)"
	xdpfwd map add udp :5000 127.0.0.1:7000 --name inner
	equal "route_localnet" 1 "$(setting wan0 route_localnet)"
	for frame in plain broadcast tagged tagged-twice fragment; do
		equal "$frame" "lost" "$(intrude $frame)"
		sent=$((sent + 1))
		until_true loopback_dropped $sent
	done
	equal "counted" $sent "$(loopback_drops)"
	equal "datagrams" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000)"
}

# intrude KIND: a datagram for 127.0.0.1:7000, straight on the link; "arrived" or "lost".
intrude() {
	local mac
	mac=$(ip -n router -j link show wan0 | jq -r '.[0].address')
	in_client python3 "$E2E_DIR/intrude.py" eth0 "$mac" "$1" 7000
}

settings_come_and_go() {
	topology
	settings >"$TMP/before"
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp :444 $SERVER4:8443 --name remote
	equal "route_localnet" 0 "$(setting wan0 route_localnet)"
	xdpfwd map add tcp :443 127.0.0.1:8443 --name inner
	xdpfwd map add tcp :445 127.0.0.2:8443 --name inner2
	equal "route_localnet" "1 1" "$(setting wan0 route_localnet) $(setting lan0 route_localnet)"
	xdpfwd map del inner
	equal "route_localnet, one rule left" 1 "$(setting wan0 route_localnet)"
	xdpfwd unload lan0
	equal "route_localnet, unloaded" 0 "$(setting lan0 route_localnet)"
	xdpfwd load lan0
	equal "route_localnet, loaded again" 1 "$(setting lan0 route_localnet)"
	xdpfwd map del inner2
	equal "route_localnet, no rule left" 0 "$(setting wan0 route_localnet)"
	xdpfwd map add tcp :443 127.0.0.1:8443 --name inner
	xdpfwd unload --all
	diff "$TMP/before" <(settings)
}

# What was not ours to begin with is not ours to put back.
spares_settings() {
	topology
	in_router sysctl -qw net.ipv4.conf.wan0.route_localnet=1 net.ipv4.conf.lo.accept_local=1 \
		net.ipv4.conf.wan0.arp_announce=2
	settings >"$TMP/before"
	xdpfwd load wan0
	xdpfwd map add tcp :443 127.0.0.1:8443
	xdpfwd unload --all
	diff "$TMP/before" <(settings)
}

# Links, or where the kernel has none of that kind, filters.
programs_at_egress() {
	local dev
	{
		pins
		for dev in lo wan0 lan0; do in_router tc filter show dev $dev egress; done
	} | grep -cE 'link_out_|xf_tc_out' || true
}

egress_only_when_needed() {
	topology
	xdpfwd load wan0 --mode tc
	xdpfwd map add tcp :444 $SERVER4:8443 --name remote
	equal "programs at egress" 0 "$(programs_at_egress)"
	xdpfwd map add tcp :443 $LAN4:8443 --name local
	equal "programs at egress" 3 "$(programs_at_egress)"
	xdpfwd load wan0 lan0
	equal "programs at egress" 3 "$(programs_at_egress)"
	xdpfwd map del local
	equal "programs at egress" 0 "$(programs_at_egress)"
}

no_other_source() {
	topology
	xdpfwd load wan0
	refused 1 "127.0.0.1 is an address of this machine" map add tcp :443 127.0.0.1:8443 --source masquerade
	refused 1 "$LAN4 is an address of this machine" map add tcp :443 $LAN4:8443 --source masquerade
	equal "rules" "[]" "$(xdpfwd map list --json)"
	xdpfwd map add tcp :443 $LAN4:8443 --name local
	matches "map show" "this machine" "$(xdpfwd map show local)"
}

for tier in tc native gro fast; do
	it "$tier: to another port" serves_locally $tier $WAN4 "[$WAN6]"
	it "$tier: to another address" serves_locally $tier $LAN4 "[$LAN6]"
	it "$tier: to loopback" serves_locally $tier 127.0.0.1 "[::1]"
done
for tier in tc native; do
	it "$tier: large datagrams to another address" large_datagrams $tier $LAN4 "[$LAN6]"
	it "$tier: large datagrams to loopback" large_datagrams $tier 127.0.0.1 "[::1]"
done
it "a closed port of this machine" refuses $LAN4 "[$LAN6]"
it "a closed port of loopback" refuses 127.0.0.1 "[::1]"
it "loopback: the client's link address is not known" neighbour_unknown
it "loopback: strict reverse path filter" strict_reverse_path
it "loopback: nobody else gets there" guards_loopback
it "settings are changed while a rule needs them, and put back" settings_come_and_go
it "settings that were so before stay" spares_settings
it "TC egress only while a target is this machine" egress_only_when_needed
it "masquerade is refused" no_other_source

done_testing
