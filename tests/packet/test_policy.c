// SPDX-License-Identifier: GPL-2.0-only
/* Who may come in: bans, deny, allow. */
#include "policy.h"

#define SET   XF_SET_FIRST
#define OTHER (XF_SET_FIRST + 1)

static struct talk by(const struct test *t, enum host host, uint16_t sport)
{
	return talk_from(t, host_addr(host, t->family), sport);
}

static void deny(struct test *t, uint32_t rule, uint32_t set)
{
	policy_put(t, rule, &(struct xf_policy){.deny = set});
}

static void allow(struct test *t, uint32_t rule, uint32_t set)
{
	policy_put(t, rule, &(struct xf_policy){.allow = set});
}

/* For every rule, whether it has conditions of its own or not. */
static void banned(struct test *t)
{
	struct net net = net_of_host(t, XF_SET_BANS, CLIENT);
	uint32_t rule = rule_preserve(t);

	set_add(t, net, FOR_GOOD);
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40000));
	opens(t, rule, by(t, CLIENT2, 40000));
	policy_put(t, rule, &(struct xf_policy){0});
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40000));
	assert_int_equal(set_hits(t, net), 8);
	set_del(t, net);
	opens(t, rule, by(t, CLIENT, 40000));
}

static void banned_until(struct test *t)
{
	struct net net = net_of_host(t, XF_SET_BANS, CLIENT);
	uint32_t rule = rule_preserve(t);

	set_add(t, net, clock_jiffies());
	opens(t, rule, by(t, CLIENT, 40000));
	assert_int_equal(set_hits(t, net), 0);
	set_add(t, net, OVER);
	opens(t, rule, by(t, CLIENT, 40001));
	set_add(t, net, LATER);
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40002));
}

/* A narrow ban whose time is over does not hide the wider one, nor the other way round. */
static void banned_within_banned(struct test *t)
{
	struct net wide = net_of_host(t, XF_SET_BANS, CLIENT), narrow = wide, host = wide, all = net_all(XF_SET_BANS);
	uint32_t rule = rule_preserve(t);

	wide.bits -= 12;
	narrow.bits -= 5;
	set_add(t, wide, LATER);
	set_add(t, narrow, OVER);
	set_add(t, host, OVER);
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40000));
	assert_int_equal(set_hits(t, wide), 4);
	set_add(t, wide, OVER);
	opens(t, rule, by(t, CLIENT, 40000));
	set_add(t, all, FOR_GOOD);
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40001));
	assert_int_equal(set_hits(t, all), 4);
	set_add(t, all, OVER);
	opens(t, rule, by(t, CLIENT, 40001));
	set_add(t, narrow, FOR_GOOD);
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40002));
	assert_int_equal(set_hits(t, narrow), 4);
}

/* As many nested networks as there can be. */
static void banned_in_depth(struct test *t)
{
	struct net net = net_of_host(t, XF_SET_BANS, CLIENT);
	uint32_t rule = rule_preserve(t);

	for (net.bits = 1; net.bits <= addr_bits(t); net.bits++)
		set_add(t, net, OVER);
	opens(t, rule, by(t, CLIENT, 40000));
	set_add(t, net_all(XF_SET_BANS), FOR_GOOD);
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40001));
}

/* A ban is for newcomers; what stands is the tool's to end. */
static void banned_later(struct test *t)
{
	struct talk k = by(t, CLIENT, 40000);
	uint32_t rule = rule_preserve(t);

	opens(t, rule, k);
	set_add(t, net_of_host(t, XF_SET_BANS, CLIENT), FOR_GOOD);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	refused(t, rule, XF_REASON_BANNED, by(t, CLIENT, 40001));
}

static void denied(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	set_add(t, net_of_host(t, SET, CLIENT), FOR_GOOD);
	opens(t, rule, by(t, CLIENT, 40000));
	deny(t, rule, SET);
	refused(t, rule, XF_REASON_DENIED, by(t, CLIENT, 40001));
	opens(t, rule, by(t, CLIENT2, 40001));
	set_add(t, net_all(SET), FOR_GOOD);
	refused(t, rule, XF_REASON_DENIED, by(t, CLIENT2, 40002));
}

static void denied_later(struct test *t)
{
	struct talk k = by(t, CLIENT, 40000);
	uint32_t rule = rule_preserve(t);

	opens(t, rule, k);
	set_add(t, net_all(SET), FOR_GOOD);
	deny(t, rule, SET);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
}

static void allowed(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	allow(t, rule, SET);
	refused(t, rule, XF_REASON_NOT_ALLOWED, by(t, CLIENT, 40000));
	set_add(t, net_of_host(t, SET, CLIENT), FOR_GOOD);
	opens(t, rule, by(t, CLIENT, 40000));
	refused(t, rule, XF_REASON_NOT_ALLOWED, by(t, CLIENT2, 40000));
	set_add(t, net_all(SET), FOR_GOOD);
	opens(t, rule, by(t, CLIENT2, 40000));
	opens(t, rule, by(t, FAR, 40000));
}

/* Deny is asked first, however narrow what is allowed. */
static void denied_and_allowed(struct test *t)
{
	struct net net = net_of_host(t, OTHER, CLIENT);
	uint32_t rule = rule_preserve(t);

	policy_put(t, rule, &(struct xf_policy){.allow = SET, .deny = OTHER});
	set_add(t, net_of_host(t, SET, CLIENT), FOR_GOOD);
	opens(t, rule, by(t, CLIENT, 40000));
	refused(t, rule, XF_REASON_NOT_ALLOWED, by(t, CLIENT2, 40001));
	net.bits -= 8;
	set_add(t, net, FOR_GOOD);
	refused(t, rule, XF_REASON_DENIED, by(t, CLIENT, 40001));
	refused(t, rule, XF_REASON_DENIED, by(t, CLIENT2, 40001));
}

