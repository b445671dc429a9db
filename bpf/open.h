/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet without a flow: its rule, what the policy and the host say, the way
 * out, and then a flow. The rare path, apart from the frequent one: much of it
 * is in global functions, which the verifier checks once and by themselves.
 */
#ifndef XDPFWD_BPF_OPEN_H
#define XDPFWD_BPF_OPEN_H

/* pipeline.h includes the stages before. */

/* What the client's packets become under this rule; the masquerade port is still open. */
static __always_inline void draft_client(struct flow_draft *d, const struct pkt *p, const struct xf_rule *rule,
					 const __u8 family)
{
	__u16 offset = bpf_ntohs(p->tuple.dport) - rule->listen_lo;

	__builtin_memset(&d->client, 0, sizeof(d->client));
	d->client.created = p->now;
	d->client.last_seen = p->now;
	d->client.rule = rule->tag;
	d->client.state = XF_FLOW_PENDING;
	flow_set_daddr(&d->client, &rule->target, family);
	d->client.dport = bpf_htons(rule->target_lo + offset);
	flow_set_saddr(&d->client, &p->tuple.saddr, family);
	if (rule->source == XF_SOURCE_MASQUERADE)
		pool_masquerade(p);
	d->client.sport = p->tuple.sport;
	d->family = family;
	d->masquerade = 0;
}

/*
 * Must the target see this machine instead of the client? Under "auto" if they
 * share a subnet: the target would answer the client directly, and that from an
 * address that the client knows nothing of.
 */
static __always_inline bool draft_masquerades(ctx_t *ctx, const struct flow_draft *d, const struct pkt *p,
					      const struct xf_rule *rule)
{
	/* A client on this machine has an address and port that it may use towards the target by itself. */
	if (route_is_own(ctx) || rule->source != XF_SOURCE_AUTO)
		return route_is_own(ctx) || rule->source == XF_SOURCE_MASQUERADE;
	if (addr_is_none(&rule->masquerade))
		return false;
	if (d->client.ifindex != ctx_ingress(ctx) || !p->on_link)
		return false;
	return rule->family == XF_IPV6 ? route_sender_is_direct(ctx, p, XF_IPV6) :
					 route_sender_is_direct(ctx, p, XF_IPV4);
}

/* The other half, and the keys of both. */
static __always_inline void draft_reply(struct flow_draft *d, const struct pkt *p, const __u8 family)
{
	__builtin_memset(&d->client_key, 0, sizeof(d->client_key));
	addr_copy(&d->client_key.saddr, &p->tuple.saddr, family);
	addr_copy(&d->client_key.daddr, &p->tuple.daddr, family);
	d->client_key.sport = p->tuple.sport;
	d->client_key.dport = p->tuple.dport;
	d->client_key.proto = p->tuple.proto;
	flow_twin_key(&d->reply_key, &d->client, p->tuple.proto, family);

	d->reply.packets = 0;
	d->reply.bytes = 0;
	d->reply.created = p->now;
	d->reply.last_seen = p->now;
	d->reply.routed_at = p->now;
	d->reply.rule = d->client.rule;
	d->reply.state = XF_FLOW_PENDING;
	d->reply.flags = XF_FLOW_REPLY;
	d->reply.ack = 0;
	d->reply.next_seq = 0;
	flow_set_saddr(&d->reply, &p->tuple.daddr, family);
	flow_set_daddr(&d->reply, &p->tuple.saddr, family);
	d->reply.sport = p->tuple.dport;
	d->reply.dport = p->tuple.sport;
}

/*
 * The draft of a flow whose target is this machine: no way out to be found, nor
 * another source. The answers are met at TC egress.
 */
static __always_inline void draft_local(struct flow_draft *d, const struct pkt *p, const __u8 family)
{
	draft_reply(d, p, family);
	d->client.flags = XF_FLOW_LOCAL;
	d->reply.flags = XF_FLOW_REPLY | XF_FLOW_LOCAL;
	d->reply.ifindex = 0;
	d->reply.mtu = 0;
}

