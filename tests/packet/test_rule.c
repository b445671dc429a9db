// SPDX-License-Identifier: GPL-2.0-only
/* Which rule a packet belongs to. */
#include "harness.h"
#include "maps.h"

/* A packet to port `dport` of `to` goes to port `target_port` of TARGET; a new flow each time. */
static void goes_to(struct test *t, uint32_t rule, struct packet in, uint16_t target_port)
{
	struct packet out;

	in.sport = 30000 + t->ledger.flows;
	out = to_target(&in, TARGET, target_port);
	forward_new(t, rule, &in, &out);
}

/* Each rule that is added is closer to the packet than all before. */
static void closest_wins(struct test *t)
{
	static const struct rule rules[] = {
		{.kind = XF_LISTEN_ANY, .port = 7990, .port_hi = 8010, .target = TARGET, .target_port = 1000},
		{.kind = XF_LISTEN_ANY, .port = 8000, .target = TARGET, .target_port = 2000},
		{.kind = XF_LISTEN_IFACE,
		 .dev = WAN0,
		 .port = 7990,
		 .port_hi = 8010,
		 .target = TARGET,
		 .target_port = 3000},
		{.kind = XF_LISTEN_IFACE, .dev = WAN0, .port = 8000, .target = TARGET, .target_port = 4000},
		{.kind = XF_LISTEN_ADDR,
		 .host = ROUTER,
		 .port = 7990,
		 .port_hi = 8010,
		 .target = TARGET,
		 .target_port = 5000},
		{.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = TARGET, .target_port = 6000},
	};
	struct packet in = packet_from(t, CLIENT, ROUTER);

	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		uint32_t id = rule_add(t, &rules[i]);
		uint16_t offset = rules[i].port_hi ? in.dport - rules[i].port : 0;

		goes_to(t, id, in, rules[i].target_port + offset);
	}
}

/* The same the other way round: a rule further away changes nothing. */
static void further_away_loses(struct test *t)
{
	static const struct rule rules[] = {
		{.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = TARGET, .target_port = 6000},
		{.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 7990, .port_hi = 8010, .target = TARGET2},
		{.kind = XF_LISTEN_IFACE, .dev = WAN0, .port = 8000, .target = TARGET2},
		{.kind = XF_LISTEN_IFACE, .dev = WAN0, .port = 7990, .port_hi = 8010, .target = TARGET2},
		{.kind = XF_LISTEN_ANY, .port = 8000, .target = TARGET2},
		{.kind = XF_LISTEN_ANY, .port = 7990, .port_hi = 8010, .target = TARGET2},
	};
	struct packet in = packet_from(t, CLIENT, ROUTER);

	for (unsigned int i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		rule_add(t, &rules[i]);
		goes_to(t, 0, in, 6000);
	}
}

/* IFACE: the addresses of the interface, wherever the packet comes in, and no others. */
static void interface(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER_WAN1);
	uint32_t rule =
		rule_add(t, &(struct rule){.kind = XF_LISTEN_IFACE, .dev = WAN1, .port = 8000, .target = TARGET});

	goes_to(t, rule, in, 8000);
	goes_to(t, rule, packet_from(t, STRANGER, ROUTER_WAN1), 8000);
	in = packet_from(t, CLIENT, ROUTER);
	pass(t, &in);
	in = packet_from(t, STRANGER, ROUTER);
	pass(t, &in);
	in = packet_from(t, STRANGER, TARGET);
	pass(t, &in);
	in = packet_from(t, STRANGER, VIRTUAL);
	pass(t, &in);
}

/* Two interfaces, one port, two targets. */
static void two_interfaces(struct test *t)
{
	uint32_t first = rule_add(
		t,
		&(struct rule){.kind = XF_LISTEN_IFACE, .dev = WAN0, .port = 8000, .target = TARGET, .target_port = 1});
	uint32_t second = rule_add(
		t,
		&(struct rule){.kind = XF_LISTEN_IFACE, .dev = WAN1, .port = 8000, .target = TARGET, .target_port = 2});

	goes_to(t, first, packet_from(t, CLIENT, ROUTER), 1);
	goes_to(t, second, packet_from(t, CLIENT, ROUTER_WAN1), 2);
	goes_to(t, first, packet_from(t, STRANGER, ROUTER), 1);
	goes_to(t, second, packet_from(t, STRANGER, ROUTER_WAN1), 2);
}

