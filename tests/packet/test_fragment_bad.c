// SPDX-License-Identifier: GPL-2.0-only
/* Fragments that do not go together. */
#include "fragments.h"

/* After [0, 800) and [800, 1600) of 2400 octets, this one; then nothing of the datagram is forwarded any more. */
static void clashes(struct test *t, uint32_t rule, struct packet bad)
{
	struct packet in = bad, out, p;

	in.piece_more = false;
	for (uint32_t off = 0; off < 1600; off += 800) {
		p = piece(&in, off, 800);
		out = to_target(&p, TARGET, 9000);
		forward(t, rule, &p, &out);
	}
	drop(t, rule, XF_REASON_BAD_FRAGMENT, &bad);
	p = piece(&in, 1600, packet_pieces_len(&p) - 1600);
	drop(t, rule, XF_REASON_BAD_FRAGMENT, &p);
	p = piece(&in, 0, 800);
	drop(t, rule, XF_REASON_BAD_FRAGMENT, &p);
}

static void overlaps(struct test *t)
{
	static const struct {
		uint16_t off, len;
	} bad[] = {
		{8, 16},   {808, 8},	{1592, 8},		 /* inside */
		{792, 16}, {400, 800},	{1592, 16}, {1592, 700}, /* over an end */
		{0, 1600}, {800, 1600}, {792, 816}, {8, 2392},	 /* around */
		{8, 3000},					 /* to beyond the end */
	};
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 2400 - UDP_HEADER);

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		in.seed++;
		clashes(t, rule, piece(&in, bad[i].off, bad[i].len));
	}
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

/* The very same again is not held against its datagram; whoever gets it ignores it. */
static void repeated(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4008 - UDP_HEADER), out;
	static const uint16_t order[] = {0, 0, 3200, 800, 3200, 0, 2400, 800, 2400, 3200, 1600};
	struct packet p;

	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		p = piece(&in, order[i], order[i] == 3200 ? 808 : 800);
		out = to_target(&p, TARGET, 9000);
		if (i)
			forward(t, rule, &p, &out);
		else
			forward_new(t, rule, &p, &out);
	}
	assert_int_equal(fragments_known(), 0);
}

/* Two ends, an end before what has come, more beyond the end, more than there can be, a length that only a last one may have. */
static void contradictions(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 2400 - UDP_HEADER), p, out;
	struct packet bad[4];

	bad[0] = piece(&in, 2400, 8); /* a last one, again */
	bad[1] = piece(&in, 2400, 8);
	bad[1].piece_more = true;
	bad[2] = piece(&in, 65528, 16);
	bad[3] = piece(&in, 800, 13);
	for (unsigned int i = 0; i < 4; i++) {
		in.seed++;
		bad[i].seed = in.seed;
		p = piece(&in, 0, 800);
		out = to_target(&p, TARGET, 9000);
		forward(t, rule, &p, &out);
		p = piece(&in, 1600, 800);
		out = to_target(&p, TARGET, 9000);
		forward(t, rule, &p, &out);
		drop(t, rule, XF_REASON_BAD_FRAGMENT, &bad[i]);
		p = piece(&in, 800, 800);
		drop(t, rule, XF_REASON_BAD_FRAGMENT, &p);
	}
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

/* Overlaps among those that wait show when they come again. */
static void overlap_before_the_first(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 2400 - UDP_HEADER), out;
	struct pieces c = {.n = 3};

	c.p[0] = piece(&in, 0, 800);
	c.p[1] = piece(&in, 1600, 800);
	c.p[2] = piece(&in, 800, 808);
	keep_reversed(t, &c);
	release_pieces(t, &c, WAN0);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	out = to_target(&c.p[0], TARGET, 9000);
	forward(t, rule, &c.p[0], &out);
	out = to_target(&c.p[2], TARGET, 9000);
	forward(t, rule, &c.p[2], &out);
	drop(t, rule, XF_REASON_BAD_FRAGMENT, &c.p[1]);
}

/* A datagram that is not ours may be as broken as it likes. */
static void overlap_not_ours(struct test *t)
{
	struct packet in = large_packet(t, 2400), p;

	rule_preserve(t);
	in.dport = 8001;
	p = piece(&in, 0, 800);
	pass(t, &p);
	p = piece(&in, 8, 800);
	pass(t, &p);
	p = piece(&in, 800, 808);
	pass(t, &p);
}

static const struct packet_case fragment_bad_cases[] = {
	CASE_ONLY(overlaps, ONLY_TC),	      CASE_ONLY(repeated, ONLY_TC),
	CASE_ONLY(contradictions, ONLY_TC),   CASE_ONLY(overlap_before_the_first, ONLY_TC),
	CASE_ONLY(overlap_not_ours, ONLY_TC),
};

PACKET_SUITE(fragment_bad);
