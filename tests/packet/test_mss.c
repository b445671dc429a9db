// SPDX-License-Identifier: GPL-2.0-only
/* The MSS of SYNs: lowered to what the narrower of both ways carries, and touched no further. */
#include <string.h>

#include "harness.h"

#define NOP	   1
#define MSS	   2, 4
#define NARROW_MTU 1280

/* The options of a TCP header; `at` is where the MSS's value is. */
struct options {
	uint8_t len;
	uint8_t at;
	uint8_t octets[40];
};

/* Both ways are as wide as they are: the client is on `listen`'s network. */
struct way {
	enum host client, listen, target;
};

static const struct way wide = {CLIENT, ROUTER, TARGET};
static const struct way narrow_out = {CLIENT, ROUTER, NARROW};
static const struct way narrow_back = {NARROW, ROUTER_LAN1, TARGET};

static uint16_t limit(const struct test *t, uint16_t mtu)
{
	return mtu - TCP_HEADER - (t->family == XF_IPV4 ? IPV4_HEADER : IPV6_HEADER);
}

static void put_word(uint8_t *to, uint16_t value)
{
	to[0] = value >> 8;
	to[1] = value & 0xff;
}

/* The packet with these options, and this MSS in them. */
static void build_syn(const struct packet *p, const struct options *o, uint16_t mss, struct frame *f)
{
	uint32_t l4 = ETH_HEADER + packet_ip_len(p) - TCP_HEADER - o->len - p->payload_len;
	uint32_t addr_len = p->family == XF_IPV4 ? 4 : 16, len = TCP_HEADER + o->len + p->payload_len, sum;
	uint8_t *tcp = f->data + l4;

	assert_int_equal(p->tcp_options, o->len);
	build_frame(p, f);
	memcpy(tcp + TCP_HEADER, o->octets, o->len);
	if (o->at)
		put_word(tcp + TCP_HEADER + o->at, mss);
	put_word(tcp + 16, 0);
	sum = sum_octets(0, &p->saddr, addr_len);
	sum = sum_octets(sum, &p->daddr, addr_len) + IPPROTO_TCP + len;
	put_word(tcp + 16, ~sum_fold(sum_octets(sum, tcp, len)));
}

static void expect(struct test *t, const struct packet *out, const struct options *o, uint16_t mss)
{
	struct frame want;

	run_sent(t);
	assert_verdict(t, "redirect");
	build_syn(out, o, mss, &want);
	assert_frame(&want, &t->got);
}

static struct packet syn_from(const struct test *t, const struct way *w, const struct options *o)
{
	struct packet p = packet_from(t, w->client, w->listen);

	p.proto = IPPROTO_TCP;
	p.payload_len = 0;
	p.tcp_options = o->len;
	p.sport += t->ledger.flows;
	return p;
}

/* A connection of its own: the SYN's MSS becomes `mss`, and so does the SYN-ACK's. */
static void handshake(struct test *t, const struct way *w, const struct options *o, const uint16_t mss[2])
{
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = w->listen,
						   .port = 8000,
						   .target = w->target,
						   .target_port = 9000});
	struct packet in = syn_from(t, w, o), out = to_target(&in, w->target, 9000), back, got;

	build_syn(&in, o, mss[0], &t->sent);
	at(__FILE__, __LINE__);
	expect(t, &out, o, mss[1]);
	ledger_in(t, rule, &in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;

	back = answer(&out);
	back.payload_len = 0;
	got = to_client(&back, &in);
	build_syn(&back, o, mss[0], &t->sent);
	at(__FILE__, __LINE__);
	expect(t, &got, o, mss[1]);
	ledger_out(t, rule, &back);
}

static const struct options first = {4, 2, {MSS}};

static void each_value(struct test *t, const struct way *w, uint16_t most)
{
	const uint16_t values[] = {most, most + 1, 9000, 65535, most - 1, 536, 1, 0};

	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		handshake(t, w, &first, (uint16_t[]){values[i], values[i] > most ? most : values[i]});
}

static void wide_ways(struct test *t)
{
	each_value(t, &wide, limit(t, 9000));
}

/* The limit is the narrower way's, for what goes on it and for what comes the other way. */
static void narrow_to_the_target(struct test *t)
{
	each_value(t, &narrow_out, limit(t, NARROW_MTU));
}

static void narrow_to_the_client(struct test *t)
{
	each_value(t, &narrow_back, limit(t, NARROW_MTU));
}

/* Wherever the option is, on even and on odd octets. */
static void each_place(struct test *t)
{
	static const struct options places[] = {
		{8, 3, {NOP, MSS, 0, 0, NOP, NOP, NOP}},
		{8, 4, {NOP, NOP, MSS, 0, 0, NOP, NOP}},
		{8, 5, {NOP, NOP, NOP, MSS, 0, 0, 0}},
		{8, 6, {NOP, NOP, NOP, NOP, MSS}},
		{12, 9, {NOP, NOP, NOP, NOP, NOP, NOP, NOP, MSS, 0, 0, NOP}},
		/* SACK permitted, timestamps, window scale, as stacks send them */
		{20, 2, {MSS, 0, 0, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, NOP, 3, 3, 7}},
		{20, 18, {4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, NOP, 3, 3, 7, MSS}},
		{20, 17, {3, 3, 7, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, MSS, 0, 0, NOP}},
		{40, 38, {4, 2, 34, 34, [36] = MSS}},
		/* behind an option that nobody knows */
		{12, 7, {254, 5, 9, 9, 9, MSS, 0, 0, NOP, NOP, NOP}},
	};
	uint16_t most = limit(t, NARROW_MTU);

	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		handshake(t, &narrow_out, &places[i], (uint16_t[]){1460, most});
}