/* :PORT: every address of this machine, and no other. */
static void any_address(struct test *t)
{
	static const enum host others[] = {TARGET, CLIENT2, VIRTUAL, NOWHERE};
	uint32_t rule = rule_add(t, &(struct rule){.kind = XF_LISTEN_ANY, .port = 8000, .target = TARGET});

	for (enum host h = ROUTER; h <= ROUTER_DMZ; h++)
		goes_to(t, rule, packet_from(t, CLIENT, h), 8000);
	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct packet in = packet_from(t, CLIENT, others[i]);

		pass(t, &in);
	}
}

/* ADDR:PORT need not be an address of this machine. */
static void virtual_address(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, VIRTUAL);
	uint32_t single =
		rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR, .host = VIRTUAL, .port = 8000, .target = TARGET});
	uint32_t range = rule_add(
		t, &(struct rule){
			   .kind = XF_LISTEN_ADDR, .host = VIRTUAL, .port = 8001, .port_hi = 8002, .target = TARGET});

	goes_to(t, single, in, 8000);
	in.dport = 8002;
	goes_to(t, range, in, 8002);
}

static void range_ends(struct test *t, const struct rule *r)
{
	static const enum host to[] = {
		[XF_LISTEN_ANY] = ROUTER_DMZ, [XF_LISTEN_IFACE] = ROUTER_WAN1, [XF_LISTEN_ADDR] = ROUTER};
	struct packet in = packet_from(t, CLIENT, to[r->kind]);
	uint32_t id = rule_add(t, r);
	const uint16_t ports[] = {r->port, r->port + 1, (r->port + r->port_hi) / 2, r->port_hi - 1, r->port_hi};

	for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		in.dport = ports[i];
		in.proto = i & 1 ? IPPROTO_TCP : IPPROTO_UDP;
		goes_to(t, id, in, r->target_port + ports[i] - r->port);
	}
	in.dport = r->port - 1;
	pass(t, &in);
	if (r->port_hi == 65535)
		return;
	in.dport = r->port_hi + 1;
	pass(t, &in);
}

/* Ports move in step, and the range ends where it ends. */
static void ranges(struct test *t)
{
	range_ends(t, &(struct rule){.kind = XF_LISTEN_ADDR,
				     .host = ROUTER,
				     .port = 27000,
				     .port_hi = 27999,
				     .target = TARGET,
				     .target_port = 28001});
	range_ends(t, &(struct rule){.kind = XF_LISTEN_IFACE,
				     .dev = WAN1,
				     .port = 7,
				     .port_hi = 10,
				     .target = TARGET,
				     .target_port = 65532});
	range_ends(t,
		   &(struct rule){
			   .kind = XF_LISTEN_ANY, .port = 40001, .port_hi = 65535, .target = TARGET, .target_port = 1});
}

/* As wide as it can be: 1 to 65535. */
static void widest_range(struct test *t)
{
	range_ends(t, &(struct rule){.kind = XF_LISTEN_ADDR,
				     .host = ROUTER,
				     .port = 1,
				     .port_hi = 65535,
				     .target = TARGET,
				     .target_port = 1});
}

/* Side by side, and a single port in the middle of one of them. */
static void neighbouring_ranges(struct test *t)
{
	uint32_t first = rule_add(
		t, &(struct rule){
			   .kind = XF_LISTEN_ANY, .port = 100, .port_hi = 199, .target = TARGET, .target_port = 1100});
	uint32_t second = rule_add(
		t, &(struct rule){
			   .kind = XF_LISTEN_ANY, .port = 200, .port_hi = 299, .target = TARGET, .target_port = 2200});
	uint32_t single =
		rule_add(t, &(struct rule){.kind = XF_LISTEN_ANY, .port = 150, .target = TARGET, .target_port = 3333});
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.dport = 199;
	goes_to(t, first, in, 1199);
	in.dport = 200;
	goes_to(t, second, in, 2200);
	in.dport = 149;
	goes_to(t, first, in, 1149);
	in.dport = 150;
	goes_to(t, single, in, 3333);
	in.dport = 151;
	goes_to(t, first, in, 1151);
	in.dport = 300;
	pass(t, &in);
}

