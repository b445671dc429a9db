// SPDX-License-Identifier: GPL-2.0-only
/* --syn-protect: under a flood of SYNs, who comes anew must show that he receives what he is sent. */
#include <string.h>

#include "syn.h"

#define FLOWS_PER_PROOF 8
#define FLOWS_AT_MOST	64

static void opens(struct test *t, uint32_t rule, uint16_t sport)
{
	struct packet in = syn(t, sport), out = syn_out(&in);

	forward_new(t, rule, &in, &out);
}

static void proves(struct test *t, uint32_t rule, uint16_t sport)
{
	struct packet in = syn(t, sport);
	struct packet rst = reset(&in, challenged(t, rule, &in));

	proven(t, rule, &rst);
}

static void below_threshold(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = syn(t, 40000), next = syn(t, 40001);

	set_threshold(t, rule, 3);
	half_open(t, rule, &in, 2);
	opens(t, rule, 40000);
	challenged(t, rule, &next);
}

/* 0: the rule does not ask for proof, however many there are. */
static void not_asked_for(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = syn(t, 40000), rst = reset(&in, 0);

	set_threshold(t, rule, 0);
	half_open(t, rule, &in, 3);
	not_proven(t, rule, &rst);
	opens(t, rule, 40000);
}

/* No flow is made, however often it comes. */
static void answered(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000);

	for (int i = 0; i < 3; i++)
		challenged(t, rule, &in);
}

/* Numbers go round. */
static void each_number(struct test *t)
{
	static const uint32_t numbers[] = {0, 1, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff};
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000), rst;

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		in.seq = numbers[i];
		rst = reset(&in, challenged(t, rule, &in));
		proven(t, rule, &rst);
		expire_proofs();
	}
}

/* The answer has nothing of the SYN's options, extension headers, data and padding. */
static void answered_without_frills(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000);

	in.tos = 0xb9;
	in.tcp_options = 40;
	in.options = t->family == XF_IPV4 ? 40 : 0;
	in.n_ext = t->family == XF_IPV4 ? 0 : 2;
	in.ext[0] = (struct ext){IPPROTO_HOPOPTS, 1};
	in.ext[1] = (struct ext){IPPROTO_DSTOPTS, 4};
	challenged(t, rule, &in);
	in.payload_len = 1300;
	challenged(t, rule, &in);
	in = syn(t, 40000);
	in.tcp_options = 0;
	challenged(t, rule, &in);
	in.trailer = 6;
	challenged(t, rule, &in);
	in.tcp_flags |= 0xc0; /* it can do ECN */
	challenged(t, rule, &in);
}

static void admitted(struct test *t)
{
	uint32_t rule = rule_flooded(t);

	proves(t, rule, 40000);
	opens(t, rule, 40000);
}

/* Some stacks' resets acknowledge as well. */
static void admitted_by_reset_ack(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000);
	struct packet rst = reset(&in, challenged(t, rule, &in));

	rst.tcp_flags |= TCP_ACK;
	proven(t, rule, &rst);
	opens(t, rule, 40000);
}

static void wrong_number(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000), rst;
	uint32_t number;

	set_second(t, 100);
	number = challenged(t, rule, &in);
	for (uint32_t bit = 1; bit < 0x40000000; bit <<= 1) {
		rst = reset(&in, number ^ bit);
		not_proven(t, rule, &rst);
	}
	rst = reset(&in, in.seq);
	not_proven(t, rule, &rst);
	challenged(t, rule, &in);
}

/* The number is one connection's. */
static void number_of_another(struct test *t)
{
	uint32_t rule = rule_flooded(t), number;
	struct packet in = syn(t, 40000), port = syn(t, 40001), neighbour = syn(t, 40000);

	neighbour.saddr = host_addr(CLIENT2, t->family);
	set_second(t, 100);
	number = challenged(t, rule, &in);
	port = reset(&port, number);
	not_proven(t, rule, &port);
	neighbour = reset(&neighbour, number);
	not_proven(t, rule, &neighbour);
	challenged(t, rule, &in);
}

/* Nor is it another instance's. */
static void number_of_another_secret(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000), rst;

	set_second(t, 100);
	rst = reset(&in, challenged(t, rule, &in));
	for (int i = 0; i < 2; i++) {
		t->config.secret[i] ^= 1ull << 40;
		config_put(t);
		not_proven(t, rule, &rst);
		t->config.secret[i] ^= 1ull << 40;
	}
	config_put(t);
	proven(t, rule, &rst);
}

static void number_too_old(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000), rst;

	set_second(t, 7);
	rst = reset(&in, challenged(t, rule, &in));
	set_second(t, 15);
	proven(t, rule, &rst);
	expire_proofs();
	set_second(t, 16);
	not_proven(t, rule, &rst);
	challenged(t, rule, &in);
}

