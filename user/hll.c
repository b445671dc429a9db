// SPDX-License-Identifier: GPL-2.0-only
/*
 * The number of sources for which the ranks found are the likeliest (Ertl, 2017),
 * instead of HyperLogLog's own formula with its corrections: it has no bias where
 * linear counting ends, and takes ranks that were cut off for what they are.
 *
 * With x sources to a register, its rank is at most k with probability
 * exp(-x / 2^k), and any rank with k = XF_SKETCH_RANK_MAX.
 */
#include "hll.h"

#include <math.h>
#include <stdbool.h>

struct histogram {
	uint32_t n[XF_SKETCH_RANK_MAX + 1]; /* registers, by rank */
};

static uint8_t rank_of(const struct xf_sketch *sketch, unsigned int bank, unsigned int place)
{
	return sketch->ranks[bank][place / 2] >> (place & 1 ? 4 : 0) & 0xf;
}

/* The higher rank of both banks, if they are of these periods. */
static struct histogram count_ranks(const struct xf_sketch *sketch, uint32_t period)
{
	bool use[2] = {false, false};
	struct histogram h = {{0}};
	unsigned int i, bank;

	use[period & 1] = sketch->period[period & 1] == period;
	use[!(period & 1)] = sketch->period[!(period & 1)] == period - 1;
	for (i = 0; i < XF_SKETCH_REGISTERS; i++) {
		uint8_t rank = 0;

		for (bank = 0; bank < 2; bank++)
			if (use[bank] && rank_of(sketch, bank, i) > rank)
				rank = rank_of(sketch, bank, i);
		h.n[rank]++;
	}
	return h;
}

/* The derivative of the likelihood's logarithm, which falls as x rises and is 0 at the likeliest. */
static double slope(const struct histogram *h, double x)
{
	double sum = -(double)h->n[0];
	unsigned int k;

	for (k = 1; k <= XF_SKETCH_RANK_MAX; k++) {
		/* More than k - 1, which one of 2^(k-1) is; and unless cut off, no more than k. */
		double more = 1 / exp2(k - 1), no_more = k < XF_SKETCH_RANK_MAX ? more / 2 : 0;

		sum += h->n[k] * ((more - no_more) / expm1(x * (more - no_more)) - no_more);
	}
	return sum;
}

#define SOURCES_LEAST 1e-5 /* to a register: less than one in all */
#define SOURCES_MOST  1e6
#define STEPS	      40 /* each halves the span's logarithm */

uint64_t hll_estimate(const struct xf_sketch *sketch, uint32_t period)
{
	struct histogram h = count_ranks(sketch, period);
	double lo = SOURCES_LEAST, hi = SOURCES_MOST, middle;
	int i;

	if (h.n[0] == XF_SKETCH_REGISTERS)
		return 0;
	for (i = 0; i < STEPS; i++) {
		middle = sqrt(lo * hi);
		if (slope(&h, middle) > 0)
			lo = middle;
		else
			hi = middle;
	}
	return (uint64_t)(lo * XF_SKETCH_REGISTERS + 0.5);
}
