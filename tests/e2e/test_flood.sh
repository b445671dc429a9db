#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Connections that stand, and clients that want in, while a flood of forged SYNs
# and datagrams comes by the same rules: ten times what the flow table holds.
# tools/bench/flood does the same on a larger scale, with figures.
. "$(dirname "$0")/lib.sh"

TABLE=2000 IDLE=200 BUSY=5 VISITS=10
RATE=10000 MOST=2000000 # packets of a flood: a second, and in all if the test does not end it before

# The flood comes by wan1, the clients by wan0. Forged datagrams, which
# are empty, must stay unanswered: whom the target answers is somebody.
setup() {
	topology
	second_client
	tier "$1"
	[ "$MODE" = tc ] || nsenter --net=/run/netns/client2 -- ethtool -K eth0 gro on
	in_server nft -f - <<-EOR
		table inet forged {
			chain in {
				type filter hook prerouting priority -400;
				udp length 8 drop
			}
		}
	EOR
	start echo nsenter --net=/run/netns/server -- "$HELPERS/echo" :: 7000
	wait_for_line "$TMP/echo.out" ready
	xdpfwd load wan0 wan1 --mode "$MODE" --max-flows $TABLE "${@:2}"
}

both_rules() {
	xdpfwd map add tcp+udp :443 $SERVER4:7000 --name web4 "$@"
	xdpfwd map add tcp+udp :443 "[$SERVER6]:7000" --name web6 "$@"
}

# drops RULE REASON
drops() { xdpfwd map list --json | jq --arg rule "$1" --arg why "$2" '.[] | select(.name == $rule) | .counters.drops[$why] // 0'; }
# Connections. Of a closed one only what it leaves behind is in the table, and "status" does not tell it apart.
stand() { [ "$(xdpfwd flows --json | jq '[.[] | select(.protocol == "tcp" and .state == "established")] | length')" -eq "$1" ]; }
flows() { xdpfwd status --json | jq ".flows.$1"; }

# crowd ADDR [IDLE]: connections that stay, idle and busy ones.
crowd() {
	start "crowd-$1" nsenter --net=/run/netns/client -- "$HELPERS/crowd" hold "$1" 443 "${2:-$IDLE}" $BUSY
	wait_for_line "$TMP/crowd-$1.out" ready
}

# Each of them must still work, and have carried nothing but what was sent.
crowd_is_whole() {
	kill -TERM "$(cat "$TMP/crowd-$1.pid")"
	wait_for_line "$TMP/crowd-$1.out" '^{'
	cat "$TMP/crowd-$1.out"
	equal "connections lost ($1)" 0 "$(jq '.lost' <(grep '^{' "$TMP/crowd-$1.out"))"
	more "octets that the busy ones moved ($1)" "$(jq '.octets' <(grep '^{' "$TMP/crowd-$1.out"))" 0
}

flood() {
	local addr mac
	mac=$(ip -n router -j link show wan1 | jq -r '.[0].address')
	for addr in "$@"; do
		start "flood-$addr" nsenter --net=/run/netns/client2 -- "$HELPERS/synflood" eth0 "$mac" "$addr" 443 $RATE $MOST mixed
	done
}

# It must have lasted until now, or nothing was shown.
flood_ends() {
	local addr
	for addr in "$@"; do
		kill "$(cat "$TMP/flood-$addr.pid")"
	done
}

made() { [ "$(counter "$1" flows_created)" -ge "$2" ]; }
was_dropped() { [ "$(drops "$1" "$2")" -ge "$3" ]; }

# visits ADDR PROTO [SECONDS]: how many of the new clients got in.
visits() {
	local outcome
	outcome=$(in_client "$HELPERS/crowd" visit "$1" 443 "$2" "${4:-$VISITS}" "${3:-20}")
	echo "$1 $2: $outcome" >&2
	jq .succeeded <<<"$outcome"
}

everyone_gets_in() {
	local addr proto
	for addr in "$@"; do
		for proto in tcp udp; do
			equal "$proto clients that got in at $addr" $VISITS "$(visits "$addr" $proto)"
		done
	done
}

