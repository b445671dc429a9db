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

extern const struct packet_suite pass_suite, rule_suite, forward_suite, masquerade_suite, flow_suite, table_suite,
	drop_suite, checksum_suite;

static const struct packet_suite *const suites[] = {
	&pass_suite, &rule_suite,  &forward_suite, &masquerade_suite,
	&flow_suite, &table_suite, &drop_suite,	   &checksum_suite,
};

struct variant {
	char name[80];
	const struct packet_case *test_case;
	enum hook hook;
	uint8_t family;
};

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

static int run_suite(const struct packet_suite *suite)
{
	unsigned int n = suite->count * 4;
	struct variant variants[n];
	struct CMUnitTest tests[n];

	for (unsigned int i = 0; i < n; i++) {
		struct variant *v = &variants[i];

		v->test_case = &suite->cases[i / 4];
		v->hook = i & 2 ? HOOK_TC : HOOK_XDP;
		v->family = i & 1 ? XF_IPV6 : XF_IPV4;
		snprintf(v->name, sizeof(v->name), "%s_%s/%s/%s", suite->name, v->test_case->name,
			 v->hook == HOOK_XDP ? "xdp" : "tc", v->family == XF_IPV4 ? "v4" : "v6");
		tests[i] = (struct CMUnitTest){
			.name = v->name, .test_func = run_variant, .setup_func = begin, .initial_state = v};
	}
	return cmocka_run_group_tests_name(suite->name, tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	world_make();
	maps_open();
	for (unsigned int i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		failed += run_suite(suites[i]);
	maps_close();
	if (failed)
		fprintf(stderr, "packet_test: %d failed\n", failed);
	return failed ? 1 : 0;
}
