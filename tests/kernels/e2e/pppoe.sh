# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # the variables are for those who source devices.sh
#
# PPPoE as a way, with the router at either end: Debian's pppoe-server, and pppd with the
# kernel's PPPoE. The addresses come by IPCP, those of IPv6 are given by hand.

# access_concentrator NS DEV OWN4 OTHER4
access_concentrator() {
	cat >"$TMP/$1-ac.options" <<-END
		noauth
		nodefaultroute
		+ipv6
		mtu 1492
		mru 1492
	END
	start "$1-ac" nsenter --net="/run/netns/$1" -- pppoe-server -F -I "$2" -N 1 -C ac -S isp \
		-L "$3" -R "$4" -O "$TMP/$1-ac.options"
}

# dial_in NS DEV
dial_in() {
	start "$1-pppd" nsenter --net="/run/netns/$1" -- pppd plugin pppoe.so "nic-$2" \
		noauth nodetach nodefaultroute noipdefault +ipv6 mtu 1492 mru 1492 nolog debug logfd 1 maxfail 20
}

ppp_is_up() {
	ip -n "$1" -4 -o addr show ppp0 2>/dev/null | grep -q peer && ip -n "$1" -6 -o addr show ppp0 | grep -q fe80
}

# pppoe NS SIDE SERVER SERVER-DEV CLIENT CLIENT-DEV
pppoe() {
	local router4 router6 peer4 peer6
	read -r router4 router6 <<<"$(own router "$2")"
	read -r peer4 peer6 <<<"$(own peer "$2")"
	END=ppp0 DEVICE=ppp0
	cable "$1" eth0 router "${2}0"
	if [ "$3" = router ]; then
		access_concentrator router "$4" "$router4" "$peer4"
	else
		access_concentrator "$3" "$4" "$peer4" "$router4"
	fi
	dial_in "$5" "$6"
	until_true ppp_is_up "$1"
	until_true ppp_is_up router
	address router ppp0 "$router6/64"
	address "$1" ppp0 "$peer6/64"
	ip -n "$1" route add default dev ppp0
	ip -n "$1" -6 route add default dev ppp0
}

# The router at the end where one pays, as at home.
way_dialled() { pppoe "$1" "$2" "$1" eth0 router "${2}0"; }
# And at the end where one is paid.
way_sold() { pppoe "$1" "$2" router "${2}0" "$1" eth0; }
