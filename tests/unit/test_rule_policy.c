/* SPDX-License-Identifier: GPL-2.0-only */
/* Rates as text and as buckets; what a rule asks of newcomers, checked and in the maps' form. */
#include "support.h"

#include "rate.h"
#include "rule.h"

static void test_rates(void **state)
{
	static const struct {
		const char *text;
		struct xf_rate rate;
		const char *formatted; /* NULL: the text itself */
	} cases[] = {
		{"20/s", {20, 1, 0}, NULL},	    {"20/sec", {20, 1, 0}, "20/s"},
		{"100/min", {100, 60, 0}, NULL},    {"100/m", {100, 60, 0}, "100/min"},
		{"1/minute", {1, 60, 0}, "1/min"},  {"5/h", {5, 3600, 0}, NULL},
		{"10/d", {10, 86400, 0}, NULL},	    {"3/week", {3, 604800, 0}, "3/w"},
		{"20/s,burst=1", {20, 1, 1}, NULL}, {"1000000/s,burst=1000000", {1000000, 1, 1000000}, NULL},
	};
	struct xf_rate rate;
	struct xf_error err;
	char buf[XF_RATE_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i].text);

		if (xf_rate_parse(text, &rate, &err))
			fail_msg("%s: %s", text, err.text);
		assert_memory_equal(&rate, &cases[i].rate, sizeof(rate));
		assert_string_equal(xf_rate_format(&rate, buf, sizeof(buf)),
				    cases[i].formatted ? cases[i].formatted : text);
		free(text);
	}
	rate.count = 0;
	assert_string_equal(xf_rate_format(&rate, buf, sizeof(buf)), "");
}

static void test_bad_rates(void **state)
{
	static const char *const cases[][2] = {
		{"", "\"\" is not a rate|20/s"},
		{"20", "20 is not a rate"},
		{"/s", "is not a number from 1"},
		{"20/", "20/ is not a rate"},
		{"20/x", "20/x is not a rate"},
		{"20/S", "not a rate"},
		{"20 /s", "not a number"},
		{"20/s ", "not a rate"},
		{"0/s", "0/s: 0 is not a number from 1 to 1000000"},
		{"1000001/s", "not a number from 1 to 1000000"},
		{"99999999999999999999/s", "not a number"},
		{"-1/s", "not a number"},
		{"1.5/s", "not a number"},
		{"80abc/s", "80abc is not a number"},
		{"20/1s", "not a rate"},
		{"20/s,", "not a rate"},
		{"20/s,10", "not a rate"},
		{"20/s,burst", "not a rate"},
		{"20/s,burst=", "not a number"},
		{"20/s,burst=0", "0 is not a number"},
		{"20/s,burst=5x", "5x is not a number"},
		{"20/s,burst=5,burst=6", "not a number"},
		{"20,burst=5/s", "not a rate"},
		{"1/d,burst=367", "burst of 367 would take 367 days"},
	};
	struct xf_rate rate = {7, 7, 7};
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i][0]);

		if (!xf_rate_parse(text, &rate, &err))
			fail_msg("%s is taken", text);
		assert_error(text, &err, cases[i][1]);
		assert_true(rate.count == 7 && rate.unit == 7 && rate.burst == 7);
		free(text);
	}
}

static void test_buckets(void **state)
{
	static const struct {
		struct xf_rate rate;
		uint32_t hz;
		uint64_t cost, burst;
	} cases[] = {
		{{0, 1, 5}, 250, 0, 0},
		{{1, 1, 0}, 250, 250ull << 20, 250ull << 20},
		{{250, 1, 0}, 250, 1ull << 20, 250ull << 20},
		{{250, 1, 10}, 250, 1ull << 20, 10ull << 20},
		{{60, 60, 0}, 1000, 1000ull << 20, 60000ull << 20},
		{{1, 86400, 366}, 1000, 86400000ull << 20, 366 * (86400000ull << 20)},
		/* rounded to the nearest */
		{{3, 1, 1}, 100, 34952533, 34952533},
		{{1000000, 1, 0}, 100, 105, 105000000},
	};
	__u64 cost, burst;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		xf_rate_bucket(&cases[i].rate, cases[i].hz, &cost, &burst);
		assert_true(cost == cases[i].cost);
		assert_true(burst == cases[i].burst);
	}
}

