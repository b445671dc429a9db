// SPDX-License-Identifier: GPL-2.0-only
/*
 * Source mode "auto": the target sees the client, but this machine if client and
 * target share a subnet, since the target would then answer past us.
 */
#include <string.h>

#include "harness.h"

#define PORT 20007 /* the only masquerade port here */

static uint32_t rule_auto(struct test *t, enum host target, enum host own)
{
	t->config.port_lo = t->config.port_hi = PORT;
	config_put(t);
	return rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
					  .host = ROUTER,
					  .port = 8000,
					  .target = target,
					  .target_port = 9000,
					  .source = XF_SOURCE_AUTO,
					  .masquerade = own});
}

static void forwarded_as(struct test *t, uint32_t rule, const struct packet *in, struct packet *out)
{
	struct packet back, got;

	forward_new(t, rule, in, out);
	back = answer(out);
	got = to_client(&back, in);
	reply(t, rule, &back, &got);
}

static void masqueraded(struct test *t, enum host client, enum host target, enum host own)
{
	struct packet in = packet_from(t, client, ROUTER), out = to_target(&in, target, 9000);

	out.saddr = host_addr(own, t->family);
	out.sport = PORT;
	forwarded_as(t, rule_auto(t, target, own), &in, &out);
}

static void preserved(struct test *t, enum host client, enum host target, enum host own)
{
	struct packet in = packet_from(t, client, ROUTER), out = to_target(&in, target, 9000);

	forwarded_as(t, rule_auto(t, target, own), &in, &out);
}

static void neighbour(struct test *t)
{
	masqueraded(t, CLIENT, CLIENT2, ROUTER);
}

static void target_itself(struct test *t)
{
	masqueraded(t, CLIENT2, CLIENT2, ROUTER);
}

static void elsewhere(struct test *t)
{
	preserved(t, CLIENT, TARGET, ROUTER_LAN);
}

/* Behind a router on the target's link: the target's answer has to come back through us or through that router. */
static void client_behind_gateway(struct test *t)
{
	preserved(t, FAR, TARGET, ROUTER_LAN);
}

static void target_behind_gateway(struct test *t)
{
	preserved(t, TARGET, FAR, ROUTER_LAN);
}

/* Without an address to show, the client's is better than none. */
static void no_own_address(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, CLIENT2, 9000);
	uint32_t id = rule_auto(t, CLIENT2, ROUTER);
	struct xf_rule rule;

	rule_get(t, id, &rule);
	memset(&rule.masquerade, 0, sizeof(rule.masquerade));
	rule_put(t, id, &rule);
	forwarded_as(t, id, &in, &out);
}

static const struct packet_case hairpin_cases[] = {
	CASE(neighbour),
	CASE(target_itself),
	CASE(elsewhere),
	CASE(client_behind_gateway),
	CASE(target_behind_gateway),
	CASE(no_own_address),
};

PACKET_SUITE(hairpin);