/* tcp and udp of one port are two endpoints. */
static void protocols(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t tcp =
		rule_add(t, &(struct rule){.port = 8000, .protos = XF_PROTO_TCP, .target = TARGET, .target_port = 1});
	uint32_t udp =
		rule_add(t, &(struct rule){.port = 8000, .protos = XF_PROTO_UDP, .target = TARGET, .target_port = 2});

	goes_to(t, udp, in, 2);
	in.proto = IPPROTO_TCP;
	goes_to(t, tcp, in, 1);
}

/* And so are the two families. */
static void families(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t v4 = rule_add(t, &(struct rule){.port = 8000, .family = XF_IPV4, .target = TARGET, .target_port = 4});
	uint32_t v6 = rule_add(t, &(struct rule){.port = 8000, .family = XF_IPV6, .target = TARGET, .target_port = 6});

	goes_to(t, t->family == XF_IPV4 ? v4 : v6, in, t->family == XF_IPV4 ? 4 : 6);
}

/* A disabled rule stands in front of those that are further away: it refuses, they do not take over. */
static void disabled_is_no_hole(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t near = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
						   .host = ROUTER,
						   .port = 8000,
						   .target = TARGET,
						   .flags = XF_RULE_DISABLED});

	rule_add(t, &(struct rule){.port = 8000, .target = TARGET2});
	drop(t, near, XF_REASON_DISABLED, &in);
}

/* The set in force changes with one store, and all rules with it; flows stay. */
/* The rule in the next set, which is in the other half of the maps; it leads to that port. */
static void rule_in_next_set(struct test *t, uint32_t id, uint16_t target_port, uint32_t tag)
{
	struct xf_listen_key key = {
		.set = RULE_SET + 1,
		.addr = host_addr(ROUTER, t->family),
		.family = t->family,
		.proto = IPPROTO_UDP,
		.port = htons(8000),
	};
	uint32_t place = MAX_RULES + id, zero = 0;
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.target_lo = target_port;
	rule.tag = tag;
	map_put("rules", &place, &rule);
	map_put("listen", &key, &id);
	t->ports.udp[target_port] |= XF_PORT_TARGET;
	map_put("ports", &zero, &t->ports);
}

static void switch_sets(struct test *t, uint64_t until)
{
	t->config.set = RULE_SET + 1;
	t->config.set_before = RULE_SET;
	t->config.set_until = until;
	config_put(t);
}

/* A flow goes on under the next set if its rule is there under the same tag, however it is changed. */
static void next_set_keeps_flows(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000);
	uint32_t rule = rule_preserve(t);
	struct xf_rule was;

	forward_new(t, rule, &in, &out);
	rule_get(t, rule, &was);
	rule_in_next_set(t, rule, 9001, was.tag);
	switch_sets(t, 0);
	forward(t, rule, &in, &out);
	in.sport++;
	goes_to(t, rule, in, 9001);
}

/* And it is over if there is no such rule, or another one in its place. */
static void next_set_ends_flows(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000);
	uint32_t rule = rule_preserve(t);

	forward_new(t, rule, &in, &out);
	switch_sets(t, 0);
	t->ledger.flows--;
	pass(t, &in);
	rule_in_next_set(t, rule, 9001, XF_RULE_TAG(rule, 77));
	goes_to(t, rule, in, 9001);
}

/* Until a moment that is yet to come the next set is in force, and after it the one before. */
static void not_confirmed(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_preserve(t);

	rule_in_next_set(t, rule, 9001, XF_RULE_TAG(rule, 77));
	switch_sets(t, UINT64_MAX);
	goes_to(t, rule, in, 9001);
	switch_sets(t, 1);
	goes_to(t, rule, in, 9000);
	in.sport++;
	goes_to(t, rule, in, 9000);
}

static const struct packet_case rule_cases[] = {
	CASE(closest_wins),	    CASE(further_away_loses),  CASE(interface),	    CASE(two_interfaces),
	CASE(any_address),	    CASE(virtual_address),     CASE(ranges),	    CASE(widest_range),
	CASE(neighbouring_ranges),  CASE(protocols),	       CASE(families),	    CASE(disabled_is_no_hole),
	CASE(next_set_keeps_flows), CASE(next_set_ends_flows), CASE(not_confirmed),
};

PACKET_SUITE(rule);
