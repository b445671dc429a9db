// SPDX-License-Identifier: GPL-2.0-only
/* The flow table's index where many tuples belong in the same bucket. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "buckets.h"
#include "table.h"

/* The tuple of a client's packet, or of an answer. */
static struct xf_key6 tuple_of(const struct packet *in)
{
	struct xf_key6 key = {.sport = htons(in->sport), .dport = htons(in->dport), .proto = in->proto};

	if (in->family == XF_IPV4) {
		key.saddr.v4 = in->saddr.v4;
		key.daddr.v4 = in->daddr.v4;
	} else {
		key.saddr = in->saddr;
		key.daddr = in->daddr;
	}
	return key;
}

static uint32_t home_of(const struct packet *in)
{
	const struct xf_key6 key = tuple_of(in);

	return buckets_home(&key, in->family);
}

static uint32_t last_port;

/* The next conversation whose client's tuple belongs in that bucket, and whose target's one is far from there. */
static struct talk next_in(const struct test *t, uint32_t home)
{
	while (last_port < 65535) {
		struct talk k = talk_udp(t, (uint16_t)++last_port);

		if (home_of(&k.in) == home && abs((int)home_of(&k.back) - (int)home) >= XF_BUCKETS_NEAR)
			return k;
	}
	fail_msg("there are no more ports whose tuples belong in bucket %u", home);
	return (struct talk){0};
}

/* A bucket with buckets behind it that nothing else belongs in. */
static uint32_t begin(const struct test *t)
{
	struct talk first = talk_udp(t, 1024);

	last_port = 1024;
	return home_of(&first.in);
}

static void goes(struct test *t, uint32_t rule, const struct talk *k)
{
	forward(t, rule, &k->in, &k->out);
	reply(t, rule, &k->back, &k->got);
}

static void more_than_one_holds(struct test *t)
{
	const uint32_t rule = rule_preserve(t), home = begin(t);
	struct talk k[XF_BUCKET_ENTRIES + 8];
	const int n = sizeof(k) / sizeof(k[0]);

	for (int i = 0; i < n; i++) {
		k[i] = next_in(t, home);
		forward_new(t, rule, &k[i].in, &k[i].out);
		assert_int_equal(buckets_elsewhere(), i < XF_BUCKET_ENTRIES ? 0 : i + 1 - XF_BUCKET_ENTRIES);
	}
	for (int i = 0; i < n; i++)
		goes(t, rule, &k[i]);
	/* Those that are not where they belong go like the others, and leave nothing behind. */
	for (int i = 0; i < n; i++) {
		age_both(t, &k[i], t->config.timeout[XF_TIMEOUT_UDP]);
		sweep(t, 1);
		assert_false(is_there(t, &k[i].in));
	}
	assert_int_equal(buckets_elsewhere(), 0);
}

/* A place that came free in front is taken first. */
static void the_nearest_first(struct test *t)
{
	const uint32_t rule = rule_preserve(t), home = begin(t);
	struct talk first = next_in(t, home), k;

	forward_new(t, rule, &first.in, &first.out);
	for (int i = 1; i < XF_BUCKET_ENTRIES + 3; i++) {
		k = next_in(t, home);
		forward_new(t, rule, &k.in, &k.out);
	}
	assert_int_equal(buckets_elsewhere(), 3);
	age_both(t, &first, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	sweep(t, 1);
	k = next_in(t, home);
	forward_new(t, rule, &k.in, &k.out);
	assert_int_equal(buckets_elsewhere(), 3);
	goes(t, rule, &k);
}

static void more_than_all_hold(struct test *t)
{
	const uint32_t rule = rule_preserve(t), home = begin(t);
	struct talk first = next_in(t, home), k;

	forward_new(t, rule, &first.in, &first.out);
	for (int i = 1; i < XF_BUCKETS_NEAR * XF_BUCKET_ENTRIES; i++) {
		k = next_in(t, home);
		forward_new(t, rule, &k.in, &k.out);
	}
	k = next_in(t, home);
	drop(t, rule, XF_REASON_FLOW_TABLE_FULL, &k.in);
	assert_int_equal(buckets_elsewhere(), (XF_BUCKETS_NEAR - 1) * XF_BUCKET_ENTRIES);
	goes(t, rule, &first);
	age_both(t, &first, t->config.timeout[XF_TIMEOUT_UDP]);
	sweep(t, 1);
	forward_new(t, rule, &k.in, &k.out);
	goes(t, rule, &k);
}

static const struct packet_case bucket_cases[] = {
	CASE(more_than_one_holds),
	CASE(the_nearest_first),
	CASE(more_than_all_hold),
};

PACKET_SUITE(bucket);
