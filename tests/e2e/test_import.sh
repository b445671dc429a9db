#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules that the real tools hold, imported: what comes of them, and that it
# forwards what they forwarded. What cannot be carried over is said.
. "$(dirname "$0")/lib.sh"

# import TOOL [ARG...]: stdin to $TMP/config and $TMP/said.
import() {
	xdpfwd import "$@" >"$TMP/config" 2>"$TMP/said"
}

# The rules in $TMP/config, "PROTOCOL LISTEN TARGET" and what else is set, one a line.
imported() {
	awk '
		/^  - name: /     { if (rule != "") print rule; rule = "" ; next }
		/^    protocol: / { rule = $2; next }
		/^    (listen|target): / { gsub(/"/, "", $2); rule = rule " " $2; next }
		/^    /           { sub(/^ */, ""); gsub(/"/, ""); rule = rule " " $0 }
		END               { if (rule != "") print rule }' "$TMP/config"
}

# rules_are LINE...: those and no others.
rules_are() {
	diff <(printf '%s\n' "$@") <(imported) || fail "other rules than expected: $(cat "$TMP/said")"
}

# Each line on stderr is the tool's, and one of them matches.
said() {
	equal "lines that are not the tool's" "" "$(grep -v '^xdpfwd: warning: ' "$TMP/said" || true)"
	matches "what was said" "$1" "$(cat "$TMP/said")"
}

nft_rules() {
	topology
	in_router nft -f - <<-'EOF'
		table ip nat {
			set office { type ipv4_addr; flags interval; elements = { 198.51.100.0/24, 203.0.113.128/25 } }
			map inside { type inet_service : ipv4_addr . inet_service; elements = { 2222 : 192.0.2.20 . 22 } }
			chain prerouting {
				type nat hook prerouting priority dstnat;
				iifname "wan0" tcp dport 443 counter dnat to 192.0.2.10:8443 comment "the web server"
				ip daddr 203.0.113.7 udp dport 27000-27015 dnat to 192.0.2.20
				ip saddr @office tcp dport 3389 dnat to 192.0.2.40
				dnat to tcp dport map { 80 : 192.0.2.50, 90 : 192.0.2.51 }
				dnat ip to tcp dport map @inside
				tcp dport 8888 redirect to :3128
				tcp dport 5002 limit rate 10/second dnat to 192.0.2.10
			}
			chain postrouting {
				type nat hook postrouting priority srcnat;
				ip saddr 192.0.2.0/24 ip daddr 192.0.2.10 tcp dport 8443 masquerade
				ip daddr 192.0.2.50 tcp dport 80 masquerade
			}
		}
		table ip6 nat {
			chain prerouting {
				type nat hook prerouting priority dstnat;
				ip6 daddr 2001:db8:1::1 tcp dport 443 dnat to [2001:db8:2::10]:8443
			}
		}
	EOF
	in_router nft -j list ruleset | import nft
	rules_are "tcp wan0:443 192.0.2.10:8443 comment: the web server" \
		"udp 203.0.113.7:27000-27015 192.0.2.20" \
		"tcp :3389 192.0.2.40 allow: [198.51.100.0/24, 203.0.113.128/25]" \
		"tcp :80 192.0.2.50 source: masquerade" \
		"tcp :90 192.0.2.51" \
		"tcp :2222 192.0.2.20:22" \
		"tcp :8888 127.0.0.1:3128" \
		"tcp [2001:db8:1::1]:443 [2001:db8:2::10]:8443"
	said 'standard input:ip nat prerouting handle [0-9]+: not carried over: .*limit'
	said 'postrouting handle [0-9]+: not carried over: .*sources'
}

# iptables_rules KIND: nft or legacy.
iptables_rules() {
	topology
	in_router "iptables-$1-restore" <<-'EOF'
		*nat
		:DOCKER - [0:0]
		-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-A PREROUTING -i wan0 -p tcp --dport 443 -m comment --comment "it's \"the\" server" -j DNAT --to-destination 192.0.2.10:8443
		-A PREROUTING -d 203.0.113.7 -p udp --dport 27000:27015 -j DNAT --to-destination 192.0.2.20:28000-28015/27000
		-A PREROUTING -p tcp -m multiport --dports 25,587 -m state --state NEW -j DNAT --to-destination 192.0.2.30
		-A PREROUTING ! -s 198.51.100.0/24 -p tcp --dport 3389 -j DNAT --to-destination 192.0.2.40
		-A PREROUTING -p tcp --dport 8888 -j REDIRECT --to-ports 3128
		-A PREROUTING -p tcp --dport 5002 -m limit --limit 10/sec -j DNAT --to-destination 192.0.2.10
		-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
		-A POSTROUTING -d 192.0.2.30 -j SNAT --to-source 192.0.2.1
		COMMIT
		*filter
		-A FORWARD -p tcp --dport 8443 -j ACCEPT
		COMMIT
	EOF
	in_router "iptables-$1-save" -c | import iptables
	rules_are "tcp :8080 172.17.0.2:80" \
		"tcp wan0:443 192.0.2.10:8443 comment: it's \\the\\ server" \
		"udp 203.0.113.7:27000-27015 192.0.2.20:28000" \
		"tcp :25 192.0.2.30 source: masquerade=192.0.2.1" \
		"tcp :587 192.0.2.30 source: masquerade=192.0.2.1" \
		"tcp :3389 192.0.2.40 deny: [198.51.100.0/24]" \
		"tcp :8888 127.0.0.1:3128"
	said 'standard input:[0-9]+: not carried over: the condition --limit 10/sec'
	said 'standard input:[0-9]+: carried over, but for packets from docker0 as well'
	said 'table filter: its rules \(1\)'
	in_router "ip6tables-$1" -t nat -A PREROUTING -d $WAN6 -p tcp --dport 443 -j DNAT --to-destination "[$SERVER6]:8443"
	in_router "ip6tables-$1-save" >"$TMP/rules6"
	import iptables "$TMP/rules6"
	rules_are "tcp [$WAN6]:443 [$SERVER6]:8443"
}

# What nft forwarded, the rule that was imported from it forwards.
same_way() {
	local protocol listen target
	topology
	web_server server 8443
	in_router nft add table ip nat
	in_router nft 'add chain ip nat pre { type nat hook prerouting priority dstnat; }'
	in_router nft add rule ip nat pre ip daddr $PUBLIC4 tcp dport 443 dnat to $SERVER4:8443
	equal "the port that nft leads to" 8443 "$(in_client curl -sS --noproxy '*' --max-time 20 "http://$PUBLIC4:443/port")"
	in_router nft -j list ruleset | import nft
	in_router nft flush ruleset
	read -r protocol listen target < <(imported)
	xdpfwd load wan0
	xdpfwd map add "$protocol" "$listen" "$target" --name imported
	equal "the port that xdpfwd leads to" 8443 "$(in_client curl -sS --noproxy '*' --max-time 20 "http://$PUBLIC4:443/port")"
	equal "connections" 1 "$(counter imported flows_created)"
}

fw4_file() {
	topology
	cat >"$TMP/firewall" <<-'EOF'
		config zone
			option name 'wan'
			list network 'wan'

		config redirect
			option name 'Web server'
			option src 'wan'
			option src_dport '443'
			option dest_ip '192.0.2.10'
			option dest_port '8443'
			list proto 'tcp'

		config redirect
			option name 'kids'
			option src 'wan'
			option src_mac '00:11:22:33:44:55'
			option src_dport '444'
			option dest_ip '192.0.2.10'
	EOF
	import fw4 --zone wan=wan0 "$TMP/firewall"
	rules_are "tcp wan0:443 192.0.2.10:8443 comment: Web server"
	said "$TMP/firewall:13: not carried over: the option src_mac"
	import fw4 "$TMP/firewall"
	rules_are "tcp :443 192.0.2.10:8443 comment: Web server"
	said 'say --zone wan=IFACE'
}

docker_inspect() {
	topology
	import docker "$E2E_DIR/../unit/import/docker.in"
	rules_are "tcp :8080 172.17.0.2:80" \
		"tcp+udp 203.0.113.7:53 172.17.0.2" \
		"udp :27000-27002 172.18.0.3:7000" \
		"udp :27000-27001 [2001:db8:3::3]:7000" \
		"tcp :8082 172.17.0.5:80"
	said 'docker inspect web2 does'
}

refusals() {
	topology
	refused 2 'pf is no tool' import pf
	refused 2 'ZONE=IFACE' import fw4 --zone wan /dev/null
	refused 2 . import
	refused 1 'nosuch' import nft "$TMP/nosuch"
	refused 1 'no JSON' import nft /dev/null
	refused 1 'no table' import iptables /dev/null
	refused 1 'no section' import fw4 /dev/null
	refused 1 'nothing in it' import docker /dev/null
	refused 1 'File too large' import nft /dev/zero
	refused 1 'directory' import nft "$TMP"
	equal "what was printed" "" "$(cat "$TMP/refused.out")"
}

it "rules of nft" nft_rules
it "rules of iptables, the nft kind" iptables_rules nft
if unshare -n iptables-legacy -t nat -S >/dev/null 2>&1; then
	it "rules of iptables, the legacy kind" iptables_rules legacy
else
	skip "rules of iptables, the legacy kind" "this kernel has no such tables"
fi
it "a rule of nft and the one imported from it lead to the same port" same_way
it "OpenWrt's redirects" fw4_file
it "docker's published ports" docker_inspect
it "what cannot be read is refused" refusals

done_testing
