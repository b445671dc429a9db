// SPDX-License-Identifier: GPL-2.0-only
/* What is forwarded, there and back, with the client's own address. */
#include <string.h>

#include "harness.h"

/* One packet to the target's port 9000, its answer, and another packet. */
static void conversation(struct test *t, uint32_t rule, const struct packet *in, enum host target)
{
	struct packet out = to_target(in, target, 9000);
	struct packet back = answer(&out);
	struct packet got = to_client(&back, in);
	struct packet more = *in, more_out;

	forward_new(t, rule, in, &out);
	reply(t, rule, &back, &got);
	more.seed += 7;
	more.tcp_flags = TCP_ACK;
	more_out = to_target(&more, target, 9000);
	forward(t, rule, &more, &more_out);
}

static uint32_t rule_to(struct test *t, enum host target)
{
	return rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
					  .host = ROUTER,
					  .port = 8000,
					  .target = target,
					  .target_port = 9000,
					  .source = XF_SOURCE_PRESERVE});
}

static void udp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	conversation(t, rule_preserve(t), &in, TARGET);
}

static void tcp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.proto = IPPROTO_TCP;
	conversation(t, rule_preserve(t), &in, TARGET);
}

/* "auto" preserves, where client and target are on different networks. */
static void source_auto(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER,
						   .port = 8000,
						   .target = TARGET,
						   .target_port = 9000,
						   .source = XF_SOURCE_AUTO,
						   .masquerade = ROUTER_LAN});

	conversation(t, rule, &in, TARGET);
}

static void each_size(struct test *t)
{
	static const uint16_t sizes[] = {0, 1, 2, 3, 15, 1400, 1439};
	uint32_t rule = rule_preserve(t);

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct packet in = packet_from(t, CLIENT, ROUTER);

		in.payload_len = sizes[i];
		in.sport += i;
		conversation(t, rule, &in, TARGET);
		in.proto = IPPROTO_TCP;
		conversation(t, rule, &in, TARGET);
	}
}

/* Exactly as large as the way out carries. */
static void full_mtu(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_to(t, NARROW);

	in.payload_len = 1280 - (packet_ip_len(&in) - in.payload_len);
	out = to_target(&in, NARROW, 9000);
	forward_new(t, rule, &in, &out);
}

/* What Ethernet adds to a short packet is not part of it. */
static void padded_frame(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.payload_len = 3;
	in.trailer = 15;
	conversation(t, rule_preserve(t), &in, TARGET);
}

static void other_fields_stay(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.tos = 0xb9; /* EF, and "congestion may be told" */
	in.ttl = 255;
	in.frag = t->family == XF_IPV4 ? 0x4000 : 0; /* don't fragment */
	conversation(t, rule_preserve(t), &in, TARGET);
}

/* The last hop count that is enough. */
static void ttl_two(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.ttl = 2;
	conversation(t, rule_preserve(t), &in, TARGET);
}

static void ip_headers(struct test *t, struct packet in)
{
	uint32_t rule = rule_preserve(t);

	if (t->family == XF_IPV4)
		in.n_ext = 0;
	else
		in.options = 0;
	conversation(t, rule, &in, TARGET);
	in.proto = IPPROTO_TCP;
	in.tcp_options = 12;
	conversation(t, rule, &in, TARGET);
}

static void options_short(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.options = 4;
	in.n_ext = 1;
	in.ext[0] = (struct ext){IPPROTO_DSTOPTS, 1};
	ip_headers(t, in);
}

static void options_long(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.options = 40;
	in.n_ext = 3;
	in.ext[0] = (struct ext){IPPROTO_HOPOPTS, 2};
	in.ext[1] = (struct ext){IPPROTO_ROUTING, 3};
	in.ext[2] = (struct ext){IPPROTO_DSTOPTS, 5};
	ip_headers(t, in);
}

/* Each extension header by itself, and in front of and behind each other one. */
static void extension_headers(struct test *t)
{
	static const uint8_t types[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_FRAGMENT};
	uint32_t rule = rule_preserve(t);

	for (unsigned int i = 0; i < 20; i++) {
		struct packet in = packet_from(t, CLIENT, ROUTER);

		in.sport += i;
		in.ext[in.n_ext++] = (struct ext){types[i % 4], i % 4 == 3 ? 1 : 1 + i / 4};
		if (i >= 4)
			in.ext[in.n_ext++] = (struct ext){types[i / 4 - 1], i / 4 == 4 ? 1 : 2};
		conversation(t, rule, &in, TARGET);
		in.proto = IPPROTO_TCP;
		conversation(t, rule, &in, TARGET);
	}
}

static void tcp_options(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.proto = IPPROTO_TCP;
	in.tcp_options = 40;
	in.options = t->family == XF_IPV4 ? 40 : 0;
	conversation(t, rule_preserve(t), &in, TARGET);
}

static void behind_gateway(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	conversation(t, rule_to(t, FAR), &in, FAR);
}

