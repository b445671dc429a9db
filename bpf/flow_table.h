/* SPDX-License-Identifier: GPL-2.0-only */
/* The two halves of a flow in flow4 and flow6: keys, look-ups, what a half's packets get. */
#ifndef XDPFWD_BPF_FLOW_TABLE_H
#define XDPFWD_BPF_FLOW_TABLE_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"

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

static __always_inline struct xf_flow *flow_lookup(const struct xf_key6 *t, const __u8 family)
{
	struct xf_key4 key;

	if (family == XF_IPV6)
		return bpf_map_lookup_elem(&flow6, t);
	key = flow_key4(t);
	return bpf_map_lookup_elem(&flow4, &key);
}

/* int: before 6.4 the helper leaves the upper half of its result undefined. */
static __always_inline int flow_insert(const struct xf_key6 *t, const struct xf_flow *f, const __u8 family)
{
	struct xf_key4 key;

	if (family == XF_IPV6)
		return bpf_map_update_elem(&flow6, t, f, BPF_NOEXIST);
	key = flow_key4(t);
	return bpf_map_update_elem(&flow4, &key, f, BPF_NOEXIST);
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

/* The other half's key: what this half's packets become, turned round. */
static __always_inline void flow_twin_key(struct xf_key6 *key, const struct xf_flow *f, __u8 proto, const __u8 family)
{
	__builtin_memset(key, 0, sizeof(*key));
	addr_copy(&key->saddr, flow_daddr(f, family), family);
	addr_copy(&key->daddr, flow_saddr(f, family), family);
	key->sport = f->dport;
	key->dport = f->sport;
	key->proto = proto;
}

static __always_inline struct xf_flow *flow_twin(const struct xf_flow *f, __u8 proto, const __u8 family)
{
	if (family == XF_IPV6) {
		struct xf_key6 key;

		flow_twin_key(&key, f, proto, XF_IPV6);
		return bpf_map_lookup_elem(&flow6, &key);
	} else {
		struct xf_key4 key = {
			.saddr = f->daddr4, .daddr = f->saddr4, .sport = f->dport, .dport = f->sport, .proto = proto};

		return bpf_map_lookup_elem(&flow4, &key);
	}
}

/* The rule that it was made under, as long as that stands. */
static __always_inline struct xf_rule *flow_rule(__u32 tag, __u32 half)
{
	struct xf_rule *rule = rule_of(tag & XF_RULE_ID_MASK, half);

	return rule && rule->tag == tag ? rule : NULL;
}

#endif
