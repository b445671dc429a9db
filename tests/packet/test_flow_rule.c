// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of flows when their rule changes, or another rule wants the same. */
#include "talk.h"

/* A rule with another generation is another rule: its flows are made anew, to its new target. */
static void replaced(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t id = rule_preserve(t);
	struct packet out = to_target(&k.in, TARGET2, 9000);
	struct xf_rule rule;

	forward_new(t, id, &k.in, &k.out);
	reply(t, id, &k.back, &k.got);
	rule_get(t, id, &rule);
	rule.tag = XF_RULE_TAG(id, 100);
	rule.target = host_addr(TARGET2, t->family);
	rule_put(t, id, &rule);
	forward_new(t, id, &k.in, &out);
	t->ledger.flows--; /* in the place of the dead one */
	pass(t, &k.back);
}

static void deleted(struct test *t)
{
	struct talk k = talk_udp(t, 40000), other = talk_udp(t, 40001);
	uint32_t id = rule_preserve(t);

	forward_new(t, id, &k.in, &k.out);
	forward_new(t, id, &other.in, &other.out);
	rule_put(t, id, &(struct xf_rule){0});
	pass(t, &k.in);
	pass(t, &k.back);
	t->ledger.flows--;
	pass(t, &other.back);
	pass(t, &other.in);
	t->ledger.flows--;
}

/* Deleted, but its flows live out; and no new one begins. */
static void draining(struct test *t)
{
	struct talk k = talk_udp(t, 40000), other = talk_udp(t, 40001);
	uint32_t id = rule_preserve(t);
	struct xf_rule rule;

	forward_new(t, id, &k.in, &k.out);
	reply(t, id, &k.back, &k.got);
	rule_get(t, id, &rule);
	rule.flags = XF_RULE_DRAINING;
	rule_put(t, id, &rule);
	forward(t, id, &k.in, &k.out);
	reply(t, id, &k.back, &k.got);
	pass(t, &other.in);
}

/* Both flows would have the same answers. */
static void conflict(struct test *t)
{
	struct talk k = talk_udp(t, 40000), other = talk_udp(t, 40000);
	uint32_t first = rule_preserve(t);
	uint32_t second = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8001, .target = TARGET, .target_port = 9000});

	other.in.dport = 8001;
	forward_new(t, first, &k.in, &k.out);
	drop(t, second, XF_REASON_FLOW_CONFLICT, &other.in);
	reply(t, first, &k.back, &k.got);
	age_both(t, &k, t->config.timeout[XF_TIMEOUT_UDP]);
	forward_new(t, second, &other.in, &other.out);
	t->ledger.flows--; /* the dead one is gone */
	other.got = to_client(&other.back, &other.in);
	reply(t, second, &other.back, &other.got);
	drop(t, first, XF_REASON_FLOW_CONFLICT, &k.in);
}

static const struct packet_case flow_rule_cases[] = {
	CASE(replaced),
	CASE(deleted),
	CASE(draining),
	CASE(conflict),
};

PACKET_SUITE(flow_rule);
