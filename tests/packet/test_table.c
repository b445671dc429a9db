// SPDX-License-Identifier: GPL-2.0-only
/* The flow table when it is full: who is displaced, who is refused. */
#include "table.h"

#define FEW 4

static uint32_t small_table(struct test *t)
{
	t->config.max_flows = FEW;
	config_put(t);
	return rule_preserve(t);
}

static void open_flow(struct test *t, uint32_t rule, uint16_t sport)
{
	struct talk k = talk_udp(t, sport);

	forward_new(t, rule, &k.in, &k.out);
}

static void use(struct test *t, uint32_t rule, uint16_t sport)
{
	struct talk k = talk_udp(t, sport);

	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
}

static void establish(struct test *t, uint32_t rule, uint16_t sport)
{
	struct talk k = talk_udp(t, sport);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
}

static void full_of_established(struct test *t)
{
	uint32_t rule = small_table(t);
	struct packet in = talk_udp(t, 50000).in;

	for (uint16_t i = 0; i < FEW; i++)
		establish(t, rule, 40000 + i);
	drop(t, rule, XF_REASON_FLOW_TABLE_FULL, &in);
	in.proto = IPPROTO_TCP;
	drop(t, rule, XF_REASON_FLOW_TABLE_FULL, &in);
	for (uint16_t i = 0; i < FEW; i++)
		use(t, rule, 40000 + i);
}

/* A flood of packets that nobody answers displaces its own, and nothing else. */
static void flood(struct test *t)
{
	uint32_t rule = small_table(t);

	for (uint16_t i = 0; i < FEW - 1; i++)
		establish(t, rule, 40000 + i);
	open_flow(t, rule, 50000);
	for (uint16_t i = 1; i <= 100; i++) {
		open_flow(t, rule, 50000 + i);
		t->ledger.flows--; /* displaces the one before */
	}
	for (uint16_t i = 0; i < FEW - 1; i++)
		use(t, rule, 40000 + i);
	use(t, rule, 50100);
}

/* The same with room for a few: whatever is displaced goes with both halves. */
static void flood_of_pending(struct test *t)
{
	uint32_t rule = small_table(t);

	for (uint16_t i = 0; i < FEW; i++)
		open_flow(t, rule, 50000 + i);
	for (uint16_t i = FEW; i <= 100; i++) {
		open_flow(t, rule, 50000 + i);
		t->ledger.flows--;
	}
	use(t, rule, 50100);
}

/* An established flow that is over makes room. */
static void dead_makes_room(struct test *t)
{
	struct talk dead = talk_udp(t, 40002);
	uint32_t rule = small_table(t);

	for (uint16_t i = 0; i < FEW; i++)
		establish(t, rule, 40000 + i);
	age_both(t, &dead, t->config.timeout[XF_TIMEOUT_UDP]);
	establish(t, rule, 50000);
	t->ledger.flows--;
	use(t, rule, 40000);
	use(t, rule, 40001);
	use(t, rule, 40003);
	use(t, rule, 50000);
}

/* So do those whose rule is gone. */
static void rule_gone_makes_room(struct test *t)
{
	uint32_t rule = small_table(t);
	uint32_t other =
		rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8001, .target = TARGET2});
	struct packet in = talk_udp(t, 50000).in, out;

	for (uint16_t i = 0; i < FEW; i++)
		establish(t, rule, 40000 + i);
	rule_put(t, rule, &(struct xf_rule){0});
	in.dport = 8001;
	for (uint16_t i = 0; i < FEW; i++) {
		in.sport++;
		out = to_target(&in, TARGET2, 8001);
		forward_new(t, other, &in, &out);
		t->ledger.flows--;
	}
}

/* Sends packets of that port until there is room for its flow; but not forever. */
static void open_eventually(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out)
{
	struct xf_flow flow;

	for (int i = 0; i < 5000; i++) {
		run(t, in);
		if (!flow_get(t, in, &flow)) {
			t->ledger.rule_drops[rule][XF_REASON_FLOW_TABLE_FULL]++;
			continue;
		}
		ledger_in(t, rule, in);
		t->ledger.rule[rule].flows_created++;
		forward(t, rule, in, out);
		return;
	}
	fail_msg("no room for a flow, although another is over");
}

/* Connections that closed after they had been found alive make room as soon as any others. */
static void closed_makes_room(struct test *t)
{
	struct packet in = talk_udp(t, 50000).in, out = to_target(&in, TARGET, 9000);
	struct talk k = talk_tcp(t, 40000);
	uint32_t rule = small_table(t);

	t->config.hz = 1; /* if a second is waited between two looks, it is a short one */
	config_put(t);
	for (uint16_t i = 1; i < FEW; i++)
		establish(t, rule, 40000 + i);
	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	for (int i = 0; i < FEW; i++)
		drop(t, rule, XF_REASON_FLOW_TABLE_FULL, &in);
	set_tcp_flags(&k, TCP_FIN | TCP_ACK, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	age_both(t, &k, t->config.timeout[XF_TIMEOUT_TCP_TRANSITORY]);
	open_eventually(t, rule, &in, &out);
}

/* And so do those of a rule that is deleted after they had been found alive. */
static void rule_deleted_makes_room(struct test *t)
{
	uint32_t rule = small_table(t);
	uint32_t other =
		rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8001, .target = TARGET2});
	struct packet in = talk_udp(t, 50000).in, out;

	t->config.hz = 1;
	config_put(t);
	in.dport = 8001;
	out = to_target(&in, TARGET2, 8001);
	for (uint16_t i = 0; i < FEW; i++)
		establish(t, rule, 40000 + i);
	for (int i = 0; i < FEW; i++)
		drop(t, other, XF_REASON_FLOW_TABLE_FULL, &in);
	rule_put(t, rule, &(struct xf_rule){0});
	open_eventually(t, other, &in, &out);
}

/* A refused first packet leaves nothing behind, however often it comes. */
static void refused_takes_no_room(struct test *t)
{
	uint32_t rule = small_table(t);
	uint32_t nowhere =
		rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8001, .target = NOWHERE});
	struct packet in = talk_udp(t, 50000).in;

	for (uint16_t i = 0; i < FEW; i++)
		establish(t, rule, 40000 + i);
	in.dport = 8001;
	for (int i = 0; i < 20; i++)
		drop(t, nowhere, XF_REASON_NO_ROUTE, &in);
}

/* The same for those that find no port: their slot is given back. */
static void no_port_takes_no_room(struct test *t)
{
	struct talk k = talk_masqueraded(t, CLIENT, IPPROTO_UDP, 20000);
	struct packet next = talk_udp(t, 50000).in;
	uint32_t rule = rule_masquerade(t);

	t->config.max_flows = FEW;
	t->config.port_lo = t->config.port_hi = 20000;
	config_put(t);
	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	for (int i = 0; i < 20; i++)
		drop(t, rule, XF_REASON_PORTS_EXHAUSTED, &next);
	forward(t, rule, &k.in, &k.out);
}

static const struct packet_case table_cases[] = {
	CASE(closed_makes_room),     CASE(rule_deleted_makes_room),
	CASE(full_of_established),   CASE(flood),
	CASE(flood_of_pending),	     CASE(dead_makes_room),
	CASE(rule_gone_makes_room),  CASE(refused_takes_no_room),
	CASE(no_port_takes_no_room),
};

PACKET_SUITE(table);
