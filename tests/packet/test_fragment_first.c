// SPDX-License-Identifier: GPL-2.0-only
/* What the first fragment is, the others are: refused, the kernel's, or told of. */
#include <string.h>

#include "error.h"
#include "fragments.h"

static void not_ours(struct test *t)
{
	struct packet in = large_packet(t, 4000);
	struct pieces c;

	rule_preserve(t);
	in.dport = 8001;
	c = cut(&in, STEP);
	pass_pieces(t, &c);
	pass_pieces(t, &c);
	/* It might have been ours: none gets lost, and all come as they were. */
	keep_reversed(t, &c);
	release_pieces(t, &c, WAN0);
	pass_pieces(t, &c);
	assert_int_equal(fragments_known(), 0);
}

/* What is routed through here, between hosts that we have nothing to do with. */
static void not_concerning_us(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, TARGET2);
	struct pieces c;

	rule_preserve(t);
	in.payload_len = 4000;
	c = cut(&in, STEP);
	for (unsigned int i = c.n; i; i--)
		pass(t, &c.p[i - 1]);
	pass_pieces(t, &c);
	assert_int_equal(fragments_known(), 0);
}

static void other_protocols(struct test *t)
{
	static const uint8_t protocols[] = {IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_UDPLITE};

	rule_preserve(t);
	for (unsigned int i = 0; i < sizeof(protocols); i++) {
		struct packet in = large_packet(t, 4000);
		struct pieces c;

		in.proto = protocols[i];
		c = cut(&in, STEP);
		for (unsigned int k = c.n; k; k--)
			pass(t, &c.p[k - 1]);
	}
	assert_int_equal(fragments_known(), 0);
}

static void disable(struct test *t, uint32_t id)
{
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.flags |= XF_RULE_DISABLED;
	rule_put(t, id, &rule);
}

static void refused(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000);
	struct pieces c = cut(&in, STEP);

	disable(t, rule);
	drop_pieces(t, rule, XF_REASON_DISABLED, &c);
	drop_pieces(t, rule, XF_REASON_DISABLED, &c);
	keep_reversed(t, &c);
	release_pieces(t, &c, WAN0);
	drop_pieces(t, rule, XF_REASON_DISABLED, &c);
	assert_int_equal(fragments_known(), 0);
}

static void no_route(struct test *t)
{
	uint32_t rule = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = NOWHERE, .target_port = 9000});
	struct packet in = large_packet(t, 4000);
	struct pieces c = cut(&in, STEP);

	drop_pieces(t, rule, XF_REASON_NO_ROUTE, &c);
}

/* The sender hears of the first one only (RFC 1122, 3.2.2). */
static void ttl_exceeded(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000), out;
	struct pieces c = cut(&in, STEP);

	for (unsigned int i = 0; i < c.n; i++)
		c.p[i].ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &c.p[0]);
	drop(t, rule, XF_REASON_TTL_EXCEEDED, &c.p[1]);
	drop(t, rule, XF_REASON_TTL_EXCEEDED, &c.p[2]);

	out = to_target(&in, TARGET, 9000);
	c.p[0].ttl = 64;
	out = to_target(&c.p[0], TARGET, 9000);
	forward_new(t, rule, &c.p[0], &out);
	drop(t, rule, XF_REASON_TTL_EXCEEDED, &c.p[1]);
}

static void too_big(struct test *t)
{
	uint32_t rule = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = NARROW, .target_port = 9000});
	struct packet in = large_packet(t, 4000), out;
	struct pieces c = cut(&in, STEP), small = cut(&in, 1232);

	told_too_big(t, rule, 1280, &c.p[0]);
	drop(t, rule, XF_REASON_TOO_BIG, &c.p[1]);
	drop(t, rule, XF_REASON_TOO_BIG, &c.p[2]);
	for (unsigned int i = 0; i < small.n; i++) {
		out = to_target(&small.p[i], NARROW, 9000);
		if (i)
			forward(t, rule, &small.p[i], &out);
		else
			forward_new(t, rule, &small.p[i], &out);
	}
}

/* RFC 1858, 3: the flags hidden in the second fragment. */
static void tiny_first(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000);
	struct packet first, later;

	in.proto = IPPROTO_TCP;
	first = piece(&in, 0, 16);
	first.trailer = 20;
	later = piece(&in, 16, 800);
	drop(t, rule, XF_REASON_MALFORMED, &first);
	drop(t, rule, XF_REASON_MALFORMED, &later);
	in.seed++;
	first = piece(&in, 0, 16);
	later = piece(&in, 16, 800);
	kept(t, &later);
	/* Not even that many octets: nobody can say what it is. */
	run(t, &first);
	assert_verdict(t, "drop");
	pass(t, &first);
	pass(t, &later);
}

static void first_malformed(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000);
	struct pieces c;

	in.udp_len_add = -(int)in.payload_len - 1;
	c = cut(&in, STEP);
	drop_pieces(t, rule, XF_REASON_MALFORMED, &c);
}

/* It says more than there is. */
static void later_malformed(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000), out;
	struct pieces c = cut(&in, STEP);

	c.p[1].ip_len_add = 8;
	pass(t, &c.p[1]); /* cannot wait */
	out = to_target(&c.p[0], TARGET, 9000);
	forward_new(t, rule, &c.p[0], &out);
	drop(t, rule, XF_REASON_MALFORMED, &c.p[1]);
}

/* An error about the first fragment of what the target, or the client, got. */
static void errors(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = large_packet(t, 4000), out = to_target(&in, TARGET, 9000), got;
	struct pieces c = cut(&in, STEP);
	struct error e, want;

	forward_pieces(t, rule, &c, true);
	got = piece(&out, 0, STEP);
	e = error_about(t, TARGET, &got);
	error_says(&e, REASSEMBLY_TIME);
	e.quote = 500;
	want = e;
	want.outer.saddr = in.daddr;
	memcpy(want.outer.smac, in.dmac, 6);
	memcpy(want.outer.dmac, in.smac, 6);
	want.outer.ttl--;
	want.inner = c.p[0];
	want.inner.ttl = got.ttl;
	error_forward(t, &in, &e, &want);
	/* Of a later one nobody can tell whose it is. */
	e.inner = piece(&out, STEP, STEP);
	error_pass(t, &e);
}

static const struct packet_case fragment_first_cases[] = {
	CASE_ONLY(not_ours, ONLY_TC),
	CASE_ONLY(not_concerning_us, ONLY_TC),
	CASE_ONLY(other_protocols, ONLY_TC),
	CASE_ONLY(refused, ONLY_TC),
	CASE_ONLY(no_route, ONLY_TC),
	CASE_ONLY(ttl_exceeded, ONLY_TC),
	CASE_ONLY(too_big, ONLY_TC | ONLY_V6),
	CASE_ONLY(tiny_first, ONLY_TC),
	CASE_ONLY(first_malformed, ONLY_TC),
	CASE_ONLY(later_malformed, ONLY_TC),
	CASE_ONLY(errors, ONLY_TC),
};

PACKET_SUITE(fragment_first);
