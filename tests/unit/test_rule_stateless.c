/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules without state: what they cannot have, the target that is theirs alone, the address that they listen on. */
#include "support.h"

#include "rule.h"

static struct xf_rule_spec make_rule(const char *protos, const char *listen, const char *target)
{
	struct xf_rule_spec rule = {.stateless = true};

	assert_int_equal(xf_protos_parse(protos, &rule.protos, NULL), 0);
	assert_int_equal(xf_listen_parse(listen, &rule.listen, NULL), 0);
	assert_int_equal(xf_target_parse(target, &rule.target, NULL), 0);
	return rule;
}

static void refused(const struct xf_rule_spec *rule, const char *words)
{
	struct xf_rule_spec stateful = *rule;
	struct xf_error err;

	assert_int_equal(xf_rule_check(rule, &err), -1);
	assert_error("stateless", &err, words);
	stateful.stateless = false;
	assert_int_equal(xf_rule_check(&stateful, &err), 0);
}

/* Each option about flows by itself is too much, and none without --stateless. */
static void test_options(void **state)
{
	const struct xf_rule_spec plain = make_rule("tcp+udp", ":443", "192.0.2.1:8443");
	struct xf_rule_spec rule = plain;
	struct xf_error err;
	int i;

	(void)state;
	assert_int_equal(xf_rule_check(&rule, &err), 0);
	rule.source = XF_SOURCE_PRESERVE;
	rule.disabled = true;
	rule.expires = 1800000000;
	assert_int_equal(xf_rule_check(&rule, &err), 0);
	rule.source = XF_SOURCE_MASQUERADE;
	refused(&rule, "--source masquerade|stateless|leave it out");
#define REFUSED(field, value, words)   \
	do {                           \
		rule = plain;          \
		rule.field = (value);  \
		refused(&rule, words); \
	} while (0)
	REFUSED(rate, ((struct xf_rate){1, 1, 0}), "--rate is about flows|stateless|leave it out");
	REFUSED(source_rate, ((struct xf_rate){1, 1, 0}), "--rate-per-source is about flows");
	REFUSED(max_flows, 1, "--max-flows is about flows");
	REFUSED(max_flows_per_source, 1, "--max-flows-per-source is about flows");
	REFUSED(syn_threshold, 1, "--syn-protect is about flows");
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		REFUSED(timeout[i], 1, "--timeout is about flows");
#undef REFUSED
}

static void test_targets(void **state)
{
	static const struct {
		const char *protos, *listen, *target;
		bool shared;
	} cases[] = {
		{"tcp", ":443", "192.0.2.1:8443", true},
		{"tcp", ":8443", "192.0.2.1", true},
		{"tcp+udp", "203.0.113.7:1", "192.0.2.1:8443", true},
		{"tcp", ":1-2000", "192.0.2.1:8000", true},
		{"tcp", ":1-444", "192.0.2.1:8000", true},
		{"tcp", ":1-443", "192.0.2.1:8000", false},
		{"udp", ":443", "192.0.2.1:8443", false},
		{"tcp", ":443", "192.0.2.1", false},
		{"tcp", ":443", "192.0.2.2:8443", false},
		{"tcp", ":443", "[2001:db8::1]:8443", false},
	};
	struct xf_rule_spec rule = make_rule("tcp", ":443", "192.0.2.1:8443"), other;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		other = make_rule(cases[i].protos, cases[i].listen, cases[i].target);
		if (xf_rule_shares_target(&rule, &other) != cases[i].shared ||
		    xf_rule_shares_target(&other, &rule) != cases[i].shared)
			fail_msg("%s %s %s", cases[i].protos, cases[i].listen, cases[i].target);
	}
}

#define OWN_MAX 8

static void test_address(void **state)
{
	static const struct {
		const char *listen, *target;
		const char *own[OWN_MAX];
		const char *chosen, *words; /* one of them NULL */
	} cases[] = {
		{"198.51.100.9:53", "192.0.2.1", {"203.0.113.7", "203.0.113.8"}, "198.51.100.9", NULL},
		{"[2001:db8::9]:53", "[2001:db8::1]", {NULL}, "2001:db8::9", NULL},
		{":53", "192.0.2.1", {"203.0.113.7"}, "203.0.113.7", NULL},
		{":53",
		 "192.0.2.1",
		 {"127.0.0.1", "::1", "fe80::1", "2001:db8::7", "203.0.113.7"},
		 "203.0.113.7",
		 NULL},
		{":53",
		 "[2001:db8::1]",
		 {"127.0.0.1", "::1", "fe80::1", "2001:db8::7", "203.0.113.7"},
		 "2001:db8::7",
		 NULL},
		{"eth0:53", "192.0.2.1", {"203.0.113.7", "203.0.113.7"}, "203.0.113.7", NULL},
		{":53",
		 "192.0.2.1",
		 {"203.0.113.7", "203.0.113.8"},
		 NULL,
		 ":53 is 203.0.113.7, 203.0.113.8,|write ADDR:PORT"},
		{"eth0:1-9",
		 "[2001:db8::1]",
		 {"2001:db8::7", "2001:db8::8"},
		 NULL,
		 "eth0:1-9 is 2001:db8::7, 2001:db8::8,"},
		{":53",
		 "192.0.2.1",
		 {"192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"},
		 NULL,
		 ":53 is 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5 and more,|write ADDR:PORT"},
		{":53", "192.0.2.1", {"127.0.0.1", "2001:db8::7"}, NULL, ":53 has no IPv4 address|write ADDR:PORT"},
		{"eth0:53", "[2001:db8::1]", {"fe80::1"}, NULL, "eth0:53 has no IPv6 address|write ADDR:PORT"},
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_rule_spec rule = make_rule("udp", cases[i].listen, cases[i].target);
		struct xf_address own[OWN_MAX], addr = {0};
		struct xf_addresses all = {.addr = own};
		char text[XF_ENDPOINT_STRLEN];
		struct xf_error err;

		for (k = 0; k < OWN_MAX && cases[i].own[k]; k++)
			assert_int_equal(xf_address_parse(cases[i].own[k], &own[all.n++], NULL), 0);
		if (xf_stateless_address(&rule, &all, &addr, &err)) {
			assert_error(cases[i].listen, &err, cases[i].words ? cases[i].words : "no error expected");
			continue;
		}
		assert_non_null(cases[i].chosen);
		assert_string_equal(xf_address_format(&addr, text, sizeof(text)), cases[i].chosen);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_address),
	};

	return cmocka_run_group_tests_name("rule_stateless", tests, NULL, NULL);
}
