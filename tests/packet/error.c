// SPDX-License-Identifier: GPL-2.0-only
/* ICMP errors: from struct error to octets, and what must become of them. */
#include <assert.h>
#include <string.h>

#include "error.h"

static const struct {
	uint8_t type4, code4, type6, code6;
	uint32_t rest;
} complaints[COMPLAINTS] = {
	[PORT_UNREACHABLE] = {3, 3, 1, 4, 0},
	[HOST_UNREACHABLE] = {3, 1, 1, 3, 0},
	[PROHIBITED] = {3, 13, 1, 1, 0},
	[TOO_BIG] = {3, 4, 2, 0, 1280},
	[TIME_EXCEEDED] = {11, 0, 3, 0, 0},
	[REASSEMBLY_TIME] = {11, 1, 3, 1, 0},
	[PARAMETER_PROBLEM] = {12, 0, 4, 1, 0x14000006},
};

void error_says(struct error *e, enum complaint complaint)
{
	bool v4 = e->outer.family == XF_IPV4;

	e->type = v4 ? complaints[complaint].type4 : complaints[complaint].type6;
	e->code = v4 ? complaints[complaint].code4 : complaints[complaint].code6;
	e->rest = complaints[complaint].rest;
}

struct error error_about(const struct test *t, enum host from, const struct packet *got)
{
	struct error e = {.outer = packet_from(t, from, ROUTER), .inner = *got};

	e.outer.daddr = got->saddr;
	e.outer.seed = 4711;
	error_says(&e, PORT_UNREACHABLE);
	return e;
}

uint16_t inner_header_len(const struct error *e)
{
	uint32_t l4 = e->inner.proto == IPPROTO_TCP ? TCP_HEADER + e->inner.tcp_options : UDP_HEADER;

	return packet_whole_len(&e->inner) - l4 - e->inner.payload_len;
}

static void put_word(uint8_t *to, uint16_t value)
{
	to[0] = value >> 8;
	to[1] = value & 0xff;
}

/* The outside as an echo request of the right size. */
static struct packet sized_outer(const struct error *e)
{
	struct packet outer = e->outer;

	outer.proto = outer.family == XF_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	outer.payload_len = e->quote ? e->quote : packet_ip_len(&e->inner);
	return outer;
}

static uint8_t *icmp_header(const struct packet *outer, struct frame *f)
{
	return f->data + ETH_HEADER + packet_ip_len(outer) - outer->payload_len - ICMP_HEADER;
}

void error_finish(const struct error *e, struct frame *f)
{
	struct packet outer = sized_outer(e);
	uint32_t len = ICMP_HEADER + outer.payload_len, sum = 0;
	uint8_t *icmp = icmp_header(&outer, f);
	uint16_t checksum;

	if (outer.family == XF_IPV6) {
		sum = sum_octets(sum, &outer.saddr, 16);
		sum = sum_octets(sum, &outer.daddr, 16);
		sum += len + IPPROTO_ICMPV6;
	}
	put_word(icmp + 2, 0);
	checksum = ~sum_fold(sum_octets(sum, icmp, len));
	put_word(icmp + 2, sum_fold((uint32_t)checksum + e->csum_error));
}

void build_error(const struct error *e, struct frame *f)
{
	struct packet outer = sized_outer(e);
	struct frame inner;
	uint8_t *icmp;

	build_frame(&e->inner, &inner);
	assert(outer.payload_len <= inner.len - ETH_HEADER);
	build_frame(&outer, f);
	icmp = icmp_header(&outer, f);
	icmp[0] = e->type;
	icmp[1] = e->code;
	put_word(icmp + 4, e->rest >> 16);
	put_word(icmp + 6, e->rest & 0xffff);
	memcpy(icmp + ICMP_HEADER, inner.data + ETH_HEADER, outer.payload_len);
	error_finish(e, f);
}

static void run_error(struct test *t, const struct error *in)
{
	build_error(in, &t->sent);
	run_sent(t);
}

void check_error_forward(struct test *t, const struct packet *flow, const struct error *in, const struct error *out)
{
	struct xf_flow before, after;
	struct frame want;

	if (flow)
		assert_true(flow_get(t, flow, &before));
	run_error(t, in);
	assert_verdict(t, "redirect");
	build_error(out, &want);
	assert_frame(&want, &t->got);
	if (!flow)
		return;
	/* RFC 5508, REQ-6. */
	assert_true(flow_get(t, flow, &after));
	assert_memory_equal(&before, &after, sizeof(before));
}

void check_error_pass(struct test *t, const struct error *in)
{
	run_error(t, in);
	assert_verdict(t, "pass");
	assert_frame(&t->sent, &t->got);
}

void check_error_drop(struct test *t, uint32_t rule, enum xf_reason reason, const struct error *in)
{
	run_error(t, in);
	assert_verdict(t, "drop");
	t->ledger.rule_drops[rule][reason]++;
}

/* RFC 1812, 4.3.2: 576 octets at most, precedence 6, not fragmented. RFC 4443, 2.4 c: the minimum MTU. Whole words. */
struct error error_of_ours(enum xf_reason reason, const struct packet *in, uint16_t mtu)
{
	struct error e = {.inner = *in};
	uint32_t most = in->family == XF_IPV4 ? 576 - IPV4_HEADER - ICMP_HEADER : 1280 - IPV6_HEADER - ICMP_HEADER;

	e.outer = (struct packet){
		.family = in->family,
		.ttl = 64,
		.tos = in->family == XF_IPV4 ? 0xc0 : 0,
		.frag = in->family == XF_IPV4 ? 0x4000 : 0,
		.saddr = in->daddr,
		.daddr = in->saddr,
	};
	memcpy(e.outer.smac, in->dmac, 6);
	memcpy(e.outer.dmac, in->smac, 6);
	error_says(&e, reason == XF_REASON_TOO_BIG ? TOO_BIG : TIME_EXCEEDED);
	e.rest = mtu;
	e.quote = packet_ip_len(in) < most ? packet_ip_len(in) & ~3u : most;
	return e;
}

void check_told(struct test *t, uint32_t rule, enum xf_reason reason, const struct packet *in, uint16_t mtu)
{
	struct error e = error_of_ours(reason, in, mtu);
	struct frame want;

	if (t->hook == HOOK_XDP) {
		check_pass(t, in);
		return;
	}
	run(t, in);
	assert_verdict(t, "redirect");
	build_error(&e, &want);
	assert_frame(&want, &t->got);
	t->ledger.rule_drops[rule][reason]++;
}
