// SPDX-License-Identifier: GPL-2.0-only
/* Datagrams in fragments: whose they are tells the first, in whatever order they come. */
#include <string.h>

#include "fragments.h"

static void fast_tier_passes(struct test *t)
{
	struct packet in = large_packet(t, 3000);
	struct pieces c = cut(&in, STEP);

	rule_preserve(t);
	pass_pieces(t, &c);
}

static void conversation(struct test *t, struct packet in)
{
	uint32_t rule = rule_preserve(t);
	struct packet out = to_target(&in, TARGET, 9000), back = answer(&out);
	struct pieces c = cut(&in, STEP), r;

	back.payload_len = 8000;
	r = cut(&back, STEP);
	forward_pieces(t, rule, &c, true);
	reply_pieces(t, rule, &r, &in);
	assert_int_equal(fragments_known(), 0);
}

static void udp(struct test *t)
{
	conversation(t, large_packet(t, 8000));
}

static void tcp(struct test *t)
{
	struct packet in = large_packet(t, 4000);

	in.proto = IPPROTO_TCP;
	conversation(t, in);
}

static void udp_without_checksum(struct test *t)
{
	struct packet in = large_packet(t, 4000);

	in.csum = CSUM_NONE;
	conversation(t, in);
}

static void options(struct test *t)
{
	struct packet in = large_packet(t, 4000);

	in.options = 24;
	conversation(t, in);
}

/* Headers that each fragment has, and others that only the first one has. */
static void extension_headers(struct test *t)
{
	struct packet in = large_packet(t, 4000);

	in.n_ext = 3;
	in.ext[0] = (struct ext){IPPROTO_HOPOPTS, 1};
	in.ext[1] = (struct ext){IPPROTO_FRAGMENT, 1};
	in.ext[2] = (struct ext){IPPROTO_DSTOPTS, 2};
	conversation(t, in);
}

/* A fragment header on a whole packet (RFC 6946). */
static void atomic(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out, back, got;
	uint32_t rule = rule_preserve(t);

	in.n_ext = 1;
	in.ext[0] = (struct ext){IPPROTO_FRAGMENT, 1};
	out = to_target(&in, TARGET, 9000);
	forward_new(t, rule, &in, &out);
	back = answer(&out);
	got = to_client(&back, &in);
	reply(t, rule, &back, &got);
}

static void masquerade(struct test *t)
{
	struct packet in = large_packet(t, 8000), out, back;
	uint32_t rule = rule_masquerade(t);
	struct pieces c = cut(&in, STEP), r;

	t->config.port_lo = t->config.port_hi = PORT_LO;
	config_put(t);
	for (unsigned int i = 0; i < c.n; i++) {
		out = to_target(&c.p[i], TARGET, 9000);
		out.saddr = host_addr(ROUTER_LAN, t->family);
		out.sport = PORT_LO;
		forward(t, rule, &c.p[i], &out);
	}
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;

	back = answer(&out);
	back.piece_len = 0;
	back.payload_len = 5000;
	r = cut(&back, STEP);
	keep_reversed(t, &r);
	release_pieces(t, &r, LAN0);
	reply_pieces(t, rule, &r, &in);
}

static void any_order_after_the_first(struct test *t)
{
	static const unsigned int order[] = {0, 5, 2, 4, 1, 3};
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 8000), out;
	struct pieces c = cut(&in, STEP);

	assert_int_equal(c.n, 6);
	for (unsigned int i = 0; i < c.n; i++) {
		out = to_target(&c.p[order[i]], TARGET, 9000);
		if (i)
			forward(t, rule, &c.p[order[i]], &out);
		else
			forward_new(t, rule, &c.p[order[i]], &out);
	}
	assert_int_equal(fragments_known(), 0);
}

static void reversed(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 8000), out = to_target(&in, TARGET, 9000), back = answer(&out);
	struct pieces c = cut(&in, STEP), r;

	keep_reversed(t, &c);
	release_pieces(t, &c, WAN0);
	/* The flow is there already, but not counted before its first packet comes. */
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	forward_pieces(t, rule, &c, false);

	/* The answer goes to no address of this machine: it is known by whom it comes from. */
	back.payload_len = 8000;
	r = cut(&back, STEP);
	keep_reversed(t, &r);
	release_pieces(t, &r, LAN0);
	reply_pieces(t, rule, &r, &in);
	assert_int_equal(fragments_known(), 0);
}

/* 64 KiB is beyond what a frame of these tests takes; so many fragments are not. */
static void many_reversed(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 60 * 128);
	struct pieces c = cut(&in, 128);

	keep_reversed(t, &c);
	release_pieces(t, &c, WAN0);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	forward_pieces(t, rule, &c, false);
}

