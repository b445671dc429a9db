#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# IPv4 datagrams without DF that are larger than the way out carries: they leave in
# pieces, both ways, whether they come as one packet, whose checksum is for a device
# to finish, or as fragments that are still too large.
. "$(dirname "$0")/lib.sh"

COUNT=20

ask() { in_client python3 "$E2E_DIR/fragments.py" "$@"; }

# mtus OUTSIDE INSIDE
mtus() {
	ip -n client link set eth0 mtu "$1"
	ip -n router link set wan0 mtu "$1"
	ip -n server link set eth0 mtu "$2"
	[ "$LAN" != br0 ] || ip -n router link set lan0 mtu "$2"
	ip -n router link set "$LAN" mtu "$2"
}

# setup TIER LAN OUTSIDE INSIDE [OPTION...]
setup() {
	topology "$2"
	tier "$1"
	mtus "$3" "$4"
	shift 4
	start echo nsenter --net=/run/netns/server -- python3 "$E2E_DIR/fragments.py" echo $SERVER4 7000
	wait_for_line "$TMP/echo.out" ready
	xdpfwd load wan0 --mode "$MODE"
	xdpfwd map add udp :5000-5002 $SERVER4:7000 --name udp "$@"
}

# pieces NS EXPECTED: fragments that its kernel has put together.
pieces() {
	local got
	got=$(nsenter --net="/run/netns/$1" -- nstat -asz IpReasmReqds | awk '/IpReasmReqds/ {print $2}')
	equal "$1: pieces" "$2" "$got"
}

# Then the neighbour is known.
warm() { ask plain $WAN4 5000 10 1; }

# Besides that one packet and its answer.
counted() { # IN OUT
	equal "packets in and out" "$(($1 + 1)) $(($2 + 1))" "$(counter udp packets_in) $(counter udp packets_out)"
	equal "put to pieces by the kernel" 0 \
		"$(in_router nstat -asz IpFragCreates | awk '/IpFragCreates/ {print $2}')"
}

# Between 9000 octets and 1280: 8000 are seven pieces, made by us in one direction and by the sender in the other.
crossing() { # MTU-OF-CLIENT MTU-OF-SERVER IN OUT TIER LAN SEEN [OPTION...]
	local client=$1 server=$2 in=$3 out=$4 tier=$5 lan=$6 seen=$7
	shift 7
	setup "$tier" "$lan" "$client" "$server" "$@"
	warm
	equal "whom the server saw" "$seen" "$(ask plain $WAN4 5000 8000 $COUNT)"
	pieces server $((7 * COUNT))
	pieces client $((7 * COUNT))
	counted "$in" "$out"
}

inwards() { crossing 9000 1280 $COUNT $((7 * COUNT)) "$@"; } # TIER LAN SEEN [OPTION...]
outwards() { crossing 1280 9000 $((7 * COUNT)) $COUNT "$@"; }

# Fragments that come too large, in any order: of 1452 octets, or as the kernel cuts them, but for the last one.
fragments() { # TIER LAN SEEN [OPTION...]
	local tier=$1 lan=$2 seen=$3
	shift 3
	setup "$tier" "$lan" 1500 1280 "$@"
	warm
	equal "whom the server saw" "$seen" "$(ask ask $WAN4 5000 8000 $COUNT)"
	pieces server $((3 * 11 * COUNT))
	counted $((3 * 6 * COUNT)) $((3 * 7 * COUNT))
}

# Of a tunnel, the next hop is not known before the first packet: that one comes again in pieces, each of them counted.
cold() { # TIER ARG...
	setup "$1" tun "$2" 1280
	equal "whom the server saw" $CLIENT4 "$(ask "$3" $WAN4 5000 8000 1)"
	equal "packets in" "$4" "$(counter udp packets_in)"
}

# Pieces have 8192 octets at most; a packet of more than 24000 is refused, and its sender told.
largest() {
	setup "$1" plain 60000 20000
	warm
	equal "whom the server saw" $CLIENT4 "$(ask plain $WAN4 5000 23000 5)"
	pieces server $((3 * 5))
	counted 5 10
	ask plain $WAN4 5000 30000 1 >/dev/null 2>&1 && fail "it went through"
	equal "refused" 1 "$(xdpfwd map list --json | jq '.[0].counters.drops.too_big')"
}

for tier in tc native fast; do
	it "$tier, preserve: one packet in" inwards "$tier" plain $CLIENT4
	it "$tier, masquerade: one packet in" inwards "$tier" plain $LAN4 --source masquerade
	it "$tier, preserve: one packet out" outwards "$tier" plain $CLIENT4
	it "$tier, masquerade: one packet out" outwards "$tier" plain $LAN4 --source masquerade
	it "$tier, preserve: fragments" fragments "$tier" plain $CLIENT4
	it "$tier, masquerade: fragments" fragments "$tier" plain $LAN4 --source masquerade
done
it "the largest" largest tc
for lan in bridge tun; do
	it "$lan: one packet in" inwards native "$lan" $CLIENT4
	it "$lan: one packet out" outwards native "$lan" $CLIENT4
	it "$lan, masquerade: fragments" fragments native "$lan" $LAN4 --source masquerade
done
for tier in tc native; do
	it "$tier: one packet in, the next hop is not known" cold "$tier" 9000 plain 7
	it "$tier: fragments, the next hop is not known" cold "$tier" 1500 ask 19
done

done_testing
