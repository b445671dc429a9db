// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 packets without DF that are larger than the way out carries: each piece, octet for octet. lan1 carries 1280. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fragments.h"
#include "talk.h"

#define NARROW_STEP 1256 /* octets that fit behind an IPv4 header on lan1, in units of 8 */

static uint32_t rule_between(struct test *t, enum host listen, enum host target)
{
	return rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = listen, .port = 8000, .target = target, .target_port = 9000});
}

/* Of these pieces, the last one is what comes out of the run, and all others left by the interface before. */
static void left_in_pieces(struct test *t, enum dev dev, const struct pieces *c)
{
	struct tap tap = tap_open_out(dev);
	struct frame want;

	run_sent(t);
	assert_verdict(t, "redirect");
	for (unsigned int i = 0; i + 1 < c->n; i++)
		tap_gets(&tap, &c->p[i]);
	build_frame(&c->p[c->n - 1], &want);
	assert_frame(&want, &t->got);
	tap_close(&tap);
}

/* False: the fast tier, which has left the packet to the full one as it came. */
static bool is_split(struct test *t, const struct packet *in, const struct packet *out, uint32_t step)
{
	struct pieces c = cut(out, step);

	if (t->hook == HOOK_XDP) {
		pass(t, in);
		return false;
	}
	build_frame(in, &t->sent);
	left_in_pieces(t, LAN1, &c);
	return true;
}

/* In pieces to NARROW, and counted as the one packet that came. */
static void split_to_narrow(struct test *t, uint32_t rule, const struct packet *in)
{
	struct packet out = to_target(in, NARROW, 9000);

	out.csum = in->csum == CSUM_PSEUDO ? CSUM_RIGHT : in->csum;
	if (is_split(t, in, &out, NARROW_STEP))
		ledger_in(t, rule, in);
}

/* A flow to NARROW. */
static struct packet begin(struct test *t, uint32_t *rule)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, NARROW, 9000);

	*rule = rule_between(t, ROUTER, NARROW);
	forward_new(t, *rule, &in, &out);
	return in;
}

static void each_size(struct test *t)
{
	static const uint16_t payloads[] = {1253, 1254, 1400, 1472, 2504, 2505, 3000, 3333};
	uint32_t rule;
	struct packet in = begin(t, &rule);

	for (unsigned int i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		in.payload_len = payloads[i];
		in.seed++;
		split_to_narrow(t, rule, &in);
	}
}

static void tcp(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, NARROW);
	struct packet in = packet_from(t, CLIENT, ROUTER), out;

	in.proto = IPPROTO_TCP;
	in.tcp_flags = TCP_ACK;
	out = to_target(&in, NARROW, 9000);
	forward_new(t, rule, &in, &out);
	in.tcp_options = 12;
	in.payload_len = 1448;
	split_to_narrow(t, rule, &in);
}

static void without_flow(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, NARROW);
	struct packet in = large_packet(t, 3000);

	split_to_narrow(t, rule, &in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

/* Towards the client, whose way is the narrow one. */
static void reply_split(struct test *t, enum xf_source source)
{
	struct packet in = packet_from(t, NARROW, ROUTER_LAN1), out = to_target(&in, TARGET, 9000), back, got;
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER_LAN1,
						   .port = 8000,
						   .target = TARGET,
						   .target_port = 9000,
						   .source = source,
						   .masquerade = ROUTER_LAN});

	if (source == XF_SOURCE_MASQUERADE) {
		t->config.port_lo = t->config.port_hi = 20007;
		config_put(t);
		out.saddr = host_addr(ROUTER_LAN, t->family);
		out.sport = 20007;
	}
	forward_new(t, rule, &in, &out);
	back = answer(&out);
	back.payload_len = 3000;
	got = to_client(&back, &in);
	if (is_split(t, &back, &got, NARROW_STEP))
		ledger_out(t, rule, &back);
}

static void reply_preserved(struct test *t)
{
	reply_split(t, XF_SOURCE_PRESERVE);
}

static void reply_masqueraded(struct test *t)
{
	reply_split(t, XF_SOURCE_MASQUERADE);
}

