#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who may come in, how often and until when: with real clients, over both
# families and by both tiers. Who is refused is counted, under one reason.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	tier "$1"
	second_client
	udp_server server :: 7000
	xdpfwd load wan0 wan1 --mode "$MODE"
}

# drops RULE REASON
drops() { xdpfwd map list --json | jq --arg rule "$1" --arg why "$2" '.[] | select(.name == $rule) | .counters.drops[$why] // 0'; }
has_drops() { [ "$(drops "$1" "$2")" -ge "$3" ]; }

newcomers() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- python3 "$E2E_DIR/newcomers.py" "$@"
}

# refused_udp NAMESPACE ADDR PORT RULE REASON: one datagram is refused, and no flow comes of it.
refused_udp() {
	local before flows
	before=$(drops "$4" "$5")
	flows=$(counter "$4" flows_created)
	newcomers "$1" tell "$2" "$3"
	until_true has_drops "$4" "$5" $((before + 1))
	equal "$4: refused for $5" $((before + 1)) "$(drops "$4" "$5")"
	equal "$4: flows" "$flows" "$(counter "$4" flows_created)"
}

sets() { in_router bpftool -j map dump pinned /sys/fs/bpf/xdpfwd/prefix_sets | jq length; }
networks() { in_router bpftool -j map dump pinned "/sys/fs/bpf/xdpfwd/prefixes$1" | jq length; }

# ---- whose

allowed_and_denied() {
	setup "$1"
	xdpfwd map add udp :5000 $SERVER4:7000 --name allow4 --allow 198.51.100.0/24
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name allow6 --allow 2001:db8:1::/64
	xdpfwd map add udp :5001 $SERVER4:7000 --name deny4 --deny $CLIENT4,192.0.2.0/24
	xdpfwd map add udp :5001 "[$SERVER6]:7000" --name deny6 --deny $CLIENT6
	xdpfwd map add udp :5002 $SERVER4:7000 --name both --allow 0.0.0.0/0 --deny 198.51.100.0/24 --deny 10.0.0.0/8
	equal "allow4" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000 5)"
	equal "allow6" "$CLIENT6 7000" "$(udp_ask client $WAN6 5000 5)"
	refused_udp client2 203.0.113.129 5000 allow4 not_allowed
	refused_udp client2 2001:db8:3::1 5000 allow6 not_allowed
	refused_udp client $WAN4 5001 deny4 denied
	refused_udp client $WAN6 5001 deny6 denied
	equal "deny4" "203.0.113.130 7000" "$(udp_ask client2 203.0.113.129 5001 5)"
	equal "deny6" "2001:db8:3::2 7000" "$(udp_ask client2 2001:db8:3::1 5001 5)"
	refused_udp client $WAN4 5002 both denied
	equal "both" "203.0.113.130 7000" "$(udp_ask client2 203.0.113.129 5002 5)"
	equal "as it was stated" '["198.51.100.2","192.0.2.0/24"] ["0.0.0.0/0"] ["198.51.100.0/24","10.0.0.0/8"]' \
		"$(xdpfwd map list --json | jq -c '[.[] | select(.name == "deny4").deny, (select(.name == "both") | .allow, .deny)] | .[]' | paste -sd ' ')"
}

web() {
	setup "$1"
	web_server server 8080
	xdpfwd map add tcp :80 $SERVER4:8080 --name web4 --allow 198.51.100.0/24
	xdpfwd map add tcp :80 "[$SERVER6]:8080" --name web6 --deny 2001:db8:3::/64
	download client "http://$WAN4/file"
	download client "http://[$WAN6]/file"
	start curl4 nsenter --net=/run/netns/client2 -- curl -sS --noproxy '*' --max-time 60 http://203.0.113.129/port
	start curl6 nsenter --net=/run/netns/client2 -- curl -sS --noproxy '*' --max-time 60 "http://[2001:db8:3::1]/port"
	until_true has_drops web4 not_allowed 1
	until_true has_drops web6 denied 1
	equal "flows" "1 1" "$(counter web4 flows_created) $(counter web6 flows_created)"
}

