// SPDX-License-Identifier: GPL-2.0-only
/* How many flows a rule and a source may have: those that are established count. */
#include "policy.h"
#include "table.h"

static uint32_t rule_limited(struct test *t, uint32_t flows, uint32_t per_source)
{
	uint32_t rule = rule_preserve(t);

	policy_put(t, rule, &(struct xf_policy){.max_flows = flows, .max_flows_per_source = per_source});
	return rule;
}

static void answered(struct test *t, uint32_t rule, const struct talk *k)
{
	check_forward_new(t, rule, &k->in, &k->out);
	check_reply(t, rule, &k->back, &k->got);
}

/* Another subscriber's. */
static struct talk from_elsewhere(struct test *t, uint16_t sport)
{
	union xf_addr source = host_addr(CLIENT2, t->family);

	if (t->family == XF_IPV6)
		source.v6[7] ^= 1;
	return talk_from(t, source, sport);
}

/* Those that nobody has answered do not count: a flood keeps nobody out. */
static void pending_do_not_count(struct test *t)
{
	uint32_t rule = rule_limited(t, 2, 2);

	for (uint16_t i = 0; i < 20; i++) {
		struct talk k = talk_udp(t, 41000 + i);

		make_pending(t, rule, &k);
	}
	for (uint16_t i = 0; i < 2; i++) {
		struct talk k = talk_udp(t, 40000 + i);

		answered(t, rule, &k);
	}
}

static void newcomers_of_a_full_rule(struct test *t)
{
	struct talk udp = talk_udp(t, 40000), tcp = talk_tcp(t, 40001), next = talk_udp(t, 40002);
	uint32_t rule = rule_limited(t, 2, 0);

	answered(t, rule, &udp);
	make_established(t, rule, &tcp);
	drop(t, rule, XF_REASON_MAX_FLOWS, &next.in);
	next.in.proto = IPPROTO_TCP;
	drop(t, rule, XF_REASON_MAX_FLOWS, &next.in);
	/* Those who are in are not touched. */
	forward(t, rule, &udp.in, &udp.out);
	goes_on(t, rule, &tcp);
	/* One leaves. */
	set_tcp_flags(&tcp, TCP_RST, 0);
	forward(t, rule, &tcp.in, &tcp.out);
	next = talk_udp(t, 40002);
	answered(t, rule, &next);
}

