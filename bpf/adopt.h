/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * After an upgrade to another layout of the flow table: what flows went through
 * between being copied and the change of programs is made up for. Here, since
 * only a program can do so while others use the same flow. To be told the same
 * twice changes nothing, so that an upgrade that was interrupted can go on.
 */
#ifndef XDPFWD_BPF_ADOPT_H
#define XDPFWD_BPF_ADOPT_H

#include "maps.h"

static __always_inline struct xf_flow *adopt_find(const struct xf_adopt_request *r)
{
	struct xf_key6 key6 = r->key;
	struct xf_key4 key4 = {
		.saddr = key6.saddr.v4,
		.daddr = key6.daddr.v4,
		.sport = key6.sport,
		.dport = key6.dport,
		.proto = key6.proto,
	};

	if (r->family == XF_IPV6)
		return bpf_map_lookup_elem(&flow6, &key6);
	return bpf_map_lookup_elem(&flow4, &key4);
}

/* What the new programs have counted since may be less than what they were not told of, but nothing goes backwards. */
static __always_inline void adopt(struct xf_adopt_request *r)
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

#endif
