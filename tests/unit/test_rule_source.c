/* SPDX-License-Identifier: GPL-2.0-only */
/* Source modes, and the addresses that masquerading may use. */
#include "support.h"

#include "rule.h"

static const struct {
	const char *text;
	enum xf_source mode;
	uint8_t family;
	unsigned int addresses;
} taken[] = {
	{"auto", XF_SOURCE_AUTO, 0, 1},
	{"preserve", XF_SOURCE_PRESERVE, 0, 1},
	{"masquerade", XF_SOURCE_MASQUERADE, 0, 1},
	{"masquerade=192.0.2.1", XF_SOURCE_MASQUERADE, XF_IPV4, 1},
	{"masquerade=2001:db8::1", XF_SOURCE_MASQUERADE, XF_IPV6, 1},
	{"masquerade=192.0.2.1-192.0.2.2", XF_SOURCE_MASQUERADE, XF_IPV4, 2},
	{"masquerade=192.0.2.128-192.0.3.127", XF_SOURCE_MASQUERADE, XF_IPV4, 256},
	{"masquerade=2001:db8::fff0-2001:db8::1:ef", XF_SOURCE_MASQUERADE, XF_IPV6, 256},
	{"masquerade=2001:db8:1234:1234:1234:1234:1234:1200-2001:db8:1234:1234:1234:1234:1234:12ff",
	 XF_SOURCE_MASQUERADE, XF_IPV6, 256},
};

static void test_taken(void **state)
{
	char buf[XF_ENDPOINT_STRLEN];
	enum xf_source source;
	struct xf_pool pool;
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		pool = (struct xf_pool){.first.family = 9, .more = 9};
		assert_int_equal(xf_source_parse(taken[i].text, &source, &pool, &err), 0);
		assert_int_equal(source, taken[i].mode);
		assert_int_equal(pool.first.family, taken[i].family);
		assert_int_equal(pool.more + 1, taken[i].addresses);
		assert_string_equal(xf_source_format(source, &pool, buf, sizeof(buf)), taken[i].text);
	}
	assert_int_equal(xf_source_parse("masquerade=192.0.2.1-192.0.2.1", &source, &pool, &err), 0);
	assert_string_equal(xf_source_format(source, &pool, buf, sizeof(buf)), "masquerade=192.0.2.1");
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} refused[] = {
		{"", "is not a source mode"},
		{"Auto", "Auto is not a source mode|write auto, preserve, masquerade or masquerade=ADDR[-ADDR]"},
		{"preserve=192.0.2.1", "preserve=192.0.2.1 is not a source mode"},
		{"masquerader", "masquerader is not a source mode"},
		{"masquerade=", "is not an address"},
		{"masquerade=eth0", "eth0 is not an address"},
		{"masquerade=192.0.2.1:80", "192.0.2.1:80 is not an address"},
		{"masquerade=[2001:db8::1]", "without brackets"},
		{"masquerade=192.0.2.1-", "is not an address"},
		{"masquerade=-192.0.2.1", "is not an address"},
		{"masquerade=192.0.2.1-9", "9 is not an address"},
		{"masquerade=192.0.2.1-192.0.2.2-192.0.2.3", "192.0.2.2-192.0.2.3 is not an address"},
		{"masquerade=192.0.2.1-2001:db8::1", "192.0.2.1-2001:db8::1|one family"},
		{"masquerade=192.0.2.2-192.0.2.1", "192.0.2.2-192.0.2.1 ends before it begins|lower address first"},
		{"masquerade=192.0.2.0-192.0.3.0", "257 addresses are too many|256 at most"},
		{"masquerade=0.0.0.0-255.255.255.255", "4294967296 addresses are too many"},
		{"masquerade=2001:db8::-2001:db8::100", "257 addresses are too many"},
		{"masquerade=2001:db8::ffff:ffff-2001:db8::1:0:0", "differ in their last 32 bits only"},
	};
	struct xf_pool pool;
	enum xf_source source;
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		source = XF_SOURCE_PRESERVE;
		pool = (struct xf_pool){.first.family = 9, .more = 9};
		assert_int_equal(xf_source_parse(refused[i].text, &source, &pool, &err), -1);
		assert_true(source == XF_SOURCE_PRESERVE && pool.first.family == 9 && pool.more == 9);
		assert_error(refused[i].text, &err, refused[i].words);
	}
}

static struct xf_rule_spec rule_with(const char *target, const char *source)
{
	struct xf_rule_spec rule = {.protos = XF_PROTO_TCP};

	assert_int_equal(xf_listen_parse(":443", &rule.listen, NULL), 0);
	assert_int_equal(xf_target_parse(target, &rule.target, NULL), 0);
	assert_int_equal(xf_source_parse(source, &rule.source, &rule.masquerade, NULL), 0);
	return rule;
}

/* What a pool must not have is not at its beginning. */
static void test_check(void **state)
{
	static const struct {
		const char *target, *source, *words;
	} cases[] = {
		{"192.0.2.10", "masquerade=192.0.2.11-192.0.2.20", NULL},
		{"[2001:db8::10]", "masquerade=2001:db8::11-2001:db8::20", NULL},
		{"192.0.2.10", "masquerade=192.0.2.1-192.0.2.20", "192.0.2.1-192.0.2.20|target's own"},
		{"[2001:db8::10]", "masquerade=2001:db8::1-2001:db8::10", "target's own"},
		{"192.0.2.10", "masquerade=223.255.255.250-224.0.0.3", "multicast"},
		{"192.0.2.10", "masquerade=2001:db8::1-2001:db8::2", "is IPv6|192.0.2.10 is IPv4"},
	};
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_rule_spec rule = rule_with(cases[i].target, cases[i].source);

		assert_int_equal(xf_rule_check(&rule, &err), cases[i].words ? -1 : 0);
		if (cases[i].words)
			assert_error(cases[i].source, &err, cases[i].words);
	}
}

/* Not to be had from xf_source_parse, but a config could hold it. */
static void test_check_without_mode(void **state)
{
	struct xf_rule_spec rule = rule_with("192.0.2.10", "masquerade=192.0.2.1");
	struct xf_error err;

	(void)state;
	rule.source = XF_SOURCE_AUTO;
	assert_int_equal(xf_rule_check(&rule, &err), -1);
	assert_error("auto with an address", &err, "masquerade=192.0.2.1|only the source mode masquerade");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_without_mode),
	};

	return cmocka_run_group_tests_name("rule_source", tests, NULL, NULL);
}
