// SPDX-License-Identifier: GPL-2.0-only
/* The target sees this machine: source addresses, ports, and who gets which. */
#include "table.h"

/* The source port of what came out. */
static uint16_t got_sport(const struct test *t)
{
	uint32_t at = ETH_HEADER + (t->family == XF_IPV4 ? IPV4_HEADER : IPV6_HEADER);

	return t->got.data[at] << 8 | t->got.data[at + 1];
}

static struct packet masqueraded(const struct packet *in, uint16_t port)
{
	struct packet out = to_target(in, TARGET, 9000);

	out.saddr = host_addr(ROUTER_LAN, in->family);
	out.sport = port;
	return out;
}

static void set_ports(struct test *t, uint16_t lo, uint16_t hi)
{
	t->config.port_lo = lo;
	t->config.port_hi = hi;
	config_put(t);
}

/* A first packet whose port is not known beforehand; returns what the target got. */
static struct packet open_flow(struct test *t, uint32_t rule, const struct packet *in)
{
	struct packet out;
	struct frame want;

	run(t, in);
	assert_verdict(t, "redirect");
	out = masqueraded(in, got_sport(t));
	assert_in_range(out.sport, t->config.port_lo, t->config.port_hi);
	build_frame(&out, &want);
	assert_frame(&want, &t->got);
	ledger_in(t, rule, in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	return out;
}

static void conversation(struct test *t, uint32_t rule, const struct packet *in)
{
	struct packet out = open_flow(t, rule, in);
	struct packet back = answer(&out);
	struct packet got = to_client(&back, in);
	struct packet more = *in;

	reply(t, rule, &back, &got);
	more.tcp_flags = TCP_ACK;
	more.payload_len = 501;
	out = masqueraded(&more, out.sport);
	forward(t, rule, &more, &out);
}

static void udp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	conversation(t, rule_masquerade(t), &in);
}

static void tcp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.proto = IPPROTO_TCP;
	conversation(t, rule_masquerade(t), &in);
}

/* With a single port, it is known before. */
static void single_port(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_masquerade(t);

	set_ports(t, 65535, 65535);
	out = masqueraded(&in, 65535);
	forward_new(t, rule, &in, &out);
	in.proto = IPPROTO_TCP; /* has ports of its own */
	out = masqueraded(&in, 65535);
	forward_new(t, rule, &in, &out);
}

/* Each client gets its own port towards the target, and its own answers. */
static void clients_with_one_port(struct test *t)
{
	struct packet first = packet_from(t, CLIENT, ROUTER), second = packet_from(t, CLIENT2, ROUTER);
	uint32_t rule = rule_masquerade(t);
	struct packet out1, out2, back, got;

	out1 = open_flow(t, rule, &first);
	out2 = open_flow(t, rule, &second);
	assert_int_not_equal(out1.sport, out2.sport);
	back = answer(&out2);
	got = to_client(&back, &second);
	reply(t, rule, &back, &got);
	back = answer(&out1);
	got = to_client(&back, &first);
	reply(t, rule, &back, &got);
}

/* One port serves several targets, since the targets' answers tell the flows apart. */
static void port_shared_between_targets(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_masquerade(t);
	uint32_t other = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						    .host = ROUTER,
						    .port = 8001,
						    .target = TARGET2,
						    .target_port = 9000,
						    .source = XF_SOURCE_MASQUERADE,
						    .masquerade = ROUTER_LAN});

	set_ports(t, 20000, 20000);
	out = masqueraded(&in, 20000);
	forward_new(t, rule, &in, &out);
	in.dport = 8001;
	out = to_target(&in, TARGET2, 9000);
	out.saddr = host_addr(ROUTER_LAN, t->family);
	out.sport = 20000;
	forward_new(t, other, &in, &out);
}

/* The target answers; from now on the flow keeps its port. */
static void answered(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out)
{
	struct packet back = answer(out), got = to_client(&back, in);

	reply(t, rule, &back, &got);
}

/* Two rules with one target share its ports, and do not mix their flows up. */
static void rules_with_one_target(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_masquerade(t);
	uint32_t other = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						    .host = ROUTER,
						    .port = 8001,
						    .target = TARGET,
						    .target_port = 9000,
						    .source = XF_SOURCE_MASQUERADE,
						    .masquerade = ROUTER_LAN});

	out = open_flow(t, rule, &in);
	answered(t, rule, &in, &out);
	set_ports(t, out.sport, out.sport);
	in.dport = 8001;
	drop(t, other, XF_REASON_PORTS_EXHAUSTED, &in);
}