/* What a device was to finish is finished, since it would do so for each piece; what is wrong stays wrong. */
static void checksums(struct test *t)
{
	uint32_t rule;
	struct packet in = begin(t, &rule);

	in.payload_len = 3333;
	in.csum = CSUM_NONE;
	split_to_narrow(t, rule, &in);
	in.csum = CSUM_PSEUDO;
	split_to_narrow(t, rule, &in);
	in.payload_len = 1253;
	split_to_narrow(t, rule, &in);
	in.csum = CSUM_RIGHT;
	in.csum_error = 0x1111;
	split_to_narrow(t, rule, &in);
}

static void unfinished_tcp(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, NARROW);
	struct packet in = packet_from(t, CLIENT, ROUTER), out;

	in.proto = IPPROTO_TCP;
	in.tcp_flags = TCP_ACK;
	out = to_target(&in, NARROW, 9000);
	forward_new(t, rule, &in, &out);
	in.csum = CSUM_PSEUDO;
	in.payload_len = 1447;
	split_to_narrow(t, rule, &in);
}

/* A sum that becomes zero when it is finished is sent as 0xffff (RFC 768). */
static void unfinished_becomes_zero(struct test *t)
{
	uint32_t rule;
	struct packet in = begin(t, &rule), out;

	in.payload_len = 2000;
	out = to_target(&in, NARROW, 9000);
	packet_make_checksum_zero(&out);
	in.payload_word = out.payload_word;
	in.csum = CSUM_PSEUDO;
	split_to_narrow(t, rule, &in);
}

static void set_options(struct frame *f, const uint8_t *options, uint32_t len)
{
	uint8_t *ip = f->data + ETH_HEADER;
	uint16_t sum;

	memcpy(ip + IPV4_HEADER, options, len);
	ip[10] = ip[11] = 0;
	sum = ~sum_fold(sum_octets(0, ip, IPV4_HEADER + len));
	ip[10] = sum >> 8;
	ip[11] = sum & 0xff;
}

static void check_piece(const struct tap *tap, const struct frame *want)
{
	struct frame got;

	tap_read(tap, &got);
	assert_frame(want, &got);
}

/* Only some options are in all pieces (RFC 791, 3.1); in place of the others there is nothing. */
static void options_copied(struct test *t)
{
	static const uint8_t first[] = {1,    7, 7, 4, 1, 2, 3, 4,    0x94, 4, 0, 0,
					0x44, 7, 5, 0, 1, 2, 3, 0x86, 4,    9, 9, 0},
			     later[] = {1, 1, 1, 1, 1, 1, 1, 1, 0x94, 4, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0x86, 4, 9, 9, 0};
	struct packet in, out;
	struct frame want;
	struct pieces c;
	struct tap tap;
	uint32_t rule;

	in = begin(t, &rule);
	in.payload_len = 3000;
	in.options = sizeof(first);
	out = to_target(&in, NARROW, 9000);
	c = cut(&out, 1232);
	build_frame(&in, &t->sent);
	set_options(&t->sent, first, sizeof(first));
	tap = tap_open_out(LAN1);
	run_sent(t);
	assert_verdict(t, "redirect");
	for (unsigned int i = 0; i < c.n; i++) {
		build_frame(&c.p[i], &want);
		set_options(&want, i ? later : first, sizeof(first));
		if (i + 1 < c.n)
			check_piece(&tap, &want);
		else
			assert_frame(&want, &t->got);
	}
	tap_close(&tap);
	ledger_in(t, rule, &in);
}

static void options_all(struct test *t)
{
	uint32_t rule;
	struct packet in = begin(t, &rule), out;

	in.options = 40;
	in.payload_len = 3000;
	out = to_target(&in, NARROW, 9000);
	if (is_split(t, &in, &out, 1216))
		ledger_in(t, rule, &in);
}