static struct xf_rule_spec make_rule(const char *protos, const char *target)
{
	struct xf_rule_spec rule = {.name = "r"};

	assert_int_equal(xf_protos_parse(protos, &rule.protos, NULL), 0);
	assert_int_equal(xf_listen_parse(":443", &rule.listen, NULL), 0);
	assert_int_equal(xf_target_parse(target, &rule.target, NULL), 0);
	return rule;
}

/* The maps' form with each field set, and back. */
static void test_encode(void **state)
{
	struct xf_rule_spec spec = make_rule("tcp+udp", "192.0.2.1"), back = {.protos = 0};
	struct xf_rule_meta meta;
	struct xf_policy policy;
	struct xf_rule rule;
	int i;

	(void)state;
	spec.rate = (struct xf_rate){20, 1, 0};
	spec.source_rate = (struct xf_rate){100, 60, 5};
	spec.max_flows = 1000;
	spec.max_flows_per_source = 10;
	spec.syn_threshold = 500;
	spec.expires = 1800000000;
	spec.expires_by_date = true;
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		spec.timeout[i] = 10 + (uint32_t)i;
	memset(&policy, 0xa5, sizeof(policy));
	assert_true(xf_policy_encode(&spec, 250, &policy));
	assert_true(policy.rate_cost == (250ull << 20) / 20 && policy.rate_burst == 250ull << 20);
	assert_true(policy.source_rate_cost == 150ull << 20 && policy.source_rate_burst == 750ull << 20);
	assert_true(policy.max_flows == 1000 && policy.max_flows_per_source == 10 && policy.syn_threshold == 500);
	assert_true(policy.allow == 0 && policy.deny == 0 && policy.pad == 0);
	assert_true(policy.timeout[XF_TIMEOUT_UDP] == 250 * (10 + XF_TIMEOUT_UDP));

	xf_rule_encode(&spec, &rule, &meta);
	assert_true(meta.expires_unix == 1800000000 && meta.expires_by_date == 1 && rule.expires == 0);
	xf_rule_decode(&rule, &meta, &back);
	xf_policy_decode(&policy, 250, &back);
	assert_memory_equal(&back.rate, &spec.rate, sizeof(spec.rate));
	assert_memory_equal(&back.source_rate, &spec.source_rate, sizeof(spec.source_rate));
	assert_memory_equal(back.timeout, spec.timeout, sizeof(spec.timeout));
	assert_true(back.max_flows == 1000 && back.max_flows_per_source == 10 && back.syn_threshold == 500);
	assert_true(back.expires == 1800000000 && back.expires_by_date);
	assert_null(back.allow);
}

/* Is there anything to ask? Each condition by itself says yes, none of them no. */
static void test_anything_to_ask(void **state)
{
	const struct xf_prefixes list = {.n = 0};
	struct xf_rule_spec plain = make_rule("tcp", "192.0.2.1"), rule;
	struct xf_policy policy;

	(void)state;
	assert_false(xf_policy_encode(&plain, 250, &policy));
	rule = plain;
	rule.expires = 1800000000; /* asked of the rule itself, with each packet */
	assert_false(xf_policy_encode(&rule, 250, &policy));
#define ASKS(field, value)                                          \
	do {                                                        \
		rule = plain;                                       \
		rule.field = (value);                               \
		assert_true(xf_policy_encode(&rule, 250, &policy)); \
	} while (0)
	ASKS(allow, &list);
	ASKS(deny, &list);
	ASKS(rate, ((struct xf_rate){1, 1, 0}));
	ASKS(source_rate, ((struct xf_rate){1, 1, 0}));
	ASKS(max_flows, 1);
	ASKS(max_flows_per_source, 1);
	ASKS(syn_threshold, 1);
	ASKS(timeout[XF_TIMEOUT_UDP], 1);
#undef ASKS
}