many_networks() {
	setup tc
	seq 0 99999 | awk '{ printf "10.%d.%d.%d/32 # %d\n", $1 / 65536, $1 / 256 % 256, $1 % 256, $1
		printf "2001:db8:ffff:%x:%x::/80\n", $1 / 256, $1 % 256 }' | sed '1~2s/$/ /' >"$TMP/blocklist"
	echo "$CLIENT4 ; and this one" >>"$TMP/blocklist"
	(cd "$TMP" && xdpfwd map add udp :5000 $SERVER4:7000 --name first --deny @blocklist)
	xdpfwd map add udp :5001 $SERVER4:7000 --name second --deny "@$TMP/blocklist"
	xdpfwd map add udp :5002 "[$SERVER6]:7000" --name third --deny "@$TMP/blocklist"
	equal "sets, networks of IPv4, of IPv6" "1 100001 100000" "$(sets) $(networks 4) $(networks 6)"
	equal "as it was stated" "@$TMP/blocklist" "$(xdpfwd map list --json | jq -r '[.[].deny[]] | unique[]')"
	refused_udp client $WAN4 5000 first denied
	refused_udp client $WAN4 5001 second denied
	equal "third" "$CLIENT6 7000" "$(udp_ask client $WAN6 5002)"
	equal "another client" "203.0.113.130 7000" "$(udp_ask client2 203.0.113.129 5000)"
	xdpfwd map del first
	refused_udp client $WAN4 5001 second denied
	# The file has changed: who asks for it now gets it as it is now.
	echo 203.0.113.0/24 >"$TMP/blocklist"
	xdpfwd map add udp :5000 $SERVER4:7000 --name fourth --deny "@$TMP/blocklist"
	equal "sets" 2 "$(sets)"
	equal "fourth" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000)"
	refused_udp client2 203.0.113.129 5000 fourth denied
	xdpfwd map del second third fourth
	equal "sets and networks that are left" "0 0 0" "$(sets) $(networks 4) $(networks 6)"
}

# What a command that was killed would leave: the beginning of a set, and a whole one that no rule has.
leftovers() {
	setup tc
	xdpfwd map add udp :5000 $SERVER4:7000 --name keeps --deny 10.0.0.0/8
	python3 - >"$TMP/leftovers" <<-'EOF'
		def octets(data):
		    return " ".join(str(b) for b in data)

		pins = "/sys/fs/bpf/xdpfwd"
		for number, whole in ((50, 0), (51, 1)):
		    key = number.to_bytes(4, "little")
		    words = (1).to_bytes(8, "little") + (1).to_bytes(4, "little") + bytes([whole, 0, 0, 0])
		    given = b"192.0.2.0/24".ljust(1008, b"\0")
		    print(f"map update pinned {pins}/prefix_sets key {octets(key)} value {octets(words + given)}")
		    print(f"map update pinned {pins}/prefixes4 key {octets(bytes([56, 0, 0, 0]) + key + bytes([192, 0, 2, 0]))}"
		          f" value {octets(bytes(24))}")
	EOF
	in_router bpftool batch file "$TMP/leftovers"
	equal "sets and networks" "3 3" "$(sets) $(networks 4)"
	xdpfwd map add udp :5001 $SERVER4:7000 --name next --deny 192.0.2.0/24
	equal "sets and networks after the next command" "2 2" "$(sets) $(networks 4)"
	equal "the one in use" "10.0.0.0/8" "$(xdpfwd map list --json | jq -r '.[] | select(.name == "keeps").deny[]')"
}

# ---- how often

rate() {
	setup "$1"
	xdpfwd map add udp :5000 $SERVER4:7000 --name rate4 --rate 5/h
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name rate6 --rate 20/d,burst=5
	newcomers client burst $WAN4 5000 20 5
	newcomers client burst $WAN6 5000 20 5
	local rule
	for rule in rate4 rate6; do
		until_true has_drops $rule rate_limited 15
		equal "$rule: refused, flows, packets" "15 5 55" \
			"$(drops $rule rate_limited) $(counter $rule flows_created) $(counter $rule packets_in)"
	done
	# A rule of its own in the same place begins with a full bucket.
	xdpfwd map del rate4
	xdpfwd map add udp :5000 $SERVER4:7000 --name again --rate 5/h
	newcomers client burst $WAN4 5000 6 5
}

rate_per_source() {
	setup "$1"
	address client eth0 198.51.100.3/24 2001:db8:1::3/64
	xdpfwd map add udp :5000 $SERVER4:7000 --name each4 --rate-per-source 5/h
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name each6 --rate-per-source 5/h
	# Each IPv4 address by itself, but an IPv6 /64 as one.
	newcomers client burst $WAN4 5000 40 10 $CLIENT4 198.51.100.3
	newcomers client burst $WAN6 5000 40 5 $CLIENT6 2001:db8:1::3
	until_true has_drops each4 source_rate_limited 30
	until_true has_drops each6 source_rate_limited 35
	newcomers client2 burst 203.0.113.129 5000 20 5
	newcomers client2 burst 2001:db8:3::1 5000 20 5
	until_true has_drops each4 source_rate_limited 45
	until_true has_drops each6 source_rate_limited 50
	equal "refused and flows" "45 15 50 10" \
		"$(drops each4 source_rate_limited) $(counter each4 flows_created) $(drops each6 source_rate_limited) $(counter each6 flows_created)"
}

