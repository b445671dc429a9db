/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine sends, at TC egress: the answers of targets that are on this
 * machine become answers of the address that their client knows, and so do ICMP
 * errors about them. They go on by the way that the kernel has chosen. Here only
 * for the full tier, and attached only while a rule has such a target.
 */
#ifndef XDPFWD_BPF_PIPELINE_OUT_H
#define XDPFWD_BPF_PIPELINE_OUT_H

/* The entry includes pipeline.h before. */

static __always_inline int out_family(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();
	struct xf_rule *rule = NULL;
	struct xf_flow *f;
	enum verdict v;

	p->family = family;
	if (!cfg || parse(ctx, p, family))
		return CTX_PASS;
	v = rule_answers_from(p) ? SEND : PASS;
	if (p->frag_off)
		v = TIER(fragment_own)(p, PASS, family);
	if (v != SEND)
		return pipeline_refused(ctx, p, v, family);
	p->now = bpf_jiffies64();
	p->rule = NO_RULE;
	p->half = cfg_half(cfg);
	f = flow_find(p, &rule, family);
	if (!f || !rule || (f->flags & (XF_FLOW_LOCAL | XF_FLOW_REPLY)) != (XF_FLOW_LOCAL | XF_FLOW_REPLY))
		return CTX_PASS;
	v = policy_rule(p, rule);
	if (p->fragment && !p->frag_off)
		v = TIER(fragment_own)(p, v, family);
	if (v != SEND)
		return pipeline_refused(ctx, p, v, family);
	if (!p->is_error)
		v = flow_track(ctx, p, f);
	if (v != SEND)
		return pipeline_refused(ctx, p, v, family);
	if (p->is_error) {
		v = family == XF_IPV6 ? TIER(error_ipv6)(ctx, p, f) : TIER(error_ipv4)(ctx, p, f);
	} else {
		v = nat_rewrite(ctx, p, f, family) ? DROP : SEND;
	}
	if (v != SEND) {
		refuse(p, XF_REASON_REDIRECT_FAILED);
		return pipeline_refused(ctx, p, DROP, family);
	}
	if (!p->is_error)
		account_sent(ctx, p, f);
	return CTX_PASS;
}

static __always_inline int pipeline_out(ctx_t *ctx, const __u16 l3)
{
	struct pkt p = {.l3 = l3};

	switch (ctx_out_protocol(ctx)) {
	case bpf_htons(ETH_P_IP):
		return out_family(ctx, &p, XF_IPV4);
	case bpf_htons(ETH_P_IPV6):
		return out_family(ctx, &p, XF_IPV6);
	default:
		return CTX_PASS;
	}
}

#endif
