#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who comes to a rule, as the tool tells it.
. "$(dirname "$0")/lib.sh"

# sources [NAME...]: "source new-flows refused flows-now" of each, most frequent first.
sources() {
	xdpfwd stats --sources --json "$@" | jq -r '.[] | "\(.source) \(.flows_created) \(.refused) \(.flows)"'
}
watched() { xdpfwd stats "$1" --json | jq -r ".[0] | $2"; }

setup() { two_ways_in "$1"; }

was_refused() { [ "$(xdpfwd stats --sources "$1" --json | jq 'map(.refused) | add')" -gt 0 ]; }

# Several clients, one of them on several addresses, and one that is refused.
top_sources() {
	setup "$1"
	address client eth0 2001:db8:1::99/64
	hold client $WAN4 6000 5 40000
	hold client2 203.0.113.129 6000 2 40000
	equal "sources of tcp4" "$CLIENT4 5 0 5
203.0.113.130 2 0 2" "$(sources tcp4)"
	more "octets of the first" "$(xdpfwd stats --sources tcp4 --json | jq '.[0].bytes_in')" 250
	equal "seen in the last minute" true \
		"$(xdpfwd stats --sources tcp4 --json | jq 'all(.[]; now - .last_seen | . > -1 and . < 60)')"
	release client
	release client2

	hold client $WAN6 6000 3 41000
	equal "sources of tcp6" "2001:db8:1::/64 3 0 3" "$(sources tcp6)"
	release client

	udp_ask client $WAN4 6000 1
	xdpfwd map disable udp4
	in_client bash -c "echo anyone? >/dev/udp/$WAN4/6000"
	until_true was_refused udp4
	equal "source that was refused" "$CLIENT4 1 1" "$(sources udp4 | cut -d ' ' -f 1-2,3)"
	equal "all rules together" "$CLIENT4 6 1" "$(sources | head -n 1 | cut -d ' ' -f 1-3)"
	equal "lines with --limit 1" 1 "$(xdpfwd stats --sources --limit 1 --json | jq length)"
	equal "rules of the records" "tcp4 tcp4 tcp6" \
		"$(xdpfwd stats --sources --json tcp4 tcp6 | jq -r '[.[].rule] | join(" ")')"
	matches "table" "^$CLIENT4 +6 +1 " "$(xdpfwd stats --sources)"
	equal "sources that are estimated" "2 1 1" "$(watched tcp4 .sources) $(watched tcp6 .sources) $(watched udp4 .sources)"
}

# spray COUNT: datagrams to the rule udp4 from so many sources.
spray() {
	nsenter --net=/run/netns/client -- python3 - "$1" <<-EOF
		import ipaddress, socket, struct, sys
		raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		to = socket.inet_aton("$WAN4")
		first = int(ipaddress.ip_address("198.18.0.0"))
		for n in range(int(sys.argv[1])):
		    udp = struct.pack("!HHHH", 40000, 6000, 12, 0) + b"spam"
		    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 32, 0, 0, 64, 17, 0, struct.pack("!I", first + n), to)
		    raw.sendto(head + udp, ("$WAN4", 0))
	EOF
}

sources_known() { [ "$(counter udp4 flows_created)" -ge "$1" ]; }

# The target answers none of them.
estimated() {
	local n=3000 estimate
	setup "$1"
	in_router sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wan0.rp_filter=0
	in_server nft 'table inet silent { chain input { type filter hook input priority 0; udp dport 7000 drop; }; }'
	spray $n
	until_true sources_known $n
	estimate=$(watched udp4 .sources)
	more "$n sources, estimated" "$estimate" $((n * 90 / 100))
	more "$((n * 110 / 100))" $((n * 110 / 100)) "$estimate"
	equal "half-open, of $n that nobody answered" 1 "$(watched udp4 '.half_open | floor')"
	matches "map show" " now +0 answered, [0-9]+ half-open .100%" "$(xdpfwd map show udp4)"
	matches "map show" "sources +about $estimate " "$(xdpfwd map show udp4)"
	xdpfwd metrics >"$TMP/metrics"
	matches "metrics" "^xdpfwd_rule_sources\{rule=\"udp4\"\} $estimate$" "$(cat "$TMP/metrics")"
	promtool check metrics <"$TMP/metrics"

	xdpfwd map del udp4
	xdpfwd map add udp :6000 $SERVER4:7000 --name udp4
	equal "sources of a new rule in the old one's place" "0 0" "$(watched udp4 .sources) $(sources udp4 | wc -l)"
}

misuse() {
	setup tc
	refused 2 '--limit is for --sources' stats --limit 3
	refused 2 'do not go together' stats --watch 1 --sources
	refused 1 'no rule' stats --sources nosuch
	equal "sources before anybody came" '[]' "$(xdpfwd stats --sources --json | jq -c .)"
	equal "half-open without flows" null "$(watched tcp4 .half_open)"
}

for tier in tc gro; do
	it "stats --sources tells who comes most often, $tier" top_sources $tier
	it "distinct sources are estimated, $tier" estimated $tier
done
it "what does not go together is refused" misuse

done_testing
