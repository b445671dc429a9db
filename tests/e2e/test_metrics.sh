#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `serve` as Prometheus meets it, and as everybody else does.
. "$(dirname "$0")/lib.sh"

URL=http://127.0.0.1:9977

setup() {
	topology
	udp_server server :: 7000
	xdpfwd load wan0
	xdpfwd map add udp :5000 $SERVER4:7000 --name echo4
	xdpfwd map add udp :5000 "[$SERVER6]:7000" --name echo6
	start serve nsenter --net=/run/netns/router -- "$XDPFWD" serve
	until_true reachable
}

reachable() { in_router curl -sfo /dev/null $URL/-/healthy; }
http_code() { in_router curl -s --max-time 10 -o /dev/null -w '%{http_code}' "$@" || true; }

# query EXPRESSION: the first value that Prometheus has for it, or nothing.
query() {
	in_router curl -sS --max-time 10 -G http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1" |
		jq -r '.data.result[0].value[1] // empty'
}
query_gives() { [ "$(query "$1")" = "$2" ]; }

prometheus_start() {
	mkdir -p "$TMP/prometheus"
	cat >"$TMP/prometheus.yml" <<-EOF
		global: {scrape_interval: 1s, scrape_timeout: 1s}
		scrape_configs:
		  - job_name: xdpfwd
		    static_configs: [{targets: ["127.0.0.1:9977"]}]
	EOF
	promtool check config "$TMP/prometheus.yml"
	start prometheus nsenter --net=/run/netns/router -- prometheus --config.file="$TMP/prometheus.yml" \
		--storage.tsdb.path="$TMP/prometheus" --web.listen-address=127.0.0.1:9090
	wait_for_line "$TMP/prometheus.err" 'Server is ready'
}

scraped() {
	setup
	prometheus_start
	udp_ask client $WAN4 5000 300
	udp_ask client $WAN6 5000 200
	equal "map list" "300 200" "$(counter echo4 packets_in) $(counter echo6 packets_out)"
	until_true query_gives 'up{job="xdpfwd"}' 1
	until_true query_gives 'xdpfwd_rule_packets_total{rule="echo4",direction="in"}' 300
	until_true query_gives 'xdpfwd_rule_packets_total{rule="echo6",direction="out"}' 200
	until_true query_gives 'xdpfwd_rule_bytes_total{rule="echo4",direction="in"}' "$(counter echo4 bytes_in)"
	until_true query_gives 'xdpfwd_rules' 2
	until_true query_gives 'xdpfwd_flows{state="established"}' 2
}

well_formed() {
	setup
	udp_ask client $WAN4 5000 10
	in_router curl -sSf $URL/metrics >"$TMP/metrics"
	promtool check metrics <"$TMP/metrics" >"$TMP/promtool" 2>&1 || fail "promtool: $(cat "$TMP/promtool")"
	equal "promtool's remarks" "" "$(cat "$TMP/promtool")"
	xdpfwd metrics >"$TMP/metrics-once"
	promtool check metrics <"$TMP/metrics-once"
	equal "names of serve and of metrics" "$(grep -v '^#' "$TMP/metrics" | sed 's/ [^ ]*$//')" \
		"$(grep -v '^#' "$TMP/metrics-once" | sed 's/ [^ ]*$//')"
	in_router curl -sSf -H 'Accept: application/openmetrics-text; version=1.0.0' $URL/metrics >"$TMP/openmetrics"
	equal "OpenMetrics' last line" "# EOF" "$(tail -n 1 "$TMP/openmetrics")"
}

# Nothing but three paths, nothing but reading.
other_doors_closed() {
	setup
	local path method
	for path in /metrics / /-/healthy; do
		equal "GET $path" 200 "$(http_code "$URL$path")"
		equal "HEAD $path" 200 "$(http_code -I "$URL$path")"
	done
	for path in /metrics/ /nothing /-/ /../etc/passwd //metrics "/$(printf 'a%.0s' {1..2000})"; do
		equal "GET $path" 404 "$(http_code --path-as-is "$URL$path")"
	done
	for method in POST PUT DELETE OPTIONS PATCH; do
		equal "$method /metrics" 405 "$(http_code -X $method "$URL/metrics")"
	done
	matches "an endless header" '^(000|4..)$' "$(http_code -H "X: $(printf 'a%.0s' {1..100000})" "$URL/metrics")"
	equal "GET /metrics afterwards" 200 "$(http_code "$URL/metrics")"
}

loopback_by_default() {
	setup
	equal "sockets of serve" "127.0.0.1:9977" "$(in_router ss -Hltn 'sport = :9977' | awk '{ print $4 }')"
	! in_client curl -s --max-time 5 -o /dev/null "http://$WAN4:9977/metrics" || fail "answered to the network"
	start serve2 nsenter --net=/run/netns/router -- "$XDPFWD" serve --listen $WAN4:9978
	until_true in_client curl -sfo /dev/null "http://$WAN4:9978/metrics"
	refused 1 '127\.0\.0\.1:9977' serve
}

# More connections than it takes, none of which says anything: it goes on serving others when they end.
idle_connections() {
	setup
	local i
	for i in $(seq 100); do
		start "idle$i" nsenter --net=/run/netns/router -- socat -u TCP:127.0.0.1:9977 STDOUT
	done
	until_true reachable
	kill -0 "$(cat "$TMP/serve.pid")"
}

it "Prometheus scrapes serve and tells what map list tells" scraped
it "promtool has no remark" well_formed
it "other paths and methods are refused" other_doors_closed
it "listens on loopback unless told otherwise" loopback_by_default
it "idle connections do not shut it" idle_connections

done_testing