/* What is no MSS option stays: `at` shows where one seems to be. */
static void no_option(struct test *t)
{
	static const struct options lists[] = {
		{0, 0, {0}},
		{4, 0, {NOP, NOP, NOP, NOP}},
		{12, 0, {NOP, NOP, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}},
		/* after the end of the list */
		{8, 3, {0, MSS, 0, 0, 0, 0, 0}},
		{8, 4, {0, 2, MSS, 0, 0, 0, 0}},
		/* of another length */
		{4, 2, {2, 3, 0, 0}},
		{8, 2, {2, 6, 0, 0, 9, 9, NOP, NOP}},
		{4, 2, {2, 0, 0, 0}},
		/* behind an option whose length is not possible */
		{8, 6, {3, 0, 0, NOP, MSS}},
		{8, 6, {3, 1, NOP, NOP, MSS}},
		/* or beyond the header */
		{8, 6, {3, 9, 0, NOP, MSS}},
		{8, 6, {3, 255, 0, NOP, MSS}},
		/* inside another one */
		{8, 6, {253, 8, 0, 0, MSS}},
		/* cut off by the header's end */
		{4, 0, {NOP, NOP, NOP, 2}},
		{4, 0, {NOP, NOP, 2, 4}},
		{4, 0, {NOP, 2, 4, 0xff}},
	};

	for (unsigned int i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		handshake(t, &narrow_out, &lists[i], (uint16_t[]){1460, 1460});
}

/* Data behind the header is no option: TCP Fast Open. */
static void data_in_the_syn(struct test *t)
{
	static const struct options none = {0}, cut_off = {4, 0, {NOP, 2, 4, 0xff}};
	uint32_t rule = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = NARROW, .target_port = 9000});
	struct packet in = syn_from(t, &narrow_out, &none), out;

	in.payload_len = 100;
	in.payload_word = 0x0204;
	out = to_target(&in, NARROW, 9000);
	forward_new(t, rule, &in, &out);
	for (int i = 0; i < 2; i++) {
		const struct options *o = i ? &cut_off : &first;

		in = syn_from(t, &narrow_out, o);
		in.payload_len = 100;
		out = to_target(&in, NARROW, 9000);
		build_syn(&in, o, 1460, &t->sent);
		at(__FILE__, __LINE__);
		expect(t, &out, o, limit(t, NARROW_MTU));
		ledger_in(t, rule, &in);
		t->ledger.rule[rule].flows_created++;
		t->ledger.flows++;
	}
}

/* Only SYNs speak of it. */
static void other_segments(struct test *t)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK, 0};
	uint32_t rule = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = NARROW, .target_port = 9000});
	struct packet in = syn_from(t, &narrow_out, &first), out;

	in.tcp_options = 0;
	out = to_target(&in, NARROW, 9000);
	forward_new(t, rule, &in, &out);
	in.tcp_options = first.len;
	for (unsigned int i = 0; i < sizeof(flags); i++) {
		in.tcp_flags = flags[i];
		out = to_target(&in, NARROW, 9000);
		build_syn(&in, &first, 1460, &t->sent);
		at(__FILE__, __LINE__);
		expect(t, &out, &first, 1460);
		ledger_in(t, rule, &in);
	}
}

/* IP options and extension headers are no part of the arithmetic (RFC 6691), but move the TCP header. */
static void behind_ip_options(struct test *t)
{
	uint32_t rule = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = NARROW, .target_port = 9000});
	struct packet in = syn_from(t, &narrow_out, &first), out;

	in.options = t->family == XF_IPV4 ? 12 : 0;
	in.n_ext = t->family == XF_IPV4 ? 0 : 1;
	in.ext[0] = (struct ext){IPPROTO_DSTOPTS, 3};
	out = to_target(&in, NARROW, 9000);
	build_syn(&in, &first, 1460, &t->sent);
	at(__FILE__, __LINE__);
	expect(t, &out, &first, limit(t, NARROW_MTU));
	ledger_in(t, rule, &in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

static const struct packet_case mss_cases[] = {
	{"wide_ways", wide_ways, 0},
	{"narrow_to_the_target", narrow_to_the_target, 0},
	{"narrow_to_the_client", narrow_to_the_client, 0},
	{"each_place", each_place, 0},
	{"no_option", no_option, 0},
	{"data_in_the_syn", data_in_the_syn, 0},
	{"other_segments", other_segments, 0},
	{"behind_ip_options", behind_ip_options, 0},
};

PACKET_SUITE(mss);
