/* SPDX-License-Identifier: GPL-2.0-only */
/* The exporter's text, line by line in both formats; the choice between them; what promtool says of it. */
#include "support.h"

#include <jansson.h>
#include <sys/wait.h>

#include "metrics.h"

static const char *tier_name(enum xf_tier tier)
{
	return tier == XF_TIER_NATIVE ? "native" : tier == XF_TIER_TC ? "tc" : "generic";
}

static struct dp_iface ifaces[] = {
	{.ifindex = 2, .name = "wan0", .tier = XF_TIER_NATIVE},
	{.ifindex = 3, .name = "a\"b\\c\nd\xff", .tier = XF_TIER_TC},
};

static struct dp_status status = {
	.ifaces = ifaces,
	.n_ifaces = 2,
	.max_rules = 65536,
	.max_flows = 262144,
	.rules = 2,
	.flows_established = 7,
	.flows_pending = 3,
	.memory_bytes = 290276416,
	.drops = {[XF_REASON_NO_ROUTE] = 5},
};

static struct dp_rule rules[2];

static struct metrics_input input = {
	.status = &status,
	.rules = rules,
	.n_rules = 2,
	.tier_name = tier_name,
	.version = "1.2.3",
	.kernel = "6.18.0",
	.seconds = 0.0125,
};

static int make_rules(void **state)
{
	struct xf_error err;

	(void)state;
	memset(rules, 0, sizeof(rules));
	strcpy(rules[0].spec.name, "web");
	rules[0].spec.protos = XF_PROTO_TCP;
	assert_int_equal(xf_listen_parse("[2001:db8::1]:443", &rules[0].spec.listen, &err), 0);
	rules[0].spec.source = XF_SOURCE_MASQUERADE;
	rules[0].packets_in = 18446744073709551615u;
	rules[0].bytes_in = 1000;
	rules[0].packets_out = 11;
	rules[0].bytes_out = 2000;
	rules[0].flows_created = 4;
	rules[0].fast_packets = 20;
	rules[0].sources = 1234;
	rules[0].flows_established = 3;
	rules[0].flows_pending = 2;
	rules[0].last_hit_unix = 1700000000.25;
	rules[0].drops[XF_REASON_DISABLED] = 9;
	rules[0].spec.expires = 1800000000;
	strcpy(rules[1].spec.name, "game");
	rules[1].spec.protos = XF_PROTO_TCP | XF_PROTO_UDP;
	assert_int_equal(xf_listen_parse(":27000-27015", &rules[1].spec.listen, &err), 0);
	return 0;
}

static char *metrics_text(enum metrics_format format)
{
	struct buf b = {0};

	metrics_write(&b, &input, format);
	assert_false(buf_failed(&b));
	assert_int_equal(strlen(b.data), b.len);
	return b.data;
}

/* The same in both formats but for the heads. */
static const char *const samples[] = {
	"xdpfwd_build_info{version=\"1.2.3\",kernel=\"6.18.0\"} 1\n",
	"xdpfwd_interface_info{interface=\"wan0\",tier=\"native\"} 1\n",
	"xdpfwd_interface_info{interface=\"a\\\"b\\\\c?d?\",tier=\"tc\"} 1\n",
	"xdpfwd_rule_info{rule=\"web\",protocol=\"tcp\",listen=\"[2001:db8::1]:443\",source=\"masquerade\"} 1\n",
	"xdpfwd_rule_info{rule=\"game\",protocol=\"tcp+udp\",listen=\":27000-27015\",source=\"auto\"} 1\n",
	"xdpfwd_rule_packets_total{rule=\"web\",direction=\"in\"} 18446744073709551615\n",
	"xdpfwd_rule_packets_total{rule=\"web\",direction=\"out\"} 11\n",
	"xdpfwd_rule_packets_total{rule=\"game\",direction=\"in\"} 0\n",
	"xdpfwd_rule_bytes_total{rule=\"web\",direction=\"in\"} 1000\n",
	"xdpfwd_rule_bytes_total{rule=\"web\",direction=\"out\"} 2000\n",
	"xdpfwd_rule_flows_created_total{rule=\"web\"} 4\n",
	"xdpfwd_rule_fast_packets_total{rule=\"web\"} 20\n",
	"xdpfwd_rule_sources{rule=\"web\"} 1234\n",
	"xdpfwd_rule_sources{rule=\"game\"} 0\n",
	"xdpfwd_rule_flows{rule=\"web\",state=\"established\"} 3\n",
	"xdpfwd_rule_flows{rule=\"web\",state=\"pending\"} 2\n",
	"xdpfwd_rule_last_hit_timestamp_seconds{rule=\"web\"} 1700000000.250\n",
	"xdpfwd_rule_expires_timestamp_seconds{rule=\"web\"} 1800000000\n",
	"xdpfwd_maps_memory_bytes 290276416\n",
	"xdpfwd_rule_drops_total{rule=\"web\",reason=\"disabled\"} 9\n",
	"xdpfwd_drops_total{reason=\"no_route\"} 5\n",
	"xdpfwd_drops_total{reason=\"malformed\"} 0\n",
	"xdpfwd_flows{state=\"established\"} 7\n",
	"xdpfwd_flows{state=\"pending\"} 3\n",
	"xdpfwd_flows_limit 262144\n",
	"xdpfwd_rules 2\n",
	"xdpfwd_rules_limit 65536\n",
	"xdpfwd_scrape_duration_seconds 0.012500\n",
};

