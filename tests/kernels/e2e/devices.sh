# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
#
# The sandbox of tests/e2e with other devices on the way: client, router and server as
# there, with the same addresses, but what lies between them is chosen. A way is made by
# way_KIND NS SIDE, for NS "client" with SIDE "wan" or NS "server" with SIDE "lan":
# it leaves in $END the device of the peer and in $DEVICE that of the router.
. "$(dirname "${BASH_SOURCE[0]}")/../../e2e/lib.sh"

BULK=$E2E_DIR/bulk.py
ICMP=$E2E_DIR/icmp.py

# needs KIND...: skips the whole file by name where this kernel cannot make such a device.
needs() {
	local kind
	for kind in "$@"; do
		if ! can_make "$kind"; then
			tap "ok 1 - $kind # SKIP this kernel has no such devices"
			tap 1..1
			exit 0
		fi
	done
}

can_make() {
	case $1 in
	pppoe) modprobe -q pppoe ;;
	virtio) until_true nic_is_here 4 ;;
	vlan) modprobe -q 8021q ;; # no device to make one on, yet
	*) ip link add name probe0 type "$1" 2>/dev/null && ip link del probe0 ;;
	esac
}

# own ROUTER|PEER SIDE: the addresses at that end of the way, without their length: IPv4, IPv6.
own() {
	case $1-$2 in
	router-wan) echo "$WAN4 $WAN6" ;;
	peer-wan) echo "$CLIENT4 $CLIENT6" ;;
	router-lan) echo "$LAN4 $LAN6" ;;
	peer-lan) echo "$SERVER4 $SERVER6" ;;
	esac
}

# ends NS SIDE: gives $END and $DEVICE their addresses, and the peer its way to everyone.
ends() {
	local router4 router6 peer4 peer6
	read -r router4 router6 <<<"$(own router "$2")"
	read -r peer4 peer6 <<<"$(own peer "$2")"
	address router "$DEVICE" "$router4/24" "$router6/64"
	address "$1" "$END" "$peer4/24" "$peer6/64"
	gateway "$1" "$router4" "$router6"
}

way_plain() {
	END=eth0 DEVICE=${2}0
	cable "$1" eth0 router "$DEVICE"
	ends "$1" "$2"
}

# on_top NS DEV ID [PROTOCOL]: a VLAN device on DEV, named after it.
on_top() {
	ip -n "$1" link add link "$2" name "$2.$3" type vlan id "$3" protocol "${4:-802.1Q}"
	ip -n "$1" link set "$2.$3" up
}

way_vlan() {
	cable "$1" eth0 router "${2}0"
	END=eth0.100 DEVICE=${2}0.100
	on_top "$1" eth0 100
	on_top router "${2}0" 100
	ends "$1" "$2"
}

# A provider's tag outside, a customer's inside.
way_qinq() {
	cable "$1" eth0 router "${2}0"
	END=eth0.200.30 DEVICE=${2}0.200.30
	on_top "$1" eth0 200 802.1ad
	on_top "$1" eth0.200 30
	on_top router "${2}0" 200 802.1ad
	on_top router "${2}0.200" 30
	ends "$1" "$2"
}

# network WAY-IN WAY-OUT: from scratch. $WAN and $LAN are the router's devices, $FAR and $NEAR the other ends'.
network() {
	machines
	"way_$1" client wan
	WAN=$DEVICE FAR=$END
	"way_$2" server lan
	LAN=$DEVICE NEAR=$END
	address router "$WAN" $PUBLIC4/32
	servers
}

tier_of() {
	xdpfwd status --json | jq -r --arg name "$1" '.interfaces[] | select(.name == $name) | .tier'
}

# Somebody who answers on the server's port 7000.
servers() {
	start bulk nsenter --net=/run/netns/server -- python3 "$BULK" serve :: 7000
	udp_server server :: 7000
	wait_for_line "$TMP/bulk.out" ready
}

# rules [OPTION...]: port 5000 to the server's 7000, in place of what was there before.
rules() {
	[ "$(xdpfwd map list --json)" = '[]' ] || xdpfwd map del rule4 rule6
	xdpfwd map add tcp+udp :5000 $SERVER4:7000 --name rule4 "$@"
	xdpfwd map add tcp+udp :5000 "[$SERVER6]:7000" --name rule6 "$@"
}

# both_ways ADDR OCTETS: up and down, unchanged; the segment sizes of both ends, twice.
both_ways() {
	in_client python3 "$BULK" put "$1" 5000 "$2"
	in_client python3 "$BULK" get "$1" 5000 "$2"
}

# traffic VISITOR4 VISITOR6 MSS4 MSS6: TCP both ways and UDP; who is seen, and what the handshakes agree on.
traffic() {
	local octets=${OCTETS:-5000000}
	equal "datagrams (v4)" "$1 7000" "$(udp_ask client $WAN4 5000 50)"
	equal "datagrams (v6)" "$2 7000" "$(udp_ask client $WAN6 5000 50)"
	equal "segments (v4)" "$3 $3 $3 $3" "$(both_ways $WAN4 "$octets" | xargs)"
	equal "segments (v6)" "$4 $4 $4 $4" "$(both_ways $WAN6 "$octets" | xargs)"
	more "answers counted (v4)" "$(counter rule4 packets_out)" 50
	more "answers counted (v6)" "$(counter rule6 packets_out)" 50
}

# too_big MTU: datagrams that may not be fragmented; the client hears of the narrow way.
too_big() {
	equal "too big (v4)" "EMSGSIZE 3 4 $WAN4 $1 $1" "$(in_client python3 "$ICMP" provoke $WAN4 5000 size=1470 df)"
	equal "too big (v6)" "EMSGSIZE 2 0 $WAN6 $1 $1" "$(in_client python3 "$ICMP" provoke $WAN6 5000 size=1450 df)"
}
