/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON objects against the contract's lists of fields, and the tables made from them. */
#include "support.h"

#include <netinet/in.h>
#include <time.h>

#include "out.h"
#include "record.h"

/* Fails unless the object's keys are exactly these, in this order. */
static void assert_keys(const json_t *object, const char *keys)
{
	char got[512] = "";
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		strcat(got, *got ? " " : "");
		strcat(got, key);
	}
	assert_string_equal(got, keys);
}

static struct dp_rule make_rule(void)
{
	struct dp_rule rule = {.id = 3, .packets_in = 10, .packets_out = 20, .bytes_in = 5000, .bytes_out = 6000};
	struct xf_error err;

	strcpy(rule.spec.name, "web");
	rule.spec.protos = XF_PROTO_TCP;
	assert_int_equal(xf_listen_parse(":443", &rule.spec.listen, &err), 0);
	assert_int_equal(xf_target_parse("[2001:db8::1]:8443", &rule.spec.target, &err), 0);
	return rule;
}

static void test_rule(void **state)
{
	struct dp_rule rule = make_rule();
	json_t *r = record_rule(&rule), *t, *c;

	(void)state;
	assert_non_null(r);
	assert_keys(r, "name protocol listen targets source enabled stateless expires allow deny rate rate_per_source "
		       "max_flows comment counters expired max_flows_per_source timeouts syn_threshold");
	t = json_array_get(json_object_get(r, "targets"), 0);
	assert_keys(t, "target weight up");
	assert_string_equal(json_string_value(json_object_get(t, "target")), "[2001:db8::1]:8443");
	assert_string_equal(json_string_value(json_object_get(r, "source")), "auto");
	assert_true(json_is_true(json_object_get(r, "enabled")));
	assert_true(json_is_false(json_object_get(r, "stateless")));
	assert_true(json_is_null(json_object_get(r, "expires")));
	c = json_object_get(r, "counters");
	assert_keys(c, "packets_in bytes_in packets_out bytes_out flows_created fast_packets last_hit drops");
	assert_int_equal(json_integer_value(json_object_get(c, "bytes_out")), 6000);
	assert_true(json_is_null(json_object_get(c, "last_hit")));
	assert_int_equal(json_object_size(json_object_get(c, "drops")), 0);
	json_decref(r);
}

static void test_used_rule(void **state)
{
	struct dp_rule rule = make_rule();
	json_t *r, *c;

	(void)state;
	rule.spec.disabled = true;
	strcpy(rule.spec.comment, "with a \"quote\"");
	rule.last_hit_unix = 1700000000.1239;
	rule.drops[XF_REASON_DISABLED] = 4;
	r = record_rule(&rule);
	c = json_object_get(r, "counters");
	assert_true(json_is_false(json_object_get(r, "enabled")));
	assert_string_equal(json_string_value(json_object_get(r, "comment")), "with a \"quote\"");
	assert_true(json_real_value(json_object_get(c, "last_hit")) == 1700000000.124);
	assert_keys(json_object_get(c, "drops"), "disabled");
	json_decref(r);
}

/* What a rule asks of newcomers, in the words that it was given with. */
static void test_policy(void **state)
{
	struct dp_rule rule = make_rule();
	char text[256];
	json_t *r;

	(void)state;
	rule.allow = "198.51.100.0/24,@/etc/xdpfwd/offices";
	rule.deny = "";
	rule.spec.rate = (struct xf_rate){20, 1, 0};
	rule.spec.source_rate = (struct xf_rate){100, 60, 5};
	rule.spec.max_flows = 1000;
	rule.spec.max_flows_per_source = 10;
	rule.spec.syn_threshold = 500;
	rule.spec.timeout[XF_TIMEOUT_UDP] = 60;
	rule.spec.expires = 1800000000;
	rule.expired = true;
	r = record_rule(&rule);
	assert_string_equal(json_string_value(json_object_get(r, "expires")), "2027-01-15T08:00:00Z");
	assert_true(json_is_true(json_object_get(r, "expired")));
	text[json_dumpb(json_object_get(r, "allow"), text, sizeof(text) - 1, 0)] = '\0';
	assert_string_equal(text, "[\"198.51.100.0/24\", \"@/etc/xdpfwd/offices\"]");
	assert_int_equal(json_array_size(json_object_get(r, "deny")), 0);
	assert_string_equal(json_string_value(json_object_get(r, "rate")), "20/s");
	assert_string_equal(json_string_value(json_object_get(r, "rate_per_source")), "100/min,burst=5");
	assert_int_equal(json_integer_value(json_object_get(r, "max_flows")), 1000);
	assert_int_equal(json_integer_value(json_object_get(r, "max_flows_per_source")), 10);
	assert_int_equal(json_integer_value(json_object_get(r, "syn_threshold")), 500);
	assert_keys(json_object_get(r, "timeouts"), "udp");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(r, "timeouts"), "udp")), 60);
	json_decref(r);
}

