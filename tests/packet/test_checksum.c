// SPDX-License-Identifier: GPL-2.0-only
/* Checksums in the corners: none, zero, wrong, unfinished. */
#include "harness.h"

/* There and back; `change` says what is special about each packet. */
static void both_ways(struct test *t, uint32_t rule, struct packet in, void (*change)(struct packet *p))
{
	struct packet out, back, got;

	change(&in);
	out = to_target(&in, TARGET, 9000);
	if (flow_entries(t, t->family))
		forward(t, rule, &in, &out);
	else
		forward_new(t, rule, &in, &out);
	back = answer(&out);
	change(&back);
	got = to_client(&back, &in);
	reply(t, rule, &back, &got);
}

static void no_checksum(struct packet *p)
{
	p->csum = CSUM_NONE;
}

/* RFC 768 over IPv4, RFC 6935 over IPv6: "not computed" stays so. */
static void udp_none(struct test *t)
{
	both_ways(t, rule_preserve(t), packet_from(t, CLIENT, ROUTER), no_checksum);
}

/* The checksum comes out as zero, which UDP writes as 0xffff and TCP as it is. */
static void becomes_zero(struct test *t, uint8_t proto, uint16_t written)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out, back, got;
	uint32_t rule = rule_preserve(t);

	in.proto = proto;
	out = to_target(&in, TARGET, 9000);
	packet_make_checksum_zero(&out);
	assert_int_equal(packet_checksum(&out), written);
	in.payload_word = out.payload_word;
	forward_new(t, rule, &in, &out);

	back = answer(&out);
	got = to_client(&back, &in);
	packet_make_checksum_zero(&got);
	assert_int_equal(packet_checksum(&got), written);
	back.payload_word = got.payload_word;
	reply(t, rule, &back, &got);
}

static void udp_becomes_zero(struct test *t)
{
	becomes_zero(t, IPPROTO_UDP, 0xffff);
}

static void tcp_becomes_zero(struct test *t)
{
	becomes_zero(t, IPPROTO_TCP, 0);
}

static void udp_was_zero(struct test *t)
{
	both_ways(t, rule_preserve(t), packet_from(t, CLIENT, ROUTER), packet_make_checksum_zero);
}

static void tcp_was_zero(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.proto = IPPROTO_TCP;
	both_ways(t, rule_preserve(t), in, packet_make_checksum_zero);
}

static void off_by_one(struct packet *p)
{
	p->csum_error = 1;
}

static void off_by_much(struct packet *p)
{
	p->csum_error = 0xbeef;
}

/* Whoever gets the packet must still see that it was damaged before it came here. */
static void damage_stays_visible(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	both_ways(t, rule, in, off_by_one);
	both_ways(t, rule, in, off_by_much);
}

static void tcp_damage_stays_visible(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	in.proto = IPPROTO_TCP;
	both_ways(t, rule, in, off_by_one);
	both_ways(t, rule, in, off_by_much);
}

/*
 * What a local sender leaves for a NIC to finish. The fast tier cannot finish
 * it, and so must not touch it: before there is a flow, and after. For the full
 * tier only the kernel itself can make such a packet.
 */
static void unfinished(struct test *t)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	uint32_t rule = rule_preserve(t);

	for (unsigned int i = 0; i < sizeof(protocols); i++) {
		struct packet in = packet_from(t, CLIENT, ROUTER), out, back;

		in.proto = protocols[i];
		in.csum = CSUM_PSEUDO;
		pass(t, &in);
		in.csum = CSUM_RIGHT;
		out = to_target(&in, TARGET, 9000);
		forward_new(t, rule, &in, &out);
		in.csum = CSUM_PSEUDO;
		pass(t, &in);
		back = answer(&out);
		back.csum = CSUM_PSEUDO;
		pass(t, &back);
		back.options = t->family == XF_IPV4 ? 8 : 0;
		pass(t, &back);
	}
}

/* Identification values for which the header checksum comes out, or comes in, as 0. */
static void ipv4_header_zero(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_preserve(t), found = 0;

	out = to_target(&in, TARGET, 9000);
	forward_new(t, rule, &in, &out);
	for (in.seed = 0; in.seed < 65536; in.seed++) {
		struct frame f, g;

		out = to_target(&in, TARGET, 9000);
		build_frame(&in, &f);
		build_frame(&out, &g);
		if ((f.data[24] || f.data[25]) && (g.data[24] || g.data[25]))
			continue;
		forward(t, rule, &in, &out);
		found++;
	}
	assert_in_range(found, 1, 8);
}

/* Nothing changes but the hop count. */
static void identity(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, TARGET), out;
	uint32_t rule =
		rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR, .host = TARGET, .port = 8000, .target = TARGET});

	out = to_target(&in, TARGET, 8000);
	forward_new(t, rule, &in, &out);
	in.proto = IPPROTO_TCP;
	out = to_target(&in, TARGET, 8000);
	forward_new(t, rule, &in, &out);
	/* The difference is all ones in every word: sums are just below or above a carry. */
	for (int i = -40; i < 40; i++) {
		packet_make_checksum(&in, i & 1 ? htons(i / 2) : i / 2); /* of octets in either order */
		out = to_target(&in, TARGET, 8000);
		forward(t, rule, &in, &out);
	}
}

static const struct packet_case checksum_cases[] = {
	CASE(udp_none),
	CASE(udp_becomes_zero),
	CASE(tcp_becomes_zero),
	CASE(udp_was_zero),
	CASE(tcp_was_zero),
	CASE(damage_stays_visible),
	CASE(tcp_damage_stays_visible),
	CASE_ONLY(unfinished, ONLY_XDP),
	CASE_ONLY(ipv4_header_zero, ONLY_V4),
	CASE(identity),
};

PACKET_SUITE(checksum);