/* No more are kept of one datagram: they go to the kernel, which is no worse than before. */
static void too_many_reversed(struct test *t)
{
	struct packet in = large_packet(t, 70 * 8);
	struct pieces c = cut(&in, 8);

	rule_preserve(t);
	for (unsigned int i = c.n - 1; i; i--) {
		if (c.n - i <= 64)
			kept(t, &c.p[i]);
		else
			pass(t, &c.p[i]);
	}
}

/* What one asks for the first of a datagram, others may ask for theirs. */
static void interleaved(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet one = large_packet(t, 8000), two = one, three = one;
	struct pieces a, b, c;

	two.seed++; /* its number */
	three.saddr = host_addr(CLIENT2, t->family);
	memcpy(three.smac, host_mac(CLIENT2), 6);
	a = cut(&one, STEP);
	b = cut(&two, STEP);
	c = cut(&three, STEP);
	for (unsigned int i = 0; i < a.n; i++) {
		struct packet out = to_target(&a.p[i], TARGET, 9000);

		forward(t, rule, &a.p[i], &out);
		out = to_target(&b.p[i], TARGET, 9000);
		forward(t, rule, &b.p[i], &out);
		out = to_target(&c.p[i], TARGET, 9000);
		forward(t, rule, &c.p[i], &out);
	}
	t->ledger.rule[rule].flows_created += 2;
	t->ledger.flows += 2;
	assert_int_equal(fragments_known(), 0);
}

/* IPv4 numbers the datagrams of each protocol by themselves. */
static void same_number_other_protocol(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet udp = large_packet(t, 2000), tcp = udp, out;
	struct pieces u, s;

	tcp.proto = IPPROTO_TCP;
	u = cut(&udp, STEP);
	s = cut(&tcp, STEP);
	out = to_target(&u.p[0], TARGET, 9000);
	forward_new(t, rule, &u.p[0], &out);
	out = to_target(&s.p[0], TARGET, 9000);
	forward_new(t, rule, &s.p[0], &out);
	out = to_target(&u.p[1], TARGET, 9000);
	forward(t, rule, &u.p[1], &out);
	out = to_target(&s.p[1], TARGET, 9000);
	forward(t, rule, &s.p[1], &out);
}

/* Numbers are used again, at once if need be. */
static void number_used_again(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000);
	struct pieces c = cut(&in, STEP);

	forward_pieces(t, rule, &c, true);
	forward_pieces(t, rule, &c, false);
	keep_reversed(t, &c);
	release_pieces(t, &c, WAN0);
	forward_pieces(t, rule, &c, false);
}

/* A datagram that was the kernel's, then one of ours with the same number. */
static void number_used_again_by_us(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet other = large_packet(t, 4000), in = other;
	struct pieces o, c;

	other.dport = 8001;
	o = cut(&other, STEP);
	c = cut(&in, STEP);
	pass(t, &o.p[0]); /* and the rest is lost */
	forward_pieces(t, rule, &c, true);
}

/* What was left incomplete half a minute ago is forgotten; before, nobody can tell the new first one from the old. */
static void number_used_again_later(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000), out;
	struct pieces c = cut(&in, STEP);

	out = to_target(&c.p[0], TARGET, 9000);
	forward_new(t, rule, &c.p[0], &out);
	age_fragments(31 * t->config.hz);
	forward_pieces(t, rule, &c, false);

	out = to_target(&c.p[0], TARGET, 9000);
	forward(t, rule, &c.p[0], &out);
	age_fragments(29 * t->config.hz);
	forward_pieces(t, rule, &c, false);
	assert_int_equal(fragments_known(), 0);
}

static const struct packet_case fragment_cases[] = {
	CASE_ONLY(fast_tier_passes, ONLY_XDP),
	CASE_ONLY(udp, ONLY_TC),
	CASE_ONLY(tcp, ONLY_TC),
	CASE_ONLY(udp_without_checksum, ONLY_TC | ONLY_V4),
	CASE_ONLY(options, ONLY_TC | ONLY_V4),
	CASE_ONLY(extension_headers, ONLY_TC | ONLY_V6),
	CASE_ONLY(atomic, ONLY_V6),
	CASE_ONLY(masquerade, ONLY_TC),
	CASE_ONLY(any_order_after_the_first, ONLY_TC),
	CASE_ONLY(reversed, ONLY_TC),
	CASE_ONLY(many_reversed, ONLY_TC),
	CASE_ONLY(too_many_reversed, ONLY_TC),
	CASE_ONLY(interleaved, ONLY_TC),
	CASE_ONLY(same_number_other_protocol, ONLY_TC | ONLY_V4),
	CASE_ONLY(number_used_again, ONLY_TC),
	CASE_ONLY(number_used_again_by_us, ONLY_TC),
	CASE_ONLY(number_used_again_later, ONLY_TC),
};

PACKET_SUITE(fragment);
