// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow table's index, full: with tuples as they come, and whatever an instance's
 * numbers are, each must find its place near where it belongs.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "xdpfwd/flow.h"

#define FLOWS	65536
#define BUCKETS (XF_BUCKETS(FLOWS) + XF_BUCKETS_NEAR - 1)
#define SECRETS 16

/* Of so many tuples thrown at random, one in about five hundred finds its bucket full. */
#define ELSEWHERE_MOST (2 * FLOWS / 200)

typedef void (*client_fn)(uint32_t i, uint32_t *addr, uint16_t *port);

static void one_client(uint32_t i, uint32_t *addr, uint16_t *port)
{
	*addr = 0xc6120001;
	*port = (uint16_t)i;
}

static void a_flood(uint32_t i, uint32_t *addr, uint16_t *port)
{
	*addr = i * 2654435761u;
	*port = (uint16_t)(i * 40503u);
}

static void neighbours(uint32_t i, uint32_t *addr, uint16_t *port)
{
	*addr = 0xc6120000 + i / 16;
	*port = (uint16_t)(1024 + i % 16);
}

static void one_port(uint32_t i, uint32_t *addr, uint16_t *port)
{
	*addr = 0xc6120000 + i;
	*port = 443;
}

static void set_addr(union xf_addr *a, uint32_t addr, uint8_t family)
{
	if (family == XF_IPV4) {
		a->v4 = htonl(addr);
		return;
	}
	a->w[0] = htonl(0x20010db8);
	a->w[3] = htonl(addr);
}

static void tuples_of(client_fn client, uint32_t i, uint8_t family, struct xf_key6 tuple[2])
{
	uint32_t addr;
	uint16_t port;

	client(i, &addr, &port);
	memset(tuple, 0, 2 * sizeof(*tuple));
	tuple[0].proto = tuple[1].proto = 17;
	set_addr(&tuple[0].saddr, addr, family);
	set_addr(&tuple[0].daddr, 0xcb007101, family);
	tuple[0].sport = htons(port);
	tuple[0].dport = htons(8000);
	set_addr(&tuple[1].saddr, 0xc000020a, family);
	tuple[1].daddr = tuple[0].saddr;
	tuple[1].sport = htons(9000);
	tuple[1].dport = tuple[0].sport;
}

/* How many tuples are not where they belong, of all that the table is made for. */
static uint32_t fill(client_fn client, uint8_t family, uint64_t secret)
{
	uint8_t *used = calloc(BUCKETS, 1);
	uint32_t elsewhere = 0;
	__u64 mix[3];

	assert_non_null(used);
	xf_tuple_mix(secret, mix);
	for (uint32_t i = 0; i < 2 * FLOWS; i++) {
		struct xf_key6 tuple[2];
		uint32_t home, near = 0;

		tuples_of(client, i / 2, family, tuple);
		home = xf_bucket(xf_tuple_hash(&tuple[i % 2], family, mix), XF_BUCKETS(FLOWS));
		assert_in_range(home, 0, XF_BUCKETS(FLOWS) - 1);
		while (near < XF_BUCKETS_NEAR && used[home + near] == XF_BUCKET_ENTRIES)
			near++;
		if (near == XF_BUCKETS_NEAR)
			fail_msg("no place for tuple %u, with the secret %#lx", i, secret);
		used[home + near]++;
		elsewhere += near > 0;
	}
	free(used);
	return elsewhere;
}

static void a_full_table_has_room(void **state)
{
	static const client_fn clients[] = {one_client, a_flood, neighbours, one_port};

	(void)state;
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		for (uint64_t secret = 0; secret < SECRETS; secret++) {
			assert_in_range(fill(clients[i], XF_IPV4, secret), 0, ELSEWHERE_MOST);
			assert_in_range(fill(clients[i], XF_IPV6, secret << 48), 0, ELSEWHERE_MOST);
		}
	}
}

/* Index, tag and family of an entry do not get in each other's way, however many flows there can be. */
static void entries_are_told_apart(void **state)
{
	static const uint32_t max_flows[] = {1, 2, 3, 512, 262144, 262145, 16777216};

	(void)state;
	for (size_t i = 0; i < sizeof(max_flows) / sizeof(max_flows[0]); i++) {
		const uint32_t mask = xf_entry_index(max_flows[i]), last = XF_FLOW_INDEX(max_flows[i] - 1, true);

		assert_int_equal(mask & (mask + 1), 0);
		assert_int_equal((last + 1) & ~mask, 0);
		assert_int_equal(mask & XF_ENTRY_IPV6, 0);
		for (uint64_t hash = 1; hash; hash <<= 1) {
			assert_int_equal(xf_entry_tag(hash, XF_IPV4, mask) & (mask | XF_ENTRY_IPV6), 0);
			assert_int_equal(xf_entry_tag(hash, XF_IPV6, mask) & (mask | XF_ENTRY_IPV6), XF_ENTRY_IPV6);
		}
		/* Four bits at the least. */
		assert_int_not_equal(~mask & ~XF_ENTRY_IPV6 & 0x78000000, 0);
		assert_int_not_equal(xf_entry_tag(0x7800000000, XF_IPV4, mask), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_table_has_room),
		cmocka_unit_test(entries_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
