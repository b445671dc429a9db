/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which networks a source is in: of those that are banned, denied or allowed.
 * A ban is for newcomers; the flows that a banned source has are ended by the
 * tool, once, so that a packet of a flow never has to ask.
 */
#ifndef XDPFWD_BPF_POLICY_SETS_H
#define XDPFWD_BPF_POLICY_SETS_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"

/* The narrowest network of this set around the address, no narrower than `bits`. */
static __always_inline struct xf_prefix *prefix_lookup(const union xf_addr *addr, __u32 set, __u32 bits,
						       const __u8 family)
{
	if (family == XF_IPV4) {
		struct xf_prefix4 key = {.prefixlen = XF_PREFIX4_BITS(bits), .set = set, .addr = addr->v4};

		return bpf_map_lookup_elem(&prefixes4, &key);
	} else {
		struct xf_prefix6 key = {.prefixlen = XF_PREFIX6_BITS(bits), .set = set};

		__builtin_memcpy(key.addr, addr->v6, sizeof(key.addr));
		return bpf_map_lookup_elem(&prefixes6, &key);
	}
}

static __always_inline bool prefix_is_over(const struct xf_prefix *prefix)
{
	return prefix->until && bpf_jiffies64() >= prefix->until;
}

/*
 * The network of this set that the address is in, if any. One whose time is over
 * hides the wider ones around it, which may still hold: they are asked one by one.
 */
static __always_inline struct xf_prefix *set_find(const union xf_addr *addr, __u32 set, const __u8 family)
{
	__u32 bits = family == XF_IPV4 ? 32 : 128;
	struct xf_prefix *prefix = prefix_lookup(addr, set, bits, family);

	for (__u32 i = 0; i < (family == XF_IPV4 ? 32 : 128) && prefix && prefix_is_over(prefix); i++) {
		bits = prefix->bits;
		prefix = bits ? prefix_lookup(addr, set, bits - 1, family) : NULL;
	}
	return prefix && !prefix_is_over(prefix) ? prefix : NULL;
}

static __always_inline bool set_names(const union xf_addr *addr, __u32 set, const __u8 family)
{
	struct xf_prefix *prefix = set_find(addr, set, family);

	if (prefix && set == XF_SET_BANS)
		__sync_fetch_and_add(&prefix->hits, 1);
	return prefix;
}

__weak __noinline int policy_set_names(const struct pkt *p, __u32 set, __u32 family)
{
	union xf_addr addr;

	if (!p)
		return 0;
	addr = p->tuple.saddr;
	return family == XF_IPV6 ? set_names(&addr, set, XF_IPV6) : set_names(&addr, set, XF_IPV4);
}

/* The same, without the call for what has no end and keeps no count: most networks, and no network at all. */
static __always_inline bool source_is_in(const struct pkt *p, __u32 set, __u32 family)
{
	const struct xf_prefix *prefix = family == XF_IPV6 ? prefix_lookup(&p->tuple.saddr, set, 128, XF_IPV6) :
							     prefix_lookup(&p->tuple.saddr, set, 32, XF_IPV4);

	if (!prefix || (!prefix->until && set != XF_SET_BANS))
		return prefix;
	return policy_set_names(p, set, family);
}

/* Does the rule take every source, and is there no ban that might be this one's? Then nothing else need be asked. */
static __always_inline bool policy_asks_nothing(const struct pkt *p, const struct xf_config *cfg,
						const struct xf_rule *rule, const __u8 family)
{
	__u32 bits = family == XF_IPV4 ? 32 : 128;

	return !(rule->flags & XF_RULE_POLICY) &&
	       (!cfg_has_bans(cfg) || !prefix_lookup(&p->tuple.saddr, XF_SET_BANS, bits, family));
}

/* May this source begin a flow at all? The reason why not, or XF_REASON_NONE. */
__weak __noinline int policy_source(const struct pkt *p)
{
	const struct xf_config *cfg = cfg_get();
	const struct xf_policy *policy;
	const struct xf_rule *rule;

	if (!p || !cfg)
		return XF_REASON_NONE;
	rule = cfg_rule(cfg, p->rule, p->half);
	if (!rule)
		return XF_REASON_NONE;
	if (cfg_has_bans(cfg) && source_is_in(p, XF_SET_BANS, rule->family))
		return XF_REASON_BANNED;
	policy = rule->flags & XF_RULE_POLICY ? policy_of(p->rule, p->half) : NULL;
	if (!policy)
		return XF_REASON_NONE;
	if (policy->deny && source_is_in(p, policy->deny, rule->family))
		return XF_REASON_DENIED;
	if (policy->allow && !source_is_in(p, policy->allow, rule->family))
		return XF_REASON_NOT_ALLOWED;
	return XF_REASON_NONE;
}

#endif
