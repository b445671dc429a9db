// SPDX-License-Identifier: GPL-2.0-only
/* What is refused: charged to its rule under exactly one reason. */
#include "error.h"

static uint32_t rule_to(struct test *t, enum host target)
{
	return rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = target, .target_port = 9000});
}

static void set_flags(struct test *t, uint32_t id, uint32_t flags)
{
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.flags = flags;
	rule_put(t, id, &rule);
}

static void disabled(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	set_flags(t, rule, XF_RULE_LIVE | XF_RULE_DISABLED);
	drop(t, rule, XF_REASON_DISABLED, &in);
	in.proto = IPPROTO_TCP;
	drop(t, rule, XF_REASON_DISABLED, &in);
}

/* Established flows too, in both directions, and they are there again afterwards. */
static void disabled_later(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000);
	struct packet back = answer(&out), got = to_client(&back, &in);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &in, &out);
	reply(t, rule, &back, &got);
	set_flags(t, rule, XF_RULE_LIVE | XF_RULE_DISABLED);
	drop(t, rule, XF_REASON_DISABLED, &in);
	drop(t, rule, XF_REASON_DISABLED, &back);
	set_flags(t, rule, XF_RULE_LIVE);
	forward(t, rule, &in, &out);
	reply(t, rule, &back, &got);
}

static void ttl_exceeded(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out, back;
	uint32_t rule = rule_preserve(t);

	in.ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	in.ttl = 0;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	in.ttl = 64;
	out = to_target(&in, TARGET, 9000);
	forward_new(t, rule, &in, &out);
	in.ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	back = answer(&out);
	back.ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &back);
}

/* One octet more than forward_full_mtu. */
static void too_big(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_to(t, NARROW);

	out = to_target(&in, NARROW, 9000);
	forward_new(t, rule, &in, &out);
	in.frag = t->family == XF_IPV4 ? DONT_FRAGMENT : 0;
	in.payload_len = 1281 - (packet_ip_len(&in) - in.payload_len);
	told_too_big(t, rule, 1280, &in);
	in.payload_len = 2000;
	told_too_big(t, rule, 1280, &in);
}

/* The same towards the client, whose way is the narrow one. */
static void reply_too_big(struct test *t)
{
	struct packet in = packet_from(t, NARROW, ROUTER_LAN1), out = to_target(&in, TARGET, 9000);
	struct packet back = answer(&out), got;
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER_LAN1,
						   .port = 8000,
						   .target = TARGET,
						   .target_port = 9000});

	forward_new(t, rule, &in, &out);
	back.payload_len = 1280 - (packet_ip_len(&back) - back.payload_len);
	got = to_client(&back, &in);
	reply(t, rule, &back, &got);
	back.payload_len++;
	back.frag = t->family == XF_IPV4 ? DONT_FRAGMENT : 0;
	told_too_big(t, rule, 1280, &back);
}

/* Of a GSO packet it is the segments that must fit. */
static void gso_segments_too_big(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t headers, rule = rule_to(t, NARROW);

	in.proto = IPPROTO_TCP;
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
	t->ledger.rule_drops[rule][XF_REASON_TOO_BIG]++; /* the packets of the wire are counted: two */
}

/* From outside, with an address of this machine (RFC 1812, 5.3.7). */
static void own_source(struct test *t)
{
	static const enum host own[] = {ROUTER, ROUTER_LAN, ROUTER_DMZ};
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t), masquerade = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
										  .host = ROUTER,
										  .port = 8001,
										  .target = TARGET,
										  .source = XF_SOURCE_MASQUERADE,
										  .masquerade = ROUTER_LAN});

	for (unsigned int i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		in.saddr = host_addr(own[i], t->family);
		in.dport = 8000;
		in.proto = IPPROTO_UDP;
		drop(t, rule, XF_REASON_BAD_SOURCE, &in);
		in.proto = IPPROTO_TCP;
		drop(t, rule, XF_REASON_BAD_SOURCE, &in);
		in.dport = 8001;
		drop(t, masquerade, XF_REASON_BAD_SOURCE, &in);
		/* What no rule wants is the kernel's to judge. */
		in.dport = 8002;
		pass(t, &in);
	}
}

