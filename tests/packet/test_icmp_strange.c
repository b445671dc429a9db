// SPDX-License-Identifier: GPL-2.0-only
/* ICMP that is not an error about a flow, or that nobody can believe: to the kernel, as it came. */
#include <string.h>

#include "error.h"
#include "talk.h"

static struct talk open_talk(struct test *t, uint32_t rule)
{
	struct talk k = talk_udp(t, 40000);

	forward_new(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	return k;
}

/* An error inwards and one outwards, about the flow of open_talk(). */
struct both {
	struct error target, client;
};

static struct both both_about(const struct test *t, const struct talk *k)
{
	return (struct both){error_about(t, TARGET, &k->out), error_about(t, CLIENT, &k->got)};
}

static void both_pass(struct test *t, const struct both *b)
{
	error_pass(t, &b->target);
	error_pass(t, &b->client);
}

static void both_drop(struct test *t, uint32_t rule, enum xf_reason reason, const struct both *b)
{
	error_drop(t, rule, reason, &b->target);
	error_drop(t, rule, reason, &b->client);
}

static void no_flow(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	struct both b = both_about(t, &k);

	rule_preserve(t);
	both_pass(t, &b);
	b.target.inner.proto = b.client.inner.proto = IPPROTO_TCP;
	both_pass(t, &b);
}

/* All but one of the things that make a flow. */
static void almost_a_flow(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);

	b.target.inner.sport++;
	b.client.inner.dport++;
	both_pass(t, &b);
	b = both_about(t, &k);
	b.target.inner.dport++;
	b.client.inner.sport++;
	both_pass(t, &b);
	b = both_about(t, &k);
	b.target.inner.daddr = host_addr(TARGET2, t->family);
	b.client.inner.saddr = host_addr(ROUTER_WAN1, t->family);
	both_pass(t, &b);
	b = both_about(t, &k);
	b.target.inner.proto = b.client.inner.proto = IPPROTO_TCP;
	both_pass(t, &b);
}

/* It says it goes to whom the packet inside came from; else it is nobody's answer. */
static void not_to_the_sender(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);

	b.target.outer.daddr = host_addr(ROUTER_LAN, t->family);
	b.client.outer.daddr = host_addr(ROUTER_WAN1, t->family);
	both_pass(t, &b);
}

/* An error about an error, and about protocols that we do not forward. */
static void about_other_protocols(struct test *t)
{
	static const uint8_t protocols[] = {IPPROTO_SCTP, IPPROTO_GRE, IPPROTO_ESP};
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);

	b.target.inner.proto = b.client.inner.proto = t->family == XF_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	both_pass(t, &b);
	for (unsigned int i = 0; i < sizeof(protocols); i++) {
		b.target.inner.proto = b.client.inner.proto = protocols[i];
		both_pass(t, &b);
	}
}

/* The packet inside is an error that would be ours if it were outside. */
static void error_in_an_error(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct error e = error_about(t, TARGET, &k.out), again;
	struct frame inside, *f = &t->sent;
	uint32_t offset;

	again = e;
	again.outer.daddr = e.outer.saddr;
	again.outer.saddr = e.outer.daddr;
	again.inner.proto = t->family == XF_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	again.inner.payload_len += 200;
	build_error(&e, &inside);
	build_error(&again, f);
	offset = f->len - (packet_ip_len(&again.inner));
	memcpy(f->data + offset, inside.data + ETH_HEADER, inside.len - ETH_HEADER);
	run_sent(t);
	assert_verdict(t, "pass");
	assert_frame(&t->sent, &t->got);
}

/* Echo, and other messages that are no errors, whatever they quote. */
static void no_error_at_all(struct test *t)
{
	static const uint8_t v4[] = {0, 4, 5, 8, 9, 10, 13, 14, 17, 18, 255};
	static const uint8_t v6[] = {0, 128, 129, 133, 134, 135, 136, 137, 255};
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);
	struct packet echo = packet_from(t, CLIENT, ROUTER);
	bool is_v4 = t->family == XF_IPV4;

	echo.proto = is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	pass(t, &echo);
	for (unsigned int i = 0; i < (is_v4 ? sizeof(v4) : sizeof(v6)); i++) {
		b.target.type = b.client.type = is_v4 ? v4[i] : v6[i];
		both_pass(t, &b);
	}
}

/* Less inside than a packet can be told by. */
static void too_little_inside(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);

	for (uint16_t quote = inner_header_len(&b.target) + 7; quote; quote--) {
		b.target.quote = b.client.quote = quote;
		both_pass(t, &b);
		b.target.outer.trailer = b.client.outer.trailer = quote % 60;
	}
}

