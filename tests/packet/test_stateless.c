// SPDX-License-Identifier: GPL-2.0-only
/* Rules that keep no state: both directions from the rule alone. */
#include <string.h>

#include "maps.h"
#include "policy.h"
#include "scene.h"

static const struct rule plain = {
	.kind = XF_LISTEN_ADDR,
	.host = ROUTER,
	.port = 8000,
	.target = TARGET,
	.target_port = 9000,
	.flags = XF_RULE_STATELESS,
};

static void both_ways(struct test *t, struct talk k)
{
	uint32_t rule = rule_add(t, &plain);

	/* The answer needs no question before it. */
	reply(t, rule, &k.back, &k.got);
	for (int i = 0; i < 3; i++) {
		forward(t, rule, &k.in, &k.out);
		reply(t, rule, &k.back, &k.got);
	}
	assert_int_equal(flow_entries(t, t->family), 0);
}

static void udp(struct test *t)
{
	both_ways(t, talk_udp(t, 40000));
}

static void tcp(struct test *t)
{
	both_ways(t, talk_tcp(t, 40000));
}

static void range(struct test *t)
{
	struct rule r = plain;
	uint32_t rule;

	r.port_hi = 8099;
	rule = rule_add(t, &r);
	for (uint16_t i = 0; i < 100; i += 33) {
		struct talk k = talk_udp(t, 40000);

		k.in.dport = k.got.sport = 8000 + i;
		k.out.dport = k.back.sport = 9000 + i;
		forward(t, rule, &k.in, &k.out);
		reply(t, rule, &k.back, &k.got);
	}
}

/* Many ports of a rule: of the ways that a CPU remembers, those that meet in one place have each its own port. */
static void wide_range(struct test *t)
{
	struct rule r = plain;
	uint32_t rule;

	r.port_hi = 8000 + 4999;
	rule = rule_add(t, &r);
	for (uint16_t i = 0; i < 5000; i++) {
		struct talk k = talk_udp(t, 40000);

		k.in.dport = k.got.sport = 8000 + i;
		k.out.dport = k.back.sport = 9000 + i;
		forward(t, rule, &k.in, &k.out);
		if (!(i % 7))
			reply(t, rule, &k.back, &k.got);
	}
}

/* Many clients, and two rules: of the ways that a CPU remembers, none gets another one's. */
static void many(struct test *t)
{
	struct rule other = plain;
	uint32_t first = rule_add(t, &plain), second;

	other.port = 8001;
	other.target = TARGET2;
	second = rule_add(t, &other);
	for (uint16_t i = 0; i < 5000; i++) {
		struct talk k = talk_udp(t, 10000 + i);
		struct packet in = k.in, out;
		uint8_t *last = t->family == XF_IPV4 ? &k.in.saddr.v6[2] : &k.in.saddr.v6[14];

		in.dport = 8001;
		out = to_target(&in, TARGET2, 9000);
		last[0] ^= i >> 8;
		last[1] ^= i;
		k.out.saddr = k.in.saddr;
		forward(t, first, &k.in, &k.out);
		if (!(i % 7))
			forward(t, second, &in, &out);
	}
}

/* A client that is the target of another rule: there and back are not the same way. */
static void target_is_client(struct test *t)
{
	struct packet in = packet_from(t, TARGET2, ROUTER), out = to_target(&in, TARGET, 9000), back = answer(&out);
	struct packet got = to_client(&back, &in);
	struct rule other = plain;
	uint32_t rule = rule_add(t, &plain);

	other.port = 8001;
	other.target = TARGET2;
	rule_add(t, &other);
	for (int i = 0; i < 2; i++) {
		forward(t, rule, &in, &out);
		reply(t, rule, &back, &got);
	}
}

/* From the target, but another port; to the listen port, but from no target. */
static void of_others(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	struct packet in;

	rule_add(t, &plain);
	in = k.back;
	in.saddr = host_addr(TARGET2, t->family);
	pass(t, &in);
	in = k.back;
	in.sport = 9001;
	pass(t, &in);
	in = k.in;
	in.daddr = host_addr(ROUTER_LAN, t->family);
	pass(t, &in);
}

/* Of a rule for any address: it answers from the one, and so takes what goes to that. */
static void one_address(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	struct packet in = k.in;
	struct rule any = plain;
	uint32_t rule;

	any.kind = XF_LISTEN_ANY;
	rule = rule_add(t, &any);
	in.daddr = host_addr(ROUTER_LAN, t->family);
	for (int i = 0; i < 2; i++) {
		pass(t, &in);
		forward(t, rule, &k.in, &k.out);
		reply(t, rule, &k.back, &k.got);
	}
}

/* Frames that are for another station are not ours, once the way is known either. */
static void other_station(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	struct packet in = k.in;
	uint32_t rule = rule_add(t, &plain), wan0 = dev_ifindex(WAN0);
	struct xf_iface iface = {.name = "wan0"};

	memcpy(iface.mac, dev_mac(WAN0), sizeof(iface.mac));
	map_put("interfaces", &wan0, &iface);
	in.dmac[5] ^= 0x80;
	for (int i = 0; i < 2; i++) {
		pass(t, &in);
		forward(t, rule, &k.in, &k.out);
	}
}

