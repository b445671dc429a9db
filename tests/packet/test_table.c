// SPDX-License-Identifier: GPL-2.0-only
/* The flow table when it is full: who is displaced, who is refused. */
#include "talk.h"

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
	struct packet in = talk_udp(t, 40000).in, next = talk_udp(t, 50000).in, out;
	uint32_t rule = rule_masquerade(t);

	t->config.max_flows = FEW;
	t->config.port_lo = t->config.port_hi = 20000;
	config_put(t);
	out = to_target(&in, TARGET, 9000);
	out.saddr = host_addr(ROUTER_LAN, t->family);
	out.sport = 20000;
	forward_new(t, rule, &in, &out);
	for (int i = 0; i < 20; i++)
		drop(t, rule, XF_REASON_PORTS_EXHAUSTED, &next);
	forward(t, rule, &in, &out);
}

static const struct packet_case table_cases[] = {
	{"full_of_established", full_of_established, 0},     {"flood", flood, 0},
	{"flood_of_pending", flood_of_pending, 0},	     {"dead_makes_room", dead_makes_room, 0},
	{"rule_gone_makes_room", rule_gone_makes_room, 0},   {"refused_takes_no_room", refused_takes_no_room, 0},
	{"no_port_takes_no_room", no_port_takes_no_room, 0},
};

PACKET_SUITE(table);