/* All sets are in one map, and the same networks in several of them. */
static void sets_apart(struct test *t)
{
	uint32_t first = rule_preserve(t);
	uint32_t second = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8001, .target = TARGET, .target_port = 9000});
	struct talk k = by(t, CLIENT, 40000), other = by(t, CLIENT, 40001);

	other.in.dport = other.got.sport = 8001;
	deny(t, first, SET);
	deny(t, second, OTHER);
	set_add(t, net_of_host(t, SET, CLIENT), FOR_GOOD);
	set_add(t, net_of_host(t, OTHER, CLIENT2), FOR_GOOD);
	set_add(t, net_all(OTHER + 1), FOR_GOOD);
	refused(t, first, XF_REASON_DENIED, k);
	opens(t, second, other);
	set_add(t, net_of_host(t, OTHER, CLIENT), FOR_GOOD);
	other.in.sport = 40002;
	refused(t, second, XF_REASON_DENIED, other);
	set_del(t, net_of_host(t, SET, CLIENT));
	opens(t, first, k);
	refused(t, second, XF_REASON_DENIED, other);
}

/* The first and the last address of a network are in it, their neighbours are not: of every width. */
static void boundaries(struct test *t)
{
	union xf_addr inside = host_addr(CLIENT, t->family);
	uint32_t rule = rule_preserve(t);

	deny(t, rule, SET);
	for (uint8_t bits = t->family == XF_IPV4 ? 9 : 17; bits <= addr_bits(t); bits++) {
		struct net net = {.set = SET, .addr = addr_first(t, inside, bits), .bits = bits};
		union xf_addr last = addr_last(t, inside, bits);
		struct talk before = talk_from(t, addr_step(t, net.addr, -1), 40000 + bits);
		struct talk after = talk_from(t, addr_step(t, last, 1), 50000 + bits);
		struct talk first_in = talk_from(t, net.addr, 40000), last_in = talk_from(t, last, 40000);

		set_add(t, net, FOR_GOOD);
		drop(t, rule, XF_REASON_DENIED, &first_in.in);
		drop(t, rule, XF_REASON_DENIED, &last_in.in);
		forward_new(t, rule, &before.in, &before.out);
		forward_new(t, rule, &after.in, &after.out);
		set_del(t, net);
	}
}

/* Conditions of another rule in the same place of the array are none. */
static void without_the_flag(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct xf_rule r;

	allow(t, rule, SET);
	refused(t, rule, XF_REASON_NOT_ALLOWED, by(t, CLIENT, 40000));
	rule_get(t, rule, &r);
	r.flags &= ~XF_RULE_POLICY;
	rule_put(t, rule, &r);
	opens(t, rule, by(t, CLIENT, 40000));
}

/* The tables were lost, the connection was not: it goes on, if its client may come in. */
static void connection_of_before(struct test *t)
{
	struct talk k = talk_tcp(t, 40000), other = talk_tcp(t, 40001);
	uint32_t rule = rule_preserve(t);

	deny(t, rule, SET);
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	opens(t, rule, k);
	set_add(t, net_of_host(t, SET, CLIENT), FOR_GOOD);
	set_tcp_flags(&other, TCP_ACK, TCP_ACK);
	drop(t, rule, XF_REASON_DENIED, &other.in);
	forward(t, rule, &k.in, &k.out);
}

/* One refusal, one reason: the first that applies. */
static void order(struct test *t)
{
	struct net ban = net_of_host(t, XF_SET_BANS, CLIENT), denied_net = net_of_host(t, SET, CLIENT);
	struct xf_policy policy = {.deny = SET,
				   .allow = OTHER,
				   .rate_cost = COST,
				   .rate_burst = COST,
				   .source_rate_cost = COST,
				   .source_rate_burst = COST};
	struct talk k = by(t, CLIENT, 40000);
	uint32_t rule = rule_preserve(t);
	struct xf_source_key source = {.addr = k.in.saddr, .rule = XF_RULE_TAG(rule, rule + 1)};

	if (t->family == XF_IPV6)
		source.addr = addr_first(t, source.addr, 64);
	set_add(t, ban, FOR_GOOD);
	set_add(t, denied_net, FOR_GOOD);
	policy_put(t, rule, &policy);
	rule_expire(t, rule, OVER);
	rule_bucket_put(rule, ticks_now() + COST);
	source_bucket_put(source, ticks_now() + COST);
	refused(t, rule, XF_REASON_BANNED, k);
	set_del(t, ban);
	refused(t, rule, XF_REASON_DENIED, k);
	set_del(t, denied_net);
	refused(t, rule, XF_REASON_NOT_ALLOWED, k);
	set_add(t, net_of_host(t, OTHER, CLIENT), FOR_GOOD);
	refused(t, rule, XF_REASON_EXPIRED, k);
	rule_expire(t, rule, LATER);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, k);
	source_bucket_put(source, 0);
	refused(t, rule, XF_REASON_RATE_LIMITED, k);
	rule_bucket_put(rule, 0);
	opens(t, rule, k);
}

static const struct packet_case policy_cases[] = {
	CASE(banned),
	CASE(banned_until),
	CASE(banned_within_banned),
	CASE(banned_in_depth),
	CASE(banned_later),
	CASE(denied),
	CASE(denied_later),
	CASE(allowed),
	CASE(denied_and_allowed),
	CASE(sets_apart),
	CASE(boundaries),
	CASE(without_the_flag),
	CASE(connection_of_before),
	CASE(order),
};

PACKET_SUITE(policy);
