/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet, in order. Both tiers compile this file; what differs between them
 * is in ctx_xdp.h and ctx_tc.h, which the entry includes first.
 *
 * The order is: parse, "is it ours at all", flow, or else rule, policy, route
 * and a new flow; then hop count, size, rewrite, account, send. Until the
 * rewrite nothing is changed, so that the fast tier can leave any packet to the
 * full tier as it came. `family` is a constant wherever it appears: the code
 * stands once and is compiled for IPv4 and for IPv6.
 */
#ifndef XDPFWD_BPF_PIPELINE_H
#define XDPFWD_BPF_PIPELINE_H

#include "maps.h"
#include "pkt.h"
#include "cfg.h"
#include "parse.h"
#include "rule.h"
#include "host.h"
#include "policy.h"
#include "flow.h"
#include "csum.h"
#include "nat.h"
#include "nat_icmp.h"
#include "mss.h"
#include "route.h"
#include "account.h"
#include "frag_hosts.h"
#include "watch.h"

#if !CTX_IS_FAST
#include "guard.h"
#include "frag.h"
#include "icmp_send.h"
#endif

/* Does the packet fit the way out? A GSO packet by its segments. */
static __always_inline enum verdict flow_carries(ctx_t *ctx, struct pkt *p, const struct xf_flow *f)
{
	p->mtu = f->mtu;
	if (!p->mtu || ctx_segment_len(ctx, p) <= p->mtu)
		return SEND;
	return refuse(p, XF_REASON_TOO_BIG);
}

/* What the client's packets become under this rule; the masquerade port is still open. */
static __always_inline void draft_client(struct flow_draft *d, const struct pkt *p, const struct xf_rule *rule,
					 const __u8 family)
{
	__u16 offset = bpf_ntohs(p->tuple.dport) - rule->listen_lo;

	__builtin_memset(&d->client, 0, sizeof(d->client));
	d->client.created = p->now;
	d->client.last_seen = p->now;
	d->client.rule = p->rule;
	d->client.rule_gen = rule->gen;
	d->client.state = XF_FLOW_PENDING;
	addr_copy(&d->client.daddr, &rule->target, family);
	d->client.dport = bpf_htons(rule->target_lo + offset);
	addr_copy(&d->client.saddr, rule->source == XF_SOURCE_MASQUERADE ? &rule->masquerade : &p->tuple.saddr, family);
	d->client.sport = p->tuple.sport;
}

static __always_inline bool is_own(ctx_t *ctx)
{
	return ctx_ingress(ctx) == LOOPBACK_IFINDEX;
}

/*
 * Must the target see this machine instead of the client? Under "auto" if they
 * share a subnet: the target would answer the client directly, and that from an
 * address that the client knows nothing of.
 */
