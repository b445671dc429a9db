// SPDX-License-Identifier: GPL-2.0-only
/* Targets on this machine: up to its sockets, and their answers at TC egress. */
#include <string.h>

#include "fragments.h"
#include "spot.h"

static void conversation(struct test *t, enum host target, uint8_t proto)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), back, out;
	struct spot egress = egress_of(WAN0), elsewhere = egress_of(LAN0);
	uint32_t rule = rule_local(t, target);

	in.proto = proto;
	if (t->hook == HOOK_XDP) { /* is the full tier's: no state, nothing counted */
		pass(t, &in);
		return;
	}
	deliver(t, rule, &in, target);
	count_new(t, rule);
	back = local_answer(&in, target);
	out = as_the_client_knows(&back, &in);
	run_at(t, &egress, &back);
	expect(t, "pass", &out);
	ledger_out(t, rule, &back);

	in.tcp_flags = TCP_ACK;
	in.payload_len = 501;
	deliver(t, rule, &in, target);
	/* The kernel chooses the way back. */
	back.payload_len = 3;
	out = as_the_client_knows(&back, &in);
	run_at(t, &elsewhere, &back);
	expect(t, "pass", &out);
	ledger_out(t, rule, &back);
}

static void udp(struct test *t)
{
	conversation(t, ROUTER_LAN, IPPROTO_UDP);
}

static void tcp(struct test *t)
{
	conversation(t, ROUTER_LAN, IPPROTO_TCP);
}

static void same_address(struct test *t)
{
	conversation(t, ROUTER, IPPROTO_TCP);
}

static void to_loopback(struct test *t)
{
	conversation(t, LOOPBACK, IPPROTO_TCP);
}

/* What the full tier has begun, too. */
static void fast_tier_leaves_it(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = delivered(&in, ROUTER_LAN), back;
	struct spot wan = ingress_of(WAN0);
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct frame want;

	run_at(t, &wan, &in);
	build_frame(&out, &want);
	assert_frame(&want, &t->got);
	t->ledger.rule[rule].packets_in++;
	t->ledger.rule[rule].bytes_in += packet_ip_len(&in);
	count_new(t, rule);
	pass(t, &in);
	back = local_answer(&in, ROUTER_LAN);
	pass(t, &back);
}

static void checksum_none(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), back, out;
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct spot egress = egress_of(WAN0);

	in.csum = CSUM_NONE;
	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	back = local_answer(&in, ROUTER_LAN);
	out = as_the_client_knows(&back, &in);
	run_at(t, &egress, &back);
	expect(t, "pass", &out);
	ledger_out(t, rule, &back);
}

static void large_conversation(struct test *t, enum host target)
{
	struct packet in = large_packet(t, 4000), back;
	struct spot egress = egress_of(WAN0);
	uint32_t rule = rule_local(t, target);
	struct pieces c = cut(&in, STEP);

	for (unsigned int i = 0; i < c.n; i++)
		deliver(t, rule, &c.p[i], target);
	count_new(t, rule);
	back = local_answer(&in, target);
	back.payload_len = 8000;
	c = cut(&back, STEP);
	for (unsigned int i = 0; i < c.n; i++) {
		struct packet out = as_the_client_knows(&c.p[i], &in);

		run_at(t, &egress, &c.p[i]);
		expect(t, "pass", &out);
		ledger_out(t, rule, &c.p[i]);
	}
	assert_int_equal(fragments_known(), 0);
}

/* In fragments, which the kernel sends in their order. */
static void large(struct test *t)
{
	large_conversation(t, ROUTER_LAN);
}

static void large_to_loopback(struct test *t)
{
	large_conversation(t, LOOPBACK);
}

static void large_refused(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), back;
	struct spot egress = egress_of(WAN0);
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct xf_rule r;
	struct pieces c;

	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	rule_get(t, rule, &r);
	r.flags |= XF_RULE_DISABLED;
	rule_put(t, rule, &r);
	back = local_answer(&in, ROUTER_LAN);
	back.payload_len = 4000;
	c = cut(&back, STEP);
	for (unsigned int i = 0; i < c.n; i++) {
		run_at(t, &egress, &c.p[i]);
		assert_verdict(t, "drop");
		t->ledger.rule_drops[rule][XF_REASON_DISABLED]++;
	}
}

/* Fragments of a datagram whose first was none of ours, or was not seen at all. */
static void large_of_others(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), other;
	struct spot egress = egress_of(WAN0);
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct pieces c;

	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	other = local_answer(&in, ROUTER_LAN);
	other.payload_len = 4000;
	c = cut(&other, STEP);
	pass_at(t, &egress, &c.p[1]);
	other.dport++;
	c = cut(&other, STEP);
	for (unsigned int i = 0; i < c.n; i++)
		pass_at(t, &egress, &c.p[i]);
	assert_int_equal(fragments_known(), 0);
}

/* This machine is the end of the way. */
static void last_hop(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_local(t, ROUTER_LAN);

	in.ttl = 1;
	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	deliver(t, rule, &in, ROUTER_LAN);
}

/* What is ours at egress is an answer that this machine made, of a flow with such a target. */
static void egress_of_others(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000), back;
	uint32_t remote = rule_preserve(t);
	struct spot egress = egress_of(WAN0);

	forward_new(t, remote, &in, &out);
	pass_at(t, &egress, &out);
	back = answer(&out);
	pass_at(t, &egress, &back);
	back.sport = 9001;
	pass_at(t, &egress, &back);
}

static void egress_of_forwarded(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), back;
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct spot egress = egress_of(WAN0);

	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	back = local_answer(&in, ROUTER_LAN);
	egress.came_by = dev_ifindex(LAN0);
	pass_at(t, &egress, &back);
}

/* An answer of ours that comes in from outside is somebody's invention. */
static void answer_from_outside(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), back;
	uint32_t rule = rule_local(t, ROUTER_LAN);

	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	back = local_answer(&in, ROUTER_LAN);
	memcpy(back.dmac, dev_mac(LAN0), 6);
	pass(t, &back);
}

static void disabled(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), back;
	uint32_t rule = rule_local(t, ROUTER_LAN);
	struct spot egress = egress_of(WAN0);
	struct xf_rule r;

	deliver(t, rule, &in, ROUTER_LAN);
	count_new(t, rule);
	rule_get(t, rule, &r);
	r.flags |= XF_RULE_DISABLED;
	rule_put(t, rule, &r);
	drop(t, rule, XF_REASON_DISABLED, &in);
	back = local_answer(&in, ROUTER_LAN);
	run_at(t, &egress, &back);
	assert_verdict(t, "drop");
	t->ledger.rule_drops[rule][XF_REASON_DISABLED]++;
}

static const struct packet_case local_cases[] = {
	CASE(udp),
	CASE(tcp),
	CASE(same_address),
	CASE(to_loopback),
	CASE_ONLY(checksum_none, ONLY_TC | ONLY_V4),
	CASE_ONLY(large, ONLY_TC),
	CASE_ONLY(large_to_loopback, ONLY_TC),
	CASE_ONLY(large_refused, ONLY_TC),
	CASE_ONLY(large_of_others, ONLY_TC),
	CASE_ONLY(last_hop, ONLY_TC),
	CASE_ONLY(fast_tier_leaves_it, ONLY_XDP),
	CASE_ONLY(egress_of_others, ONLY_TC),
	CASE_ONLY(egress_of_forwarded, ONLY_TC),
	CASE_ONLY(answer_from_outside, ONLY_TC),
	CASE_ONLY(disabled, ONLY_TC),
};

PACKET_SUITE(local);