# ---- until when

# state_of RULE: as map list says it to people.
state_of() { xdpfwd map list | awk -v rule="$1" '$1 == rule' | grep -oE 'enabled|disabled|expired|expires in [^ ]+'; }

expires() {
	local before
	setup "$1"
	xdpfwd map add udp :5000 $SERVER4:7000 --name door --expires 5s
	matches "state" 'expires in [0-9.]+s' "$(state_of door)"
	xdpfwd map list --json | jq -e '.[0] | .expired == false and (.expires | fromdateiso8601 - now | . > -2 and . < 7)'
	start knock nsenter --net=/run/netns/client -- python3 "$E2E_DIR/newcomers.py" knock $WAN4 5000
	wait_for_line "$TMP/knock.out" answered
	# Nobody closes the door but the door.
	! pgrep -x xdpfwd || fail "a process of xdpfwd is running"
	until_true has_drops door expired 3
	before=$(counter door packets_in)
	more "packets while it was open" "$before" 0
	until_true has_drops door expired 6
	equal "packets since" "$before" "$(counter door packets_in)"
	kill "$(cat "$TMP/knock.pid")"
	equal "state" expired "$(state_of door)"
	xdpfwd map list --json | jq -e '.[0] | .expired and .enabled and (.expires | fromdateiso8601 < now)'
	refused_udp client2 203.0.113.129 5000 door expired
}

expires_by_date() {
	local at
	setup tc
	at=$(date -u -d '@4102444799' +%FT%TZ)
	xdpfwd map add udp :5000 $SERVER4:7000 --name utc --expires "$at"
	TZ=UTC-1 xdpfwd map add udp :5001 $SERVER4:7000 --name local --expires '2099-12-31 12:00'
	equal "dates" "2099-12-31T11:00:00Z 2099-12-31T23:59:59Z" \
		"$(xdpfwd map list --json | jq -r '[.[].expires] | sort | join(" ")')"
	xdpfwd load wan0
	equal "dates after loading again" "2099-12-31T11:00:00Z 2099-12-31T23:59:59Z" \
		"$(xdpfwd map list --json | jq -r '[.[].expires] | sort | join(" ")')"
	equal "utc" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000)"
	matches "metrics" '^xdpfwd_rule_expires_timestamp_seconds\{rule="utc"\} 4102444799$' "$(xdpfwd metrics)"
}

disabled() {
	setup "$1"
	xdpfwd map add udp :5000 $SERVER4:7000 --name off --disabled
	xdpfwd map add udp :5001 $SERVER4:7000 --name on
	refused_udp client $WAN4 5000 off disabled
	start knock nsenter --net=/run/netns/client -- python3 "$E2E_DIR/newcomers.py" knock $WAN4 5001
	wait_for_line "$TMP/knock.out" answered
	xdpfwd map disable on
	xdpfwd map enable off
	equal "states" "disabled enabled" "$(state_of on) $(state_of off)"
	until_true has_drops on disabled 2
	equal "off" "$CLIENT4 7000" "$(udp_ask client $WAN4 5000)"
	local before
	before=$(counter on packets_in)
	xdpfwd map enable on
	until_true went_on "$before"
	equal "flows" 1 "$(counter on flows_created)"
	refused 1 nosuch map disable on nosuch
	equal "state" enabled "$(state_of on)"
}
went_on() { [ "$(counter on packets_in)" -gt "$1" ]; }

# ---- what is set and shown

timeouts() {
	setup tc
	equal "defaults" "30 300 240 7440" \
		"$(xdpfwd status --json | jq -r '.timeouts | [."udp-pending", .udp, ."tcp-transitory", .tcp] | join(" ")')"
	xdpfwd load wan0 --timeout udp=2m,tcp=1h30m --timeout udp-pending=10s
	xdpfwd load wan0
	equal "set" "10 120 240 5400" \
		"$(xdpfwd status --json | jq -r '.timeouts | [."udp-pending", .udp, ."tcp-transitory", .tcp] | join(" ")')"
	refused 2 'udp: 5 is not a duration' load wan0 --timeout udp=5
	refused 2 'nosuch' load wan0 --timeout nosuch=5s
	equal "still" 120 "$(xdpfwd status --json | jq '.timeouts.udp')"
}

