// SPDX-License-Identifier: GPL-2.0-only
/* Packets that cannot go on, and the ICMP errors that their senders get: the whole error, octet for octet. */
#include <sched.h>
#include <string.h>
#include <arpa/inet.h>

#include "error.h"
#include "talk.h"

#define BURST 50 /* errors at once, on each CPU */

static uint32_t rule_between(struct test *t, enum host listen, enum host target)
{
	return rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = listen, .port = 8000, .target = target, .target_port = 9000});
}

static void set_ip_len(struct packet *p, uint32_t len)
{
	p->payload_len = 0;
	p->payload_len = len - packet_ip_len(p);
}

/* TTL 1 cannot be forwarded, and 0 should never have been sent. */
static void each_ttl(struct test *t, uint32_t rule, struct packet in)
{
	in.ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	in.ttl = 0;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
}

static void ttl_without_flow(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	each_ttl(t, rule, in);
	in.proto = IPPROTO_TCP;
	each_ttl(t, rule, in);
}

/* By the way it came, whatever the routing table says. */
static void ttl_of_a_stranger(struct test *t)
{
	each_ttl(t, rule_preserve(t), packet_from(t, STRANGER, ROUTER));
}

static void ttl_with_flow(struct test *t)
{
	struct talk udp = talk_udp(t, 40000), tcp = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &udp.in, &udp.out);
	forward_new(t, rule, &tcp.in, &tcp.out);
	each_ttl(t, rule, udp.in);
	each_ttl(t, rule, udp.back);
	each_ttl(t, rule, tcp.in);
	each_ttl(t, rule, tcp.back);
}

/* The target knows this machine only. */
static void ttl_masqueraded(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_masquerade(t);

	t->config.port_lo = t->config.port_hi = 20007;
	config_put(t);
	k.out.saddr = host_addr(ROUTER_LAN, t->family);
	k.out.sport = 20007;
	forward_new(t, rule, &k.in, &k.out);
	each_ttl(t, rule, answer(&k.out));
	each_ttl(t, rule, k.in);
}

/* What is quoted is the packet as it came: options, damage and all, without what Ethernet added. */
static void quoted_as_it_came(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	in.options = t->family == XF_IPV4 ? 40 : 0;
	in.n_ext = t->family == XF_IPV4 ? 0 : 2;
	in.ext[0] = (struct ext){IPPROTO_HOPOPTS, 1};
	in.ext[1] = (struct ext){IPPROTO_DSTOPTS, 4};
	in.tos = 0xb9;
	each_ttl(t, rule, in);
	in.csum_error = 0x1111;
	each_ttl(t, rule, in);
	in.csum = CSUM_NONE;
	in.payload_len = 4;
	in.trailer = 13;
	each_ttl(t, rule, in);
}

/* From the shortest packet to more than an error may quote. */
static void each_quote(struct test *t)
{
	static const uint16_t sizes[] = {0, 1, 2, 3, 4, 5, 400, 520, 521, 1184, 1185, 1472};
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	in.ttl = 1;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		in.payload_len = sizes[i];
		told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
		in.proto = IPPROTO_TCP;
		in.tcp_options = 40;
		told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
		in.proto = IPPROTO_UDP;
	}
}

static void each_too_big(struct test *t, uint32_t rule, struct packet in)
{
	in.frag = t->family == XF_IPV4 ? 0x4000 : 0;
	set_ip_len(&in, 1281);
	told_too_big(t, rule, 1280, &in);
	set_ip_len(&in, 1500);
	told_too_big(t, rule, 1280, &in);
	set_ip_len(&in, 2000);
	told_too_big(t, rule, 1280, &in);
}

/* lan1 carries 1280 octets. Such a packet makes no flow. */
static void too_big_without_flow(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, NARROW);
	struct packet in = packet_from(t, CLIENT, ROUTER);

	each_too_big(t, rule, in);
}

static void too_big_with_flow(struct test *t)
{
	uint32_t rule = rule_between(t, ROUTER, NARROW);
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, NARROW, 9000);

	forward_new(t, rule, &in, &out);
	each_too_big(t, rule, in);
	set_ip_len(&in, 1280);
	out = to_target(&in, NARROW, 9000);
	forward(t, rule, &in, &out);
	in.proto = out.proto = IPPROTO_TCP;
	in.tcp_flags = out.tcp_flags = TCP_ACK;
	set_ip_len(&in, 1280);
	set_ip_len(&out, 1280);
	forward_new(t, rule, &in, &out);
	each_too_big(t, rule, in);
}

