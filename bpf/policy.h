/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may come in: asked before any state is made, cheapest question first. */
#ifndef XDPFWD_BPF_POLICY_H
#define XDPFWD_BPF_POLICY_H

#include "flow_count.h"
#include "maps.h"
#include "pkt.h"
#include "policy_rate.h"
#include "policy_sets.h"

static __always_inline bool policy_is_over(const struct xf_rule *rule)
{
	return rule->expires && bpf_jiffies64() >= rule->expires;
}

/* May this rule take traffic at all? Asked of each packet, established flows' too. */
static __always_inline enum verdict policy_rule(struct pkt *p, const struct xf_rule *rule)
{
	if (rule->flags & XF_RULE_DISABLED)
		return refuse(p, XF_REASON_DISABLED);
	if (policy_is_over(rule))
		return refuse(p, XF_REASON_EXPIRED);
	return SEND;
}

/* "This" network, loopback, groups and what is reserved (RFC 1812, 5.3.7). */
static __always_inline bool policy_is_martian_ipv4(const union xf_addr *a)
{
	__u8 net = a->v6[0];

	return net == 0 || net == 127 || net >= 224;
}

/* Unspecified, loopback, groups; link-local ones must not leave their link (RFC 4291, 2.5.6). */
static __always_inline bool policy_is_martian_ipv6(const union xf_addr *a)
{
	if (a->v6[0] == 0xff || (a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0x80))
		return true;
	return !a->w[0] && !a->w[1] && !a->w[2] && (!a->w[3] || a->w[3] == bpf_htonl(1));
}

/* Is the source an address that no client can have? */
static __always_inline bool policy_is_martian(const struct pkt *p, const struct xf_rule *rule)
{
	return rule->family == XF_IPV6 ? policy_is_martian_ipv6(&p->tuple.saddr) :
					 policy_is_martian_ipv4(&p->tuple.saddr);
}

/* From outside, with an address of this machine: forged, or its answer would stay here (RFC 1812, 5.3.7). */
static __always_inline bool policy_is_from_us(const struct pkt *p, const __u8 family)
{
	struct xf_local_key own = {.family = family};

	addr_copy(&own.addr, &p->tuple.saddr, family);
	return bpf_map_lookup_elem(&local_addrs, &own);
}

/* May this packet begin a flow? */
static __always_inline enum verdict policy_new(struct pkt *p, const struct xf_config *cfg, const struct xf_rule *rule)
{
	const bool asks = rule->flags & XF_RULE_POLICY;
	int reason = XF_REASON_NONE;

	if (rule->flags & XF_RULE_DISABLED)
		return refuse(p, XF_REASON_DISABLED);
	if (p->malformed)
		return refuse(p, XF_REASON_MALFORMED);
	if (policy_is_martian(p, rule))
		return refuse(p, XF_REASON_BAD_SOURCE);
	if (p->tcp_flags & TCP_RST)
		return leave(p, XF_REASON_NO_FLOW);
	if (p->ttl <= 1 && !(rule->flags & XF_RULE_LOCAL))
		return refuse(p, XF_REASON_TTL_EXCEEDED);
	if (asks || cfg_has_bans(cfg))
		reason = policy_source(p);
	if (!reason && policy_is_over(rule))
		reason = XF_REASON_EXPIRED;
	if (!reason && asks)
		reason = count_refuses(p);
	if (!reason && asks)
		reason = policy_rate(p);
	return reason ? refuse(p, reason) : SEND;
}

/* May this packet go by a rule that keeps no state? */
static __always_inline enum verdict policy_stateless(struct pkt *p, const struct xf_config *cfg,
						     const struct xf_rule *rule, const __u8 family)
{
	enum verdict v = policy_rule(p, rule);
	int reason;

	if (v != SEND)
		return v;
	if (p->malformed)
		return refuse(p, XF_REASON_MALFORMED);
	if (policy_is_martian(p, rule))
		return refuse(p, XF_REASON_BAD_SOURCE);
	if (policy_asks_nothing(p, cfg, rule, family))
		return SEND;
	reason = policy_source(p);
	return reason ? refuse(p, reason) : SEND;
}

#endif
