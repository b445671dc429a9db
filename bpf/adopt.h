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

static __always_inline struct xf_flow *adopt_find(const struct xf_adopt_request *r)
{
	struct xf_key6 key = r->key;

	return r->family == XF_IPV6 ? flow_lookup(&key, XF_IPV6) : flow_lookup(&key, XF_IPV4);
}

/* A half that was copied, and whose flow the old programs ended after that: its place is free. */
static __always_inline void adopt_prune(const struct xf_adopt_request *r)
{
	struct xf_flow *f = flow_at(r->index);
	__u32 index = XF_FLOW_SLOT(r->index);
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct xf_key6 key = r->key;
	bool same;

	if (!f || !slot || !slot_claim(slot, XF_SLOT_FREE))
		return;
	same = r->family == XF_IPV6 ? flow_has_tuple(f, &key, XF_IPV6) : flow_has_tuple(f, &key, XF_IPV4);
	if (same) {
		flow_set_family(f, 0);
		if (r->family == XF_IPV6)
			flow_delete(&key, XF_IPV6);
		else
			flow_delete(&key, XF_IPV4);
	}
	slot_release(slot, XF_SLOT_FREE);
}

/* What the new programs have counted since may be less than what they were not told of, but nothing goes backwards. */
static __always_inline void adopt_count(struct xf_adopt_request *r)
{
	struct xf_flow *f = adopt_find(r);

	r->found = f != NULL;
	if (!f)
		return;
	if (f->packets < r->packets)
		f->packets = r->packets;
	if (f->bytes < r->bytes)
		f->bytes = r->bytes;
	if ((__s32)(f->last_seen - r->last_seen) < 0)
		f->last_seen = r->last_seen;
	f->flags |= r->flags & (XF_FLOW_FIN | XF_FLOW_RST);
	if (f->state < r->state) {
		f->state = r->state;
		f->timeout = r->timeout;
	}
}

static __always_inline void adopt(struct xf_adopt_request *r)
{
	if (r->prune)
		adopt_prune(r);
	else
		adopt_count(r);
}

#endif
