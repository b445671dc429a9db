// SPDX-License-Identifier: GPL-2.0-only
/* Flows in each manner of translation, and ICMP errors about them. */
#include <string.h>

#include "scene.h"

#define PORT 20007 /* the only one to masquerade with */

struct scene open_scene(struct test *t, uint8_t proto, bool masquerade)
{
	struct scene s = {.t = t, .masquerade = masquerade};

	t->config.port_lo = t->config.port_hi = PORT;
	config_put(t);
	s.rule = masquerade ? rule_masquerade(t) : rule_preserve(t);
	s.k = proto == IPPROTO_TCP ? talk_tcp(t, 40000) : talk_udp(t, 40000);
	if (masquerade) {
		s.k.out.saddr = host_addr(ROUTER_LAN, t->family);
		s.k.out.sport = PORT;
		s.k.back = answer(&s.k.out);
		s.k.got = to_client(&s.k.back, &s.k.in);
	}
	forward_new(t, s.rule, &s.k.in, &s.k.out);
	reply(t, s.rule, &s.k.back, &s.k.got);
	return s;
}

static void set_tuple(struct packet *p, const struct packet *like)
{
	p->saddr = like->saddr;
	p->daddr = like->daddr;
	p->sport = like->sport;
	p->dport = like->dport;
}

/* From the listen address, about what the client sent. */
struct error as_the_client_sees(const struct scene *s, const struct error *e)
{
	struct error out = *e;

	memcpy(out.outer.smac, s->k.in.dmac, 6);
	memcpy(out.outer.dmac, s->k.in.smac, 6);
	out.outer.ttl--;
	out.outer.saddr = s->k.in.daddr;
	out.outer.daddr = s->k.in.saddr;
	set_tuple(&out.inner, &s->k.in);
	return out;
}

/* About what the target sent; from whom, the source mode says. */
struct error as_the_target_sees(const struct scene *s, const struct error *e)
{
	struct error out = *e;

	out.outer = passed_on(&e->outer, TARGET);
	if (s->masquerade)
		out.outer.saddr = host_addr(ROUTER_LAN, s->t->family);
	out.outer.daddr = s->k.back.saddr;
	set_tuple(&out.inner, &s->k.back);
	return out;
}

/* By the half of `flow`; that of `twin` sees nothing of it either. */
static void check_both_halves(struct test *t, const struct packet *flow, const struct packet *twin,
			      const struct error pair[2])
{
	struct xf_flow before, after;

	assert_true(flow_get(t, twin, &before));
	check_error_forward(t, flow, &pair[0], &pair[1]);
	assert_true(flow_get(t, twin, &after));
	assert_memory_equal(&before, &after, sizeof(before));
}

void check_inwards(const struct scene *s, const struct error *e)
{
	check_both_halves(s->t, &s->k.back, &s->k.in, (struct error[]){*e, as_the_client_sees(s, e)});
}

void check_outwards(const struct scene *s, const struct error *e)
{
	check_both_halves(s->t, &s->k.in, &s->k.back, (struct error[]){*e, as_the_target_sees(s, e)});
}

struct error by_target(const struct scene *s)
{
	return error_about(s->t, TARGET, &s->k.out);
}

struct error by_client(const struct scene *s)
{
	return error_about(s->t, CLIENT, &s->k.got);
}

void in_each_scene(struct test *t, void (*play)(const struct scene *s))
{
	for (int i = 0; i < 4; i++) {
		struct scene s = open_scene(t, i & 1 ? IPPROTO_TCP : IPPROTO_UDP, i & 2);

		play(&s);
		/* The next scene's rule takes this one's place. */
		age_both(t, &s.k, t->config.timeout[XF_TIMEOUT_COUNT - 1]);
		pass(t, &s.k.back);
		t->ledger.flows--;
	}
}
