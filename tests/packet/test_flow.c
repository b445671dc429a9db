// SPDX-License-Identifier: GPL-2.0-only
/* The life of a flow: what makes one, what it remembers, what ends it. */
#include <string.h>

#include "harness.h"

/* A client's packet, what the target gets, what it answers, and what the client gets of that. */
struct talk {
	struct packet in, out, back, got;
};

static struct talk talk_udp(struct test *t, uint16_t sport)
{
	struct talk k;

	k.in = packet_from(t, CLIENT, ROUTER);
	k.in.sport = sport;
	k.out = to_target(&k.in, TARGET, 9000);
	k.back = answer(&k.out);
	k.got = to_client(&k.back, &k.in);
	return k;
}

static struct talk talk_tcp(struct test *t, uint16_t sport)
{
	struct talk k = talk_udp(t, sport);

	k.in.proto = k.out.proto = k.back.proto = k.got.proto = IPPROTO_TCP;
	return k;
}

static void set_tcp_flags(struct talk *k, uint8_t client, uint8_t target)
{
	k->in.tcp_flags = k->out.tcp_flags = client;
	k->back.tcp_flags = k->got.tcp_flags = target;
}

/* Makes one half look as if nothing had come by for so long. */
static void age(struct test *t, const struct packet *in, uint32_t jiffies)
{
	struct xf_flow flow;

	assert_true(flow_get(t, in, &flow));
	flow.last_seen -= jiffies;
	flow_put(t, in, &flow);
}

static void age_both(struct test *t, const struct talk *k, uint32_t jiffies)
{
	age(t, &k->in, jiffies);
	age(t, &k->back, jiffies);
}

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
	assert_int_equal(client.rule, rule);
	assert_int_equal(target.rule, rule);
	assert_int_equal(client.rule_gen, r.gen);
	assert_int_equal(client.flags & XF_FLOW_REPLY, 0);
	assert_int_equal(target.flags & XF_FLOW_REPLY, XF_FLOW_REPLY);
	assert_int_equal(client.ifindex, dev_ifindex(LAN0));
	assert_int_equal(target.ifindex, dev_ifindex(WAN0));
	assert_memory_equal(&client.daddr, &k.out.daddr, sizeof(client.daddr));
	assert_memory_equal(&target.saddr, &k.in.daddr, sizeof(target.saddr));
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
	expires_after(t, rule, &k, XF_TIMEOUT_UDP);
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
	expires_after(t, rule, &k, XF_TIMEOUT_TCP_ESTABLISHED);
}

/* Traffic in one direction keeps both halves alive. */
static void one_direction_is_enough(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	age(t, &k.in, t->config.timeout[XF_TIMEOUT_UDP]);
	forward(t, rule, &k.in, &k.out);
	age(t, &k.back, t->config.timeout[XF_TIMEOUT_UDP]);
	reply(t, rule, &k.back, &k.got);
}

static void closing(struct test *t, uint8_t client_flags, uint8_t target_flags)
{
	struct talk k = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	assert_states(t, &k, XF_FLOW_ESTABLISHED);
	set_tcp_flags(&k, client_flags, target_flags);
	if (client_flags & (TCP_FIN | TCP_RST))
		forward(t, rule, &k.in, &k.out);
	else
		reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_CLOSING);
	/* The last packets of both sides still pass. */
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	assert_states(t, &k, XF_FLOW_CLOSING);
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

static void reset_of_the_client(struct test *t)
{
	closing(t, TCP_RST, TCP_ACK);
}

static void reset_of_the_target(struct test *t)
{
	closing(t, TCP_ACK, TCP_RST | TCP_ACK);
}

/* The client uses its port for a new connection before the old one is forgotten (RFC 9293, 3.6.1). */
static void syn_after_the_end(struct test *t)
{
	struct talk k = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);
	struct xf_flow flow;

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	set_tcp_flags(&k, TCP_RST, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	set_tcp_flags(&k, TCP_SYN, TCP_SYN | TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	assert_true(flow_get(t, &k.in, &flow));
	assert_int_not_equal(flow.state, XF_FLOW_CLOSING);
	reply(t, rule, &k.back, &k.got);
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
	assert_states(t, &udp, XF_FLOW_ESTABLISHED);
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

/* A rule with another generation is another rule: its flows are made anew, to its new target. */
static void rule_replaced(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t id = rule_preserve(t);
	struct packet out = to_target(&k.in, TARGET2, 9000);
	struct xf_rule rule;

	forward_new(t, id, &k.in, &k.out);
	reply(t, id, &k.back, &k.got);
	rule_get(t, id, &rule);
	rule.gen += 100;
	rule.target = host_addr(TARGET2, t->family);
	rule_put(t, id, &rule);
	forward_new(t, id, &k.in, &out);
	t->ledger.flows--; /* in the place of the dead one */
	pass(t, &k.back);
}

static void rule_deleted(struct test *t)
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
static void rule_draining(struct test *t)
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

static const struct packet_case flow_cases[] = {
	{"what_it_remembers", what_it_remembers},
	{"established_by_the_answer", established_by_the_answer},
	{"udp_pending_expires", udp_pending_expires},
	{"udp_expires", udp_expires},
	{"tcp_pending_expires", tcp_pending_expires},
	{"tcp_expires", tcp_expires},
	{"one_direction_is_enough", one_direction_is_enough},
	{"fin_of_the_client", fin_of_the_client},
	{"fin_of_the_target", fin_of_the_target},
	{"reset_of_the_client", reset_of_the_client},
	{"reset_of_the_target", reset_of_the_target},
	{"syn_after_the_end", syn_after_the_end},
	{"reset_makes_none", reset_makes_none},
	{"same_ports_other_protocol", same_ports_other_protocol},
	{"answers_from_elsewhere", answers_from_elsewhere},
	{"rule_replaced", rule_replaced},
	{"rule_deleted", rule_deleted},
	{"rule_draining", rule_draining},
	{"conflict", conflict},
};

PACKET_SUITE(flow);
