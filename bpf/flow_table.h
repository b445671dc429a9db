/* SPDX-License-Identifier: GPL-2.0-only */
/* The two halves of a flow: found by their tuples, or by each other; what a half's packets get. */
#ifndef XDPFWD_BPF_FLOW_TABLE_H
#define XDPFWD_BPF_FLOW_TABLE_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"

#define NO_FLOW 0xffffffffu

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

static __always_inline struct xf_key4 flow_key4(const struct xf_key6 *t)
{
	struct xf_key4 key = {
		.saddr = t->saddr.v4, .daddr = t->daddr.v4, .sport = t->sport, .dport = t->dport, .proto = t->proto};

	return key;
}

static __always_inline struct xf_flow *flow_at(__u32 index)
{
	return bpf_map_lookup_elem(&flows, &index);
}

/* The element of "flows" of this tuple; NO_FLOW: there is none. */
__weak __noinline __u32 flow_index(const struct xf_key6 *t, __u32 family)
{
	const __u32 *index;

	if (!t)
		return NO_FLOW;
	if (family == XF_IPV6) {
		struct xf_key6 key = *t;

		index = bpf_map_lookup_elem(&flow6, &key);
	} else {
		struct xf_key4 key = flow_key4(t);

		index = bpf_map_lookup_elem(&flow4, &key);
	}
	return index ? *index : NO_FLOW;
}

/* Also one that is being made. */
static __always_inline struct xf_flow *flow_lookup(const struct xf_key6 *t, const __u8 family)
{
	return flow_at(flow_index(t, family));
}

/* 0, or a negative errno. int: before 6.4 the helper leaves the upper half of its result undefined. */
static __always_inline int flow_insert(const struct xf_key6 *t, __u32 index, const __u8 family)
{
	struct xf_key4 key;

	if (family == XF_IPV6)
		return bpf_map_update_elem(&flow6, t, &index, BPF_NOEXIST);
	key = flow_key4(t);
	return bpf_map_update_elem(&flow4, &key, &index, BPF_NOEXIST);
}

static __always_inline void flow_delete(const struct xf_key6 *t, const __u8 family)
{
	struct xf_key4 key;

	if (family == XF_IPV6) {
		bpf_map_delete_elem(&flow6, t);
		return;
	}
	key = flow_key4(t);
	bpf_map_delete_elem(&flow4, &key);
}

/* ---- hints: a flow whose packets come often is found without a call, and in two cache lines */

/* The flow in that slot had no hint. With another mask all are found anew, by the hash tables. */
static __always_inline void hints_grow(__u32 slot)
{
	__u32 mask = hints_mask[0];

	if (slot >= mask / XF_HINTS_A_SLOT && mask < cfg_hints_mask)
		hints_mask[0] = mask << 1 | 1;
}

/* Is it a flow, and of this tuple? */
static __always_inline bool flow_has_tuple(const struct xf_flow *f, const struct xf_key6 *t, const __u8 family)
{
	if (f->family != family || f->key_sport != t->sport || f->key_dport != t->dport || f->proto != t->proto)
		return false;
	if (family == XF_IPV6)
		return addr_equal(&f->key_saddr6, &t->saddr, XF_IPV6) && addr_equal(&f->key_daddr6, &t->daddr, XF_IPV6);
	return f->key_saddr4 == t->saddr.w[0] && f->key_daddr4 == t->daddr.w[0];
}

/* The half is one of a flow from now on, or of none (0). At once: packets that are led here by a hint look at it first. */
static __always_inline void flow_set_family(struct xf_flow *f, __u8 family)
{
	*(volatile __u8 *)&f->family = family;
}

static __always_inline void flow_set_tuple(struct xf_flow *f, const struct xf_key6 *t, const __u8 family)
{
	f->key_sport = t->sport;
	f->key_dport = t->dport;
	f->proto = t->proto;
	f->key_saddr4 = t->saddr.w[0];
	f->key_daddr4 = t->daddr.w[0];
	if (family == XF_IPV6) {
		f->key_saddr6 = t->saddr;
		f->key_daddr6 = t->daddr;
	}
}

/* The flow of a packet; also one that is being made. What an upgrade has left behind of a flow is none. */
static __always_inline struct xf_flow *flow_hinted(const struct xf_key6 *t, const __u8 family)
{
	__u32 place = xf_tuple_hash(t, family) >> (64 - XF_HINT_BITS) & hints_mask[0], index;
	__u32 *hint = bpf_map_lookup_elem(&flow_hints, &place);
	struct xf_flow *f;

	if (!hint)
		return NULL;
	f = flow_at(*hint);
	if (f && flow_has_tuple(f, t, family))
		return f;
	index = flow_index(t, family);
	f = flow_at(index);
	if (!f || (f->family && !flow_has_tuple(f, t, family)))
		return NULL;
	*hint = index;
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
