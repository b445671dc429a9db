/* SPDX-License-Identifier: GPL-2.0-only */
/* The instance's settings, as the stages ask for them. */
#ifndef XDPFWD_BPF_CFG_H
#define XDPFWD_BPF_CFG_H

#include "maps.h"
#include "pkt.h"

/* Does this kernel let programs ask its connection tracking? Set at load. */
__weak const volatile bool cfg_conntrack;

static __always_inline const struct xf_config *cfg_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

/* In which half of the rules' maps is the set that is in force now? */
static __always_inline __u32 cfg_half(const struct xf_config *cfg)
{
	bool over = cfg->set_until && bpf_jiffies64() >= cfg->set_until;

	return XF_SET_HALF(over ? cfg->set_before : cfg->set);
}

/* The set in that half: a packet stays with the one that it met first. */
static __always_inline __u32 cfg_set(const struct xf_config *cfg, __u32 half)
{
	return XF_SET_HALF(cfg->set) == half ? cfg->set : cfg->set_before;
}

/* Might anybody be banned? */
static __always_inline bool cfg_has_bans(const struct xf_config *cfg)
{
	return !(cfg->flags & XF_CONFIG_NO_BANS);
}

static __always_inline __u32 half_now(void)
{
	const struct xf_config *cfg = cfg_get();

	return cfg ? cfg_half(cfg) : 0;
}

/* For those who have the settings at hand: they are not asked for twice. */
static __always_inline struct xf_rule *cfg_rule(const struct xf_config *cfg, __u32 id, __u32 half)
{
	__u32 place;

	if (id >= cfg->max_rules)
		return NULL;
	place = XF_RULE_PLACE(half, cfg->max_rules, id);
	return bpf_map_lookup_elem(&rules, &place);
}

static __always_inline struct xf_rule *rule_of(__u32 id, __u32 half)
{
	const struct xf_config *cfg = cfg_get();

	return cfg ? cfg_rule(cfg, id, half) : NULL;
}

/* The rule that the packet has met. */
static __always_inline struct xf_rule *rule_get(const struct pkt *p)
{
	return rule_of(p->rule, p->half);
}

/* What a rule asks of newcomers; good only if it has XF_RULE_POLICY. */
static __always_inline const struct xf_policy *policy_of(__u32 id, __u32 half)
{
	const struct xf_config *cfg = cfg_get();
	__u32 place;

	if (!cfg || id >= cfg->max_rules)
		return NULL;
	place = XF_RULE_PLACE(half, cfg->max_rules, id);
	return bpf_map_lookup_elem(&policies, &place);
}

#endif
