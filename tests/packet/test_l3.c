// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices without a link layer: frames begin with the IP header.
 *
 * BPF_PROG_RUN takes every packet for an Ethernet frame: the protocol is read
 * from octets 12 and 13, and the packet type from the first six. Here these are
 * part of the IP header. So the client has an address that spells the protocol
 * there, and a step in front sets the packet type right. The address is nobody's:
 * the packet never leaves BPF_PROG_RUN.
 */
#include <arpa/inet.h>
#include <string.h>

#include "front.h"

#define SPELLING4 "8.0.0.7"
#define SPELLING6 "2001:db8:86dd::7"

static struct packet packet_from_l3(const struct test *t)
{
	struct packet in = packet_from(t, STRANGER, ROUTER);

	memset(in.dmac, 0, 6);
	memset(in.smac, 0, 6);
	if (t->family == XF_IPV4)
		inet_pton(AF_INET, SPELLING4, &in.saddr.v4);
	else
		inet_pton(AF_INET6, SPELLING6, in.saddr.v6);
	return in;
}

static void without_ethernet(struct frame *f)
{
	f->len -= ETH_HEADER;
	memmove(f->data, f->data + ETH_HEADER, f->len);
	memset(f->data + f->len, 0, ETH_HEADER);
}

static void run_l3(struct test *t, const struct packet *in)
{
	struct front front = {.prog = "xf_tc_l3", .dev = WAN1};

	front_call(&front, BPF_FUNC_skb_change_type, 0 /* PACKET_HOST */, 0);
	build_frame(in, &t->sent);
	without_ethernet(&t->sent);
	front_run(t, &front);
}

/* Redirected; `want` with an Ethernet header in front, or without one. */
static void forward_l3(struct test *t, uint32_t rule, const struct packet *in, const struct frame *want)
{
	run_l3(t, in);
	assert_verdict(t, "redirect");
	assert_frame(want, &t->got);
	ledger_in(t, rule, in);
}

static void conversation(struct test *t, uint8_t proto)
{
	struct packet in = packet_from_l3(t), out, back, got;
	uint32_t rule = rule_preserve(t);
	struct frame want;

	in.proto = proto;
	out = to_target(&in, TARGET, 9000);
	build_frame(&out, &want);
	forward_l3(t, rule, &in, &want);
	forward_l3(t, rule, &in, &want);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;

	/* The device takes the Ethernet header off by itself. */
	back = answer(&out);
	got = to_client(&back, &in);
	memcpy(got.dmac, back.dmac, 6);
	memcpy(got.smac, back.smac, 6);
	reply(t, rule, &back, &got);
}

static void udp(struct test *t)
{
	conversation(t, IPPROTO_UDP);
}

static void tcp(struct test *t)
{
	conversation(t, IPPROTO_TCP);
}

/* The kernel finds the neighbour, and writes the Ethernet header. */
static void neighbour_unknown(struct test *t)
{
	struct packet in = packet_from_l3(t), out;
	uint32_t rule = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = SILENT, .target_port = 9000});
	struct frame want;

	out = to_target(&in, SILENT, 9000);
	build_frame(&out, &want);
	without_ethernet(&want);
	forward_l3(t, rule, &in, &want);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

static void other_ports(struct test *t)
{
	struct packet in = packet_from_l3(t);

	rule_preserve(t);
	in.dport = 8001;
	run_l3(t, &in);
	assert_verdict(t, "pass");
	assert_frame(&t->sent, &t->got);
}

static void ttl_exceeded(struct test *t)
{
	struct packet in = packet_from_l3(t);
	uint32_t rule = rule_preserve(t);

	in.ttl = 1;
	run_l3(t, &in);
	assert_verdict(t, "redirect"); /* as the error that its sender gets */
	t->ledger.rule_drops[rule][XF_REASON_TTL_EXCEEDED]++;
}

static const struct packet_case l3_cases[] = {
	CASE_ONLY(udp, ONLY_TC),	 CASE_ONLY(tcp, ONLY_TC),	   CASE_ONLY(neighbour_unknown, ONLY_TC),
	CASE_ONLY(other_ports, ONLY_TC), CASE_ONLY(ttl_exceeded, ONLY_TC),
};

PACKET_SUITE(l3);
