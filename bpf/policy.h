/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may come in: asked before any state is made, cheapest question first. */
#ifndef XDPFWD_BPF_POLICY_H
#define XDPFWD_BPF_POLICY_H

#include "maps.h"
#include "pkt.h"

/* May this rule take traffic at all? Also asked of established flows. */
static __always_inline enum verdict policy_rule(struct pkt *p, const struct xf_rule *rule)
{
	if (rule->flags & XF_RULE_DISABLED)
		return refuse(p, XF_REASON_DISABLED);
	return SEND;
}

/* May this packet begin a flow? */
static __always_inline enum verdict policy_new(struct pkt *p, const struct xf_rule *rule)
{
	enum verdict v = policy_rule(p, rule);

	if (v != SEND)
		return v;
	if (p->malformed)
		return refuse(p, XF_REASON_MALFORMED);
	if (p->tcp_flags & TCP_RST)
		return leave(p, XF_REASON_NO_FLOW);
	if (p->ttl <= 1 && !(rule->flags & XF_RULE_LOCAL))
		return refuse(p, XF_REASON_TTL_EXCEEDED);
	return SEND;
}

#endif
