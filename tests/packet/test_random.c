// SPDX-License-Identifier: GPL-2.0-only
/*
 * Thousands of random packets under random rules, each against a model that
 * knows rules as a list and flows as a list, and builds what must come out from
 * nothing. The seed is fixed, so that a failure comes again; PACKET_SEED chooses
 * another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define RULES	24
#define TALKS	300
#define PACKETS 4000
#define FIRST	8000 /* listen ports, and a few beside them, so that most packets hit something */
#define LAST	8039

/* One client's tuple, and what became of it. */
struct conversation {
	enum host client, to;
	uint16_t sport, dport;
	uint8_t proto;
	bool open;
	int rule; /* -1: none wants it */
	uint16_t masquerade_port;
	struct packet out; /* what the target got last */
};

struct model {
	struct rule rules[RULES];
	struct conversation talks[TALKS];
};

static struct model model;
static uint64_t rng;

/* splitmix64 */
static uint32_t rnd(uint32_t below)
{
	uint64_t z = rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

static enum host rnd_host(const enum host *hosts, uint32_t n)
{
	return hosts[rnd(n)];
}

/* ---- rules */

static uint16_t last_port(const struct rule *r)
{
	return r->port_hi ? r->port_hi : r->port;
}

static bool same_endpoint(const struct rule *a, const struct rule *b)
{
	return a->kind == b->kind && !a->port_hi == !b->port_hi && a->protos & b->protos &&
	       (a->kind != XF_LISTEN_ADDR || a->host == b->host) && (a->kind != XF_LISTEN_IFACE || a->dev == b->dev) &&
	       a->port <= last_port(b) && b->port <= last_port(a);
}

static struct rule rnd_rule(void)
{
	static const enum host listen[] = {ROUTER, ROUTER_WAN1, VIRTUAL};
	static const enum host targets[] = {TARGET, TARGET2, FAR, CLIENT2, NARROW};
	struct rule r = {
		.kind = rnd(3),
		.host = rnd_host(listen, 3),
		.dev = rnd(2) ? WAN0 : WAN1,
		.port = FIRST + rnd(LAST - FIRST - 12),
		.protos = 1 + rnd(3),
		.target = rnd_host(targets, 5),
		.target_port = 1 + rnd(65000),
		.source = rnd(2) ? XF_SOURCE_MASQUERADE : XF_SOURCE_PRESERVE,
	};

	if (rnd(2))
		r.port_hi = r.port + 1 + rnd(12);
	switch (host_dev(r.target)) {
	case WAN0:
		r.masquerade = ROUTER;
		break;
	case LAN1:
		r.masquerade = ROUTER_LAN1;
		break;
	default:
		r.masquerade = ROUTER_LAN;
	}
	return r;
}

static void make_rules(struct test *t)
{
	for (int n = 0; n < RULES;) {
		struct rule *r = &model.rules[n];
		bool taken = false;

		*r = rnd_rule();
		for (int i = 0; i < n; i++)
			taken |= same_endpoint(&model.rules[i], r);
		if (!taken)
			assert_int_equal(rule_add(t, r), n++);
	}
}

/* How close a rule is to a packet; 0: it does not want it. */
static int closeness(const struct rule *r, const struct conversation *c)
{
	bool own = c->to >= ROUTER && c->to <= ROUTER_DMZ;

	if (c->dport < r->port || c->dport > last_port(r))
		return 0;
	if (!(r->protos & (c->proto == IPPROTO_TCP ? XF_PROTO_TCP : XF_PROTO_UDP)))
		return 0;
	switch (r->kind) {
	case XF_LISTEN_ADDR:
		return r->host == c->to ? 5 + !r->port_hi : 0;
	case XF_LISTEN_IFACE:
		return own && host_dev(c->to) == r->dev ? 3 + !r->port_hi : 0;
	default:
		return own ? 1 + !r->port_hi : 0;
	}
}

static int model_rule(const struct conversation *c)
{
	int best = -1, closest = 0;

	for (int i = 0; i < RULES; i++) {
		int close = closeness(&model.rules[i], c);

		if (close > closest) {
			closest = close;
			best = i;
		}
	}
	return best;
}

/* ---- packets */

static void make_conversations(void)
{
	static const enum host clients[] = {CLIENT, CLIENT2, STRANGER};
	static const enum host to[] = {ROUTER, ROUTER_WAN1, ROUTER_LAN, VIRTUAL, TARGET};

	for (int i = 0; i < TALKS; i++) {
		struct conversation *c = &model.talks[i];

		*c = (struct conversation){
			.client = rnd_host(clients, 3),
			.to = rnd_host(to, 5),
			.sport = 30000 + i, /* so that no two flows want the same answers */
			.dport = FIRST - 2 + rnd(LAST - FIRST + 5),
			.proto = rnd(2) ? IPPROTO_TCP : IPPROTO_UDP,
		};
		c->rule = model_rule(c);
	}
}

static void rnd_headers(struct packet *p)
{
	static const uint8_t types[] = {IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING};

	if (p->family == XF_IPV4) {
		p->options = 4 * rnd(11);
		return;
	}
	p->n_ext = rnd(4);
	for (int i = 0; i < p->n_ext; i++)
		p->ext[i] = (struct ext){types[rnd(3)], 1 + rnd(4)};
}

/* Whatever may vary from packet to packet. */
static void rnd_fields(struct packet *p)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_ACK, TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK};

	p->options = 0;
	p->n_ext = 0;
	p->tcp_options = 0;
	p->seed = rnd(0x7fffffff);
	/* Numbers that fit nothing: no connection comes about, and none ends. */
	p->seq = rnd(0x7fffffff) * 2 + 1;
	p->ack = rnd(0x7fffffff) * 2 + 1;
	p->ttl = 2 + rnd(254);
	p->tos = rnd(256);
	p->payload_len = rnd(4) ? rnd(100) : rnd(1100);
	p->payload_word = rnd(65536);
	p->tcp_flags = flags[rnd(4)];
	p->csum = p->proto == IPPROTO_UDP && !rnd(8) ? CSUM_NONE : CSUM_RIGHT;
	p->csum_error = rnd(16) ? 0 : rnd(65536);
	p->trailer = rnd(8) ? 0 : rnd(20);
	if (!rnd(4))
		rnd_headers(p);
	if (p->proto == IPPROTO_TCP)
		p->tcp_options = 4 * rnd(11);
	if (p->payload_len >= 2 && p->csum == CSUM_RIGHT && !rnd(16))
		packet_make_checksum_zero(p);
}