static void no_route(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_to(t, NOWHERE);

	drop(t, rule, XF_REASON_NO_ROUTE, &in);
	in.proto = IPPROTO_TCP;
	drop(t, rule, XF_REASON_NO_ROUTE, &in);
}

static void route_unreachable(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_to(t, BANNED);

	drop(t, rule, XF_REASON_NO_ROUTE, &in);
}

static void forwarding_disabled(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	world_set_forwarding(WAN0, 0);
	run(t, &in);
	world_set_forwarding(WAN0, 1);
	assert_verdict(t, "drop");
	t->ledger.rule_drops[rule][XF_REASON_FORWARDING_DISABLED]++;
}

static void each_malformed(struct test *t, uint32_t rule, struct packet in)
{
	struct packet bad = in;

	bad.ip_len_add = 1;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	bad.ip_len_add = 20000;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	bad = in;
	bad.cut = bad.payload_len;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	bad = in;
	bad.udp_len_add = 1;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	bad.udp_len_add = -(int)bad.payload_len - 1;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	bad = in;
	bad.proto = IPPROTO_TCP;
	bad.tcp_flags = TCP_ACK;
	bad.tcp_doff = 4;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	bad.payload_len = 3;
	bad.tcp_doff = 6;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
	bad.tcp_doff = 15;
	drop(t, rule, XF_REASON_MALFORMED, &bad);
}

static void malformed(struct test *t)
{
	each_malformed(t, rule_preserve(t), packet_from(t, CLIENT, ROUTER));
}

/* The padding of a short frame hides nothing. */
static void malformed_padded(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	in.trailer = 4;
	in.ip_len_add = 5;
	drop(t, rule, XF_REASON_MALFORMED, &in);
}

/* RFC 768: the length is at least that of the header. */
static void malformed_udp_length_zero(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	in.udp_len_add = -(int)(in.payload_len + UDP_HEADER);
	drop(t, rule, XF_REASON_MALFORMED, &in);
}

/* Also on a flow, in both directions. */
static void malformed_in_a_flow(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_preserve(t);

	out = to_target(&in, TARGET, 9000);
	forward_new(t, rule, &in, &out);
	in.proto = IPPROTO_TCP;
	out.proto = IPPROTO_TCP;
	forward_new(t, rule, &in, &out);
	each_malformed(t, rule, packet_from(t, CLIENT, ROUTER));
	out.proto = IPPROTO_UDP;
	each_malformed(t, rule, answer(&out));
}

/* One drop, one reason: the first that applies. */
static void only_one_reason(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_to(t, NOWHERE);

	in.ttl = 1;
	in.payload_len = 2000;
	in.udp_len_add = 1;
	drop(t, rule, XF_REASON_MALFORMED, &in);
	in.udp_len_add = 0;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &in);
	in.ttl = 2;
	drop(t, rule, XF_REASON_NO_ROUTE, &in);
	set_flags(t, rule, XF_RULE_LIVE | XF_RULE_DISABLED);
	in.ttl = 1;
	drop(t, rule, XF_REASON_DISABLED, &in);
}

static const struct packet_case drop_cases[] = {
	CASE(own_source),
	CASE(disabled),
	CASE(disabled_later),
	CASE(ttl_exceeded),
	CASE(too_big),
	CASE(reply_too_big),
	CASE_ONLY(gso_segments_too_big, ONLY_TC),
	CASE(no_route),
	CASE(route_unreachable),
	CASE(forwarding_disabled),
	CASE(malformed),
	CASE(malformed_padded),
	CASE(malformed_udp_length_zero),
	CASE(malformed_in_a_flow),
	CASE(only_one_reason),
};

PACKET_SUITE(drop);
