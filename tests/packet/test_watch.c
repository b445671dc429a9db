// SPDX-License-Identifier: GPL-2.0-only
/* Who comes: how many sources, and which of them often. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "hll.h"
#include "maps.h"
#include "talk.h"
#include "xdpfwd/policy.h"
#include "xdpfwd/watch.h"

#define SOURCES_ROOM 1024 /* of the map "sources", see maps.c */

static uint32_t rule_closed(struct test *t)
{
	uint32_t id = rule_preserve(t);
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.flags |= XF_RULE_DISABLED;
	rule_put(t, id, &rule);
	return id;
}

static uint32_t period_now(const struct test *t)
{
	return (uint32_t)(clock_jiffies() / ((uint64_t)t->config.hz * XF_SKETCH_SECONDS));
}

/* With a seed that is known, an estimate is the same each time. */
static void seed(struct test *t, uint32_t rule)
{
	struct xf_sketch s = {.seed = 0x5bd1e9955bd1e995ULL};

	(void)t;
	map_put("sketches", &rule, &s);
}

static uint64_t estimate(const struct test *t, uint32_t rule)
{
	struct xf_sketch s;

	if (bpf_map_lookup_elem(map_fd("sketches"), &rule, &s))
		return 0;
	return hll_estimate(&s, period_now(t));
}

/* The n-th of a row of sources; of IPv6, each in a /64 of its own. */
static struct packet packet_of(const struct test *t, uint32_t n)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	if (t->family == XF_IPV4)
		in.saddr.v4 = htonl(0x0b000000 + n);
	else
		in.saddr.w[1] = htonl(n);
	return in;
}

static struct xf_source_key source_of(const struct packet *in, uint32_t rule)
{
	struct xf_source_key key = {.addr = in->saddr, .rule = rule};

	if (in->family == XF_IPV6)
		key.addr.w[2] = key.addr.w[3] = 0;
	return key;
}

static void assert_source(const struct packet *in, uint32_t rule, uint64_t flows, uint64_t refused)
{
	struct xf_source_key key = source_of(in, rule);
	struct xf_source_count count = {0};

	refusals_settle();
	assert_int_equal(bpf_map_lookup_elem(map_fd("sources"), &key, &count), 0);
	assert_int_equal(count.flows, flows);
	assert_int_equal(count.refused, refused);
	assert_in_range(count.last, clock_jiffies() - 60000, clock_jiffies());
}

static uint32_t sources_known(void)
{
	struct xf_source_key key;
	uint32_t n = 0;
	void *from = NULL;

	while (!bpf_map_get_next_key(map_fd("sources"), from, &key)) {
		from = &key;
		n++;
	}
	return n;
}

/* One in 65,536 has a checksum that looks unfinished to the fast tier, and passes it. */
static void refuse(struct test *t, uint32_t rule, const struct packet *in)
{
	run(t, in);
	if (t->hook == HOOK_XDP && t->retval == XDP_PASS)
		return;
	assert_verdict(t, "drop");
	t->ledger.rule_drops[rule][XF_REASON_DISABLED]++;
}

/* Of so many, a tenth where each takes ten times as long: on an emulated machine. */
static uint32_t many(uint32_t n)
{
	return getenv("PACKET_TENTH") ? n / 10 : n;
}

static void refuse_many(struct test *t, uint32_t rule, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct packet in = packet_of(t, i);

		refuse(t, rule, &in);
	}
}

static void assert_near(uint64_t got, uint64_t want)
{
	if (got * 100 <= want * 95 || got * 100 >= want * 105)
		fail_msg("%llu sources were estimated as %llu", (unsigned long long)want, (unsigned long long)got);
}

static void estimated_few(struct test *t)
{
	uint32_t rule = rule_closed(t);

	seed(t, rule);
	refuse_many(t, rule, 1);
	assert_int_equal(estimate(t, rule), 1);
	refuse_many(t, rule, 100);
	refuse_many(t, rule, 100);
	assert_near(estimate(t, rule), 100);
}

static void estimated_many(struct test *t)
{
	uint32_t rule = rule_closed(t);

	seed(t, rule);
	refuse_many(t, rule, many(50000));
	assert_near(estimate(t, rule), many(50000));
}