# nobody_is_hurt COMMAND...: until that says that there was enough of the flood.
nobody_is_hurt() {
	local addr
	crowd $WAN4
	crowd $WAN6
	flood $WAN4 $WAN6
	everyone_gets_in $WAN4 $WAN6
	until_true "$@"
	everyone_gets_in $WAN4 $WAN6
	flood_ends $WAN4 $WAN6
	# Each of the crowds', and none of the clients that came and went. How many of those came by UDP, flows do not
	# tell: two of them may have had the same port.
	until_true stand $((2 * (IDLE + BUSY)))
	for addr in $WAN4 $WAN6; do
		crowd_is_whole "$addr"
	done
	equal "refused for want of room" "0 0" "$(drops web4 flow_table_full) $(drops web6 flow_table_full)"
}

ten_times_the_table() { made web4 $((5 * TABLE)) && made web6 $((5 * TABLE)); }
ten_times_asked() { was_dropped web4 "$1" $((3 * TABLE)) && was_dropped web6 "$1" $((3 * TABLE)); }

plain() {
	setup "$1"
	both_rules
	nobody_is_hurt ten_times_the_table
}

# As many as there may be stand already, but for those that come now.
limited() {
	setup "$1"
	both_rules --max-flows $((IDLE + BUSY + 2 * VISITS + 1))
	nobody_is_hurt ten_times_the_table
}

protected() {
	setup "$1"
	both_rules --syn-protect --syn-threshold 100
	nobody_is_hurt ten_times_asked syn_challenged
}

masqueraded() {
	setup "$1"
	both_rules --source masquerade
	nobody_is_hurt ten_times_the_table
}

# refused_now REASON: new clients hear nothing, and are counted; those that stand do not notice.
refused_now() {
	local before
	before=$(drops web4 "$1")
	equal "tcp clients that got in" 0 "$(visits $WAN4 tcp 1 1)"
	equal "udp clients that got in" 0 "$(visits $WAN4 udp 1 1)"
	more "refused for $1" "$(drops web4 "$1")" "$before"
}

ports_of_those_who_stand() {
	local idle=40
	setup "$1" --masquerade-ports "20000-$((20000 + idle + BUSY - 1))"
	xdpfwd map add tcp :443 $SERVER4:7000 --name web4 --source masquerade
	crowd $WAN4 $idle
	flood $WAN4
	until_true was_dropped web4 ports_exhausted $((2 * TABLE))
	equal "clients that got in" 0 "$(visits $WAN4 tcp 1 1)"
	flood_ends $WAN4
	equal "flows" $((idle + BUSY)) "$(flows established)"
	crowd_is_whole $WAN4
}

bucket_empty() {
	setup "$1"
	both_rules --rate 1/d,burst=$((IDLE + BUSY))
	crowd $WAN4
	crowd $WAN6
	flood $WAN4 $WAN6
	until_true ten_times_asked rate_limited
	refused_now rate_limited
	flood_ends $WAN4 $WAN6
	equal "flows" "$((2 * (IDLE + BUSY))) 0" "$(flows established) $(flows pending)"
	crowd_is_whole $WAN4
	crowd_is_whole $WAN6
}

# A door that closes, closes for those who are inside as well.
rule_expired() {
	setup "$1"
	both_rules
	xdpfwd map add tcp+udp :444 $SERVER4:7000 --name brief --expires 1s
	crowd $WAN4
	crowd $WAN6
	start flood-brief nsenter --net=/run/netns/client2 -- "$HELPERS/synflood" eth0 \
		"$(ip -n router -j link show wan1 | jq -r '.[0].address')" $WAN4 444 $RATE $MOST mixed
	until_true was_dropped brief expired $((5 * TABLE))
	equal "clients that got in" 0 "$(in_client "$HELPERS/crowd" visit $WAN4 444 tcp 1 1 | jq .succeeded)"
	kill "$(cat "$TMP/flood-brief.pid")"
	everyone_gets_in $WAN4 $WAN6
	crowd_is_whole $WAN4
	crowd_is_whole $WAN6
}

for tier in tc native gro; do
	it "$tier: nobody is hurt by a flood" plain $tier
done
it "gro: with --max-flows" limited gro
it "gro: with --syn-protect" protected gro
it "tc: with --source masquerade" masqueraded tc
it "gro: every port is one of those who stand" ports_of_those_who_stand gro
it "tc: with an empty bucket" bucket_empty tc
it "gro: at a rule whose time is over" rule_expired gro

done_testing
