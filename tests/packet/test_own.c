// SPDX-License-Identifier: GPL-2.0-only
/* Clients on this machine, by way of loopback; and loopback's addresses from outside. */
#include <string.h>

#include "spot.h"

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
static void conversation(struct test *t)
{
	struct spot loopback = loopback_ingress();
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

	run_at(t, &loopback, &in);
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

static void without_address(struct test *t)
{
	struct spot loopback = loopback_ingress();
	struct packet in = own_packet(t, ROUTER);

	rule_preserve(t);
	pass_at(t, &loopback, &in);
}

static void to_local(struct test *t)
{
	struct spot loopback = loopback_ingress(), egress = loopback_egress();
	struct packet in = own_packet(t, ROUTER), out = delivered(&in, LOOPBACK), back, got;
	uint32_t rule = rule_local(t, LOOPBACK);

	run_at(t, &loopback, &in);
	expect(t, "pass", &out);
	ledger_in(t, rule, &in);
	count_new(t, rule);
	back = answer(&out);
	got = as_the_client_knows(&back, &in);
	run_at(t, &egress, &back);
	expect(t, "pass", &got);
	ledger_out(t, rule, &back);
	/* And what comes in then is nothing that a rule is about. */
	pass_at(t, &loopback, &got);
}

/* What was rewritten to ::1 comes by here; and services of loopback keep their ports. */
static void to_loopback(struct test *t)
{
	struct spot loopback = loopback_ingress();
	struct packet in = own_packet(t, LOOPBACK);

	rule_add(t, &(struct rule){.kind = XF_LISTEN_ANY, .port = 8000, .target = TARGET, .masquerade = ROUTER_LAN});
	pass_at(t, &loopback, &in);
}

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
	struct spot loopback = loopback_ingress();
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000);
	struct packet own = own_packet(t, LOOPBACK);
	uint32_t rule = rule_preserve(t);

	guard(t, true);
	pass_at(t, &loopback, &own);
	forward_new(t, rule, &in, &out);
	in.dport = 8001;
	pass(t, &in);
}

static const struct packet_case own_cases[] = {
	CASE_ONLY(conversation, ONLY_TC),
	CASE_ONLY(without_address, ONLY_TC),
	CASE_ONLY(to_local, ONLY_TC),
	CASE_ONLY(to_loopback, ONLY_TC),
	CASE(guarded),
	CASE_ONLY(not_guarded_against, ONLY_TC),
};

PACKET_SUITE(own);