/* No port is given out twice, and all are inside the limits. */
static void every_port_once(struct test *t)
{
	uint32_t rule = rule_masquerade(t);
	bool taken[65536] = {false};

	set_ports(t, 20000, 20031);
	for (int i = 0; i < 32; i++) {
		struct packet in = packet_from(t, i & 1 ? CLIENT : CLIENT2, ROUTER), out;

		in.sport = 40000 + i / 2;
		out = open_flow(t, rule, &in);
		assert_false(taken[out.sport]);
		taken[out.sport] = true;
	}
}

static void exhausted(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_masquerade(t);

	set_ports(t, 20000, 20000);
	out = open_flow(t, rule, &in);
	answered(t, rule, &in, &out);
	in.sport++;
	drop(t, rule, XF_REASON_PORTS_EXHAUSTED, &in);
	drop(t, rule, XF_REASON_PORTS_EXHAUSTED, &in);
	in.sport--;
	forward(t, rule, &in, &out); /* the flow that has it goes on */
}

/* A flood must not keep clients out by taking every port: who was not answered makes room, and nobody else. */
static void unanswered_gives_way(struct test *t)
{
	struct packet stands = packet_from(t, CLIENT, ROUTER), in = stands, out, kept;
	uint32_t rule = rule_masquerade(t);

	set_ports(t, 20000, 20001);
	kept = open_flow(t, rule, &stands);
	answered(t, rule, &stands, &kept);
	for (uint16_t i = 1; i <= 20; i++) {
		in.sport = 40000 + i;
		out = open_flow(t, rule, &in);
		assert_int_not_equal(out.sport, kept.sport);
		t->ledger.flows -= i > 1; /* in the place of the one before */
	}
	answered(t, rule, &in, &out);
	forward(t, rule, &stands, &kept);
	in.sport++;
	drop(t, rule, XF_REASON_PORTS_EXHAUSTED, &in);
}

/*
 * The port of a flow that is over is free again as soon as the sweeper has been
 * there, and its answers no longer pass to the client before.
 */
static void port_of_a_dead_flow(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), next = packet_from(t, CLIENT2, ROUTER), out, back, got;
	uint32_t rule = rule_masquerade(t);
	struct xf_flow flow;

	set_ports(t, 20000, 20000);
	out = open_flow(t, rule, &in);
	answered(t, rule, &in, &out);
	back = answer(&out);
	age_both(t, &(struct talk){.in = in, .back = back}, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	drop(t, rule, XF_REASON_PORTS_EXHAUSTED, &next);
	sweep(t, 1);
	out = masqueraded(&next, 20000);
	forward_new(t, rule, &next, &out);
	got = to_client(&back, &next);
	reply(t, rule, &back, &got);
	assert_false(flow_get(t, &in, &flow));
}

/* Without a mapping the masquerade address is no way in. */
static void nobody_asked(struct test *t)
{
	struct packet in = packet_from(t, TARGET, ROUTER_LAN);

	rule_masquerade(t);
	in.sport = 9000;
	in.dport = 20000;
	pass(t, &in);
}

/* Only the very endpoint that was asked may answer (RFC 4787, address and port dependent filtering). */
static void answers_from_elsewhere(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out, back;
	uint32_t rule = rule_masquerade(t);

	out = open_flow(t, rule, &in);
	back = answer(&out);
	back.saddr = host_addr(TARGET2, t->family);
	pass(t, &back);
	back = answer(&out);
	back.sport = 9001;
	pass(t, &back);
	back = answer(&out);
	back.proto = IPPROTO_TCP;
	pass(t, &back);
}

/* Client and target on one network: the answers come back only because the source is ours. */
static void hairpin(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out, back, got;
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER,
						   .port = 8000,
						   .target = CLIENT2,
						   .target_port = 9000,
						   .source = XF_SOURCE_MASQUERADE,
						   .masquerade = ROUTER});

	set_ports(t, 20007, 20007);
	out = to_target(&in, CLIENT2, 9000);
	out.saddr = host_addr(ROUTER, t->family);
	out.sport = 20007;
	forward_new(t, rule, &in, &out);
	back = answer(&out);
	got = to_client(&back, &in);
	reply(t, rule, &back, &got);
}

static const struct packet_case masquerade_cases[] = {
	CASE(udp),
	CASE(tcp),
	CASE(single_port),
	CASE(clients_with_one_port),
	CASE(port_shared_between_targets),
	CASE(rules_with_one_target),
	CASE(every_port_once),
	CASE(exhausted),
	CASE(unanswered_gives_way),
	CASE(port_of_a_dead_flow),
	CASE(nobody_asked),
	CASE(answers_from_elsewhere),
	CASE(hairpin),
};

PACKET_SUITE(masquerade);