/* Fragments are cut further, and only the datagram's last piece says that it is the last. */
static void fragments(struct test *t)
{
	uint32_t rule;
	struct packet in = begin(t, &rule), out, p;

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
	struct packet in = begin(t, &rule), out, p;
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
	struct packet in = begin(t, &rule);
	struct pieces c;

	in.payload_len = 4000;
	in.frag = DONT_FRAGMENT;
	c = cut(&in, STEP);
	told_too_big(t, rule, 1280, &c.p[0]);
	drop(t, rule, XF_REASON_TOO_BIG, &c.p[1]);
	drop(t, rule, XF_REASON_TOO_BIG, &c.p[2]);
}

static void ip(const char *what)
{
	char command[128];

	snprintf(command, sizeof(command), "ip %s", what);
	assert_int_equal(system(command), 0);
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

/* On a way that carries 68 octets, 64 pieces of 48 are the most. */
static void too_many_pieces(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, FAR);
	struct packet in = large_packet(t, 64 * 48 - UDP_HEADER), out = to_target(&in, FAR, 9000);
	struct pieces c = {0};
	struct tap tap = tap_open_out(LAN0);
	struct frame want;

	ip("route change 198.18.3.0/24 via 192.0.2.254 mtu lock 68");
	c = cut(&out, 48);
	assert_int_equal(c.n, 64);
	run(t, &in);
	assert_verdict(t, "redirect");
	for (unsigned int i = 0; i + 1 < c.n; i++)
		tap_gets(&tap, &c.p[i]);
	build_frame(&c.p[63], &want);
	assert_frame(&want, &t->got);
	tap_close(&tap);
	ledger_in(t, rule, &in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	in.payload_len++;
	told_too_big(t, rule, 68, &in);
	ip("route change 198.18.3.0/24 via 192.0.2.254");
}

/* A first fragment likewise, and then nothing is known of its datagram yet. */
static void unknown_neighbour_of_a_fragment(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, NARROW);
	struct packet in = large_packet(t, 2800 - UDP_HEADER), first = piece(&in, 0, 1400), p;
	struct tap tap = tap_open(WAN0);
	static const uint32_t edge[] = {0, NARROW_STEP, 1400, 2096, 2800};

	ip("neigh del 198.18.2.10 dev lan1");
	kept(t, &first);
	assert_int_equal(fragments_known(), 0);
	for (unsigned int i = 0; i < 2; i++) {
		p = piece(&in, edge[i], edge[i + 1] - edge[i]);
		tap_gets(&tap, &p);
	}
	tap_close(&tap);
	for (unsigned int i = 0; i < 4; i++) {
		p = piece(&in, edge[i], edge[i + 1] - edge[i]);
		run(t, &p);
		assert_verdict(t, "redirect");
		ledger_in(t, rule, &p);
	}
	assert_int_equal(fragments_known(), 0);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	ip("neigh add 198.18.2.10 lladdr 02:00:00:00:04:10 nud permanent dev lan1");
}

static const struct packet_case split_cases[] = {
	CASE_ONLY(each_size, ONLY_V4),
	CASE_ONLY(tcp, ONLY_V4),
	CASE_ONLY(without_flow, ONLY_V4 | ONLY_TC),
	CASE_ONLY(reply_preserved, ONLY_V4),
	CASE_ONLY(reply_masqueraded, ONLY_V4),
	CASE_ONLY(checksums, ONLY_V4),
	CASE_ONLY(unfinished_tcp, ONLY_V4),
	CASE_ONLY(unfinished_becomes_zero, ONLY_V4),
	CASE_ONLY(options_copied, ONLY_V4 | ONLY_TC),
	CASE_ONLY(options_all, ONLY_V4),
	CASE_ONLY(fragments, ONLY_V4 | ONLY_TC),
	CASE_ONLY(last_fragment, ONLY_V4 | ONLY_TC),
	CASE_ONLY(fragments_with_df, ONLY_V4 | ONLY_TC),
	CASE_ONLY(unknown_neighbour, ONLY_V4 | ONLY_TC),
	CASE_ONLY(unknown_neighbour_of_a_fragment, ONLY_V4 | ONLY_TC),
	CASE_ONLY(too_many_pieces, ONLY_V4 | ONLY_TC),
};

PACKET_SUITE(split);