/* The draft of a flow to another machine. */
static __always_inline enum verdict draft_remote(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	const struct xf_rule *rule = rule_get(p);
	struct flow_draft *d = draft_get();
	enum xf_reason reason;

	if (!rule || !d)
		return PASS;
	if (route_is_own(ctx)) {
		if (addr_is_none(&rule->masquerade))
			return PASS;
		pool_masquerade(p);
	}
	reason = route_find(ctx, &d->client, p, family);
	if (reason != XF_REASON_NONE)
		return refuse(p, reason);
	if (!ctx_can_send(&d->client))
		return PASS;
	if (route_carries(ctx, p, &d->client) != SEND)
		return DROP;
	d->masquerade = draft_masquerades(ctx, d, p, rule);
	if (d->masquerade)
		pool_masquerade(p);
	draft_reply(d, p, family);
	if (d->masquerade) {
		d->client.flags |= XF_FLOW_MASQUERADED;
		d->reply.flags |= XF_FLOW_MASQUERADED;
	}
	route_learn(ctx, &d->reply, p);
	return SEND;
}

__noinline int TIER(remote_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p ? draft_remote(ctx, p, XF_IPV4) : PASS;
}

__noinline int TIER(remote_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p ? draft_remote(ctx, p, XF_IPV6) : PASS;
}

__noinline int TIER(host_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p && host_owns(ctx, p, XF_IPV4);
}

__noinline int TIER(host_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p && host_owns(ctx, p, XF_IPV6);
}

__noinline int TIER(source_routed)(ctx_t *ctx, struct pkt *p)
{
	return p && parse_is_source_routed(ctx, p);
}

/*
 * A packet without a flow: finds its rule, asks the policy and the routing
 * table, and makes the flow. PASS: no rule wants it, or this tier cannot send
 * where it must go, and then no state was made.
 */
static __always_inline enum verdict flow_open(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();
	struct flow_draft *d = draft_get();
	enum xf_reason reason;
	struct xf_rule *rule;
	enum verdict v;

	if (!cfg || !d || !(p->listen_ports & XF_PORT_LISTEN) || p->is_error)
		return PASS;
	p->rule = rule_find(p, cfg_set(cfg, p->half), family);
	rule = rule_get(p);
	if (!rule || !(rule->flags & XF_RULE_LIVE))
		return PASS;
	if (CTX_IS_FAST && rule->flags & XF_RULE_LOCAL)
		return PASS;
	if (!ctx_is_for_us(ctx) || (parse_has_options(p, family) && TIER(source_routed)(ctx, p)))
		return PASS;
	v = policy_new(p, cfg, rule);
	if (v == PASS)
		return p->reason == XF_REASON_NO_FLOW ? TIER(syn_reset)(ctx, p) : v;
	/* Whatever the rule thinks of it: an answer to this machine is not the rule's to refuse. */
	if (family == XF_IPV6 ? TIER(host_ipv6)(ctx, p) : TIER(host_ipv4)(ctx, p)) {
		p->reason = XF_REASON_NONE;
		return PASS;
	}
	if (v != SEND)
		return v;
	if (!route_is_own(ctx) && policy_is_from_us(p, family))
		return refuse(p, XF_REASON_BAD_SOURCE);
	v = rule->flags & XF_RULE_POLICY ? TIER(syn_guard)(ctx, p) : SEND;
	if (v != SEND)
		return v;

	draft_client(d, p, rule, family);
	if (rule->flags & XF_RULE_LOCAL)
		draft_local(d, p, family);
	else
		v = family == XF_IPV6 ? TIER(remote_ipv6)(ctx, p) : TIER(remote_ipv4)(ctx, p);
	if (v != SEND)
		return v;
	reason = rule->flags & XF_RULE_POLICY ? policy_charge(p) : XF_REASON_NONE;
	if (reason == XF_REASON_NONE)
		reason = flow_create(d, cfg);
	if (reason != XF_REASON_NONE)
		return refuse(p, reason);
	refusal_yields(p, family);
	account_flow(p);
	if (rule->flags & XF_RULE_POLICY)
		syn_spend(p);
	fragments_expect(p->now);
	return SEND;
}

__noinline int TIER(open_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p ? watch_newcomer(p, flow_open(ctx, p, XF_IPV4), XF_IPV4) : PASS;
}

__noinline int TIER(open_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p ? watch_newcomer(p, flow_open(ctx, p, XF_IPV6), XF_IPV6) : PASS;
}

#endif