static void disabled(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_add(t, &plain);
	struct xf_rule r;

	forward(t, rule, &k.in, &k.out);
	rule_get(t, rule, &r);
	r.flags |= XF_RULE_DISABLED;
	rule_put(t, rule, &r);
	drop(t, rule, XF_REASON_DISABLED, &k.in);
	drop(t, rule, XF_REASON_DISABLED, &k.back);
	r.flags &= ~XF_RULE_DISABLED;
	r.expires = 1;
	rule_put(t, rule, &r);
	drop(t, rule, XF_REASON_EXPIRED, &k.in);
	drop(t, rule, XF_REASON_EXPIRED, &k.back);
}

/* Another target is another way, at once. */
static void replaced(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_add(t, &plain);
	struct packet out = to_target(&k.in, TARGET2, 9000);
	struct xf_rule r;

	forward(t, rule, &k.in, &k.out);
	rule_get(t, rule, &r);
	r.tag = XF_RULE_TAG(rule, 77);
	r.target = host_addr(TARGET2, t->family);
	rule_put(t, rule, &r);
	forward(t, rule, &k.in, &out);
}

/* A rule that listens closer has the next packet. */
static void closer_rule(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	struct packet out = to_target(&k.in, TARGET2, 9000);
	struct rule any = plain, closer = plain;
	uint32_t rule;

	any.kind = XF_LISTEN_ANY;
	rule = rule_add(t, &any);
	forward(t, rule, &k.in, &k.out);
	closer.target = TARGET2;
	rule = rule_add(t, &closer);
	forward(t, rule, &k.in, &out);
}

/* What was a rule's in one set is nobody's in the next. */
static void other_set(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_add(t, &plain);

	for (int i = 0; i < 2; i++) {
		t->config.set = RULE_SET;
		config_put(t);
		forward(t, rule, &k.in, &k.out);
		reply(t, rule, &k.back, &k.got);
		t->config.set = RULE_SET + 1;
		config_put(t);
		pass(t, &k.in);
		pass(t, &k.back);
	}
}

/* Of two protocols with one port, each has its own rule. */
static void other_protocol(struct test *t)
{
	struct talk udp_talk = talk_udp(t, 40000), tcp_talk = talk_tcp(t, 40000);
	struct rule of_udp = plain, of_tcp = plain;
	uint32_t udp_rule, tcp_rule;

	of_udp.protos = XF_PROTO_UDP;
	of_tcp.protos = XF_PROTO_TCP;
	udp_rule = rule_add(t, &of_udp);
	tcp_rule = rule_add(t, &of_tcp);
	for (int i = 0; i < 2; i++) {
		forward(t, udp_rule, &udp_talk.in, &udp_talk.out);
		forward(t, tcp_rule, &tcp_talk.in, &tcp_talk.out);
		reply(t, udp_rule, &udp_talk.back, &udp_talk.got);
		reply(t, tcp_rule, &tcp_talk.back, &tcp_talk.got);
	}
}

static void last_hop(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_add(t, &plain);

	k.in.ttl = 1;
	told(t, rule, XF_REASON_TTL_EXCEEDED, &k.in);
}

static void too_big(struct test *t)
{
	struct rule narrow = plain;
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule;

	narrow.target = NARROW;
	rule = rule_add(t, &narrow);
	in.payload_len = 1400;
	in.frag = t->family == XF_IPV4 ? DONT_FRAGMENT : 0;
	told_too_big(t, rule, 1280, &in);
}

/* What a host inside says about a client's packet; and a router outside about the answer. */
static void errors(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_add(t, &plain);
	struct scene s = {.t = t, .k = k, .rule = rule};
	struct error target = by_target(&s), client = by_client(&s), out;

	for (int i = 0; i < COMPLAINTS; i++) {
		error_says(&target, i);
		out = as_the_client_sees(&s, &target);
		error_forward(t, NULL, &target, &out);
		error_says(&client, i);
		out = as_the_target_sees(&s, &client);
		error_forward(t, NULL, &client, &out);
	}
}

/* Who may come in is asked of each packet; how often, of none. */
static void asked_each_time(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	struct xf_policy policy = {.deny = XF_SET_FIRST};
	uint32_t rule = rule_add(t, &plain);
	struct net client = net_of_host(t, XF_SET_FIRST, CLIENT);

	policy_put(t, rule, &policy);
	forward(t, rule, &k.in, &k.out);
	set_add(t, client, FOR_GOOD);
	drop(t, rule, XF_REASON_DENIED, &k.in);
	reply(t, rule, &k.back, &k.got);
	set_del(t, client);
	client.set = XF_SET_BANS;
	set_add(t, client, FOR_GOOD);
	drop(t, rule, XF_REASON_BANNED, &k.in);
}

static void bad_source(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_add(t, &plain);

	memset(&in.saddr, 0, sizeof(in.saddr));
	drop(t, rule, XF_REASON_BAD_SOURCE, &in);
}

static const struct packet_case stateless_cases[] = {
	CASE(udp),	   CASE(tcp),	      CASE(range),	    CASE(many),	      CASE(target_is_client),
	CASE(of_others),   CASE(one_address), CASE(other_station),  CASE(disabled),   CASE(replaced),
	CASE(last_hop),	   CASE(too_big),     CASE(errors),	    CASE(bad_source), CASE(asked_each_time),
	CASE(closer_rule), CASE(other_set),   CASE(other_protocol), CASE(wide_range),
};

PACKET_SUITE(stateless);
