/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many flows a rule and a source have, by state. The numbers follow the
 * states of slots: who moves a slot from one to another moves them along.
 */
#ifndef XDPFWD_BPF_FLOW_COUNT_H
#define XDPFWD_BPF_FLOW_COUNT_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"
#include "share.h"
#include "source.h"

static __always_inline __u32 *count_of(struct xf_rule_state *s, __u32 slot_state)
{
	switch (slot_state) {
	case XF_SLOT_PENDING:
		return &s->pending;
	case XF_SLOT_ESTABLISHED:
		return &s->established;
	default:
		return &s->closed;
	}
}

/* One more, or one less, of a rule's flows is in that state. */
static __always_inline void count_flow(__u32 tag, __u32 slot_state, __s32 by)
{
	__u32 id = tag & XF_RULE_ID_MASK;
	struct xf_rule_state *s = bpf_map_lookup_elem(&rule_states, &id);

	if (s)
		__sync_fetch_and_add(count_of(s, slot_state), by);
}

static __always_inline const struct xf_policy *count_policy(__u32 tag, __u32 half)
{
	__u32 id = tag & XF_RULE_ID_MASK;
	const struct xf_rule *rule = rule_of(id, half);

	return rule && rule->flags & XF_RULE_POLICY ? policy_of(id, half) : NULL;
}

/* One of the source's established flows is one no more. */
static __always_inline void count_source_down(const struct xf_source_key *key)
{
	__u64 *shares = bpf_map_lookup_elem(&source_flows, key);

	if (shares && share_drop(shares))
		bpf_map_delete_elem(&source_flows, key);
}

/* One more of the source's flows is established; false: it has as many as it may have. */
static __always_inline bool count_source_up(const struct xf_source_key *key, __u32 limit)
{
	bool done = false, full = false;

	for (int i = 0; i < SHARE_RACES && !done && !full; i++) {
		__u64 first = share_first(), seen, *shares;

		done = !bpf_map_update_elem(&source_flows, key, &first, BPF_NOEXIST);
		if (done)
			continue;
		shares = bpf_map_lookup_elem(&source_flows, key);
		if (!shares)
			continue;
		seen = share_read(shares);
		if (bpf_map_lookup_elem(&source_flows, key) != shares)
			continue;
		full = share_count(seen) >= limit;
		done = !full && share_add(shares, seen);
	}
	return done;
}

/*
 * A flow is about to be established: takes its place among those of its rule and
 * of its source, or says which limit is reached.
 */
__weak __noinline int count_establish(struct xf_slot *slot)
{
	const struct xf_policy *policy;
	struct xf_rule_state *s;
	struct xf_source_key key;
	__u32 id, limit;
	int reason = XF_REASON_NONE;

	if (!slot)
		return XF_REASON_NONE;
	id = slot->rule & XF_RULE_ID_MASK;
	s = bpf_map_lookup_elem(&rule_states, &id);
	if (!s)
		return XF_REASON_NONE;
	policy = count_policy(slot->rule, half_now());
	limit = policy ? policy->max_flows : 0;
	if (__sync_fetch_and_add(&s->established, 1) >= limit && limit)
		reason = XF_REASON_MAX_FLOWS;
	if (!reason && policy && policy->max_flows_per_source) {
		source_key(&key, id, &slot->key.saddr, slot->family);
		slot->counts_source = count_source_up(&key, policy->max_flows_per_source);
		if (!slot->counts_source)
			reason = XF_REASON_MAX_FLOWS_PER_SOURCE;
	}
	if (reason)
		__sync_fetch_and_add(&s->established, -1);
	return reason;
}

/* An established flow is one no more. */
static __always_inline void count_disestablish(struct xf_slot *slot, struct xf_source_key *key)
{
	count_flow(slot->rule, XF_SLOT_ESTABLISHED, -1);
	if (!slot->counts_source)
		return;
	slot->counts_source = 0;
	source_key(key, slot->rule & XF_RULE_ID_MASK, &slot->key.saddr, slot->family);
	count_source_down(key);
}

/* Has the rule, which asks this, as many as it may have? */
static __always_inline bool count_is_full(__u32 tag, const struct xf_policy *policy)
{
	__u32 id = tag & XF_RULE_ID_MASK;
	const struct xf_rule_state *s = bpf_map_lookup_elem(&rule_states, &id);

	return s && policy->max_flows && *(volatile __u32 *)&s->established >= policy->max_flows;
}

/* Has the rule, or the packet's source, as many as it may have? The reason, or XF_REASON_NONE. */
__weak __noinline int count_refuses(const struct pkt *p)
{
	const struct xf_policy *policy;
	struct xf_source_key key;
	const __u64 *shares;
	__u32 id;

	if (!p)
		return XF_REASON_NONE;
	id = p->rule;
	policy = count_policy(id, p->half);
	if (!policy)
		return XF_REASON_NONE;
	if (count_is_full(id, policy))
		return XF_REASON_MAX_FLOWS;
	if (!policy->max_flows_per_source)
		return XF_REASON_NONE;
	source_key(&key, id, &p->tuple.saddr, p->family);
	shares = bpf_map_lookup_elem(&source_flows, &key);
	if (!shares || share_count(share_read(shares)) < policy->max_flows_per_source)
		return XF_REASON_NONE;
	return XF_REASON_MAX_FLOWS_PER_SOURCE;
}

#endif