/* The state of a rule in one word or two. */
static void test_states(void **state)
{
	static const struct {
		bool disabled, expired;
		int64_t expires; /* from now */
		const char *text;
	} cases[] = {
		{false, false, 0, "enabled"},
		{true, false, 0, "disabled"},
		{false, true, -100, "expired"},
		{true, true, -100, "disabled, expired"},
		{false, false, 3 * 86400 + 1800, "expires in 3d00h"},
		{true, false, 3 * 86400 + 1800, "disabled, expires in 3d00h"},
	};
	static const struct out_column column = {"", "", NULL, OUT_STATE};
	char buf[OUT_CELL_LEN];
	json_t *r;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dp_rule rule = make_rule();

		rule.spec.disabled = cases[i].disabled;
		rule.expired = cases[i].expired;
		rule.spec.expires = cases[i].expires ? time(NULL) + cases[i].expires : 0;
		r = record_rule(&rule);
		assert_string_equal(out_cell(r, &column, buf), cases[i].text);
		json_decref(r);
	}
}

static void test_flow(void **state)
{
	struct dp_flow flow = {.proto = IPPROTO_UDP, .state = XF_FLOW_ESTABLISHED, .client_port = 40000};
	struct xf_error err;
	json_t *r;

	(void)state;
	assert_int_equal(xf_address_parse("2001:db8::7", &flow.client, &err), 0);
	flow.listen = flow.target = flow.translated = flow.client;
	r = record_flow(&flow, "web");
	assert_keys(r, "rule protocol client listen target translated_source state age_seconds idle_seconds packets_in "
		       "packets_out bytes_in bytes_out");
	assert_string_equal(json_string_value(json_object_get(r, "client")), "[2001:db8::7]:40000");
	assert_string_equal(json_string_value(json_object_get(r, "protocol")), "udp");
	assert_string_equal(json_string_value(json_object_get(r, "state")), "established");
	json_decref(r);
	r = record_flow(&flow, NULL);
	assert_true(json_is_null(json_object_get(r, "rule")));
	json_decref(r);
}

static void test_status(void **state)
{
	struct dp_iface iface = {.name = "odd\x80", .tier = XF_TIER_TC, .reason = "a bridge"};
	struct dp_status status = {.version = "1", .ifaces = &iface, .n_ifaces = 1, .max_rules = 5, .rules = 2};
	json_t *r, *i;

	(void)state;
	status.drops[XF_REASON_TTL_EXCEEDED] = 1;
	r = record_status(&status);
	assert_keys(r, "version interfaces limits rules flows drops memory timeouts");
	assert_keys(json_object_get(r, "limits"), "rules flows");
	assert_keys(json_object_get(r, "flows"), "established pending");
	assert_keys(json_object_get(r, "drops"), "ttl_exceeded");
	i = json_array_get(json_object_get(r, "interfaces"), 0);
	assert_keys(i, "name tier reason");
	assert_string_equal(json_string_value(json_object_get(i, "tier")), "tc");
	assert_string_equal(json_string_value(json_object_get(i, "name")), "odd?");
	json_decref(r);
}

static void test_cells(void **state)
{
	static const struct {
		struct out_column column;
		const char *text;
	} cases[] = {
		{{"", "name", NULL, OUT_TEXT}, "web"},
		{{"", "targets.0.target", NULL, OUT_TEXT}, "[2001:db8::1]:8443"},
		{{"", "targets.1.target", NULL, OUT_TEXT}, "-"},
		{{"", "nothing.there", NULL, OUT_COUNT}, "-"},
		{{"", "rate", NULL, OUT_TEXT}, "-"},
		{{"", "", NULL, OUT_STATE}, "enabled"},
		{{"", "counters.packets_in", NULL, OUT_COUNT}, "10"},
		{{"", "counters.packets_in", "counters.packets_out", OUT_COUNT}, "30"},
		{{"", "counters.bytes_in", "counters.bytes_out", OUT_BYTES}, "10.7 KiB"},
		{{"", "counters.last_hit", NULL, OUT_UNIX}, "never"},
		{{"", "counters.drops", NULL, OUT_SUM}, "7"},
	};
	struct dp_rule rule = make_rule();
	char buf[OUT_CELL_LEN];
	json_t *r;
	size_t i;

	(void)state;
	rule.drops[XF_REASON_DISABLED] = 4;
	rule.drops[XF_REASON_NO_ROUTE] = 3;
	r = record_rule(&rule);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(out_cell(r, &cases[i].column, buf), cases[i].text);
	json_decref(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),	  cmocka_unit_test(test_states), cmocka_unit_test(test_rule),
		cmocka_unit_test(test_used_rule), cmocka_unit_test(test_flow),	 cmocka_unit_test(test_status),
		cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
