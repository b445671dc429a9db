// SPDX-License-Identifier: GPL-2.0-only
/* Flows that are over although no packet meets them. */
#include "policy.h"
#include "table.h"

#define MANY 100

static void make_many(struct test *t, uint32_t rule)
{
	for (uint16_t i = 0; i < MANY; i++) {
		struct talk k = talk_udp(t, 42000 + i);

		check_forward_new(t, rule, &k.in, &k.out);
		if (i & 1)
			check_reply(t, rule, &k.back, &k.got);
	}
}

static void nothing_to_do(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	sweep(t, 0);
	make_many(t, rule);
	sweep(t, 0);
	sweep(t, 0);
}

static void some_are_over(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	make_many(t, rule);
	for (uint16_t i = 0; i < MANY; i += 3) {
		struct talk k = talk_udp(t, 42000 + i);

		age_both(t, &k, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	}
	sweep(t, (MANY + 2) / 3);
	for (uint16_t i = 0; i < MANY; i++) {
		struct talk k = talk_udp(t, 42000 + i);

		assert_int_equal(is_there(t, &k.in), i % 3 != 0);
		assert_int_equal(is_there(t, &k.back), i % 3 != 0);
	}
}

/* That one half is old is no reason. */
static void seen_in_one_direction(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_udp(t, 40000);
	struct xf_slot slot;

	make_pending(t, rule, &k);
	slot = slot_of(t, &k.in);
	slot.check_at -= t->config.timeout[XF_TIMEOUT_UDP_PENDING];
	slot_put(t, &k.in, &slot);
	age(t, &k.in, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	sweep(t, 0);
	assert_int_equal(slot_of(t, &k.in).state, XF_SLOT_PENDING);
	/* It is looked at again when it can be over. */
	assert_in_range(slot_of(t, &k.in).check_at - (uint32_t)clock_jiffies(),
			t->config.timeout[XF_TIMEOUT_UDP_PENDING] - 10000, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
}

/* The flows of a rule that is gone, or whose place another one has: in whatever state they are. */
static void rule_is_gone(struct test *t)
{
	struct talk tcp = talk_tcp(t, 40000), closed = talk_tcp(t, 40001);
	uint32_t rule = rule_preserve(t);
	struct xf_rule r;

	policy_put(t, rule, &(struct xf_policy){.max_flows = 1000, .max_flows_per_source = 1000});
	make_many(t, rule);
	make_established(t, rule, &tcp);
	make_closed(t, rule, &closed);
	rule_get(t, rule, &r);
	r.tag = XF_RULE_TAG(rule, 77);
	rule_put(t, rule, &r);
	sweep(t, MANY + 2);
	make_many(t, rule);
	rule_put(t, rule, &(struct xf_rule){0});
	sweep(t, MANY);
}

/* Those of a rule that is disabled, or deleted to live out, stay. */
static void rule_is_disabled(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct xf_rule r;

	make_many(t, rule);
	rule_get(t, rule, &r);
	r.flags = XF_RULE_LIVE | XF_RULE_DISABLED;
	rule_put(t, rule, &r);
	sweep(t, 0);
	r.flags = XF_RULE_DRAINING;
	rule_put(t, rule, &r);
	sweep(t, 0);
}

/* A closed connection's port rests, even if its time is shorter than that; a rule that goes takes it along. */
static void closed_masqueraded(struct test *t)
{
	struct talk k = talk_masqueraded(t, CLIENT, IPPROTO_TCP, PORT_LO);
	uint32_t rule = rule_masquerade(t);

	t->config.port_hi = PORT_LO;
	t->config.timeout[XF_TIMEOUT_TCP_TRANSITORY] = 20000; /* 20 s */
	config_put(t);
	make_closed(t, rule, &k);
	age_both(t, &k, 30000);
	sweep(t, 0);
	age_both(t, &k, 90001);
	sweep(t, 1);
	make_closed(t, rule, &k);
	rule_put(t, rule, &(struct xf_rule){0});
	sweep(t, 1);
}

/* What is free is used again before what never was. */
static void places_come_back(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct xf_rule r;

	for (uint32_t i = 0; i < 3; i++) {
		make_many(t, rule);
		assert_int_equal(cursor_get().fresh, MANY);
		rule_get(t, rule, &r);
		r.tag = XF_RULE_TAG(rule, 100 + i);
		rule_put(t, rule, &r);
		sweep(t, MANY);
	}
}

static const struct packet_case sweep_cases[] = {
	CASE(nothing_to_do),	CASE(some_are_over),	  CASE(seen_in_one_direction), CASE(rule_is_gone),
	CASE(rule_is_disabled), CASE(closed_masqueraded), CASE(places_come_back),
};

PACKET_SUITE(sweep);