shown() {
	setup tc
	xdpfwd map add tcp :80 $SERVER4 --name full --allow 198.51.100.0/24 --deny 198.51.100.9 --rate 20/sec \
		--rate-per-source 100/min,burst=5 --max-flows 1000 --max-flows-per-source 10 --timeout tcp=1h \
		--syn-protect --expires 2h
	xdpfwd map list --json >"$TMP/list"
	equal "in JSON" '["198.51.100.0/24"] ["198.51.100.9"] "20/s" "100/min,burst=5" 1000 10 {"tcp":3600} 1000' \
		"$(jq -c '.[0] | .allow, .deny, .rate, .rate_per_source, .max_flows, .max_flows_per_source, .timeouts, .syn_threshold' "$TMP/list" | paste -sd ' ')"
	xdpfwd map show full >"$TMP/show"
	local words
	for words in 'allow +198\.51\.100\.0/24' 'deny +198\.51\.100\.9' 'rate +20/s' '100/min,burst=5, each' \
		'max flows +1000' '10, each' 'timeouts +tcp 1h' 'expires +20' 'from 1000 half-open'; do
		grep -Eq "$words" "$TMP/show" || fail "map show does not say '$words': $(cat "$TMP/show")"
	done
	more "memory in maps" "$(xdpfwd status --json | jq .memory.maps_bytes)" 1000000
	matches "status" '^memory +[0-9.]+ MiB' "$(xdpfwd status)"
}

everything() {
	xdpfwd map list --json
	sets
	networks 4
	networks 6
}

# option_refused TEXT OPTION...: and nothing is changed, nor left.
option_refused() {
	local text=$1
	shift
	refused 1 "$text" map add tcp :80 $SERVER4 "$@"
	diff "$TMP/before" <(everything) || fail "'map add $*' was refused and changed something"
}

refusals() {
	setup tc
	xdpfwd map add tcp :443 $SERVER4 --name other --deny 10.0.0.0/8
	everything >"$TMP/before"
	printf '192.0.2.1\n\n192.0.2.300 # no\n' >"$TMP/bad"
	option_refused '80abc' --rate 80abc
	option_refused '80abc' --rate 80abc/s
	option_refused '--rate.*20/s' --rate 20
	option_refused '0 is not a number' --rate 0/s
	option_refused '--rate-per-source' --rate-per-source 20/fortnight
	option_refused 'burst' --rate 20/s,burst=0
	option_refused '2020-01-01 is in the past' --expires 2020-01-01
	option_refused '2030-02-30' --expires 2030-02-30
	option_refused '30 is not a duration' --expires 30
	option_refused 'write 198\.51\.100\.0/24' --allow 198.51.100.7/24
	option_refused 'write 2001:db8::/32' --deny 2001:db8::1/32
	option_refused '192\.0\.2\.0/33' --deny 192.0.2.0/33
	option_refused 'all is not an address' --allow all
	option_refused 'no IPv4 network' --allow 2001:db8::/32
	option_refused '/nosuch' --deny @/nosuch
	option_refused "$TMP/bad:3: 192\.0\.2\.300" --deny "192.0.2.1,@$TMP/bad"
	option_refused 'put them into a file' --deny "$(seq -s, -f '10.0.0.%g' 0 250)"
	option_refused 'udp-pending' --timeout udp-pending=5s
	option_refused 'nosuch' --timeout nosuch=5s
	option_refused 'tcp: 21d is too long' --timeout tcp=21d
	option_refused '--syn-protect' --syn-threshold 5
	option_refused '6 is more' --max-flows 5 --max-flows-per-source 6
	# Refused for another reason, after its networks were read.
	refused 1 'other' map add tcp :443 "$SERVER4:80" --deny 192.0.2.0/24
	diff "$TMP/before" <(everything)
	refused 1 'UDP only' map add udp :80 $SERVER4 --syn-protect
	refused 2 '--max-flows' map add tcp :80 $SERVER4 --max-flows 0
	refused 2 '10x' map add tcp :80 $SERVER4 --max-flows-per-source 10x
	diff "$TMP/before" <(everything)
}

for tier in tc fast; do
	it "allow and deny, $tier" allowed_and_denied $tier
	it "allow and deny, $tier: web" web $tier
	it "rate, $tier" rate $tier
	it "rate per source, $tier" rate_per_source $tier
	it "expires by itself, $tier" expires $tier
	it "disabled and enabled, $tier" disabled $tier
done
it "expires at a date" expires_by_date
it "files of 100,000 networks, shared by rules" many_networks
it "what a killed command left is removed" leftovers
it "timeouts of the instance" timeouts
it "conditions are shown as they were given" shown
it "conditions that cannot be are refused" refusals

done_testing