/* A sketch that the program makes has a seed that nobody knows. */
static void own_seed(struct test *t)
{
	uint32_t rule = rule_closed(t),
		 other = rule_add(t, &(struct rule){.host = ROUTER, .port = 8001, .target = TARGET});
	struct packet in = packet_of(t, 0);
	struct talk k = talk_udp(t, 40000);
	struct xf_sketch a = {0}, b = {0};

	drop(t, rule, XF_REASON_DISABLED, &in);
	k.in.dport = 8001;
	k.out.dport = 8001;
	forward_new(t, other, &k.in, &k.out);
	assert_int_equal(bpf_map_lookup_elem(map_fd("sketches"), &rule, &a), 0);
	assert_int_equal(bpf_map_lookup_elem(map_fd("sketches"), &other, &b), 0);
	assert_true(a.seed && b.seed && a.seed != b.seed);
	assert_int_equal(estimate(t, rule), 1);
	assert_int_equal(estimate(t, other), 1);
}

/* Flows and refusals by source; packets of a flow that stands are no newcomers. */
static void counted(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_udp(t, 40000), second = talk_udp(t, 40001);
	struct packet bad = talk_udp(t, 40002).in;

	forward_new(t, rule, &k.in, &k.out);
	for (int i = 0; i < 5; i++) {
		reply(t, rule, &k.back, &k.got);
		forward(t, rule, &k.in, &k.out);
	}
	assert_source(&k.in, rule, 1, 0);
	forward_new(t, rule, &second.in, &second.out);
	bad.udp_len_add = 100;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	assert_source(&k.in, rule, 2, 1);
	assert_int_equal(sources_known(), 1);
	assert_int_equal(estimate(t, rule), 1);
}

/* What no rule wants, what the other tier gets to decide, and packets that run out of hops. */
static void not_counted(struct test *t)
{
	uint32_t rule = rule_add(t, &(struct rule){.host = ROUTER, .port = 8000, .target = SLOW, .target_port = 9000});
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, SLOW, 9000), other = in;

	other.dport = 8001;
	pass(t, &other);
	if (t->hook == HOOK_XDP) {
		pass(t, &in);
		assert_int_equal(sources_known(), 0);
		return;
	}
	assert_int_equal(sources_known(), 0);
	forward_new(t, rule, &in, &out);
	assert_source(&in, rule, 1, 0);
}

/* All addresses of one subscriber are one source. */
static void subscriber(struct test *t)
{
	uint32_t rule = rule_closed(t);
	struct packet in = packet_of(t, 1);

	for (uint32_t i = 1; i <= 50; i++) {
		in.saddr.w[3] = htonl(i);
		drop(t, rule, XF_REASON_DISABLED, &in);
	}
	assert_int_equal(estimate(t, rule), 1);
	assert_source(&in, rule, 0, 50);
	assert_int_equal(sources_known(), 1);
}

/* What is two periods old no longer counts; what is one period old still does. */
static void period(struct test *t)
{
	uint32_t rule = rule_closed(t), now = period_now(t);
	struct xf_sketch s = {.seed = 7};

	s.period[now & 1] = now - 2;
	s.period[!(now & 1)] = now - 1;
	memset(s.ranks[now & 1], 0xff, sizeof(s.ranks[0]));
	map_put("sketches", &rule, &s);
	refuse_many(t, rule, 10);
	assert_in_range(estimate(t, rule), 9, 11);
	memset(s.ranks[!(now & 1)], 0x11, sizeof(s.ranks[0]));
	map_put("sketches", &rule, &s);
	refuse_many(t, rule, 10);
	assert_in_range(estimate(t, rule), XF_SKETCH_REGISTERS / 2, 2 * XF_SKETCH_REGISTERS);
}

/* Who comes often is remembered in a flood of sources that come once, sixty times what there is room for. */
static void flood(struct test *t)
{
	uint32_t rule = rule_closed(t), came = 0;
	struct packet often = packet_from(t, CLIENT2, ROUTER);
	struct xf_source_key key = source_of(&often, rule);
	struct xf_source_count count = {0};

	for (uint32_t i = 0; i < many(60 * SOURCES_ROOM); i++) {
		struct packet in = packet_of(t, i);

		refuse(t, rule, &in);
		if (i % 50)
			continue;
		/* As if some time had gone by: who comes at once again is counted elsewhere for a while. */
		maps_change();
		drop(t, rule, XF_REASON_DISABLED, &often);
		came++;
	}
	refusals_settle();
	assert_int_equal(bpf_map_lookup_elem(map_fd("sources"), &key, &count), 0);
	assert_in_range(count.refused, came / 2, came);
}

static const struct packet_case watch_cases[] = {
	CASE(estimated_few), CASE(estimated_many),	     CASE(own_seed), CASE(counted),
	CASE(not_counted),   CASE_ONLY(subscriber, ONLY_V6), CASE(period),   CASE(flood),
};

PACKET_SUITE(watch);
