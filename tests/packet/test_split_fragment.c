// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 fragments that are larger than the way out carries, and pieces that come again. lan1 carries 1280 octets. */
#include "error.h"
#include "pieces_out.h"

/* Fragments are cut further, and only the datagram's last piece says that it is the last. */
static void fragments(struct test *t)
{
	uint32_t rule;
	struct packet in = flow_to_narrow(t, &rule), out, p;

	in.payload_len = 4000;
	for (uint32_t off = 0; off < 4008; off += 1480) {
		struct pieces c = {0};

		p = piece(&in, off, off + 1480 < 4008 ? 1480 : 4008 - off);
		out = to_target(&in, NARROW, 9000);
		if (p.piece_len <= NARROW_STEP + 4) {
			out = to_target(&p, NARROW, 9000);
			forward(t, rule, &p, &out);
			continue;
		}
		for (uint32_t at = 0; at < p.piece_len; at += NARROW_STEP)
			c.p[c.n++] = piece(&out, off + at, at ? p.piece_len - at : NARROW_STEP);
		build_frame(&p, &t->sent);
		left_in_pieces(t, LAN1, &c);
		ledger_in(t, rule, &p);
	}
	assert_int_equal(fragments_known(), 0);
}

/* The last one can be too big, too. */
static void last_fragment(struct test *t)
{
	uint32_t rule;
	struct packet in = flow_to_narrow(t, &rule), out, p;
	struct pieces c = {.n = 2};

	in.payload_len = 2200 - UDP_HEADER;
	p = piece(&in, 0, 800);
	out = to_target(&p, NARROW, 9000);
	forward(t, rule, &p, &out);
	p = piece(&in, 800, 1400);
	out = to_target(&in, NARROW, 9000);
	c.p[0] = piece(&out, 800, NARROW_STEP);
	c.p[1] = piece(&out, 800 + NARROW_STEP, 1400 - NARROW_STEP);
	build_frame(&p, &t->sent);
	left_in_pieces(t, LAN1, &c);
	ledger_in(t, rule, &p);
}

/* With DF there is nothing to be done about a fragment either. */
static void fragments_with_df(struct test *t)
{
	uint32_t rule;
	struct packet in = flow_to_narrow(t, &rule);
	struct pieces c;

	in.payload_len = 4000;
	in.frag = DONT_FRAGMENT;
	c = cut(&in, STEP);
	told_too_big(t, rule, 1280, &c.p[0]);
	drop(t, rule, XF_REASON_TOO_BIG, &c.p[1]);
	drop(t, rule, XF_REASON_TOO_BIG, &c.p[2]);
}

/* The next hop is not known: the packet comes again in pieces, for each of which the kernel looks for it. */
static void unknown_neighbour(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, NARROW);
	struct packet in = large_packet(t, 3000), was;
	struct tap tap = tap_open(WAN0);
	struct pieces c;

	was = in;
	in.csum = CSUM_PSEUDO;
	c = cut(&was, NARROW_STEP);
	ip("neigh del 198.18.2.10 dev lan1");
	kept(t, &in);
	for (unsigned int i = 0; i < c.n; i++)
		tap_gets(&tap, &c.p[i]);
	tap_close(&tap);
	for (unsigned int i = 0; i < c.n; i++) {
		run(t, &c.p[i]);
		assert_verdict(t, "redirect");
		ledger_in(t, rule, &c.p[i]);
	}
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	ip("neigh add 198.18.2.10 lladdr 02:00:00:00:04:10 nud permanent dev lan1");
}

static const struct packet_case split_fragment_cases[] = {
	CASE_ONLY(fragments, ONLY_V4 | ONLY_TC),
	CASE_ONLY(last_fragment, ONLY_V4 | ONLY_TC),
	CASE_ONLY(fragments_with_df, ONLY_V4 | ONLY_TC),
	CASE_ONLY(unknown_neighbour, ONLY_V4 | ONLY_TC),
};

PACKET_SUITE(split_fragment);
