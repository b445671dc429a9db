/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table's index: which element of "flows" has a tuple. A bucket is one
 * cache line, and what is looked for, put in or taken out touches this one only,
 * but for the element itself where the tag says that it may be the one.
 *
 * Nobody waits for anybody. An entry is put in by one exchange, after the element
 * has its tuple; then who has put it in looks whether another CPU was there with the
 * same tuple, and takes its own out again if so: one of two sees the other in any
 * case, and when both do, both lose. Only who has the element takes its entry out.
 */
#ifndef XDPFWD_BPF_FLOW_BUCKET_H
#define XDPFWD_BPF_FLOW_BUCKET_H

#include "maps.h"
#include "pkt.h"

#define NO_FLOW 0xffffffffu
#define EEXIST	17
#define ENOSPC	28

/* What this instance hashes with, so that nobody else knows what meets where; and how many buckets. Set at load. */
__weak const volatile __u64 cfg_mix[3] = {XF_MIX1, XF_MIX2, XF_MIX3};
__weak const volatile __u32 cfg_buckets = 1;
__weak const volatile __u32 cfg_entry_index = 1; /* the bits of an entry that are its index */

static __always_inline __u64 flow_hash(const struct xf_key6 *t, __u8 family)
{
	return xf_tuple_hash(t, family, cfg_mix);
}

/* The same where it is seldom asked, and the stack is short. */
__weak __noinline __u64 tuple_hash(const struct xf_key6 *t, __u32 family)
{
	if (!t)
		return 0;
	return family == XF_IPV6 ? flow_hash(t, XF_IPV6) : flow_hash(t, XF_IPV4);
}

static __always_inline struct xf_flow *flow_at(__u32 index)
{
	return bpf_map_lookup_elem(&flows, &index);
}

static __always_inline struct xf_bucket *bucket_at(__u32 at)
{
	return bpf_map_lookup_elem(&buckets, &at);
}

static __always_inline bool flow_has_tuple(const struct xf_flow *f, const struct xf_key6 *t, const __u8 family)
{
	if (f->key_sport != t->sport || f->key_dport != t->dport || f->proto != t->proto)
		return false;
	if (family == XF_IPV6)
		return addr_equal(&f->key_saddr6, &t->saddr, XF_IPV6) && addr_equal(&f->key_daddr6, &t->daddr, XF_IPV6);
	return f->key_saddr4 == t->saddr.w[0] && f->key_daddr4 == t->daddr.w[0];
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

static __always_inline __u32 entry_tag(__u64 hash, __u8 family)
{
	return xf_entry_tag(hash, family, cfg_entry_index);
}

static __always_inline __u32 entry_make(__u64 hash, __u32 index, __u8 family)
{
	return entry_tag(hash, family) | (index + 1);
}

/* If the entry has that tag; NO_FLOW: it does not. An entry that is 0 leads there, too. */
static __always_inline __u32 entry_index(__u32 entry, __u32 tag)
{
	__u32 at = entry ^ tag;

	return at & ~cfg_entry_index ? NO_FLOW : at - 1;
}

/* Has the element this tuple? It may be of a flow that is being made. */
static __always_inline bool flow_is_of(__u32 index, const struct xf_key6 *t, __u32 family)
{
	const struct xf_flow *f = flow_at(index);

	if (!f || !t)
		return false;
	return family == XF_IPV6 ? flow_has_tuple(f, t, XF_IPV6) : flow_has_tuple(f, t, XF_IPV4);
}

/* The element that is in the table with this tuple, other than that one; NO_FLOW: there is none. */
__weak __noinline __u32 bucket_find(const struct xf_key6 *t, __u64 hash, __u32 family, __u32 but)
{
	__u32 home = xf_bucket(hash, cfg_buckets), tag = entry_tag(hash, family);

	if (!t)
		return NO_FLOW;
	for (__u32 near = 0; near < XF_BUCKETS_NEAR; near++) {
		const volatile struct xf_bucket *b = bucket_at(home + near);

		if (!b)
			break;
		for (int i = 0; i < XF_BUCKET_ENTRIES; i++) {
			__u32 index = entry_index(b->entry[i], tag);

			if (index != NO_FLOW && index != but && flow_is_of(index, t, family))
				return index;
		}
		if (!near && !b->elsewhere)
			break;
	}
	return NO_FLOW;
}

/* Is there still room in this one? Then the entry is in it. */
static __always_inline bool bucket_take(struct xf_bucket *b, __u32 entry)
{
	for (int i = 0; i < XF_BUCKET_ENTRIES; i++)
		if (!*(volatile __u32 *)&b->entry[i] && !__sync_val_compare_and_swap(&b->entry[i], 0, entry))
			return true;
	return false;
}

/* 0, or -ENOSPC, which the secret numbers keep from being more than bad luck. */
__weak __noinline int bucket_put(__u64 hash, __u32 entry)
{
	__u32 home = xf_bucket(hash, cfg_buckets);
	struct xf_bucket *b = bucket_at(home), *behind;

	if (!b)
		return -ENOSPC;
	if (bucket_take(b, entry))
		return 0;
	/* Before it is there, so that who looks for it looks there, too. */
	__sync_fetch_and_add(&b->elsewhere, 1);
	for (__u32 near = 1; near < XF_BUCKETS_NEAR; near++) {
		behind = bucket_at(home + near);
		if (behind && bucket_take(behind, entry))
			return 0;
	}
	__sync_fetch_and_add(&b->elsewhere, -1);
	return -ENOSPC;
}

/* Takes the entry out, if it is in. */
__weak __noinline int bucket_clear(__u64 hash, __u32 entry)
{
	__u32 home = xf_bucket(hash, cfg_buckets);
	struct xf_bucket *first = bucket_at(home), *b;

	for (__u32 near = 0; near < XF_BUCKETS_NEAR && first; near++) {
		b = bucket_at(home + near);
		for (int i = 0; i < XF_BUCKET_ENTRIES && b; i++) {
			if (*(volatile __u32 *)&b->entry[i] != entry)
				continue;
			*(volatile __u32 *)&b->entry[i] = 0;
			if (near)
				__sync_fetch_and_add(&first->elsewhere, -1);
			return true;
		}
		if (!near && !first->elsewhere)
			break;
	}
	return false;
}

/* Also one that is being made. */
static __always_inline struct xf_flow *flow_lookup(const struct xf_key6 *t, const __u8 family)
{
	return flow_at(bucket_find(t, tuple_hash(t, family), family, NO_FLOW));
}

static __always_inline void flow_delete(const struct xf_key6 *t, __u32 index, const __u8 family)
{
	__u64 hash = tuple_hash(t, family);

	bucket_clear(hash, entry_make(hash, index, family));
}

/* The element has the tuple already. 0, or -EEXIST or -ENOSPC. */
static __always_inline int flow_insert(const struct xf_key6 *t, __u32 index, const __u8 family)
{
	__u64 hash = tuple_hash(t, family);
	__u32 entry = entry_make(hash, index, family);
	int err = bucket_put(hash, entry);

	if (err || bucket_find(t, hash, family, index) == NO_FLOW)
		return err;
	bucket_clear(hash, entry);
	return -EEXIST;
}

#endif
