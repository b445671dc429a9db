# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # the variables are for those who source devices.sh
#
# WireGuard as a way. Below it is an Ethernet with addresses of its own, whose end at the
# router is attached in no test: 198.18.9.1 ---- 198.18.9.2.

wg_key() {
	umask 077
	wg genkey >"$TMP/$1.key"
	wg pubkey <"$TMP/$1.key"
}

way_wireguard() {
	local ns=$1 router_key peer_key
	END=wg0 DEVICE=${2}-wg
	cable "$ns" eth0 router "${2}0"
	address "$ns" eth0 198.18.9.2/24
	address router "${2}0" 198.18.9.1/24
	router_key=$(wg_key router)
	peer_key=$(wg_key peer)
	ip -n router link add "$DEVICE" type wireguard
	ip -n "$ns" link add "$END" type wireguard
	in_router wg set "$DEVICE" private-key "$TMP/router.key" listen-port 51820 \
		peer "$peer_key" allowed-ips 0.0.0.0/0,::/0
	# Who is at home behind somebody else's NAT makes the first step, and keeps the way open.
	nsenter --net="/run/netns/$ns" -- wg set "$END" private-key "$TMP/peer.key" \
		peer "$router_key" endpoint 198.18.9.1:51820 persistent-keepalive 5 allowed-ips 0.0.0.0/0,::/0
	ip -n router link set "$DEVICE" up
	ip -n "$ns" link set "$END" up
	ends "$ns" "$2"
}