/* A whole line, not the end of another. */
static void assert_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, line);
	if (!at)
		fail_msg("no line %sin\n%s", line, text);
}

static void test_samples(void **state)
{
	char *text = metrics_text(METRICS_TEXT), *open = metrics_text(METRICS_OPENMETRICS);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		assert_line(text, samples[i]);
		assert_line(open, samples[i]);
	}
	/* Never hit: no time. No drop: no series. Nothing wrong: no reason. */
	assert_null(strstr(text, "last_hit_timestamp_seconds{rule=\"game\""));
	assert_null(strstr(text, "xdpfwd_rule_drops_total{rule=\"game\""));
	assert_null(strstr(text, "reason=\"none\""));
	free(text);
	free(open);
}

static void test_heads(void **state)
{
	char *text = metrics_text(METRICS_TEXT), *open = metrics_text(METRICS_OPENMETRICS);

	(void)state;
	assert_line(text, "# TYPE xdpfwd_rule_packets_total counter\n");
	assert_line(text, "# TYPE xdpfwd_build_info gauge\n");
	assert_line(text, "# TYPE xdpfwd_flows gauge\n");
	assert_null(strstr(text, "# EOF"));
	assert_line(open, "# TYPE xdpfwd_rule_packets counter\n");
	assert_line(open, "# TYPE xdpfwd_build info\n");
	assert_line(open, "# TYPE xdpfwd_interface info\n");
	assert_line(open, "# TYPE xdpfwd_flows gauge\n");
	assert_string_equal(open + strlen(open) - 6, "# EOF\n");
	assert_string_equal(metrics_content_type(METRICS_TEXT), "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(
		strstr(metrics_content_type(METRICS_OPENMETRICS), "application/openmetrics-text; version=1.0.0"));
	free(text);
	free(open);
}

/* Every sample stands below its family's HELP and TYPE, and no family comes twice. */
static void test_families_are_whole(void **state)
{
	static const char *const suffix[] = {"", "_total", "_info"};
	char family[128] = "", want[160], seen[4096] = " ";
	char *text = metrics_text(METRICS_OPENMETRICS), *line, *save = NULL;
	unsigned int samples_seen = 0;

	(void)state;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool ours = false;
		size_t i;

		if (sscanf(line, "# HELP %127s", family) == 1) {
			snprintf(want, sizeof(want), " %s ", family);
			assert_null(strstr(seen, want));
			strcat(seen, want + 1);
			continue;
		}
		if (line[0] == '#')
			continue;
		for (i = 0; i < ARRAY_SIZE(suffix); i++) {
			snprintf(want, sizeof(want), "%s%s", family, suffix[i]);
			ours |= !strncmp(line, want, strlen(want)) && strchr("{ ", line[strlen(want)]);
		}
		if (!ours)
			fail_msg("%s stands below %s", line, family);
		samples_seen++;
	}
	assert_true(samples_seen > ARRAY_SIZE(samples));
	free(text);
}

