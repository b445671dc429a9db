// SPDX-License-Identifier: GPL-2.0-only
/* ICMP errors about connections to targets on this machine: of its own stack, and of their clients. */
#include <string.h>

#include "spot.h"

static void put_sum(struct frame *f, uint32_t at, uint32_t sum)
{
	uint16_t check = ~sum_fold(sum);

	f->data[at] = check >> 8;
	f->data[at + 1] = check & 0xff;
}

/* "Port unreachable" from `from` to the sender of `about`, whole, in front of which there is no room for more. */
static void build_unreachable(struct frame *f, const struct packet *from, const struct packet *about)
{
	bool v4 = from->family == XF_IPV4;
	uint32_t head = v4 ? IPV4_HEADER : IPV6_HEADER, at = ETH_HEADER + head, quoted;
	struct packet outer = *from;
	struct frame inner;

	outer.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	outer.payload_len = packet_ip_len(about); /* and 8 octets, that of UDP's header and ICMP's alike */
	build_frame(&outer, f);
	build_frame(about, &inner);
	quoted = inner.len - ETH_HEADER;
	memset(f->data + at, 0, 8);
	f->data[at] = v4 ? 3 : 1;
	f->data[at + 1] = v4 ? 3 : 4;
	memcpy(f->data + at + 8, inner.data + ETH_HEADER, quoted);
	if (v4)
		put_sum(f, at + 2, sum_octets(0, f->data + at, 8 + quoted));
	else /* the pseudo-header is both addresses, the length and the protocol */
		put_sum(f, at + 2,
			sum_octets(sum_octets(8 + quoted + IPPROTO_ICMPV6, f->data + ETH_HEADER + 8, 32), f->data + at,
				   8 + quoted));
}

/* The closed port is told of by the address that the client knows. */
static void error_of_ours(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), up = delivered(&in, ROUTER_LAN), from, told;
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct spot egress = egress_of(WAN0);
	struct frame want;

	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	from = answer(&up);
	build_unreachable(&t->sent, &from, &up);
	told = as_the_client_knows(&from, &in);
	build_unreachable(&want, &told, &in);
	run_sent_at(t, &egress);
	assert_verdict(t, "pass");
	assert_frame(&want, &t->got);
}

static void error_of_the_client(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), back, seen, told;
	struct spot wan = ingress_of(WAN0);
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct frame want;

	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	back = local_answer(&in, ROUTER_LAN);
	seen = as_the_client_knows(&back, &in);
	build_unreachable(&t->sent, &in, &seen);
	told = delivered(&in, ROUTER_LAN);
	build_unreachable(&want, &told, &back);
	run_sent_at(t, &wan);
	assert_verdict(t, "pass");
	assert_frame(&want, &t->got);
}

static const struct packet_case local_error_cases[] = {
	CASE_ONLY(error_of_ours, ONLY_TC),
	CASE_ONLY(error_of_the_client, ONLY_TC),
};

PACKET_SUITE(local_error);
