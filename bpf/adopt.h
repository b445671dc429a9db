/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * After an upgrade to another layout of the flow table: what flows went through
 * between being copied and the change of programs is made up for. Here, since
 * only a program can do so while others use the same flow. To be told the same
 * twice changes nothing, so that an upgrade that was interrupted can go on.
 */
#ifndef XDPFWD_BPF_ADOPT_H
#define XDPFWD_BPF_ADOPT_H

#include "flow_slot.h"
#include "flow_table.h"
#include "maps.h"

static __always_inline void flow_tuple(struct xf_key6 *t, const struct xf_flow *f, const __u8 family)
{
	__builtin_memset(t, 0, sizeof(*t));
	t->sport = f->key_sport;
	t->dport = f->key_dport;
	t->proto = f->proto;
	if (family == XF_IPV6) {
		t->saddr = f->key_saddr6;
		t->daddr = f->key_daddr6;
	} else {
		t->saddr.v4 = f->key_saddr4;
		t->daddr.v4 = f->key_daddr4;
	}
}

/* The element is to be another half's: takes away what an attempt before has left there. */
static __always_inline void adopt_vacate(struct xf_flow *f, __u32 index)
{
	const __u8 family = f->family;
	struct xf_key6 t;

	if (!family)
		return;
	flow_set_family(f, 0);
	if (family == XF_IPV6) {
		flow_tuple(&t, f, XF_IPV6);
		flow_delete(&t, index, XF_IPV6);
	} else {
		flow_tuple(&t, f, XF_IPV4);
		flow_delete(&t, index, XF_IPV4);
	}
}

static __always_inline bool adopt_put(struct xf_flow *f, const struct xf_adopt_request *r, const struct xf_key6 *t,
				      const __u8 family)
{
	const __u32 index = r->index;

	adopt_vacate(f, index);
	__builtin_memcpy(f, &r->half, sizeof(*f));
	if (flow_insert(t, index, family))
		return false;
	flow_set_family(f, family);
	return true;
}

static __always_inline void adopt_prune(struct xf_flow *f, __u32 index, const struct xf_key6 *t, const __u8 family)
{
	__u32 at = XF_FLOW_SLOT(index);
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &at);

	if (!slot || !slot_claim(slot, XF_SLOT_FREE))
		return;
	if (f->family == family && flow_has_tuple(f, t, family)) {
		flow_set_family(f, 0);
		flow_delete(t, index, family);
	}
	slot_release(slot, XF_SLOT_FREE);
}

/* What the new programs have counted since may be less than what they were not told of, but nothing goes backwards. */
static __always_inline void adopt_count(struct xf_flow *f, const struct xf_flow *half)
{
	if (f->packets < half->packets)
		f->packets = half->packets;
	if (f->bytes < half->bytes)
		f->bytes = half->bytes;
	if ((__s32)(f->last_seen - half->last_seen) < 0)
		f->last_seen = half->last_seen;
	f->flags |= half->flags & (XF_FLOW_FIN | XF_FLOW_RST);
	if (f->state < half->state) {
		f->state = half->state;
		f->timeout = half->timeout;
	}
}

static __always_inline void adopt_family(struct xf_adopt_request *r, const __u8 family)
{
	__u32 index = r->index;
	struct xf_flow *f;
	struct xf_key6 t;

	flow_tuple(&t, &r->half, family);
	r->half.family = 0; /* until it can be found */
	f = flow_lookup(&t, family);
	r->found = f != NULL;
	if (r->what == XF_ADOPT_COUNT && f)
		adopt_count(f, &r->half);
	if (r->what == XF_ADOPT_COUNT || (r->what == XF_ADOPT_PUT && f))
		return;
	f = flow_at(index);
	if (!f)
		return;
	if (r->what == XF_ADOPT_PRUNE)
		adopt_prune(f, index, &t, family);
	else
		r->found = adopt_put(f, r, &t, family);
}

static __always_inline void adopt(struct xf_adopt_request *r)
{
	if (r->half.family == XF_IPV6)
		adopt_family(r, XF_IPV6);
	else
		adopt_family(r, XF_IPV4);
}

#endif
