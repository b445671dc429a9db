// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 packets without DF that are larger than the way out carries: each piece, octet for octet. lan1 carries 1280. */
#include <string.h>

#include "error.h"
#include "pieces_out.h"
#include "talk.h"

/* In pieces to NARROW, and counted as the one packet that came. */
static void split_to_narrow(struct test *t, uint32_t rule, const struct packet *in)
{
	struct packet out = to_target(in, NARROW, 9000);

	out.csum = in->csum == CSUM_PSEUDO ? CSUM_RIGHT : in->csum;
	if (is_split(t, in, &out, NARROW_STEP))
		ledger_in(t, rule, in);
}

static void each_size(struct test *t)
{
	static const uint16_t payloads[] = {1253, 1254, 1400, 1472, 2504, 2505, 3000, 3333};
	uint32_t rule;
	struct packet in = flow_to_narrow(t, &rule);

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
	struct packet in = flow_to_narrow(t, &rule);

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
	struct packet in = flow_to_narrow(t, &rule), out;

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

	in = flow_to_narrow(t, &rule);
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
	struct packet in = flow_to_narrow(t, &rule), out;

	in.options = 40;
	in.payload_len = 3000;
	out = to_target(&in, NARROW, 9000);
	if (is_split(t, &in, &out, 1216))
		ledger_in(t, rule, &in);
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
	CASE_ONLY(unknown_neighbour_of_a_fragment, ONLY_V4 | ONLY_TC),
	CASE_ONLY(too_many_pieces, ONLY_V4 | ONLY_TC),
};

PACKET_SUITE(split);
