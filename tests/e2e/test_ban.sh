#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who is banned gets nothing through, is counted, and comes in again afterwards.
. "$(dirname "$0")/lib.sh"

# bans [FILTER]: of the list.
bans() { xdpfwd ban list --json | jq -r "${1:-.}"; }
packets() { bans ".[] | select(.network == \"$1\").packets"; }
banned_drops() { xdpfwd map list --json | jq "[.[] | .counters.drops.banned // 0] | add"; }

# asked: do the programs ask who is banned?
asked() {
	local flags no_bans
	flags=$(bpftool -j map dump pinned /sys/fs/bpf/xdpfwd/config | jq '.[0].formatted.value.flags')
	no_bans=$(sed -n 's/^#define XF_CONFIG_NO_BANS.*(1u << \([0-9]*\)).*/\1/p' "$(dirname "$0")/../../include/xdpfwd/abi.h")
	((flags >> no_bans & 1)) && echo no || echo yes
}

setup() {
	two_ways_in "$1"
	xdpfwd map add udp :6000 "[$SERVER6]:7000" --name udp6
}

# asks NAMESPACE ADDR: a datagram, and its answer.
asks() {
	nsenter --net="/run/netns/$1" -- python3 - "$2" <<-EOF
		import socket, sys
		s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(10)
		s.sendto(b"hello", (sys.argv[1], 6000))
		s.recv(100)
	EOF
}
# refuses NAMESPACE ADDR: a datagram that is dropped because of a ban.
refuses() {
	local before
	before=$(banned_drops)
	nsenter --net="/run/netns/$1" -- bash -c "echo hello >/dev/udp/$2/6000"
	until_true more_banned_than "$before"
}
more_banned_than() { [ "$(banned_drops)" -gt "$1" ]; }

banned() {
	setup "$1"
	asks client $WAN4
	asks client $WAN6
	equal "asked without a ban" no "$(asked)"
	xdpfwd ban 198.51.100.0/24 2001:db8:1::/64 --for 1h --force # the router is in there, too
	refuses client $WAN4
	refuses client $WAN6
	asks client2 203.0.113.129
	more "packets of the IPv4 ban" "$(packets 198.51.100.0/24)" 0
	more "packets of the IPv6 ban" "$(packets 2001:db8:1::/64)" 0
	equal "packets of both, and the rules' drops" "$(bans 'map(.packets) | add')" "$(banned_drops)"
	equal "seconds left" true "$(bans 'all(.[]; .seconds_left > 3500 and .seconds_left <= 3600)')"
	matches "expires" '^20[0-9-]+T[0-9:]+Z$' "$(bans '.[0].expires')"
	matches "table" '^198\.51\.100\.0/24 +(1h00m|59m[0-9]+s) ' "$(xdpfwd ban list)"
	equal "the one that was refused most" "$CLIENT4" "$(xdpfwd stats --sources udp4 --json |
		jq -r 'max_by(.refused).source')"

	xdpfwd ban lift 198.51.100.0/24
	asks client $WAN4
	tcp_connect client $WAN4 6000
	refuses client $WAN6
	equal "asked with one ban of two" yes "$(asked)"
	xdpfwd ban lift 2001:db8:1::/64
	equal "asked after the last ban" no "$(asked)"
	asks client $WAN6
	equal "bans that are left" '[]' "$(bans | jq -c .)"
}

# Connections that a banned client has are ended; those of others go on.
ended() {
	setup "$1"
	hold client $WAN4 6000 5 40000
	hold client2 203.0.113.129 6000 3 40000
	equal "flows by state" '{"established":8,"pending":0}' "$(xdpfwd stats tcp4 --json | jq -c '.[0].flows')"
	xdpfwd ban $CLIENT4 >"$TMP/ban"
	matches "what ban says" '^ended 5 connections$' "$(cat "$TMP/ban")"
	equal "flows that are left" 203.0.113.130 \
		"$(xdpfwd flows --json | jq -r '[.[].client | sub(":[0-9]+$"; "")] | unique | .[]')"
	equal "flows by state" '{"established":3,"pending":0}' "$(xdpfwd stats tcp4 --json | jq -c '.[0].flows')"
	release client2
	equal "packets that were refused before any came" 0 "$(packets $CLIENT4)"
	echo >"$TMP/held-client.fifo"
	until_true more_banned_than 0
}

# One with a time is over by itself; the wider one around it is not.
over() {
	setup tc
	xdpfwd ban $CLIENT4 --for 1s
	until_true none_left
	asks client $WAN4
	xdpfwd load wan0 --mode tc
	equal "asked after a load that found no ban that holds" no "$(asked)"
	xdpfwd ban $CLIENT4 --for 1s
	xdpfwd ban 198.51.100.0/24 --force
	until_true one_left
	refuses client $WAN4
	equal "what is left" '198.51.100.0/24 null' "$(bans '.[] | "\(.network) \(.expires)"')"
}
none_left() { [ "$(bans length)" = 0 ]; }
one_left() { [ "$(bans length)" = 1 ]; }