static void known_too_long(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000);

	proves(t, rule, 40000);
	expire_proofs();
	challenged(t, rule, &in);
	proves(t, rule, 40000);
	opens(t, rule, 40000);
}

static void known_to_one_rule(struct test *t)
{
	uint32_t rule = rule_flooded(t), other;
	struct packet in = syn(t, 40000), begun = syn(t, 41000);

	other = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8001, .target = TARGET, .target_port = 9000});
	set_threshold(t, other, 1);
	proves(t, rule, 40000);
	begun.dport = in.dport = 8001;
	half_open(t, other, &begun, 1);
	challenged(t, other, &in);
	opens(t, rule, 40000);
}

static void used_up(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 50000);

	proves(t, rule, 40000);
	for (int i = 0; i < FLOWS_PER_PROOF; i++)
		opens(t, rule, 40000 + i);
	challenged(t, rule, &in);
	proves(t, rule, 50000);
	opens(t, rule, 50000);
}

/* Many clients behind one address: each proof counts, up to a limit. */
static void adds_up(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet rst[FLOWS_AT_MOST / FLOWS_PER_PROOF + 1], in;

	for (int i = 0; i <= FLOWS_AT_MOST / FLOWS_PER_PROOF; i++) {
		in = syn(t, 40000 + i);
		rst[i] = reset(&in, challenged(t, rule, &in));
	}
	for (int i = 0; i <= FLOWS_AT_MOST / FLOWS_PER_PROOF; i++)
		proven(t, rule, &rst[i]);
	for (int i = 0; i < FLOWS_AT_MOST; i++)
		opens(t, rule, 40000 + i);
	in = syn(t, 50000);
	challenged(t, rule, &in);
}

/* An IPv6 subscriber has a /64. */
static void known_by_network(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000), out;

	proves(t, rule, 40000);
	in.saddr.v6[8] ^= 1;
	out = syn_out(&in);
	forward_new(t, rule, &in, &out);
	in.saddr.v6[7] ^= 1;
	challenged(t, rule, &in);
}

/* A flow that there is needs no proof. */
static void established(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = syn(t, 40000), out = syn_out(&in), back = answer(&out), got = to_client(&back, &in);

	forward_new(t, rule, &in, &out);
	set_threshold(t, rule, 1);
	reply(t, rule, &back, &got);
	in.tcp_flags = out.tcp_flags = TCP_ACK;
	forward(t, rule, &in, &out);
}

/* Nothing but a SYN is answered, and it is let in no more than that. */
static void not_a_syn(struct test *t)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_SYN | TCP_ACK, TCP_SYN | TCP_FIN, TCP_FIN, TCP_FIN | TCP_ACK, 0};
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000);

	for (unsigned int i = 0; i < sizeof(flags); i++) {
		in.tcp_flags = flags[i];
		drop(t, rule, XF_REASON_SYN_CHALLENGED, &in);
	}
}

static void nobody_to_answer(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = syn(t, 40000);

	in.saddr = host_addr(ROUTER_LAN, t->family);
	drop(t, rule, XF_REASON_SYN_CHALLENGED, &in);
	in = syn(t, 40000);
	in.smac[0] |= 1;
	drop(t, rule, XF_REASON_SYN_CHALLENGED, &in);
}

static void udp(struct test *t)
{
	uint32_t rule = rule_flooded(t);
	struct packet in = packet_from(t, CLIENT, ROUTER), out = syn_out(&in);

	forward_new(t, rule, &in, &out);
}

/* What takes no XDP frames is answered by the full tier. */
static void by_the_full_tier(struct test *t)
{
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER_DMZ,
						   .port = 8000,
						   .target = TARGET,
						   .target_port = 9000});
	struct packet in = packet_from(t, SLOW, ROUTER_DMZ), by_wan = syn(t, 40000), rst;

	in.proto = IPPROTO_TCP;
	by_wan.daddr = in.daddr;
	half_open(t, rule, &by_wan, 1);
	set_threshold(t, rule, 1);
	if (t->hook == HOOK_XDP) {
		pass(t, &in);
		return;
	}
	rst = reset(&in, challenged(t, rule, &in));
	proven(t, rule, &rst);
}

static const struct packet_case syn_cases[] = {
	CASE(below_threshold),
	CASE(not_asked_for),
	CASE(answered),
	CASE(each_number),
	CASE(answered_without_frills),
	CASE(admitted),
	CASE(admitted_by_reset_ack),
	CASE(wrong_number),
	CASE(number_of_another),
	CASE(number_of_another_secret),
	CASE(number_too_old),
	CASE(known_too_long),
	CASE(known_to_one_rule),
	CASE(used_up),
	CASE(adds_up),
	CASE_ONLY(known_by_network, ONLY_V6),
	CASE(established),
	CASE(not_a_syn),
	CASE(nobody_to_answer),
	CASE(udp),
	CASE(by_the_full_tier),
};

PACKET_SUITE(syn);
