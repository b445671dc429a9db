// SPDX-License-Identifier: GPL-2.0-only
/* Several masquerade addresses: each client has one of them, for all that it does. */
#include <string.h>
#include <arpa/inet.h>

#include "harness.h"

#define POOL	4
#define CLIENTS 64

/* ROUTER:8001+i to TARGET:9001+i under ROUTER_LAN and the addresses after it. */
static uint32_t rule_to(struct test *t, uint16_t i)
{
	uint32_t id = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						 .host = ROUTER,
						 .port = 8001 + i,
						 .target = TARGET,
						 .target_port = 9001 + i,
						 .source = XF_SOURCE_MASQUERADE,
						 .masquerade = ROUTER_LAN});
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.pool = POOL - 1;
	rule_put(t, id, &rule);
	return id;
}

static void set_ports(struct test *t, uint16_t n)
{
	t->config.port_hi = PORT_LO + n - 1;
	config_put(t);
}

/* The client of that number, on the link of CLIENT. */
static struct packet client(struct test *t, uint32_t n, uint8_t proto, uint16_t i)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t *last = &in.saddr.w[t->family == XF_IPV6 ? 3 : 0];

	*last = htonl(ntohl(*last) + n);
	in.proto = proto;
	in.dport = 8001 + i;
	return in;
}

/* Which of the addresses that is. */
static uint32_t member(const struct test *t, const struct xf_flow *flow)
{
	union xf_addr first = host_addr(ROUTER_LAN, t->family);
	uint32_t last = t->family == XF_IPV6 ? flow->saddr6.w[3] : flow->saddr4, n;

	n = ntohl(last) - ntohl(first.w[t->family == XF_IPV6 ? 3 : 0]);
	assert_in_range(n, 0, POOL - 1);
	if (t->family == XF_IPV6)
		assert_memory_equal(&flow->saddr6, &first, 12);
	return n;
}

/* The first packet of a flow: the target gets it whole, from an address of the pool; returns which. */
static uint32_t opened(struct test *t, uint32_t rule, const struct packet *in, struct packet *out)
{
	struct xf_flow flow;
	struct frame want;

	run(t, in);
	assert_verdict(t, "redirect");
	assert_true(flow_get(t, in, &flow));
	*out = to_target(in, TARGET, in->dport + 1000);
	memcpy(&out->saddr, flow_from(t, &flow), addr_len(t));
	out->sport = ntohs(flow.sport);
	build_frame(out, &want);
	assert_frame(&want, &t->got);
	ledger_in(t, rule, in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	return member(t, &flow);
}

/* The same address towards every rule, by both protocols, from every port; and its answers come back. */
static void one_for_each_client(struct test *t)
{
	uint32_t rules[2] = {rule_to(t, 0), rule_to(t, 1)};

	for (uint32_t n = 0; n < 8; n++) {
		uint32_t mine = POOL;

		for (uint32_t i = 0; i < 8; i++) {
			struct packet in = client(t, n, i & 1 ? IPPROTO_TCP : IPPROTO_UDP, i >> 1 & 1), out, back, got;
			uint32_t rule = rules[i >> 1 & 1], which;

			in.sport = 40000 + i;
			which = opened(t, rule, &in, &out);
			if (i)
				assert_int_equal(which, mine);
			mine = which;
			back = answer(&out);
			got = to_client(&back, &in);
			reply(t, rule, &back, &got);
		}
	}
}

/* All of the addresses are used, and none of them by most. */
static void all_are_used(struct test *t)
{
	uint32_t rule = rule_to(t, 0), users[POOL] = {0};
	struct packet out;

	for (uint32_t n = 0; n < CLIENTS; n++) {
		struct packet in = client(t, n, IPPROTO_UDP, 0);

		users[opened(t, rule, &in, &out)]++;
	}
	for (uint32_t i = 0; i < POOL; i++)
		assert_in_range(users[i], 1, CLIENTS / 2);
}

/* Who knows the rule, but not the secret, cannot tell which address a client has. */
static void by_a_secret(struct test *t)
{
	uint32_t rule = rule_to(t, 0), other = rule_to(t, 1), moved = 0;
	struct packet out;

	for (uint32_t n = 0; n < CLIENTS; n++) {
		struct packet in = client(t, n, IPPROTO_UDP, 0);
		uint32_t before = opened(t, rule, &in, &out);

		t->config.port_secret++;
		config_put(t);
		in.dport++;
		moved += opened(t, other, &in, &out) != before;
	}
	assert_in_range(moved, 1, CLIENTS);
}

/* Each address has the ports to itself; and if those of a client's are used up, another's do not help. */
static void ports_of_each(struct test *t)
{
	uint32_t rule = rule_to(t, 0), users[POOL] = {0};

	set_ports(t, 1);
	for (uint32_t n = 0; n < CLIENTS; n++) {
		struct packet in = client(t, n, IPPROTO_UDP, 0), out, back, got;
		struct xf_flow flow;

		run(t, &in);
		if (!flow_get(t, &in, &flow)) {
			t->ledger.rule_drops[rule][XF_REASON_PORTS_EXHAUSTED]++;
			continue;
		}
		users[member(t, &flow)]++;
		ledger_in(t, rule, &in);
		t->ledger.rule[rule].flows_created++;
		t->ledger.flows++;
		out = to_target(&in, TARGET, 9001);
		memcpy(&out.saddr, flow_from(t, &flow), addr_len(t));
		out.sport = PORT_LO;
		back = answer(&out);
		got = to_client(&back, &in);
		reply(t, rule, &back, &got);
	}
	for (uint32_t i = 0; i < POOL; i++)
		assert_int_equal(users[i], 1);
}

static const struct packet_case pool_cases[] = {
	CASE(one_for_each_client),
	CASE(all_are_used),
	CASE(by_a_secret),
	CASE(ports_of_each),
};

PACKET_SUITE(pool);