static __always_inline bool draft_masquerades(ctx_t *ctx, const struct flow_draft *d, const struct pkt *p,
					      const struct xf_rule *rule)
{
	const union xf_addr *own = &rule->masquerade;

	/* A client on this machine has an address and port that it may use towards the target by itself. */
	if (is_own(ctx) || rule->source != XF_SOURCE_AUTO)
		return is_own(ctx) || rule->source == XF_SOURCE_MASQUERADE;
	if (!(own->w[0] | own->w[1] | own->w[2] | own->w[3]))
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
	d->reply.rule_gen = d->client.rule_gen;
	d->reply.state = XF_FLOW_PENDING;
	addr_store(&d->reply.saddr, &p->tuple.daddr, family);
	addr_store(&d->reply.daddr, &p->tuple.saddr, family);
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

/* The draft of a flow to another machine; p->masquerade says whether its port is still to be chosen. */
static __always_inline enum verdict draft_remote(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	const struct xf_rule *rule = rule_get(p->rule);
	struct flow_draft *d;
	enum xf_reason reason;
	__u32 zero = 0;

	d = bpf_map_lookup_elem(&draft, &zero);
	if (!rule || !d)
		return PASS;
	if (is_own(ctx)) {
		const union xf_addr *own = &rule->masquerade;

		if (!(own->w[0] | own->w[1] | own->w[2] | own->w[3]))
			return PASS;
		addr_copy(&d->client.saddr, own, family);
	}
	reason = route_find(ctx, &d->client, p, family);
	if (reason != XF_REASON_NONE)
		return refuse(p, reason);
	if (!ctx_can_send(&d->client))
		return PASS;
	if (flow_carries(ctx, p, &d->client) != SEND)
		return DROP;
	p->masquerade = draft_masquerades(ctx, d, p, rule);
	if (p->masquerade)
		addr_copy(&d->client.saddr, &rule->masquerade, family);
	draft_reply(d, p, family);
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
	struct flow_draft *d;
	enum xf_reason reason;
	struct xf_rule *rule;
	enum verdict v;
	__u32 zero = 0;

	d = bpf_map_lookup_elem(&draft, &zero);
	if (!cfg || !d || !p->listen_ports || p->is_error)
		return PASS;
	p->rule = rule_find(p, cfg->set, family);
	rule = rule_get(p->rule);
	if (!rule || !(rule->flags & XF_RULE_LIVE))
		return PASS;
	if (CTX_IS_FAST && rule->flags & XF_RULE_LOCAL)
		return PASS;
	if (!ctx_is_for_us(ctx) || (family == XF_IPV4 && TIER(source_routed)(ctx, p)))
		return PASS;
	v = policy_new(p, rule);
	if (v != SEND)
		return v;
	if (family == XF_IPV6 ? TIER(host_ipv6)(ctx, p) : TIER(host_ipv4)(ctx, p))
		return PASS;

	draft_client(d, p, rule, family);
	if (rule->flags & XF_RULE_LOCAL)
		draft_local(d, p, family);
	else
		v = family == XF_IPV6 ? TIER(remote_ipv6)(ctx, p) : TIER(remote_ipv4)(ctx, p);
	if (v != SEND)
		return v;
	reason = flow_create(d, cfg, p->masquerade, family);
	if (reason != XF_REASON_NONE)
		return refuse(p, reason);
	account_flow(p);
	fragments_expect(d, family);
	return SEND;
}

/* Looks the way out up again, and lets the other half learn where the client now comes from. */
static __always_inline enum verdict flow_reroute(ctx_t *ctx, struct pkt *p, struct xf_flow *f, const __u8 family)
{
	enum xf_reason reason = route_find(ctx, f, p, family);
	struct xf_flow *reply;

	if (reason != XF_REASON_NONE)
		return refuse(p, reason);
	/* An error may come from anyone on the way; only the client's own packets tell where it is. */
	reply = p->is_error ? NULL : flow_twin(f, p->tuple.proto, family);
	if (reply)
		route_learn(ctx, reply, p);
	return SEND;
}

/* A SYN or SYN-ACK offers no more than the narrower of both ways carries. */
static __always_inline enum verdict flow_clamp(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f,
					       const __u8 family)
{
	const struct xf_flow *twin = flow_twin(f, p->tuple.proto, family);
	__u32 mtu = f->mtu;

	if (twin && twin->mtu && (!mtu || twin->mtu < mtu))
		mtu = twin->mtu;
	return mss_clamp(ctx, p, mtu, family) ? DROP : SEND;
}

/*
 * The rare path, apart from the frequent one: global functions, which the
 * verifier checks once and by themselves.
 */
__noinline int TIER(open_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p ? watch_newcomer(p, flow_open(ctx, p, XF_IPV4), XF_IPV4) : PASS;
}

__noinline int TIER(open_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p ? watch_newcomer(p, flow_open(ctx, p, XF_IPV6), XF_IPV6) : PASS;
}

__noinline int TIER(reroute_ipv4)(ctx_t *ctx, struct pkt *p, struct xf_flow *f)
{
	return p && f ? flow_reroute(ctx, p, f, XF_IPV4) : PASS;
}

__noinline int TIER(reroute_ipv6)(ctx_t *ctx, struct pkt *p, struct xf_flow *f)
{
	return p && f ? flow_reroute(ctx, p, f, XF_IPV6) : PASS;
}

__noinline int TIER(error_ipv4)(ctx_t *ctx, struct pkt *p, struct xf_flow *f)
{
	return p && f && !nat_icmp_rewrite(ctx, p, f, XF_IPV4) ? SEND : DROP;
}

__noinline int TIER(error_ipv6)(ctx_t *ctx, struct pkt *p, struct xf_flow *f)
{
	return p && f && !nat_icmp_rewrite(ctx, p, f, XF_IPV6) ? SEND : DROP;
}

__noinline int TIER(mss_ipv4)(ctx_t *ctx, struct pkt *p, struct xf_flow *f)
{
	return p && f ? flow_clamp(ctx, p, f, XF_IPV4) : DROP;
}

__noinline int TIER(mss_ipv6)(ctx_t *ctx, struct pkt *p, struct xf_flow *f)
{
	return p && f ? flow_clamp(ctx, p, f, XF_IPV6) : DROP;
}

#if !CTX_IS_FAST
__noinline int TIER(tell_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p ? error_send(ctx, p, XF_IPV4) : CTX_DROP;
}

__noinline int TIER(tell_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p ? error_send(ctx, p, XF_IPV6) : CTX_DROP;
}
#endif

/* A packet with a flow: everything that is checked for each of them. */
static __always_inline enum verdict flow_admit(ctx_t *ctx, struct pkt *p, struct xf_flow *f, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();
	enum verdict v;

	if (!cfg)
		return PASS;
	if (p->malformed)
		return refuse(p, XF_REASON_MALFORMED);
	if (f->flags & XF_FLOW_LOCAL) {
		/* What this machine answers comes from nowhere outside. */
		p->hops = 0;
		return CTX_IS_FAST || f->flags & XF_FLOW_REPLY ? PASS : SEND;
	}
	if (p->ttl <= 1)
		return refuse(p, XF_REASON_TTL_EXCEEDED);
	if (route_is_due(f, p, cfg)) {
		v = family == XF_IPV6 ? TIER(reroute_ipv6)(ctx, p, f) : TIER(reroute_ipv4)(ctx, p, f);
		if (v != SEND)
			return v;
	}
	route_check_mtu(ctx, f, p, cfg);
	if (!ctx_can_send(f))
		return PASS;
	return flow_carries(ctx, p, f);
}

/* The flow of this packet, made if its rule allows. SEND: *flow is set. */
static __always_inline enum verdict flow_get(ctx_t *ctx, struct pkt *p, struct xf_flow **flow, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();
	struct xf_rule *rule = NULL;
	enum verdict v;

	if (!cfg)
		return PASS;
	*flow = flow_find(p, cfg, &rule, family);
	if (*flow)
		return rule ? policy_rule(p, rule) : PASS;
	v = family == XF_IPV6 ? TIER(open_ipv6)(ctx, p) : TIER(open_ipv4)(ctx, p);
	/* A conflict can also be another CPU that made the very same flow just now. */
	if (v != SEND && p->reason != XF_REASON_FLOW_CONFLICT)
		return v;
	*flow = flow_lookup(&p->tuple, family);
	if (!*flow)
		return v == SEND ? refuse(p, XF_REASON_FLOW_TABLE_FULL) : v;
	p->reason = XF_REASON_NONE;
	return SEND;
}

/* Is the sender to hear of it? Never of an error, nor of a fragment but the first (RFC 1122, 3.2.2). */
static __always_inline bool refusal_is_told(const struct pkt *p)
{
	return (p->reason == XF_REASON_TOO_BIG || p->reason == XF_REASON_TTL_EXCEEDED) && !p->is_error && !p->frag_off;
}

static __always_inline int pipeline_refused(ctx_t *ctx, struct pkt *p, enum verdict v, const __u8 family)
{
	if (CTX_IS_FAST && v == DROP && refusal_is_told(p))
		return CTX_PASS; /* the full tier tells the sender, and counts */
	/* What the fast tier leaves is counted by the full tier. */
	if (p->reason && (v == DROP || !CTX_IS_FAST))
		account_refused(p->rule, p->reason, ctx_segments(ctx));
#if !CTX_IS_FAST
	if (v == DROP && refusal_is_told(p))
		return family == XF_IPV6 ? TIER(tell_ipv6)(ctx, p) : TIER(tell_ipv4)(ctx, p);
#endif
	return v == DROP ? CTX_DROP : CTX_PASS;
}

/* Are its ports of concern to anyone? Those of a later fragment are its datagram's. */
static __always_inline enum verdict pipeline_ports(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	if (parse(ctx, p, family))
		return PASS;
	/* Rules are about packets from outside and to this machine's addresses there. */
	if (is_own(ctx) && addr_is_loopback(&p->tuple.daddr, family)) {
		p->fragment = 0;
		return PASS;
	}
#if !CTX_IS_FAST
	if (p->frag_off)
		return TIER(fragment_later)(ctx, p, family);
#endif
	return rule_wants_ports(p) ? SEND : PASS;
}

/* CTX_PASS: up to this machine's own sockets. */
static __always_inline int pipeline_send(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f, const __u8 family)
{
#if !CTX_IS_FAST
	if (f->flags & XF_FLOW_LOCAL)
		return ctx_deliver(ctx, f, p->l3, family);
#endif
	return ctx_send(ctx, f, p->l3);
}

/* Whose is it, and may it go on? SEND: *flow is set. */
static __always_inline enum verdict pipeline_judge(ctx_t *ctx, struct pkt *p, struct xf_flow **flow, const __u8 family)
{
	enum verdict v;

	if (!p->is_error && ctx_csum_unfinished(ctx, p, family))
		return PASS;
	p->now = bpf_jiffies64();
	p->rule = NO_RULE;
	v = flow_get(ctx, p, flow, family);
	return v == SEND && *flow ? flow_admit(ctx, p, *flow, family) : v;
}

static __always_inline int pipeline_family(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	struct xf_flow *f = NULL;
	enum verdict v;
	int sent;

	v = pipeline_ports(ctx, p, family);
	if (v == SEND)
		v = pipeline_judge(ctx, p, &f, family);
#if !CTX_IS_FAST
	/* What is decided here, the later ones follow. */
	if (p->fragment && !p->frag_off)
		v = TIER(fragment_first)(ctx, p, v, family);
#endif
	if (v != SEND || !f)
		return pipeline_refused(ctx, p, v, family);

	if (p->is_error) {
		v = family == XF_IPV6 ? TIER(error_ipv6)(ctx, p, f) : TIER(error_ipv4)(ctx, p, f);
	} else {
		flow_track(f, p, family);
		if (p->tcp_flags & TCP_SYN)
			v = family == XF_IPV6 ? TIER(mss_ipv6)(ctx, p, f) : TIER(mss_ipv4)(ctx, p, f);
		if (v == SEND && nat_rewrite(ctx, p, f, family))
			v = DROP;
	}
	sent = v == SEND ? pipeline_send(ctx, p, f, family) : CTX_DROP;
	if (sent != CTX_SENT && sent != CTX_PASS) {
		refuse(p, XF_REASON_REDIRECT_FAILED);
		return pipeline_refused(ctx, p, DROP, family);
	}
	/* An error neither keeps a flow alive nor ends it (RFC 5508, REQ-6). */
	if (!p->is_error)
		account_sent(ctx, p, f);
	return sent;
}

/* l3: where the IP header is, 14 after Ethernet, 0 on a device without a link layer. */
static __always_inline int pipeline(ctx_t *ctx, const __u16 l3)
{
	struct pkt p = {.l3 = l3, .hops = 1};

#if !CTX_IS_FAST
	if (guard_drops(ctx, l3)) {
		account_refused(NO_RULE, XF_REASON_LOOPBACK, 1);
		return CTX_DROP;
	}
#endif
	switch (ctx_protocol(ctx)) {
	case bpf_htons(ETH_P_IP):
		return pipeline_family(ctx, &p, XF_IPV4);
	case bpf_htons(ETH_P_IPV6):
		return pipeline_family(ctx, &p, XF_IPV6);
	default:
		return CTX_PASS;
	}
}

#endif
