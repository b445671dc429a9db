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

/*
 * The kernel sends fragments in their order, so none has to wait: what follows a
 * first one of ours has its ports, and all else is none of ours.
 */
static __always_inline enum verdict out_later(struct pkt *p, const __u8 family)
{
	struct fragment_key key;
	struct fragment *f;

	fragment_key(&key, p, family);
	f = fragment_find(&key, p->now);
	return f ? fragment_follow(p, f, &key) : PASS;
}

static __always_inline int out_family(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();
	struct xf_rule *rule = NULL;
	struct xf_flow *f;
	enum verdict v;

	if (!cfg || parse(ctx, p, family))
		return CTX_PASS;
	p->now = bpf_jiffies64();
	p->rule = NO_RULE;
	v = p->frag_off ? out_later(p, family) : SEND;
	if (v != SEND)
		return pipeline_refused(ctx, p, v, family);
	if (!rule_answers_from(p))
		return CTX_PASS;
	f = flow_find(p, cfg, &rule, family);
	if (!f || !rule || (f->flags & (XF_FLOW_LOCAL | XF_FLOW_REPLY)) != (XF_FLOW_LOCAL | XF_FLOW_REPLY))
		return CTX_PASS;
	v = policy_rule(p, rule);
	if (p->fragment && !p->frag_off)
		v = TIER(fragment_first)(ctx, p, v, family);
	if (v != SEND)
		return pipeline_refused(ctx, p, v, family);
	if (p->is_error) {
		v = family == XF_IPV6 ? TIER(error_ipv6)(ctx, p, f) : TIER(error_ipv4)(ctx, p, f);
	} else {
		flow_track(f, p, family);
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
