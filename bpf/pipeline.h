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
#include "syn.h"
#include "flow.h"
#include "csum.h"
#include "nat.h"
#include "nat_icmp.h"
#include "mss.h"
#if !CTX_IS_FAST
#include "split.h"
#endif
#include "route.h"
#include "account.h"
#include "frag_hosts.h"
#include "watch.h"
#include "refusal.h"
#include "open.h"
#include "stateless.h"

#if !CTX_IS_FAST
#include "guard.h"
#include "frag.h"
#include "icmp_send.h"
#endif

/* Looks the way out up again, and lets the other half learn where the client now comes from. */
static __always_inline enum verdict flow_reroute(ctx_t *ctx, struct pkt *p, struct xf_flow *f, const __u8 family)
{
	enum xf_reason reason = route_find(ctx, f, p, family);
	struct xf_flow *reply;

	if (reason != XF_REASON_NONE)
		return refuse(p, reason);
	/* An error may come from anyone on the way; only the client's own packets tell where it is. */
	reply = p->is_error ? NULL : flow_twin(f);
	if (reply)
		route_learn(ctx, reply, p);
	return SEND;
}

/* A SYN or SYN-ACK offers no more than the narrower of both ways carries. */
static __always_inline enum verdict flow_clamp(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f,
					       const __u8 family)
{
	const struct xf_flow *twin = flow_twin(f);
	__u32 mtu = f->mtu;

	if (twin && twin->mtu && (!mtu || twin->mtu < mtu))
		mtu = twin->mtu;
	return mss_clamp(ctx, p, mtu, family) ? DROP : SEND;
}

/*
 * The rare path, apart from the frequent one: global functions, which the
 * verifier checks once and by themselves.
 */
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
	return route_carries(ctx, p, f);
}

/* The flow of this packet, made if its rule allows. SEND: *flow is set. */
static __always_inline enum verdict flow_get(ctx_t *ctx, struct pkt *p, struct xf_flow **flow, const __u8 family)
{
	struct xf_rule *rule = NULL;
	enum verdict v;
	int found;

	if (p->listen_ports & (XF_PORT_LISTEN_STATELESS | XF_PORT_TARGET_STATELESS)) {
		found = stateless_get(ctx, p, flow, family);
		if (found != NOT_STATELESS)
			return found;
	}
	*flow = flow_find(p, &rule, family);
	if (*flow)
		return rule ? policy_rule(p, rule) : PASS;
	v = family == XF_IPV6 ? TIER(open_ipv6)(ctx, p) : TIER(open_ipv4)(ctx, p);
	if (v == DROP && refusal_lasts(p->reason))
		family == XF_IPV6 ? TIER(refusal_ipv6)(ctx, p) : TIER(refusal_ipv4)(ctx, p);
	/* A conflict can also be another CPU that made the very same flow just now. */
	if (v != SEND && p->reason != XF_REASON_FLOW_CONFLICT)
		return v;
	*flow = v == SEND ? flow_drafted() : flow_lookup(&p->tuple, family);
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
	if (v == DROP && p->reason == XF_REASON_SYN_CHALLENGED)
		return family == XF_IPV6 ? TIER(syn_answer_ipv6)(ctx, p) : TIER(syn_answer_ipv4)(ctx, p);
	return v == DROP ? CTX_DROP : CTX_PASS;
}

/* Are its ports of concern to anyone? Those of a later fragment are its datagram's. */
static __always_inline enum verdict pipeline_ports(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	if (parse(ctx, p, family))
		return PASS;
	/* Rules are about packets from outside and to this machine's addresses there. */
	if (route_is_own(ctx) && addr_is_loopback(&p->tuple.daddr, family)) {
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
	if (family == XF_IPV4 && split_is_due(ctx, p))
		return TIER(split)(ctx, p, f);
#endif
	return ctx_send(ctx, f, p->l3);
}

/* Whose is it, and may it go on? SEND: *flow is set. */
static __always_inline enum verdict pipeline_judge(ctx_t *ctx, struct pkt *p, struct xf_flow **flow, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();
	enum verdict v;

	if (!cfg)
		return PASS;
	p->half = cfg_half(cfg);
	p->now = bpf_jiffies64();
	if (refusal_stands(ctx, p, cfg, family))
		return DROP;
	if (!p->is_error && ctx_csum_unfinished(ctx, p, family))
		return PASS;
	p->rule = NO_RULE;
	v = flow_get(ctx, p, flow, family);
	if (v == SEND && *flow)
		v = flow_admit(ctx, p, *flow, family);
	/* An error neither keeps a flow alive nor ends it (RFC 5508, REQ-6). */
	if (v == SEND && *flow && !p->is_error && !((*flow)->flags & XF_FLOW_STATELESS))
		v = flow_track(ctx, p, *flow);
	return v;
}

static __always_inline int pipeline_family(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	struct xf_flow *f = NULL;
	enum verdict v;
	int sent;

	p->family = family;
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
	switch (ctx_protocol(ctx, l3)) {
	case bpf_htons(ETH_P_IP):
		return pipeline_family(ctx, &p, XF_IPV4);
	case bpf_htons(ETH_P_IPV6):
		return pipeline_family(ctx, &p, XF_IPV6);
	default:
		return CTX_PASS;
	}
}

#endif