/* Both were let in when there was room; the answer to one of them comes too late. */
static void one_answer_too_many(struct test *t)
{
	struct talk first = talk_udp(t, 40000), second = talk_udp(t, 40001);
	uint32_t rule = rule_limited(t, 1, 0);

	make_pending(t, rule, &first);
	make_pending(t, rule, &second);
	reply(t, rule, &second.back, &second.got);
	drop(t, rule, XF_REASON_MAX_FLOWS, &first.back);
	states_are(t, &first, XF_FLOW_PENDING);
	drop(t, rule, XF_REASON_MAX_FLOWS, &first.back);
	reply(t, rule, &second.back, &second.got);
	/* When the other is over, the answer is let through. */
	age_both(t, &second, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	sweep(t, 1);
	reply(t, rule, &first.back, &first.got);
}

/* TCP: the SYN-ACK already, so that the client does not believe to be in; and the ACK, if it came through before. */
static void one_connection_too_many(struct test *t)
{
	struct talk first = talk_tcp(t, 40000), second = talk_tcp(t, 40001), third = talk_tcp(t, 40002);
	uint32_t rule = rule_limited(t, 1, 0);

	make_pending(t, rule, &first);
	make_pending(t, rule, &second);
	reply(t, rule, &second.back, &second.got);
	make_established(t, rule, &third);
	drop(t, rule, XF_REASON_MAX_FLOWS, &first.back);
	set_tcp_flags(&second, TCP_ACK, TCP_ACK);
	drop(t, rule, XF_REASON_MAX_FLOWS, &second.in);
	states_are(t, &second, XF_FLOW_PENDING);
	goes_on(t, rule, &third);
}

static void each_source_for_itself(struct test *t)
{
	struct talk k[3] = {talk_udp(t, 40000), talk_udp(t, 40001), talk_udp(t, 40002)};
	struct talk other[2] = {from_elsewhere(t, 40000), from_elsewhere(t, 40001)};
	uint32_t rule = rule_limited(t, 0, 2);

	make_pending(t, rule, &k[2]);
	answered(t, rule, &k[0]);
	answered(t, rule, &k[1]);
	drop(t, rule, XF_REASON_MAX_FLOWS_PER_SOURCE, &k[2].back);
	k[2] = talk_udp(t, 40003);
	drop(t, rule, XF_REASON_MAX_FLOWS_PER_SOURCE, &k[2].in);
	answered(t, rule, &other[0]);
	answered(t, rule, &other[1]);
	age_both(t, &k[0], t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	sweep(t, 1);
	answered(t, rule, &k[2]);
}

/* The rule's limit comes first, and what is refused by the source's is not counted for the rule. */
static void rule_before_source(struct test *t)
{
	struct talk k = talk_udp(t, 40000), next = talk_udp(t, 40001), other = from_elsewhere(t, 40000);
	uint32_t rule = rule_limited(t, 2, 1);

	make_pending(t, rule, &next);
	answered(t, rule, &k);
	for (int i = 0; i < 5; i++)
		drop(t, rule, XF_REASON_MAX_FLOWS_PER_SOURCE, &next.back);
	answered(t, rule, &other);
	drop(t, rule, XF_REASON_MAX_FLOWS, &next.back);
}

/* Another rule's flows are another rule's. */
static void each_rule_for_itself(struct test *t)
{
	uint32_t rule = rule_limited(t, 1, 1);
	uint32_t other = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						    .host = ROUTER,
						    .port = 8001,
						    .target = TARGET,
						    .target_port = 9001,
						    .source = XF_SOURCE_PRESERVE});
	struct talk k = talk_udp(t, 40000);

	policy_put(t, other, &(struct xf_policy){.max_flows = 1, .max_flows_per_source = 1});
	answered(t, rule, &k);
	k.in.dport = 8001;
	k.out = to_target(&k.in, TARGET, 9001);
	k.back = answer(&k.out);
	k.got = to_client(&k.back, &k.in);
	answered(t, other, &k);
}

/*
 * A reset that the target does not believe: the connection is one of the rule's
 * again, if there is still room. Otherwise each reset would let one more in.
 */
static void no_way_round_by_resets(struct test *t)
{
	struct talk k = talk_tcp(t, 40000), next = talk_tcp(t, 40001), other = from_elsewhere(t, 40000);
	uint32_t rule = rule_limited(t, 2, 1);

	make_established(t, rule, &k);
	set_tcp_flags(&k, TCP_RST, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	make_established(t, rule, &next);
	drop(t, rule, XF_REASON_MAX_FLOWS_PER_SOURCE, &k.back);
	states_are(t, &k, XF_FLOW_CLOSED);
	answered(t, rule, &other);
	drop(t, rule, XF_REASON_MAX_FLOWS, &k.back);
	/* The other one closes: then this one may go on, and counts. */
	set_tcp_flags(&next, TCP_RST, TCP_ACK);
	forward(t, rule, &next.in, &next.out);
	reply(t, rule, &k.back, &k.got);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
	drop(t, rule, XF_REASON_MAX_FLOWS, &next.back);
}

/* IPv6: one subscriber has a /64. */
static void one_subscriber(struct test *t)
{
	struct talk k = talk_udp(t, 40000), next, other = from_elsewhere(t, 40000);
	union xf_addr neighbour = host_addr(CLIENT, t->family);
	uint32_t rule = rule_limited(t, 0, 1);

	neighbour.v6[15] ^= 0x80;
	next = talk_from(t, neighbour, 40000);
	answered(t, rule, &k);
	drop(t, rule, XF_REASON_MAX_FLOWS_PER_SOURCE, &next.in);
	answered(t, rule, &other);
}

static const struct packet_case limits_cases[] = {
	CASE(pending_do_not_count),    CASE(newcomers_of_a_full_rule), CASE(one_answer_too_many),
	CASE(one_connection_too_many), CASE(each_source_for_itself),   CASE(rule_before_source),
	CASE(each_rule_for_itself),    CASE(no_way_round_by_resets),   CASE_ONLY(one_subscriber, ONLY_V6),
};

PACKET_SUITE(limits);