static int no_files(const char *path, struct xf_prefix_file *file, struct xf_error *err)
{
	(void)path;
	memset(file, 0, sizeof(*file));
	(void)err;
	snprintf(file->name, sizeof(file->name), "/empty");
	return 0;
}

static void test_check(void **state)
{
	static const struct {
		const char *protos, *target, *allow, *deny;
		const char *words; /* NULL: nothing is wrong */
	} cases[] = {
		{"tcp", "192.0.2.1", NULL, NULL, NULL},
		{"tcp", "192.0.2.1", "198.51.100.0/24", "198.51.100.7", NULL},
		{"tcp", "192.0.2.1", "2001:db8::/32,198.51.100.0/24", "2001:db8::/32", NULL},
		{"tcp", "192.0.2.1", NULL, "@empty", NULL},
		{"tcp", "192.0.2.1", "2001:db8::/32", NULL, "--allow 2001:db8::/32|no IPv4 network|nobody"},
		{"tcp", "[2001:db8::1]", "198.51.100.0/24", NULL, "--allow 198.51.100.0/24|no IPv6 network|nobody"},
		{"tcp", "192.0.2.1", "@empty", NULL, "--allow @/empty has no network|--disabled"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_rule_spec rule = make_rule(cases[i].protos, cases[i].target);
		struct xf_prefixes allow = {0}, deny = {0};
		struct xf_error err;

		if (cases[i].allow) {
			assert_int_equal(xf_prefixes_add(&allow, cases[i].allow, no_files, &err), 0);
			rule.allow = &allow;
		}
		if (cases[i].deny) {
			assert_int_equal(xf_prefixes_add(&deny, cases[i].deny, no_files, &err), 0);
			rule.deny = &deny;
		}
		assert_int_equal(xf_rule_check(&rule, &err), cases[i].words ? -1 : 0);
		if (cases[i].words)
			assert_error(cases[i].allow, &err, cases[i].words);
		xf_prefixes_free(&allow);
		xf_prefixes_free(&deny);
	}
}

static void test_check_protocols(void **state)
{
	struct xf_rule_spec tcp = make_rule("tcp", "192.0.2.1"), udp = make_rule("udp", "192.0.2.1");
	struct xf_error err;

	(void)state;
	tcp.timeout[XF_TIMEOUT_TCP_ESTABLISHED] = 1;
	udp.timeout[XF_TIMEOUT_UDP] = 1;
	tcp.syn_threshold = 1;
	assert_int_equal(xf_rule_check(&tcp, &err), 0);
	assert_int_equal(xf_rule_check(&udp, &err), 0);
	udp.syn_threshold = 1;
	assert_int_equal(xf_rule_check(&udp, &err), -1);
	assert_error("udp", &err, "--syn-protect is about TCP");
	tcp.timeout[XF_TIMEOUT_UDP_PENDING] = 1;
	assert_int_equal(xf_rule_check(&tcp, &err), -1);
	assert_error("tcp", &err, "--timeout udp-pending|tcp only");
	tcp = make_rule("tcp+udp", "192.0.2.1");
	tcp.timeout[XF_TIMEOUT_UDP_PENDING] = tcp.timeout[XF_TIMEOUT_TCP_TRANSITORY] = tcp.syn_threshold = 1;
	assert_int_equal(xf_rule_check(&tcp, &err), 0);
	tcp.max_flows = 5;
	tcp.max_flows_per_source = 5;
	assert_int_equal(xf_rule_check(&tcp, &err), 0);
	tcp.max_flows_per_source = 6;
	assert_int_equal(xf_rule_check(&tcp, &err), -1);
	assert_error("limits", &err, "--max-flows-per-source 6|--max-flows 5");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),		cmocka_unit_test(test_bad_rates),
		cmocka_unit_test(test_buckets),		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_anything_to_ask), cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_protocols),
	};

	return cmocka_run_group_tests_name("rule_policy", tests, NULL, NULL);
}