/* Makes it something that is nobody's business. */
static void spoil(const struct test *t, struct packet *p)
{
	switch (rnd(4)) {
	case 0:
		p->vlan = 1 + rnd(4094);
		break;
	case 1:
		p->proto = IPPROTO_SCTP;
		break;
	case 2:
		p->dport = LAST + 100 + rnd(10000);
		break;
	default:
		p->frag = p->family == XF_IPV4 ? 0x2000 | rnd(0x1fff) : rnd(0x1fff) << 3 | 1;
		p->n_ext = p->family == XF_IPV4 ? 0 : 1;
		p->ext[0] = (struct ext){IPPROTO_FRAGMENT, 1};
		if (t->hook == HOOK_TC)
			p->proto = IPPROTO_SCTP; /* the full tier takes the others' to heart */
	}
}

/* A right checksum may look like an unfinished one, once in 65,536: then the fast tier cannot know. */
static bool looks_unfinished(const struct test *t, const struct packet *p)
{
	struct packet pseudo = *p;

	pseudo.csum = CSUM_PSEUDO;
	return t->hook == HOOK_XDP && packet_checksum(p) == packet_checksum(&pseudo);
}

static struct packet model_out(const struct conversation *c, const struct packet *in)
{
	const struct rule *r = &model.rules[c->rule];
	struct packet out = to_target(in, r->target, r->target_port + in->dport - r->port);

	if (r->source == XF_SOURCE_MASQUERADE) {
		out.saddr = host_addr(r->masquerade, in->family);
		out.sport = c->masquerade_port;
	}
	return out;
}

/* The port is the program's choice; that it is free, the model knows. */
static void choose_port(struct test *t, struct conversation *c, const struct packet *in)
{
	struct xf_flow flow;
	uint16_t port;

	run(t, in);
	assert_verdict(t, "redirect");
	assert_true(flow_get(t, in, &flow));
	port = be16toh(flow.sport);
	assert_in_range(port, PORT_LO, PORT_HI);
	c->masquerade_port = port;
	c->out = model_out(c, in);
	for (int i = 0; i < TALKS; i++) {
		const struct conversation *other = &model.talks[i];

		if (other == c || !other->open || other->proto != c->proto || other->masquerade_port != port)
			continue;
		assert_false(other->out.dport == c->out.dport &&
			     !memcmp(&other->out.daddr, &c->out.daddr, sizeof(c->out.daddr)));
	}
	ledger_in(t, c->rule, in);
	t->ledger.rule[c->rule].flows_created++;
	t->ledger.flows++;
}

static void from_client(struct test *t, struct conversation *c)
{
	struct packet in = packet_from(t, c->client, c->to), out;

	in.proto = c->proto;
	in.sport = c->sport;
	in.dport = c->dport;
	rnd_fields(&in);
	if (!rnd(16)) {
		spoil(t, &in);
		pass(t, &in);
		return;
	}
	if (c->rule < 0 || looks_unfinished(t, &in)) {
		pass(t, &in);
		return;
	}
	if (!c->open && model.rules[c->rule].source == XF_SOURCE_MASQUERADE)
		choose_port(t, c, &in);
	out = model_out(c, &in);
	if (c->open || model.rules[c->rule].source == XF_SOURCE_MASQUERADE)
		forward(t, c->rule, &in, &out);
	else
		forward_new(t, c->rule, &in, &out);
	c->open = true;
	c->out = out;
}

static void from_target(struct test *t, const struct conversation *c)
{
	struct packet asked = packet_from(t, c->client, c->to), back = answer(&c->out), got;

	asked.sport = c->sport;
	asked.dport = c->dport;
	rnd_fields(&back);
	if (looks_unfinished(t, &back)) {
		pass(t, &back);
		return;
	}
	got = to_client(&back, &asked);
	reply(t, c->rule, &back, &got);
}

static void packets(struct test *t)
{
	const char *seed = getenv("PACKET_SEED");
	unsigned int open = 0;

	rng = (seed ? strtoull(seed, NULL, 0) : 1) * 100 + t->hook * 10 + t->family;
	make_rules(t);
	make_conversations();
	for (int i = 0; i < PACKETS; i++) {
		struct conversation *c = &model.talks[rnd(TALKS)];

		if (c->open && rnd(2))
			from_target(t, c);
		else
			from_client(t, c);
	}
	for (int i = 0; i < TALKS; i++)
		open += model.talks[i].open;
	/* That the rules catch enough for this to be a test. */
	assert_in_range(open, TALKS / 10, TALKS);
}

static const struct packet_case random_cases[] = {
	CASE(packets),
};

PACKET_SUITE(random);