/* The same towards the client, whose way is the narrow one. */
static void too_big_reply(struct test *t)
{
	struct packet in = packet_from(t, NARROW, ROUTER_LAN1), out = to_target(&in, TARGET, 9000);
	uint32_t rule = rule_between(t, ROUTER_LAN1, TARGET);
	struct packet back = answer(&out), got;

	forward_new(t, rule, &in, &out);
	each_too_big(t, rule, back);
	set_ip_len(&back, 1280);
	got = to_client(&back, &in);
	reply(t, rule, &back, &got);
}

static void too_big_masqueraded(struct test *t)
{
	struct packet in = packet_from(t, NARROW, ROUTER_LAN1), out = to_target(&in, TARGET, 9000);
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER_LAN1,
						   .port = 8000,
						   .target = TARGET,
						   .target_port = 9000,
						   .source = XF_SOURCE_MASQUERADE,
						   .masquerade = ROUTER_LAN});

	t->config.port_lo = t->config.port_hi = 20007;
	config_put(t);
	out.saddr = host_addr(ROUTER_LAN, t->family);
	out.sport = 20007;
	forward_new(t, rule, &in, &out);
	each_too_big(t, rule, answer(&out));
}

/* Of a GSO packet it is the segments that must fit; each counts as the packet that it would be. */
static void gso_segments(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t headers, rule = rule_between(t, ROUTER, NARROW);

	in.proto = IPPROTO_TCP;
	in.tcp_flags = TCP_ACK;
	out = to_target(&in, NARROW, 9000);
	forward_new(t, rule, &in, &out);
	in.payload_len = 2400;
	headers = packet_ip_len(&in) - in.payload_len;
	t->gso_size = 1280 - headers;
	out = to_target(&in, NARROW, 9000);
	forward(t, rule, &in, &out);
	t->ledger.rule[rule].packets_in++;
	t->ledger.rule[rule].bytes_in += headers;
	t->gso_size++;
	told_too_big(t, rule, 1280, &in);
	t->ledger.rule_drops[rule][XF_REASON_TOO_BIG]++;
	in.ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	t->ledger.rule_drops[rule][XF_REASON_TTL_EXCEEDED]++;
}

/* The bucket and the CPU that it belongs to; with such a tick rate it is not filled again. */
static void stop_the_clock(struct test *t)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
	t->config.hz = 1u << 31;
	config_put(t);
}

static void free_the_clock(const cpu_set_t *before)
{
	sched_setaffinity(0, sizeof(*before), before);
}

/* When the burst is used up, packets are dropped and counted as before, and nobody is told. */
static void rate_limited(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000);
	uint32_t rule = rule_preserve(t);
	cpu_set_t before;

	sched_getaffinity(0, sizeof(before), &before);
	in.ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	stop_the_clock(t);
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	for (int i = 2; i < BURST; i++)
		told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	for (int i = 0; i < 5; i++)
		drop(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	in.ttl = 64;
	forward_new(t, rule, &in, &out);
	free_the_clock(&before);
}

/* A source that is no single host gets no error (RFC 1122, 3.2.2; RFC 4443, 2.4 e.6). */
static void not_to_everybody(struct test *t)
{
	static const char *const v4[] = {"0.0.0.0", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"};
	static const char *const v6[] = {"::", "::1", "ff02::1", "ff0e::1"};
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);
	bool is_v4 = t->family == XF_IPV4;

	in.ttl = 1;
	for (unsigned int i = 0; i < (is_v4 ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0])); i++) {
		memset(&in.saddr, 0, sizeof(in.saddr));
		if (is_v4)
			assert_int_equal(inet_pton(AF_INET, v4[i], &in.saddr.v4), 1);
		else
			assert_int_equal(inet_pton(AF_INET6, v6[i], in.saddr.v6), 1);
		drop(t, rule, XF_REASON_BAD_SOURCE, &in);
	}
}

static const struct packet_case told_cases[] = {
	{"ttl_without_flow", ttl_without_flow, 0},
	{"ttl_of_a_stranger", ttl_of_a_stranger, 0},
	{"ttl_with_flow", ttl_with_flow, 0},
	{"ttl_masqueraded", ttl_masqueraded, 0},
	{"quoted_as_it_came", quoted_as_it_came, 0},
	{"each_quote", each_quote, 0},
	{"too_big_without_flow", too_big_without_flow, 0},
	{"too_big_with_flow", too_big_with_flow, 0},
	{"too_big_reply", too_big_reply, 0},
	{"too_big_masqueraded", too_big_masqueraded, 0},
	{"gso_segments", gso_segments, ONLY_TC},
	{"rate_limited", rate_limited, ONLY_TC},
	{"not_to_everybody", not_to_everybody, ONLY_TC},
};

PACKET_SUITE(told);
