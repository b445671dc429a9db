/* SPDX-License-Identifier: GPL-2.0-only */
/* The estimate against numbers of sources that are known, and against what the program does. */
#include "support.h"

#include <arpa/inet.h>
#include <math.h>

#include "hll.h"

#define PERIOD 1000

static void put(struct xf_sketch *s, uint32_t period, uint64_t source)
{
	uint64_t hash = xf_sketch_hash(s->seed, source);
	uint32_t place = xf_sketch_register(hash), bank = period & 1;
	uint8_t *ranks = &s->ranks[bank][place / 2], rank = xf_sketch_rank(hash);
	unsigned int shift = place & 1 ? 4 : 0;

	assert_in_range(place, 0, XF_SKETCH_REGISTERS - 1);
	assert_in_range(rank, 1, XF_SKETCH_RANK_MAX);
	s->period[bank] = period;
	if ((*ranks >> shift & 0xf) < rank)
		*ranks = (uint8_t)((*ranks & 0xf0 >> shift) | rank << shift);
}

static double off(uint64_t estimate, double truth)
{
	return fabs((double)estimate - truth) / truth;
}

/* Neighbouring addresses, as attackers and providers have them: 10.0.0.0 and up, or 2001:db8::/64 and up. */
static uint64_t source(uint32_t i, uint8_t family)
{
	union xf_addr addr = {0};

	addr.w[0] = family == XF_IPV6 ? htonl(0x20010db8) : htonl(0x0a000000 + i);
	if (family == XF_IPV6)
		addr.w[1] = htonl(i);
	return xf_source_bits(&addr, family);
}

static void test_nothing(void **state)
{
	struct xf_sketch s = {.seed = 1};

	(void)state;
	assert_int_equal(hll_estimate(&s, PERIOD), 0);
	put(&s, PERIOD, source(0, XF_IPV4));
	assert_int_equal(hll_estimate(&s, PERIOD), 1);
	put(&s, PERIOD, source(0, XF_IPV4));
	assert_int_equal(hll_estimate(&s, PERIOD), 1);
	put(&s, PERIOD, source(1, XF_IPV4));
	assert_int_equal(hll_estimate(&s, PERIOD), 2);
}

/* With seeds that say nothing of the addresses: below 5 % at each size, also where others change formulas. */
static void test_error(void **state)
{
	static const uint32_t sizes[] = {10, 100, 1000, 3000, 5000, 8000, 9600, 12000, 20000, 50000, 200000, 1000000};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct xf_sketch s = {.seed = 0x9e3779b97f4a7c15ULL * (i + 1)};
		uint8_t family = i & 1 ? XF_IPV6 : XF_IPV4;
		uint32_t n;

		for (n = 0; n < sizes[i]; n++)
			put(&s, PERIOD, source(n, family));
		if (off(hll_estimate(&s, PERIOD), sizes[i]) >= 0.05)
			fail_msg("%u sources were estimated as %llu", sizes[i],
				 (unsigned long long)hll_estimate(&s, PERIOD));
	}
}

/* The standard error that the header names, over many seeds, and no bias. */
static void test_spread(void **state)
{
	enum {
		SEEDS = 200,
		SOURCES = 12000
	};
	double sum = 0, squares = 0;
	uint32_t i, n;

	(void)state;
	for (i = 0; i < SEEDS; i++) {
		struct xf_sketch s = {.seed = 0xd1342543de82ef95ULL * (i + 1)};
		double error;

		for (n = 0; n < SOURCES; n++)
			put(&s, PERIOD, source(n, XF_IPV4));
		error = ((double)hll_estimate(&s, PERIOD) - SOURCES) / SOURCES;
		sum += error;
		squares += error * error;
	}
	if (sqrt(squares / SEEDS) > 0.02 || fabs(sum / SEEDS) > 0.004)
		fail_msg("standard error %f, bias %f", sqrt(squares / SEEDS), sum / SEEDS);
}

/* Both banks count as one, each source once; older ones not at all. */
static void test_periods(void **state)
{
	struct xf_sketch s = {.seed = 42};
	uint32_t n;

	(void)state;
	for (n = 0; n < 2000; n++)
		put(&s, PERIOD, source(n, XF_IPV4));
	for (n = 1000; n < 3000; n++)
		put(&s, PERIOD + 1, source(n, XF_IPV4));
	assert_true(off(hll_estimate(&s, PERIOD + 1), 3000) < 0.05);
	assert_true(off(hll_estimate(&s, PERIOD + 2), 2000) < 0.05);
	assert_int_equal(hll_estimate(&s, PERIOD + 3), 0);
	assert_int_equal(hll_estimate(&s, PERIOD + 4), 0);
}

/* No register at all is left to say more: still an answer. */
static void test_full(void **state)
{
	struct xf_sketch s = {.period = {PERIOD}};

	(void)state;
	memset(s.ranks, 0xff, sizeof(s.ranks));
	assert_true(hll_estimate(&s, PERIOD) > 100000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_error), cmocka_unit_test(test_spread),
		cmocka_unit_test(test_periods), cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
