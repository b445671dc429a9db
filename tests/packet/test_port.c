// SPDX-License-Identifier: GPL-2.0-only
/* Masquerade ports: whose they are, for how long, and what happens when there are none. */
#include <bpf/bpf.h>

#include "maps.h"
#include "table.h"

#define OTHERS 4 /* targets besides TARGET:9000 */

static uint32_t rule_to(struct test *t, uint16_t i, enum host masquerade)
{
	return rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
					  .host = ROUTER,
					  .port = 8001 + i,
					  .target = i & 1 ? TARGET : TARGET2,
					  .target_port = 9001 + i,
					  .source = XF_SOURCE_MASQUERADE,
					  .masquerade = masquerade});
}

/* A client's first packet to ROUTER:dport; returns the port that the target sees, 0: it was dropped. */
static uint16_t first(struct test *t, uint32_t rule, struct packet *in, uint16_t dport)
{
	struct xf_flow flow;

	in->dport = dport;
	run(t, in);
	if (!flow_get(t, in, &flow)) {
		assert_verdict(t, "drop");
		t->ledger.rule_drops[rule][XF_REASON_PORTS_EXHAUSTED]++;
		return 0;
	}
	assert_verdict(t, "redirect");
	ledger_in(t, rule, in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	return be16toh(flow.sport);
}

/* What follows from such a packet, once it has that port: the target of rule_to() sees `masquerade`. */
static struct talk talk_under(struct test *t, const struct packet *in, enum host masquerade, uint16_t port)
{
	uint16_t i = in->dport - 8001;
	struct talk k = {.in = *in, .out = to_target(in, i & 1 ? TARGET : TARGET2, 9001 + i)};

	k.out.saddr = host_addr(masquerade, t->family);
	k.out.sport = port;
	k.back = answer(&k.out);
	k.got = to_client(&k.back, &k.in);
	return k;
}

/* The same, and the target answers: from now on no newcomer takes the port away. Under ROUTER_LAN. */
static uint16_t first_answered(struct test *t, uint32_t rule, struct packet *in, uint16_t dport)
{
	uint16_t port = first(t, rule, in, dport);
	struct talk k;

	assert_int_not_equal(port, 0);
	k = talk_under(t, in, ROUTER_LAN, port);
	reply(t, rule, &k.back, &k.got);
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	if (in->proto == IPPROTO_TCP)
		forward(t, rule, &k.in, &k.out);
	return port;
}

static struct packet client(struct test *t, enum host host, uint8_t proto, uint16_t sport)
{
	struct packet in = packet_from(t, host, ROUTER);

	in.proto = proto;
	in.sport = sport;
	return in;
}

static void set_ports(struct test *t, uint16_t n)
{
	t->config.port_hi = PORT_LO + n - 1;
	config_put(t);
}

/* The number of shares in that port; 0: it is nobody's. */
static uint32_t shares(struct test *t, enum host masquerade, uint16_t port)
{
	struct xf_port_key key = {.addr = host_addr(masquerade, t->family), .port = htobe16(port), .family = t->family};
	struct xf_port_owner owner;

	if (bpf_map_lookup_elem(map_fd("udp_ports"), &key, &owner))
		return 0;
	return owner.flows & 0xffffffff;
}

/* RFC 4787, REQ-1: one port towards all targets, for each of many clients. */
static void same_towards_all(struct test *t)
{
	uint32_t rules[OTHERS];

	for (uint16_t i = 0; i < OTHERS; i++)
		rules[i] = rule_to(t, i, ROUTER_LAN);
	for (uint16_t c = 0; c < 8; c++) {
		struct packet in = client(t, c & 1 ? CLIENT : CLIENT2, IPPROTO_UDP, 40000 + c / 2);
		uint16_t port = first(t, rules[0], &in, 8001);

		for (uint16_t i = 1; i < OTHERS; i++)
			assert_int_equal(first(t, rules[i], &in, 8001 + i), port);
		assert_int_equal(shares(t, ROUTER_LAN, port), OTHERS);
	}
}

/* RFC 4787, REQ-3: no two clients share one, though their targets would tell them apart. */
static void never_shared(struct test *t)
{
	struct packet one = client(t, CLIENT, IPPROTO_UDP, 40000), two = client(t, CLIENT2, IPPROTO_UDP, 40000);
	uint32_t rule = rule_to(t, 0, ROUTER_LAN), other = rule_to(t, 1, ROUTER_LAN);
	uint16_t port;

	set_ports(t, 2);
	port = first_answered(t, rule, &one, 8001);
	assert_int_equal(first_answered(t, other, &two, 8002), port ^ PORT_LO ^ (PORT_LO + 1));
	two.sport++;
	assert_int_equal(first(t, other, &two, 8002), 0);
}

/* It lasts as long as any of its flows, and no longer. */
static void as_long_as_any(struct test *t)
{
	struct packet in = client(t, CLIENT, IPPROTO_UDP, 40000), next = client(t, CLIENT2, IPPROTO_UDP, 40000);
	uint32_t rules[OTHERS];

	set_ports(t, 1);
	for (uint16_t i = 0; i < OTHERS; i++)
		rules[i] = rule_to(t, i, ROUTER_LAN);
	for (uint16_t i = 0; i < OTHERS; i++)
		assert_int_equal(first_answered(t, rules[i], &in, 8001 + i), PORT_LO);
	for (uint16_t i = 0; i < OTHERS; i++) {
		struct talk k;

		assert_int_equal(shares(t, ROUTER_LAN, PORT_LO), OTHERS - i);
		assert_int_equal(first(t, rules[0], &next, 8001), 0);
		in.dport = 8001 + i;
		k = talk_under(t, &in, ROUTER_LAN, PORT_LO);
		age_both(t, &k, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
		sweep(t, 1);
	}
	assert_int_equal(shares(t, ROUTER_LAN, PORT_LO), 0);
	assert_int_equal(first(t, rules[0], &next, 8001), PORT_LO);
}

/* The same client again, though its flows were over in between: its own port, as long as that is free. */
static void found_again(struct test *t)
{
	uint32_t rule = rule_to(t, 0, ROUTER_LAN), ended;
	struct packet in = client(t, CLIENT, IPPROTO_UDP, 40000);
	uint16_t port = first(t, rule, &in, 8001);
	struct xf_rule r;

	for (uint32_t i = 1; i < 5; i++) {
		rule_get(t, rule, &r);
		r.tag = XF_RULE_TAG(rule, 50 + i);
		rule_put(t, rule, &r);
		ended = sweep_now();
		assert_int_equal(ended, 1);
		t->ledger.flows--;
		assert_int_equal(first(t, rule, &in, 8001), port);
	}
}

/* Each of this machine's addresses has ports of its own, and so has each protocol. */
static void each_address_its_own(struct test *t)
{
	struct packet one = client(t, CLIENT, IPPROTO_UDP, 40000), two = client(t, CLIENT2, IPPROTO_UDP, 40000);
	uint32_t rule = rule_to(t, 0, ROUTER_LAN), other = rule_to(t, 1, ROUTER_LAN1);

	set_ports(t, 1);
	assert_int_equal(first(t, rule, &one, 8001), PORT_LO);
	assert_int_equal(first(t, other, &two, 8002), PORT_LO);
	assert_int_equal(shares(t, ROUTER_LAN, PORT_LO), 1);
	assert_int_equal(shares(t, ROUTER_LAN1, PORT_LO), 1);
	two.proto = IPPROTO_TCP;
	assert_int_equal(first(t, rule, &two, 8001), PORT_LO);
	assert_int_equal(shares(t, ROUTER_LAN, PORT_LO), 1);
}

/* TCP: a port for each target; connections to different ones may share it. */
static void tcp_by_target(struct test *t)
{
	struct packet one = client(t, CLIENT, IPPROTO_TCP, 40000), two = client(t, CLIENT2, IPPROTO_TCP, 40000);
	uint32_t rule = rule_to(t, 0, ROUTER_LAN), other = rule_to(t, 1, ROUTER_LAN);

	set_ports(t, 1);
	assert_int_equal(first_answered(t, rule, &one, 8001), PORT_LO);
	assert_int_equal(first(t, other, &two, 8002), PORT_LO);
	assert_int_equal(first(t, rule, &two, 8001), 0);
	assert_int_equal(shares(t, ROUTER_LAN, PORT_LO), 0);
}

/* A small range is used up to the last port, and then every packet is refused, soon and without leaving anything. */
static void used_up(struct test *t, uint8_t proto)
{
	uint32_t rule = rule_to(t, 0, ROUTER_LAN);
	bool taken[8] = {false};

	set_ports(t, 8);
	for (uint16_t i = 0; i < 8; i++) {
		struct packet in = client(t, CLIENT, proto, 40000 + i);
		uint16_t port = first_answered(t, rule, &in, 8001);

		assert_in_range(port, PORT_LO, PORT_LO + 7);
		assert_false(taken[port - PORT_LO]);
		taken[port - PORT_LO] = true;
	}
	for (uint16_t i = 0; i < 50; i++) {
		struct packet in = client(t, CLIENT2, proto, 40000 + i);

		assert_int_equal(first(t, rule, &in, 8001), 0);
	}
}

static void udp_used_up(struct test *t)
{
	used_up(t, IPPROTO_UDP);
}

static void tcp_used_up(struct test *t)
{
	used_up(t, IPPROTO_TCP);
}

/* Where all ports are taken by flows that nobody has answered, the oldest of them goes. */
static void oldest_gives_way(struct test *t, uint8_t proto)
{
	uint32_t rule = rule_to(t, 0, ROUTER_LAN);
	uint16_t ports[64];

	set_ports(t, 8);
	for (uint16_t i = 0; i < 64; i++) {
		struct packet in = client(t, i & 1 ? CLIENT : CLIENT2, proto, 40000 + i);

		ports[i] = first(t, rule, &in, 8001);
		if (i < 8)
			continue;
		assert_int_equal(ports[i], ports[i - 8]);
		t->ledger.flows--;
	}
}

static void udp_oldest_gives_way(struct test *t)
{
	oldest_gives_way(t, IPPROTO_UDP);
}

static void tcp_oldest_gives_way(struct test *t)
{
	oldest_gives_way(t, IPPROTO_TCP);
}

/* A UDP port is taken for all targets: a flood at one of them leaves the clients of the others room. */
static void udp_of_another_target(struct test *t)
{
	uint32_t rule = rule_to(t, 0, ROUTER_LAN), other = rule_to(t, 1, ROUTER_LAN);
	struct packet in = client(t, CLIENT, IPPROTO_UDP, 40000);

	set_ports(t, 1);
	assert_int_equal(first(t, rule, &in, 8001), PORT_LO);
	in = client(t, CLIENT2, IPPROTO_UDP, 40000);
	assert_int_equal(first(t, other, &in, 8002), PORT_LO);
	t->ledger.flows--;
	assert_int_equal(shares(t, ROUTER_LAN, PORT_LO), 1);
}

/* Nobody's flow ends for a port that would not come free by it. */
static void udp_of_several(struct test *t)
{
	uint32_t rule = rule_to(t, 0, ROUTER_LAN), other = rule_to(t, 1, ROUTER_LAN);
	struct packet in = client(t, CLIENT, IPPROTO_UDP, 40000), next = client(t, CLIENT2, IPPROTO_UDP, 40000);

	set_ports(t, 1);
	assert_int_equal(first(t, rule, &in, 8001), PORT_LO);
	assert_int_equal(first_answered(t, other, &in, 8002), PORT_LO);
	assert_int_equal(first(t, rule, &next, 8001), 0);
	assert_int_equal(shares(t, ROUTER_LAN, PORT_LO), 2);
}

/* A displaced flow gives its port back, too. */
static void of_the_displaced(struct test *t)
{
	uint32_t rule = rule_to(t, 0, ROUTER_LAN);

	t->config.max_flows = 4;
	set_ports(t, 4);
	for (uint16_t i = 0; i < 100; i++) {
		struct packet in = client(t, CLIENT, IPPROTO_UDP, 40000 + i);

		assert_int_not_equal(first(t, rule, &in, 8001), 0);
		t->ledger.flows = i < 4 ? i + 1 : 4;
	}
}

static const struct packet_case port_cases[] = {
	CASE(same_towards_all),	    CASE(never_shared),		CASE(as_long_as_any),	     CASE(found_again),
	CASE(each_address_its_own), CASE(tcp_by_target),	CASE(udp_used_up),	     CASE(tcp_used_up),
	CASE(udp_oldest_gives_way), CASE(tcp_oldest_gives_way), CASE(udp_of_another_target), CASE(udp_of_several),
	CASE(of_the_displaced),
};

PACKET_SUITE(port);
