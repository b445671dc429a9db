#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# PPPoE, with the router as the one who dials in and as the one who is dialled.
. "$(dirname "$0")/devices.sh"
. "$(dirname "$0")/pppoe.sh"
needs pppoe

# forwards WAY-IN WAY-OUT VISITOR4 VISITOR6 [OPTION...]
forwards() {
	local in=$1 out=$2 visitor4=$3 visitor6=$4
	shift 4
	network "$in" "$out"
	xdpfwd load "$WAN"
	rules "$@"
	equal "tier of PPP" tc "$(tier_of ppp0)"
	traffic "$visitor4" "$visitor6" 1440 1420
}

out_and_too_big() {
	forwards "$@"
	too_big 1492
}

# The Ethernet below is attached as well: session frames there belong to ppp0.
device_below() {
	network dialled plain
	xdpfwd load "$WAN" wan0 --mode tc
	rules
	traffic $CLIENT4 $CLIENT6 1440 1420
}

it "dialled, way in" forwards dialled plain $CLIENT4 $CLIENT6
it "sold, way out, preserve" out_and_too_big plain sold $CLIENT4 $CLIENT6 --source preserve
it "dialled, way out, masquerade" out_and_too_big plain dialled $LAN4 $LAN6 --source masquerade
it "the Ethernet below is attached, too" device_below

done_testing
