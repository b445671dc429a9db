// SPDX-License-Identifier: GPL-2.0-only
/* The life of a flow: what makes one, what it remembers, what ends it. */
#include "talk.h"

static void assert_states(struct test *t, const struct talk *k, uint8_t state)
{
	struct xf_flow client, target;

	assert_true(flow_get(t, &k->in, &client));
	assert_true(flow_get(t, &k->back, &target));
	assert_int_equal(client.state, state);
	assert_int_equal(target.state, state);
}

static void what_it_remembers(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t);
	struct xf_flow client, target;
	struct xf_rule r;

	rule_get(t, rule, &r);
	forward_new(t, rule, &k.in, &k.out);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	assert_true(flow_get(t, &k.in, &client));
	assert_true(flow_get(t, &k.back, &target));
	assert_int_equal(client.packets, 2);
	assert_int_equal(client.bytes, 2 * packet_ip_len(&k.in));
	assert_int_equal(target.packets, 1);
	assert_int_equal(target.bytes, packet_ip_len(&k.back));
	assert_int_equal(client.slot, target.slot);
	assert_int_equal(client.rule, r.tag);
	assert_int_equal(target.rule, r.tag);
	assert_int_equal(client.flags & XF_FLOW_REPLY, 0);
	assert_int_equal(target.flags & XF_FLOW_REPLY, XF_FLOW_REPLY);
	assert_int_equal(client.ifindex, dev_ifindex(LAN0));
	assert_int_equal(target.ifindex, dev_ifindex(WAN0));
	assert_memory_equal(flow_to(t, &client), &k.out.daddr, addr_len(t));
	assert_memory_equal(flow_from(t, &target), &k.in.daddr, addr_len(t));
	assert_in_range((uint32_t)clock_jiffies() - client.last_seen, 0, 10000);
}

static void established_by_the_answer(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	forward(t, rule, &k.in, &k.out);
	assert_states(t, &k, XF_FLOW_PENDING);
	reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_ANSWERED);
	reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_ANSWERED);
	forward(t, rule, &k.in, &k.out);
	assert_states(t, &k, XF_FLOW_ESTABLISHED);
}

/* Younger than its timeout it lives, at its timeout it is over and a new one begins. */
static void expires_after(struct test *t, uint32_t rule, const struct talk *k, enum xf_timeout timeout)
{
	age_both(t, k, t->config.timeout[timeout] - 10000);
	forward(t, rule, &k->in, &k->out);
	age_both(t, k, t->config.timeout[timeout]);
	/* The answer finds its half dead, which takes the other half along. */
	pass(t, &k->back);
	t->ledger.flows--;
	assert_int_equal(flow_entries(t, t->family), 2 * t->ledger.flows);
	forward_new(t, rule, &k->in, &k->out);
	age_both(t, k, t->config.timeout[XF_TIMEOUT_COUNT - 1]);
	forward_new(t, rule, &k->in, &k->out);
	t->ledger.flows--; /* in the place of the dead one */
	assert_states(t, k, XF_FLOW_PENDING);
}

static void udp_pending_expires(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	expires_after(t, rule, &k, XF_TIMEOUT_UDP_PENDING);
}

static void udp_expires(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	forward(t, rule, &k.in, &k.out);
	expires_after(t, rule, &k, XF_TIMEOUT_UDP);
}

/* One question and its answer: no reason to remember them for as long as a conversation. */
static void udp_answered_expires(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	age_both(t, &k, t->config.timeout[XF_TIMEOUT_UDP_PENDING] - 10000);
	reply(t, rule, &k.back, &k.got);
	age_both(t, &k, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	pass(t, &k.back);
	t->ledger.flows--;
}

static void tcp_pending_expires(struct test *t)
{
	struct talk k = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	expires_after(t, rule, &k, XF_TIMEOUT_TCP_TRANSITORY);
}

static void tcp_expires(struct test *t)
{
	struct talk k = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	expires_after(t, rule, &k, XF_TIMEOUT_TCP_ESTABLISHED);
}

/* A SYN-ACK makes no connection: a flood of forged SYNs gets it, too. */
static void tcp_half_open_expires(struct test *t)
{
	struct talk k = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_PENDING);
	expires_after(t, rule, &k, XF_TIMEOUT_TCP_TRANSITORY);
}