/* The trailer behind a short packet is no part of what is quoted. */
static void ports_in_the_trailer(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);

	b.target.outer.ip_len_add = -(int)k.out.payload_len - 1;
	b.client.outer.ip_len_add = -(int)k.got.payload_len - 1;
	both_pass(t, &b);
}

static void a_fragment(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);
	struct packet *packets[] = {&b.target.outer, &b.client.outer};

	for (int i = 0; i < 2; i++) {
		if (t->family == XF_IPV6) {
			packets[i]->n_ext = 1;
			packets[i]->ext[0] = (struct ext){IPPROTO_FRAGMENT, 1};
		}
		packets[i]->frag = t->family == XF_IPV4 ? 0x2000 : 1;
	}
	both_pass(t, &b);
}

/* A fragment that is not the first has no ports. */
static void about_a_later_fragment(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);
	struct packet *packets[] = {&b.target.inner, &b.client.inner};

	for (int i = 0; i < 2; i++) {
		if (t->family == XF_IPV6) {
			packets[i]->n_ext = 1;
			packets[i]->ext[0] = (struct ext){IPPROTO_FRAGMENT, 1};
		}
		packets[i]->frag = t->family == XF_IPV4 ? 0x0010 : 16 << 3;
	}
	both_pass(t, &b);
}

/* The other family's packet inside, and header lengths that cannot be. */
static void nonsense_inside(struct test *t)
{
	struct talk k = open_talk(t, rule_preserve(t));
	struct both b = both_about(t, &k);

	if (t->family == XF_IPV4) {
		b.target.inner.ihl = b.client.inner.ihl = 4;
		both_pass(t, &b);
		b.target.inner.ihl = b.client.inner.ihl = 15;
		both_pass(t, &b);
	}
	b.target.inner.family = b.client.inner.family = t->family == XF_IPV4 ? XF_IPV6 : XF_IPV4;
	b.target.inner.ihl = b.client.inner.ihl = 0;
	both_pass(t, &b);
}

/* Its lengths contradict the frame, and it is about a flow. */
static void malformed(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = open_talk(t, rule);
	struct both b = both_about(t, &k);

	b.target.outer.ip_len_add = b.client.outer.ip_len_add = 1;
	both_drop(t, rule, XF_REASON_MALFORMED, &b);
}

/* Of an error that cannot go on, nobody is told (RFC 1122, 3.2.2). */
static void refused_in_silence(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = open_talk(t, rule);
	struct both b = both_about(t, &k);

	b.target.outer.ttl = b.client.outer.ttl = 1;
	both_drop(t, rule, XF_REASON_TTL_EXCEEDED, &b);
	b.target.outer.ttl = b.client.outer.ttl = 0;
	both_drop(t, rule, XF_REASON_TTL_EXCEEDED, &b);
}

static void rule_disabled(struct test *t)
{
	uint32_t id = rule_preserve(t);
	struct talk k = open_talk(t, id);
	struct both b = both_about(t, &k);
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.flags |= XF_RULE_DISABLED;
	rule_put(t, id, &rule);
	both_drop(t, id, XF_REASON_DISABLED, &b);
}

/* The way to the target is the full tier's: so is the error. */
static void slow_way_out(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out, back, got;
	uint32_t rule = rule_add(
		t, &(struct rule){
			   .kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = SLOW, .target_port = 9000});
	struct error e, to;

	if (t->hook == HOOK_XDP)
		return;
	out = to_target(&in, SLOW, 9000);
	back = answer(&out);
	got = to_client(&back, &in);
	forward_new(t, rule, &in, &out);
	e = to = error_about(t, CLIENT, &got);
	to.outer = passed_on(&e.outer, SLOW);
	to.outer.daddr = host_addr(SLOW, t->family);
	to.inner = back;
	to.inner.ttl = e.inner.ttl;
	error_forward(t, &in, &e, &to);
}

static const struct packet_case icmp_strange_cases[] = {
	{"no_flow", no_flow, 0},
	{"almost_a_flow", almost_a_flow, 0},
	{"not_to_the_sender", not_to_the_sender, 0},
	{"about_other_protocols", about_other_protocols, 0},
	{"error_in_an_error", error_in_an_error, 0},
	{"no_error_at_all", no_error_at_all, 0},
	{"too_little_inside", too_little_inside, 0},
	{"ports_in_the_trailer", ports_in_the_trailer, 0},
	{"a_fragment", a_fragment, 0},
	{"about_a_later_fragment", about_a_later_fragment, 0},
	{"nonsense_inside", nonsense_inside, 0},
	{"malformed", malformed, 0},
	{"refused_in_silence", refused_in_silence, 0},
	{"rule_disabled", rule_disabled, 0},
	{"slow_way_out", slow_way_out, ONLY_TC},
};

PACKET_SUITE(icmp_strange);