/* Replies take the way the client came by, not the one that the routing table would choose: it has none. */
static void reply_by_the_way_it_came(struct test *t)
{
	struct packet in = packet_from(t, STRANGER, ROUTER);

	conversation(t, rule_preserve(t), &in, TARGET);
}

/* Client and target on one network. */
static void out_where_it_came_in(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	conversation(t, rule_to(t, CLIENT2), &in, CLIENT2);
}

/* Only the address changes. */
static void same_port(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER,
						   .port = 9000,
						   .target = TARGET,
						   .source = XF_SOURCE_PRESERVE});

	in.dport = 9000;
	conversation(t, rule, &in, TARGET);
}

/* The client's next packet comes by another router and interface: the reply goes there, once routes are looked up. */
static void client_moves(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = packet_from(t, CLIENT, ROUTER);
	struct packet moved = packet_from(t, STRANGER, ROUTER);
	struct packet out = to_target(&in, TARGET, 9000);
	struct packet back = answer(&out), got;

	t->config.route_ttl = 0;
	config_put(t);
	forward_new(t, rule, &in, &out);
	moved.saddr = in.saddr;
	out = to_target(&moved, TARGET, 9000);
	forward(t, rule, &moved, &out);
	got = to_client(&back, &moved);
	reply(t, rule, &back, &got);
}

/* A way out that takes no XDP frames is the full tier's; the fast tier leaves no trace. */
static void slow_way_out(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_to(t, SLOW);

	if (t->hook == HOOK_XDP)
		pass(t, &in);
	else
		conversation(t, rule, &in, SLOW);
}

/* The same for the way back. */
static void slow_way_back(struct test *t)
{
	struct packet in = packet_from(t, SLOW, ROUTER_DMZ);
	struct packet out = to_target(&in, TARGET, 9000);
	struct packet back = answer(&out);
	struct packet got = to_client(&back, &in);
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER_DMZ,
						   .port = 8000,
						   .target = TARGET,
						   .target_port = 9000});

	forward_new(t, rule, &in, &out);
	if (t->hook == HOOK_XDP)
		pass(t, &back);
	else
		reply(t, rule, &back, &got);
}

/* The kernel resolves the neighbour: the full tier hands it the packet with its link addresses as they were. */
static void neighbour_unknown(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = in;
	uint32_t rule = rule_to(t, SILENT);

	if (t->hook == HOOK_XDP) {
		pass(t, &in);
		return;
	}
	out.daddr = host_addr(SILENT, t->family);
	out.dport = 9000;
	out.ttl--;
	forward_new(t, rule, &in, &out);
	forward(t, rule, &in, &out);
}

/* A GSO packet is many packets of the wire, each with headers of its own, and may be larger than the MTU. */
static void gso(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	struct xf_rule_counters *count;
	uint32_t rule = rule_preserve(t);

	in.proto = IPPROTO_TCP;
	in.payload_len = 2800;
	out = to_target(&in, TARGET, 9000);
	t->gso_size = 1400;
	forward_new(t, rule, &in, &out);
	count = &t->ledger.rule[rule];
	count->packets_in++;
	count->bytes_in += packet_ip_len(&in) - in.payload_len;
}

/* BIG TCP: longer than the length field can say, which then says 0. */
static void gso_without_length(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t headers, rule = rule_preserve(t);

	in.proto = IPPROTO_TCP;
	in.payload_len = 2800;
	headers = packet_ip_len(&in) - in.payload_len;
	in.ip_len_add = -(int)packet_ip_len(&in) + (t->family == XF_IPV6 ? IPV6_HEADER : 0);
	out = to_target(&in, TARGET, 9000);
	t->gso_size = 1400;
	forward_new(t, rule, &in, &out);
	t->ledger.rule[rule].packets_in++;
	t->ledger.rule[rule].bytes_in += headers;
}

/* A frame of several buffers, of which a program sees the first. The skbs of BPF_PROG_RUN have but one. */
static void jumbo(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	in.payload_len = 8900;
	conversation(t, rule, &in, TARGET);
	in.proto = IPPROTO_TCP;
	conversation(t, rule, &in, TARGET);
}

static const struct packet_case forward_cases[] = {
	CASE(udp),
	CASE(tcp),
	CASE(source_auto),
	CASE(each_size),
	CASE(full_mtu),
	CASE(padded_frame),
	CASE(other_fields_stay),
	CASE(ttl_two),
	CASE(options_short),
	CASE(options_long),
	CASE_ONLY(extension_headers, ONLY_V6),
	CASE(tcp_options),
	CASE(behind_gateway),
	CASE(reply_by_the_way_it_came),
	CASE(out_where_it_came_in),
	CASE(same_port),
	CASE(client_moves),
	CASE(slow_way_out),
	CASE(slow_way_back),
	CASE(neighbour_unknown),
	CASE_ONLY(gso, ONLY_TC),
	CASE_ONLY(gso_without_length, ONLY_TC),
	CASE_ONLY(jumbo, ONLY_XDP),
};

PACKET_SUITE(forward);