/* Traffic in one direction keeps both halves alive. */
static void one_direction_is_enough(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	forward(t, rule, &k.in, &k.out);
	age(t, &k.in, t->config.timeout[XF_TIMEOUT_UDP]);
	forward(t, rule, &k.in, &k.out);
	age(t, &k.back, t->config.timeout[XF_TIMEOUT_UDP]);
	reply(t, rule, &k.back, &k.got);
}

/*
 * Another CPU was there after this one had looked at the clock: the last packet of
 * both directions is newer than this one, and not as old as the clock can count.
 */
static void seen_a_moment_later(struct test *t)
{
	struct talk k = talk_udp(t, 40000), other = talk_udp(t, 40001);
	uint32_t rule, moment = 500; /* jiffies; more than this test takes */

	t->config.max_flows = 1;
	config_put(t);
	rule = rule_preserve(t);
	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	age_both(t, &k, -moment);
	forward(t, rule, &k.in, &k.out);
	age_both(t, &k, -moment);
	reply(t, rule, &k.back, &k.got);
	age_both(t, &k, -moment);
	drop(t, rule, XF_REASON_FLOW_TABLE_FULL, &other.in);
	forward(t, rule, &k.in, &k.out);
}

static struct talk connected(struct test *t, uint32_t rule)
{
	struct talk k = talk_tcp(t, 40000);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	assert_states(t, &k, XF_FLOW_ESTABLISHED);
	return k;
}

static void send_flags(struct test *t, uint32_t rule, struct talk *k, uint8_t client_flags, uint8_t target_flags)
{
	set_tcp_flags(k, client_flags, target_flags);
	if (client_flags & (TCP_FIN | TCP_RST))
		forward(t, rule, &k->in, &k->out);
	else
		reply(t, rule, &k->back, &k->got);
	/* The last packets of both sides still pass. */
	set_tcp_flags(k, TCP_ACK, TCP_ACK);
}

/* One side has said its last word. */
static void closing(struct test *t, uint8_t client_flags, uint8_t target_flags)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = connected(t, rule);

	send_flags(t, rule, &k, client_flags, target_flags);
	assert_states(t, &k, XF_FLOW_CLOSING);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_CLOSING);
	expires_after(t, rule, &k, XF_TIMEOUT_TCP_TRANSITORY);
}

/* Both have. */
static void closed(struct test *t, bool client_first)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = connected(t, rule);

	send_flags(t, rule, &k, client_first ? TCP_FIN | TCP_ACK : TCP_ACK, TCP_FIN | TCP_ACK);
	assert_states(t, &k, XF_FLOW_CLOSING);
	send_flags(t, rule, &k, client_first ? TCP_ACK : TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK);
	assert_states(t, &k, XF_FLOW_CLOSED);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_CLOSED);
	expires_after(t, rule, &k, XF_TIMEOUT_TCP_TRANSITORY);
}

static void fin_of_the_client(struct test *t)
{
	closing(t, TCP_FIN | TCP_ACK, TCP_ACK);
}

static void fin_of_the_target(struct test *t)
{
	closing(t, TCP_ACK, TCP_FIN | TCP_ACK);
}

static void fin_of_both_client_first(struct test *t)
{
	closed(t, true);
}

static void fin_of_both_target_first(struct test *t)
{
	closed(t, false);
}

