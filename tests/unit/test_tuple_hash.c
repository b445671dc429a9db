// SPDX-License-Identifier: GPL-2.0-only
/* Where hints to flows stand: tuples as they come must not meet there more often than chance has it. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "support.h"
#include "xdpfwd/flow.h"

static const __u64 mix[3] = {XF_MIX1, XF_MIX2, XF_MIX3};

#define TUPLES 20000
#define PLACES (16 * TUPLES)

/* Of so many thrown at random, about TUPLES / 32 meet another. */
#define MEET_MOST (TUPLES / 16)

typedef void (*vary_fn)(struct xf_key6 *t, uint32_t i);

static void client_and_port(struct xf_key6 *t, uint32_t i)
{
	t->saddr.w[3] = htonl(2 + i % 250);
	t->saddr.v4 ^= t->saddr.w[3];
	t->sport = htons((uint16_t)(1024 + i / 250));
}

static void client_only(struct xf_key6 *t, uint32_t i)
{
	t->saddr.w[3] = htonl(i);
	t->saddr.v4 ^= t->saddr.w[3];
}

static void port_only(struct xf_key6 *t, uint32_t i)
{
	t->sport = htons((uint16_t)i);
}

static void rules_only(struct xf_key6 *t, uint32_t i)
{
	t->daddr.w[3] = htonl(i / 1000);
	t->daddr.v4 ^= t->daddr.w[3];
	t->dport = htons((uint16_t)(20000 + i % 1000));
}

static void network_only(struct xf_key6 *t, uint32_t i)
{
	t->saddr.w[1] = htonl(i);
	t->saddr.v4 ^= htonl(i << 8);
}

static uint32_t meetings(vary_fn vary, uint8_t family)
{
	uint8_t *taken = calloc(PLACES, 1);
	uint32_t n = 0;

	assert_non_null(taken);
	for (uint32_t i = 0; i < TUPLES; i++) {
		struct xf_key6 t = {.sport = htons(443), .dport = htons(443), .proto = 17};
		uint32_t place;

		t.saddr.w[0] = htonl(0xc6120000);
		t.daddr.w[0] = htonl(0xc0000201);
		vary(&t, i);
		if (family == XF_IPV4)
			t.saddr.w[3] = t.daddr.w[3] = t.saddr.w[1] = 0;
		place = (uint32_t)((xf_tuple_hash(&t, family, mix) >> 32) * PLACES >> 32);
		n += taken[place];
		taken[place] = 1;
	}
	free(taken);
	return n;
}

static void tuples_seldom_meet(void **state)
{
	static const vary_fn varied[] = {client_and_port, client_only, port_only, rules_only, network_only};

	(void)state;
	for (size_t i = 0; i < sizeof(varied) / sizeof(varied[0]); i++) {
		assert_in_range(meetings(varied[i], XF_IPV4), 0, MEET_MOST);
		assert_in_range(meetings(varied[i], XF_IPV6), 0, MEET_MOST);
	}
}

/* Hints stand by the lower ones of the upper 24 bits, refusals by several dozen: all must be good. */
static void lower_bits_differ(void **state)
{
	uint32_t n = 0;
	uint8_t taken[4096] = {0};

	(void)state;
	for (uint32_t i = 0; i < 256; i++) {
		struct xf_key6 t = {.sport = htons((uint16_t)(1024 + i)), .dport = htons(443), .proto = 6};
		uint32_t place;

		t.saddr.v4 = htonl(0xcb007100 + i);
		place = (xf_tuple_hash(&t, XF_IPV4, mix) >> 28) % 4096;
		n += taken[place];
		taken[place] = 1;
	}
	assert_in_range(n, 0, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tuples_seldom_meet),
		cmocka_unit_test(lower_bits_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
