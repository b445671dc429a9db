/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of a rule's addresses a target sees of a masqueraded client. */
#ifndef XDPFWD_BPF_POOL_H
#define XDPFWD_BPF_POOL_H

#include "cfg.h"
#include "flow_table.h"
#include "maps.h"
#include "pkt.h"

static __always_inline __u64 pool_mix(__u64 h, __u64 word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

/* A number of this client's that only who knows the secret can foresee. */
static __always_inline __u64 pool_hash(__u64 secret, const union xf_addr *client, const __u8 family)
{
	__u64 h = pool_mix(secret, client->w[0]);

	if (family == XF_IPV6)
		h = pool_mix(pool_mix(h, client->w[1]), (__u64)client->w[2] << 32 | client->w[3]);
	return h;
}

static __always_inline __u32 pool_member(const struct pkt *p, const struct xf_rule *rule, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();

	if (!rule->pool || !cfg)
		return 0;
	return (__u32)(pool_hash(cfg->port_secret, &p->tuple.saddr, family) >> 32) % ((__u32)rule->pool + 1);
}

static __always_inline void pool_choose(const struct pkt *p, const struct xf_rule *rule, struct xf_flow *f,
					const __u8 family)
{
	/* The addresses of a pool differ in their last word. */
	__be32 *last = family == XF_IPV6 ? &f->saddr6.w[3] : &f->saddr4;

	flow_set_saddr(f, &rule->masquerade, family);
	*last = bpf_htonl(bpf_ntohl(*last) + pool_member(p, rule, family));
}

/*
 * The drafted flow's packets get an address of the rule's: for one client always
 * the same (RFC 4787, REQ-2), so that a target can tell that its flows belong
 * together.
 */
__weak __noinline int pool_masquerade(const struct pkt *p)
{
	__u32 zero = 0;
	struct flow_draft *d = bpf_map_lookup_elem(&draft, &zero);
	const struct xf_rule *rule = p ? rule_get(p) : NULL;

	if (!d || !rule)
		return 0;
	if (rule->family == XF_IPV6)
		pool_choose(p, rule, &d->client, XF_IPV6);
	else
		pool_choose(p, rule, &d->client, XF_IPV4);
	return 0;
}

#endif