# Banned again, it has another end, and its count goes on.
again() {
	local before
	setup tc
	xdpfwd ban $CLIENT4 --for 1h
	refuses client $WAN4
	before=$(packets $CLIENT4)
	xdpfwd ban $CLIENT4
	equal "bans" "$CLIENT4 null $before" "$(bans '.[] | "\(.network) \(.expires) \(.packets)"')"
	xdpfwd load wan0 --mode tc
	equal "bans after load" "$CLIENT4" "$(bans '.[].network')"
	refuses client $WAN4
	more "packets" "$(packets $CLIENT4)" "$before"
}

changes() { bpftool map lookup pinned /sys/fs/bpf/xdpfwd/changes key 0 0 0 0 -j | jq '.formatted.value.number'; }
told() { [ "$(changes)" -gt "$1" ]; }
banned_so_many() { [ "$(banned_drops)" = "$1" ]; }

# Who is refused again and again is so from memory; each packet is counted, and the memory ends with the ban.
remembered() {
	local before
	setup "$1"
	xdpfwd ban $CLIENT4
	nsenter --net=/run/netns/client -- python3 - $WAN4 <<-EOF
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for i in range(200):
		    s.sendto(b"hello", (sys.argv[1], 6000))
	EOF
	until_true banned_so_many 200
	equal "packets of the ban" 200 "$(packets $CLIENT4)"
	equal "packets of the source" 200 "$(xdpfwd stats --sources udp4 --json | jq '.[0].refused')"
	before=$(changes)
	xdpfwd load wan0 --mode "$2"
	told "$before" || fail "load did not tell the programs that something may have changed"
	equal "drops after load" 200 "$(banned_drops)"
	xdpfwd ban lift $CLIENT4
	asks client $WAN4
	before=$(changes)
	xdpfwd map disable udp4
	told "$before" || fail "map disable did not tell the programs"
	equal "packets refused before" 200 "$(banned_drops)"
	xdpfwd map del udp4
	xdpfwd map add udp $WAN4:6000 $SERVER4:7000 --name anew
	equal "packets refused of a new rule" '{}' "$(xdpfwd map list --json |
		jq -c '.[] | select(.name == "anew").counters.drops')"
}

by_mistake() {
	setup tc
	refused 1 '0\.0\.0\.0/0 is everybody.*--force' ban 0.0.0.0/0
	refused 1 '::/0 is everybody' ban ::/0
	refused 1 "$WAN4 in it, an address of this machine.*--force" ban 198.51.100.0/24
	refused 1 "127\.0\.0\.1 in it, an address of this machine" ban 127.0.0.1
	refused 1 "$WAN6 in it, an address of this machine" ban 2001:db8:1::/48
	refused 1 "$WAN4 in it, an address of this machine" ban 203.0.114.0/24 198.51.100.0/24
	SSH_CONNECTION="198.51.100.2 50000 198.51.100.1 22" refused 1 "$CLIENT4 in it, from where you are connected by SSH" \
		ban $CLIENT4
	# As sudo does it: the variable is the parent's.
	SSH_CONNECTION="2001:db8:1::2 50000 2001:db8:1::1 22" bash -c 'env -u SSH_CONNECTION "$@" || exit $?; exit 0' - \
		nsenter --net=/run/netns/router -- "$XDPFWD" ban 2001:db8:1::2 2>"$TMP/sudo.err" && fail "banned"
	matches "refusal" 'connected by SSH' "$(cat "$TMP/sudo.err")"
	equal "bans" '[]' "$(bans | jq -c .)"
	xdpfwd ban 198.51.100.0/24 --force
	refuses client $WAN4
}

misuse() {
	setup tc
	refused 2 'write 198\.51\.100\.0/24 for the network' ban 198.51.100.2/24
	refused 2 'is not a duration' ban $CLIENT4 --for 10
	refused 2 'lift: the network is missing' ban lift
	refused 2 'list: x is too much' ban list x
	refused 2 'takes neither' ban lift $CLIENT4 --for 1h
	refused 2 'is for list' ban $CLIENT4 --json
	refused 1 'is not banned; see' ban lift $CLIENT4
	xdpfwd ban 192.0.2.128/25 203.0.113.200
	refused 1 'not banned by itself but with 192\.0\.2\.128/25' ban lift 192.0.2.130
	refused 1 'is not banned' ban lift 203.0.113.200 $CLIENT4
	equal "bans" "192.0.2.128/25 203.0.113.200" "$(bans '[.[].network] | join(" ")')"
}

for tier in tc gro; do
	it "banned networks are refused, listed, counted, lifted, $tier" banned $tier
done
for tier in tc gro; do
	it "connections of who is banned are ended, $tier" ended $tier
done
it "refusals that are remembered are counted, and end with the ban, tc" remembered tc tc
it "refusals that are remembered are counted, and end with the ban, gro" remembered gro auto
it "a ban with a time is over by itself, a wider one holds" over
it "a ban can be given another end, and outlives load" again
it "nobody is banned by mistake" by_mistake
it "what makes no sense is refused" misuse

done_testing
