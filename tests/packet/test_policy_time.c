// SPDX-License-Identifier: GPL-2.0-only
/* Until when: a rule whose time is over refuses every packet, with no process that closes it. */
#include "policy.h"

static void expired(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	rule_expire(t, rule, clock_jiffies());
	refused(t, rule, XF_REASON_EXPIRED, talk_udp(t, 40000));
	rule_expire(t, rule, LATER);
	opens(t, rule, talk_udp(t, 40000));
	rule_expire(t, rule, 0);
	opens(t, rule, talk_udp(t, 40001));
}

/* Its flows too, in both directions; and if the time is put off they go on. */
static void expired_later(struct test *t)
{
	struct talk k = talk_udp(t, 40000), tcp = talk_tcp(t, 40001);
	uint32_t rule = rule_preserve(t);

	opens(t, rule, k);
	opens(t, rule, tcp);
	rule_expire(t, rule, OVER);
	drop(t, rule, XF_REASON_EXPIRED, &k.in);
	drop(t, rule, XF_REASON_EXPIRED, &k.back);
	drop(t, rule, XF_REASON_EXPIRED, &tcp.in);
	drop(t, rule, XF_REASON_EXPIRED, &tcp.back);
	rule_expire(t, rule, LATER);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	forward(t, rule, &tcp.in, &tcp.out);
}

/* Only itself. */
static void another_goes_on(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t), second;

	second = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
					    .host = ROUTER,
					    .port = 8001,
					    .target = TARGET,
					    .target_port = 9000,
					    .source = XF_SOURCE_PRESERVE});
	rule_expire(t, rule, OVER);
	drop(t, rule, XF_REASON_EXPIRED, &k.in);
	k.in.dport = k.got.sport = 8001;
	opens(t, second, k);
}

/* One that is deleted, and whose flows live out, until then at most. */
static void draining(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t id = rule_preserve(t);
	struct xf_rule rule;

	opens(t, id, k);
	rule_get(t, id, &rule);
	rule.flags = XF_RULE_DRAINING;
	rule.expires = LATER;
	rule_put(t, id, &rule);
	forward(t, id, &k.in, &k.out);
	rule_expire(t, id, OVER);
	drop(t, id, XF_REASON_EXPIRED, &k.in);
	drop(t, id, XF_REASON_EXPIRED, &k.back);
}

/* Whoever disabled it wants to read that, and not that its time is over as well. */
static void disabled(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t id = rule_preserve(t);
	struct xf_rule rule;

	opens(t, id, k);
	rule_get(t, id, &rule);
	rule.flags |= XF_RULE_DISABLED;
	rule.expires = OVER;
	rule_put(t, id, &rule);
	drop(t, id, XF_REASON_DISABLED, &k.in);
	refused(t, id, XF_REASON_DISABLED, talk_udp(t, 40001));
}

static const struct packet_case policy_time_cases[] = {
	CASE(expired), CASE(expired_later), CASE(another_goes_on), CASE(draining), CASE(disabled),
};

PACKET_SUITE(policy_time);
