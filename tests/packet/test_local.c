// SPDX-License-Identifier: GPL-2.0-only
/* Targets on this machine: up to its sockets, and their answers at TC egress. Clients on it: by way of loopback. */
#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "fragments.h"
#include "maps.h"
#include "talk.h"

#define LOOPBACK_IFINDEX 1

/* Where a packet meets a program. */
struct spot {
	const char *prog;
	uint32_t ifindex;
	uint32_t came_by; /* 0: this machine made it */
};

static struct spot egress_of(enum dev dev)
{
	return (struct spot){.prog = "xf_tc_out_l2", .ifindex = dev_ifindex(dev)};
}

static const struct spot loopback_in = {"xf_tc_l2", LOOPBACK_IFINDEX, LOOPBACK_IFINDEX};
static const struct spot loopback_out = {"xf_tc_out_l2", LOOPBACK_IFINDEX, 0};

/* What is in t->sent. */
static void run_sent_at(struct test *t, const struct spot *spot)
{
	struct __sk_buff ctx = {
		.ifindex = spot->ifindex,
		.ingress_ifindex = spot->came_by,
		.gso_size = t->gso_size,
		.gso_segs = t->gso_size ? 2 : 0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->sent.data, .data_size_in = t->sent.len,
		    .data_out = t->got.data, .data_size_out = FRAME_MAX, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	memset(&t->got, 0, sizeof(t->got));
	assert_int_equal(bpf_prog_test_run_opts(prog_fd(spot->prog), &opts), 0);
	t->retval = opts.retval;
	t->got.len = opts.data_size_out;
}

static void run_at(struct test *t, const struct spot *spot, const struct packet *in)
{
	build_frame(in, &t->sent);
	run_sent_at(t, spot);
}

static void expect(struct test *t, const char *verdict, const struct packet *out)
{
	struct frame want;

	assert_verdict(t, verdict);
	build_frame(out, &want);
	assert_frame(&want, &t->got);
}

static void pass_at(struct test *t, const struct spot *spot, const struct packet *in)
{
	run_at(t, spot, in);
	expect(t, "pass", in);
}

static void count_new(struct test *t, uint32_t rule)
{
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

/* ROUTER:8000 to this machine's address `target`, port 9000. */
static uint32_t rule_local(struct test *t, enum host target)
{
	return rule_add(t, &(struct rule){
				   .kind = XF_LISTEN_ADDR,
				   .host = ROUTER,
				   .port = 8000,
				   .target = target,
				   .target_port = 9000,
				   .flags = XF_RULE_LOCAL,
			   });
}

/* The same frame, for another address and port of this machine: no hop. */
static struct packet delivered(const struct packet *in, enum host target)
{
	struct packet out = *in;

	out.daddr = host_addr(target, in->family);
	out.dport = 9000;
	/* IPv6's loopback is reached by way of lo only. */
	if (target == LOOPBACK && in->family == XF_IPV6)
		memset(out.dmac, 0, 6);
	return out;
}

static struct packet as_the_client_knows(const struct packet *answer, const struct packet *asked)
{
	struct packet out = *answer;

	out.saddr = asked->daddr;
	out.sport = asked->dport;
	return out;
}

/* A client's packet and what the target gets; as a first one, it makes a flow. */
static void deliver(struct test *t, uint32_t rule, const struct packet *in, enum host target)
{
	struct packet out = delivered(in, target);

	run(t, in);
	expect(t, memcmp(out.dmac, in->dmac, 6) ? "redirect" : "pass", &out);
	ledger_in(t, rule, in);
}

static struct packet local_answer(const struct packet *in, enum host target)
{
	struct packet got = delivered(in, target), back;

	memcpy(got.dmac, in->dmac, 6);
	back = answer(&got);
	return back;
}

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

static void fragments_of(struct test *t, enum host target)
{
	struct packet in = large_packet(t, 4000), back = local_answer(&in, target), out;
	struct spot egress = egress_of(WAN0);
	uint32_t rule = rule_local(t, target);
	struct pieces c = cut(&in, STEP), r;
	struct xf_rule refusing;

	back.payload_len = 4000;
	r = cut(&back, STEP);
	for (unsigned int i = 0; i < c.n; i++)
		deliver(t, rule, &c.p[i], target);
	count_new(t, rule);
	for (unsigned int n = 0; n < 2; n++) {
		for (unsigned int i = 0; i < r.n; i++) {
			out = as_the_client_knows(&r.p[i], &in);
			run_at(t, &egress, &r.p[i]);
			expect(t, "pass", &out);
			ledger_out(t, rule, &r.p[i]);
		}
	}
	assert_int_equal(fragments_known(), 0);

	rule_get(t, rule, &refusing);
	refusing.flags |= XF_RULE_DISABLED;
	rule_put(t, rule, &refusing);
	for (unsigned int i = 0; i < r.n; i++) {
		run_at(t, &egress, &r.p[i]);
		assert_verdict(t, "drop");
		t->ledger.rule_drops[rule][XF_REASON_DISABLED]++;
	}
	/* What is nobody's answer. */
	back.sport++;
	r = cut(&back, STEP);
	for (unsigned int i = 0; i < r.n; i++)
		pass_at(t, &egress, &r.p[i]);
}

static void fragments(struct test *t)
{
	fragments_of(t, ROUTER_LAN);
}

static void fragments_to_loopback(struct test *t)
{
	fragments_of(t, LOOPBACK);
}

/* What the full tier has begun, too. */
static void fast_tier_leaves_it(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = delivered(&in, ROUTER_LAN), back;
	struct spot wan = {"xf_tc_l2", dev_ifindex(WAN0), dev_ifindex(WAN0)};
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

/* ---- ICMP errors */

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
	struct spot wan = {"xf_tc_l2", dev_ifindex(WAN0), dev_ifindex(WAN0)};
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

/* ---- clients on this machine */

static struct packet own_packet(const struct test *t, enum host to)
{
	struct packet in = packet_from(t, ROUTER, to);

	memset(in.dmac, 0, 6);
	memset(in.smac, 0, 6);
	return in;
}

static uint16_t got_sport(const struct test *t)
{
	uint32_t at = ETH_HEADER + (t->family == XF_IPV4 ? IPV4_HEADER : IPV6_HEADER);

	return t->got.data[at] << 8 | t->got.data[at + 1];
}

/* Always with this machine's address towards the target, whatever the rule says. */
static void own_conversation(struct test *t)
{
	struct packet in = own_packet(t, ROUTER), out = to_target(&in, TARGET, 9000), back, got;
	uint32_t rule = rule_add(t, &(struct rule){
					    .kind = XF_LISTEN_ADDR,
					    .host = ROUTER,
					    .port = 8000,
					    .target = TARGET,
					    .target_port = 9000,
					    .source = XF_SOURCE_PRESERVE,
					    .masquerade = ROUTER_LAN,
				    });

	run_at(t, &loopback_in, &in);
	out.saddr = host_addr(ROUTER_LAN, t->family);
	out.sport = got_sport(t);
	assert_in_range(out.sport, PORT_LO, PORT_HI);
	expect(t, "redirect", &out);
	ledger_in(t, rule, &in);
	count_new(t, rule);
	back = answer(&out);
	got = to_client(&back, &in);
	reply(t, rule, &back, &got);
}

static void own_without_address(struct test *t)
{
	struct packet in = own_packet(t, ROUTER);

	rule_preserve(t);
	pass_at(t, &loopback_in, &in);
}

static void own_to_local(struct test *t)
{
	struct packet in = own_packet(t, ROUTER), out = delivered(&in, LOOPBACK), back, got;
	uint32_t rule = rule_local(t, LOOPBACK);

	run_at(t, &loopback_in, &in);
	expect(t, "pass", &out);
	ledger_in(t, rule, &in);
	count_new(t, rule);
	back = answer(&out);
	got = as_the_client_knows(&back, &in);
	run_at(t, &loopback_out, &back);
	expect(t, "pass", &got);
	ledger_out(t, rule, &back);
	/* And what comes in then is nothing that a rule is about. */
	pass_at(t, &loopback_in, &got);
}

/* What was rewritten to ::1 comes by here; and services of loopback keep their ports. */
static void own_to_loopback(struct test *t)
{
	struct packet in = own_packet(t, LOOPBACK);

	rule_add(t, &(struct rule){.kind = XF_LISTEN_ANY, .port = 8000, .target = TARGET, .masquerade = ROUTER_LAN});
	pass_at(t, &loopback_in, &in);
}

/* ---- 127/8 from outside */

static void guard(struct test *t, bool on)
{
	t->config.flags = on ? XF_CONFIG_GUARD_LOOPBACK : 0;
	config_put(t);
}

static struct packet forged(const struct test *t, bool to)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	if (to)
		in.daddr = host_addr(LOOPBACK, t->family);
	else
		in.saddr = host_addr(LOOPBACK, t->family);
	in.dport = 631;
	return in;
}

static void guarded(struct test *t)
{
	struct packet to = forged(t, true), from = forged(t, false);

	pass(t, &to);
	guard(t, true);
	if (t->hook == HOOK_XDP ||
	    t->family == XF_IPV6) { /* the full tier sees all, and of IPv6 the kernel takes none */
		pass(t, &to);
		return;
	}
	drop(t, NO_RULE, XF_REASON_LOOPBACK, &to);
	drop(t, NO_RULE, XF_REASON_LOOPBACK, &from);
	to.frag = 0x2000;
	drop(t, NO_RULE, XF_REASON_LOOPBACK, &to);
	to.frag = 100;
	drop(t, NO_RULE, XF_REASON_LOOPBACK, &to);
	to.frag = 0;
	memset(to.dmac, 0xff, 6);
	drop(t, NO_RULE, XF_REASON_LOOPBACK, &to);
	to.vlan = 1;
	drop(t, NO_RULE, XF_REASON_LOOPBACK, &to);
}

static void not_guarded_against(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000);
	struct packet own = own_packet(t, LOOPBACK);
	uint32_t rule = rule_preserve(t);

	guard(t, true);
	pass_at(t, &loopback_in, &own);
	forward_new(t, rule, &in, &out);
	in.dport = 8001;
	pass(t, &in);
}

static const struct packet_case local_cases[] = {
	CASE(udp),
	CASE(tcp),
	CASE(same_address),
	CASE(to_loopback),
	CASE_ONLY(fragments, ONLY_TC),
	CASE_ONLY(fragments_to_loopback, ONLY_TC),
	CASE_ONLY(checksum_none, ONLY_TC | ONLY_V4),
	CASE_ONLY(last_hop, ONLY_TC),
	CASE_ONLY(fast_tier_leaves_it, ONLY_XDP),
	CASE_ONLY(egress_of_others, ONLY_TC),
	CASE_ONLY(egress_of_forwarded, ONLY_TC),
	CASE_ONLY(answer_from_outside, ONLY_TC),
	CASE_ONLY(disabled, ONLY_TC),
	CASE_ONLY(error_of_ours, ONLY_TC),
	CASE_ONLY(error_of_the_client, ONLY_TC),
	CASE_ONLY(own_conversation, ONLY_TC),
	CASE_ONLY(own_without_address, ONLY_TC),
	CASE_ONLY(own_to_local, ONLY_TC),
	CASE_ONLY(own_to_loopback, ONLY_TC),
	CASE(guarded),
	CASE_ONLY(not_guarded_against, ONLY_TC),
};

PACKET_SUITE(local);