static void test_accept(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} cases[] = {
		{NULL, METRICS_TEXT},
		{"", METRICS_TEXT},
		{"*/*", METRICS_TEXT},
		{"text/html,*/*;q=0.8", METRICS_TEXT},
		{"text/plain", METRICS_TEXT},
		{"application/openmetrics-text", METRICS_OPENMETRICS},
		{"Application/OpenMetrics-Text; Version=1.0.0", METRICS_OPENMETRICS},
		/* What Prometheus 2.42 and 3 send. */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 METRICS_OPENMETRICS},
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.4,"
		 "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		 METRICS_OPENMETRICS},
		{"text/plain;version=0.0.4;q=0.6,application/openmetrics-text;q=0.5", METRICS_TEXT},
		{"text/plain;q=0.5 , application/openmetrics-text ; q=0.51", METRICS_OPENMETRICS},
		{"application/openmetrics-text;q=0", METRICS_TEXT},
		{"application/openmetrics-text;q=0.000,text/plain", METRICS_TEXT},
		{"application/openmetrics-text;q=0.2,*/*", METRICS_TEXT},
		{"application/openmetrics-text2", METRICS_TEXT},
		{"xapplication/openmetrics-text", METRICS_TEXT},
		{",,;;q=,", METRICS_TEXT},
		{"application/openmetrics-text;q", METRICS_OPENMETRICS},
		{"application/openmetrics-text;", METRICS_OPENMETRICS},
		{"application/openmetrics-text;q=0.", METRICS_TEXT},
		{"application/openmetrics-text;q=0.99999999999999", METRICS_OPENMETRICS},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *accept = cases[i].accept ? tight(cases[i].accept) : NULL;

		print_message("%s\n", accept ? accept : "(none)");
		assert_int_equal(metrics_accepted(accept), cases[i].format);
		free(accept);
	}
}

/* Lines of the text format that are samples. */
static size_t count_samples(char *text)
{
	char *line, *save = NULL;
	size_t n = 0;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += *line != '#';
	return n;
}

/* JSON has the same samples, under the same names, with the same labels and values. */
static void test_json(void **state)
{
	char *text = metrics_text(METRICS_TEXT), *json;
	json_t *array, *family, *samples, *labels = NULL;
	json_int_t value = 0;
	const char *name;
	size_t i, n = 0;

	(void)state;
	rules[0].packets_in = 9223372036854775807;
	json = metrics_text(METRICS_JSON);
	rules[0].packets_in = 18446744073709551615u;
	array = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(array);
	json_array_foreach(array, i, family) {
		assert_int_equal(json_unpack(family, "{s:s, s:s, s:s, s:o!}", "name", &name, "type", &(const char *){0},
					     "help", &(const char *){0}, "samples", &samples),
				 0);
		assert_non_null(strstr(text, name));
		n += json_array_size(samples);
		if (!strcmp(name, "xdpfwd_rule_packets_total"))
			json_unpack(json_array_get(samples, 0), "{s:o, s:I!}", "labels", &labels, "value", &value);
		if (!strcmp(name, "xdpfwd_interface_info"))
			assert_string_equal(
				json_string_value(json_object_get(json_object_get(json_array_get(samples, 1), "labels"),
								  "interface")),
				"a\"b\\c?d?");
	}
	assert_true(value == 9223372036854775807);
	assert_string_equal(json_string_value(json_object_get(labels, "rule")), "web");
	assert_string_equal(json_string_value(json_object_get(labels, "direction")), "in");
	assert_int_equal(n, count_samples(text));
	json_decref(array);
	free(json);
	free(text);
}

static void check_promtool(void)
{
	char *text = metrics_text(METRICS_TEXT), said[512];
	FILE *pipe;
	size_t n;
	char path[] = "/tmp/xdpfwd-metrics-XXXXXX", command[128];
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	pipe = fdopen(fd, "w");
	fputs(text, pipe);
	assert_int_equal(fclose(pipe), 0);
	snprintf(command, sizeof(command), "promtool check metrics < %s 2>&1", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(said, 1, sizeof(said) - 1, pipe);
	said[n] = '\0';
	ret = pclose(pipe);
	remove(path);
	assert_string_equal(said, "");
	assert_int_equal(WEXITSTATUS(ret), 0);
	free(text);
}

static void test_promtool(void **state)
{
	(void)state;
	if (system("command -v promtool > /dev/null") != 0) {
		print_message("skipped: promtool is not installed (Debian package prometheus)\n");
		skip();
	}
	check_promtool();
	input.n_rules = 0;
	status.n_ifaces = 0;
	check_promtool();
	input.n_rules = 2;
	status.n_ifaces = 2;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples), cmocka_unit_test(test_heads), cmocka_unit_test(test_families_are_whole),
		cmocka_unit_test(test_accept),	cmocka_unit_test(test_json),  cmocka_unit_test(test_promtool),
	};

	return cmocka_run_group_tests(tests, make_rules, NULL);
}