/* The side that gets it is silent: it believes it. What the other one sends on changes nothing. */
static void reset_of_the_client(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = connected(t, rule);

	send_flags(t, rule, &k, TCP_RST, TCP_ACK);
	assert_states(t, &k, XF_FLOW_CLOSED);
	forward(t, rule, &k.in, &k.out);
	assert_states(t, &k, XF_FLOW_CLOSED);
	expires_after(t, rule, &k, XF_TIMEOUT_TCP_TRANSITORY);
}

static void reset_of_the_target(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = connected(t, rule);

	send_flags(t, rule, &k, TCP_ACK, TCP_RST | TCP_ACK);
	assert_states(t, &k, XF_FLOW_CLOSED);
	reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_CLOSED);
	age_both(t, &k, t->config.timeout[XF_TIMEOUT_TCP_TRANSITORY]);
	forward_new(t, rule, &k.in, &k.out);
	t->ledger.flows--;
	assert_states(t, &k, XF_FLOW_PENDING);
}

/* The client uses its port for a new connection before the old one is forgotten (RFC 9293, 3.6.1). */
static void syn_after_the_end(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = connected(t, rule);
	struct xf_flow flow;

	send_flags(t, rule, &k, TCP_RST, TCP_ACK);
	set_tcp_flags(&k, TCP_SYN, TCP_SYN | TCP_ACK);
	forward_new(t, rule, &k.in, &k.out);
	t->ledger.flows--;
	assert_true(flow_get(t, &k.in, &flow));
	assert_int_equal(flow.packets, 1);
	assert_states(t, &k, XF_FLOW_PENDING);
	reply(t, rule, &k.back, &k.got);
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	assert_states(t, &k, XF_FLOW_ESTABLISHED);
}

/* Resets make no flow and go to the kernel; the full tier, which is the last to see them, says so. */
static void reset_makes_none(struct test *t)
{
	struct talk k = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);

	set_tcp_flags(&k, TCP_RST, TCP_RST | TCP_ACK);
	pass(t, &k.in);
	pass(t, &k.back);
	set_tcp_flags(&k, TCP_RST | TCP_ACK, TCP_RST);
	pass(t, &k.in);
	pass(t, &k.back);
	if (t->hook == HOOK_TC)
		t->ledger.rule_drops[rule][XF_REASON_NO_FLOW] += 2;
}

static void same_ports_other_protocol(struct test *t)
{
	struct talk udp = talk_udp(t, 40000), tcp = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &udp.in, &udp.out);
	pass(t, &tcp.back);
	forward_new(t, rule, &tcp.in, &tcp.out);
	reply(t, rule, &udp.back, &udp.got);
	assert_states(t, &udp, XF_FLOW_ANSWERED);
	assert_states(t, &tcp, XF_FLOW_PENDING);
}

/* Nobody but the endpoint that was asked has a way back. */
static void answers_from_elsewhere(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	struct packet other = k.back;

	forward_new(t, rule_preserve(t), &k.in, &k.out);
	other.saddr = host_addr(TARGET2, t->family);
	pass(t, &other);
	other = k.back;
	other.sport++;
	pass(t, &other);
	other = k.back;
	other.dport++;
	pass(t, &other);
	other = k.back;
	other.daddr = host_addr(CLIENT2, t->family);
	pass(t, &other);
}

static const struct packet_case flow_cases[] = {
	CASE(what_it_remembers),	CASE(established_by_the_answer),
	CASE(udp_pending_expires),	CASE(udp_answered_expires),
	CASE(udp_expires),		CASE(tcp_pending_expires),
	CASE(tcp_half_open_expires),	CASE(tcp_expires),
	CASE(one_direction_is_enough),	CASE(fin_of_the_client),
	CASE(fin_of_the_target),	CASE(fin_of_both_client_first),
	CASE(fin_of_both_target_first), CASE(reset_of_the_client),
	CASE(reset_of_the_target),	CASE(syn_after_the_end),
	CASE(reset_makes_none),		CASE(same_ports_other_protocol),
	CASE(answers_from_elsewhere),	CASE(seen_a_moment_later),
};

PACKET_SUITE(flow);
