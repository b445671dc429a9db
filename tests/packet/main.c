// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet_test [PATTERN]: every case on XDP and TC, IPv4 and IPv6; or those whose
 * name, such as "forward_udp/xdp/v6", matches the shell pattern.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "maps.h"

extern const struct packet_suite pass_suite, rule_suite, forward_suite, masquerade_suite, flow_suite, flow_rule_suite,
	table_suite, drop_suite, checksum_suite, l3_suite, random_suite, icmp_suite, icmp_strange_suite, told_suite,
	mss_suite, fragment_suite, fragment_bad_suite, fragment_first_suite, hairpin_suite, host_suite, local_suite,
	local_error_suite, own_suite, tcp_suite, policy_suite, policy_time_suite, policy_rate_suite, state_suite,
	evict_suite, limits_suite, port_suite, pool_suite, sweep_suite, stateless_suite, syn_suite, watch_suite,
	split_suite, split_fragment_suite, stress_suite, refusal_suite, bucket_suite;

static const struct packet_suite *const suites[] = {
	&pass_suite,	     &rule_suite,
	&forward_suite,	     &masquerade_suite,
	&flow_suite,	     &flow_rule_suite,
	&table_suite,	     &drop_suite,
	&checksum_suite,     &l3_suite,
	&random_suite,	     &icmp_suite,
	&icmp_strange_suite, &told_suite,
	&mss_suite,	     &fragment_suite,
	&fragment_bad_suite, &fragment_first_suite,
	&hairpin_suite,	     &host_suite,
	&local_suite,	     &local_error_suite,
	&own_suite,	     &tcp_suite,
	&policy_suite,	     &policy_time_suite,
	&policy_rate_suite,  &state_suite,
	&evict_suite,	     &limits_suite,
	&port_suite,	     &pool_suite,
	&sweep_suite,	     &stateless_suite,
	&syn_suite,	     &watch_suite,
	&split_suite,	     &split_fragment_suite,
	&stress_suite,	     &refusal_suite,
	&bucket_suite,
};

struct variant {
	char name[80];
	const struct packet_case *test_case;
	enum hook hook;
	uint8_t family;
};

#define MAX_TESTS 2000

static struct variant variants[MAX_TESTS];
static struct CMUnitTest tests[MAX_TESTS];
static unsigned int tests_n;
static struct test the_test;

static int begin(void **state)
{
	const struct variant *v = *state;

	memset(&the_test, 0, sizeof(the_test));
	the_test.hook = v->hook;
	the_test.family = v->family;
	maps_reset(&the_test);
	return 0;
}

static void run_variant(void **state)
{
	const struct variant *v = *state;

	v->test_case->run(&the_test);
	ledger_check(&the_test);
}

static void add_variant(const struct packet_suite *suite, const struct packet_case *c, unsigned int i)
{
	static const char *const hooks[] = {[HOOK_XDP] = "xdp", [HOOK_TC] = "tc"};
	struct variant *v = &variants[tests_n];

	v->test_case = c;
	v->hook = i & 2 ? HOOK_TC : HOOK_XDP;
	v->family = i & 1 ? XF_IPV6 : XF_IPV4;
	snprintf(v->name, sizeof(v->name), "%s_%s/%s/v%d", suite->name, c->name, hooks[v->hook], v->family);
	tests[tests_n++] =
		(struct CMUnitTest){.name = v->name, .test_func = run_variant, .setup_func = begin, .initial_state = v};
}

static bool is_meant(const struct packet_case *c, unsigned int i)
{
	unsigned int other = (i & 2 ? ONLY_XDP : ONLY_TC) | (i & 1 ? ONLY_V4 : ONLY_V6);

	return !(c->only & other);
}

static void add_suite(const struct packet_suite *suite)
{
	for (unsigned int i = 0; i < 4 * suite->count; i++) {
		if (!is_meant(&suite->cases[i / 4], i))
			continue;
		if (tests_n == MAX_TESTS) {
			fprintf(stderr, "packet_test: more than %d tests\n", MAX_TESTS);
			exit(1);
		}
		add_variant(suite, &suite->cases[i / 4], i);
	}
}

int main(int argc, char **argv)
{
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	for (unsigned int i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		add_suite(suites[i]);
	world_make();
	maps_open();
	/* The function under the macro: how many there are is not known to the compiler. */
	failed = _cmocka_run_group_tests("packet", tests, tests_n, NULL, NULL);
	maps_close();
	return failed ? 1 : 0;
}
