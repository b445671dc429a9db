/* SPDX-License-Identifier: GPL-2.0-only */
/* The two halves of a flow: found by their tuples, or by each other; what a half's packets get. */
#ifndef XDPFWD_BPF_FLOW_TABLE_H
#define XDPFWD_BPF_FLOW_TABLE_H

#include "flow_bucket.h"
#include "maps.h"
#include "pkt.h"

/* One less than how many there are in "flow_hints", a power of two. Set at load. */
__weak const volatile __u32 cfg_hints_mask = XF_HINTS_LEAST - 1;

/* And than how many are in use: no more than flows need, so that they are near to each other. */
__weak volatile __u32 hints_mask[16] __attribute__((aligned(64))) = {XF_HINTS_LEAST - 1}; /* a cache line of its own */

/* What the packet gets. An IPv4 address is all that may be read of the union. */
static __always_inline const union xf_addr *flow_saddr(const struct xf_flow *f, const __u8 family)
{
	return family == XF_IPV6 ? &f->saddr6 : (const union xf_addr *)&f->saddr4;
}

static __always_inline const union xf_addr *flow_daddr(const struct xf_flow *f, const __u8 family)
{
	return family == XF_IPV6 ? &f->daddr6 : (const union xf_addr *)&f->daddr4;
}

static __always_inline void flow_set_saddr(struct xf_flow *f, const union xf_addr *a, const __u8 family)
{
	if (family == XF_IPV6)
		f->saddr6 = *a;
	else
		f->saddr4 = a->v4;
}

static __always_inline void flow_set_daddr(struct xf_flow *f, const union xf_addr *a, const __u8 family)
{
	if (family == XF_IPV6)
		f->daddr6 = *a;
	else
		f->daddr4 = a->v4;
}

/* ---- hints: a flow whose packets come often is found without a call, and in two cache lines */

/* The flow in that slot had no hint. With another mask all are found anew, by the buckets. */
static __always_inline void hints_grow(__u32 slot)
{
	__u32 mask = hints_mask[0];

	if (slot >= mask / XF_HINTS_A_SLOT && mask < cfg_hints_mask)
		hints_mask[0] = mask << 1 | 1;
}

/* The half is one of a flow from now on, or of none (0). At once: packets that are led here by a hint look at it first. */
static __always_inline void flow_set_family(struct xf_flow *f, __u8 family)
{
	*(volatile __u8 *)&f->family = family;
}

/* The flow of a packet; also one that is being made. */
static __always_inline struct xf_flow *flow_hinted(const struct xf_key6 *t, const __u8 family)
{
	__u64 hash = flow_hash(t, family);
	__u32 place = hash >> (64 - XF_HINT_BITS) & hints_mask[0], index;
	__u32 *hint = bpf_map_lookup_elem(&flow_hints, &place);
	struct xf_flow *f;

	if (!hint)
		return NULL;
	f = flow_at(entry_index(*(volatile __u32 *)hint, entry_tag(hash, family)));
	if (f && f->family == family && flow_has_tuple(f, t, family))
		return f;
	index = bucket_find(t, hash, family, NO_FLOW);
	f = flow_at(index);
	if (!f)
		return NULL;
	*hint = entry_make(hash, index, family);
	hints_grow(XF_FLOW_SLOT(index));
	return f;
}

/* ---- the other half */

/* Its key: what this half's packets become, turned round. */
static __always_inline void flow_twin_key(struct xf_key6 *key, const struct xf_flow *f, __u8 proto, const __u8 family)
{
	__builtin_memset(key, 0, sizeof(*key));
	addr_copy(&key->saddr, flow_daddr(f, family), family);
	addr_copy(&key->daddr, flow_saddr(f, family), family);
	key->sport = f->dport;
	key->dport = f->sport;
	key->proto = proto;
}

static __always_inline struct xf_flow *flow_twin(const struct xf_flow *f)
{
	struct xf_flow *twin = flow_at(XF_FLOW_INDEX(f->slot, !(f->flags & XF_FLOW_REPLY)));

	return twin && twin->family ? twin : NULL;
}

/* The rule that it was made under, as long as that stands. */
static __always_inline struct xf_rule *flow_rule(__u32 tag, __u32 half)
{
	struct xf_rule *rule = rule_of(tag & XF_RULE_ID_MASK, half);

	return rule && rule->tag == tag ? rule : NULL;
}

#endif
