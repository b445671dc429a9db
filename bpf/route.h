/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way out, by the kernel's own routing table, on the addresses that the
 * packet will have. A flow remembers it for xf_config.route_ttl; the way back
 * to the client is the one it came by, learned again as often.
 */
#ifndef XDPFWD_BPF_ROUTE_H
#define XDPFWD_BPF_ROUTE_H

#include "cfg.h"
#include "csum.h"
#include "flow_table.h"
#include "maps.h"
#include "pkt.h"

static __always_inline enum xf_reason route_reason(long rc)
{
	if (rc == BPF_FIB_LKUP_RET_FWD_DISABLED)
		return XF_REASON_FORWARDING_DISABLED;
	return XF_REASON_NO_ROUTE;
}

static __always_inline bool route_is_fast(__u32 ifindex)
{
	return bpf_map_lookup_elem(&egress, &ifindex) != NULL;
}

static __always_inline __u16 route_device_mtu(ctx_t *ctx, __u32 ifindex)
{
	__u32 mtu = 0;

	bpf_check_mtu(ctx, ifindex, &mtu, 0, 0);
	return mtu > 0xffff ? 0xffff : mtu;
}

static __always_inline void route_request(struct bpf_fib_lookup *fib, const struct xf_flow *f, const struct pkt *p,
					  const __u8 family)
{
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->family = family == XF_IPV6 ? AF_INET6 : AF_INET;
	fib->l4_protocol = p->tuple.proto;
	fib->sport = f->sport;
	fib->dport = f->dport;
	fib->tot_len = 1; /* comes back as the MTU of the route */
	if (family == XF_IPV6) {
		__builtin_memcpy(fib->ipv6_src, f->saddr6.w, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, f->daddr6.w, sizeof(fib->ipv6_dst));
	} else {
		fib->ipv4_src = f->saddr4;
		fib->ipv4_dst = f->daddr4;
	}
}

/* Did the answer name the destination itself as the next hop, and no gateway? */
static __always_inline bool route_is_direct(const struct bpf_fib_lookup *fib, const union xf_addr *dest,
					    const __u8 family)
{
	if (family == XF_IPV6)
		return fib->ipv6_dst[0] == dest->w[0] && fib->ipv6_dst[1] == dest->w[1] &&
		       fib->ipv6_dst[2] == dest->w[2] && fib->ipv6_dst[3] == dest->w[3];
	return fib->family == AF_INET && fib->ipv4_dst == dest->v4;
}

/* Is the sender of this packet on the link that the packet came by? */
static __always_inline bool route_sender_is_direct(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	struct route_query *query;
	struct bpf_fib_lookup *fib;
	__u32 zero = 0;
	long rc;

	query = bpf_map_lookup_elem(&route_query, &zero);
	if (!query)
		return false;
	fib = &query->fib;
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->family = family == XF_IPV6 ? AF_INET6 : AF_INET;
	fib->l4_protocol = p->tuple.proto;
	fib->ifindex = ctx_ingress(ctx);
	if (family == XF_IPV6)
		__builtin_memcpy(fib->ipv6_dst, p->tuple.saddr.w, sizeof(fib->ipv6_dst));
	else
		fib->ipv4_dst = p->tuple.saddr.v4;
	rc = bpf_fib_lookup(ctx, fib, sizeof(*fib), 0);
	return (rc == BPF_FIB_LKUP_RET_SUCCESS || rc == BPF_FIB_LKUP_RET_NO_NEIGH) &&
	       fib->ifindex == ctx_ingress(ctx) && route_is_direct(fib, &p->tuple.saddr, family);
}

/* Looks up the way out for client-to-target packets and notes it in the flow. */
static __always_inline enum xf_reason route_find(ctx_t *ctx, struct xf_flow *f, struct pkt *p, const __u8 family)
{
	struct route_query *query;
	struct bpf_fib_lookup *fib;
	__u32 zero = 0;
	long rc;

	query = bpf_map_lookup_elem(&route_query, &zero);
	if (!query)
		return XF_REASON_NO_ROUTE;
	fib = &query->fib;
	route_request(fib, f, p, family);
	fib->ifindex = ctx_ingress(ctx);
	rc = bpf_fib_lookup(ctx, fib, sizeof(*fib), 0);
	if (rc != BPF_FIB_LKUP_RET_SUCCESS && rc != BPF_FIB_LKUP_RET_NO_NEIGH)
		return route_reason(rc);
	p->on_link = route_is_direct(fib, flow_daddr(f, family), family);
	f->ifindex = fib->ifindex;
	f->routed_at = p->now;
	if (rc == BPF_FIB_LKUP_RET_NO_NEIGH) {
		f->flags &= ~(XF_FLOW_L2 | XF_FLOW_FAST);
		f->mtu = route_device_mtu(ctx, fib->ifindex);
		/* The kernel finds it when the full tier hands it the next hop. */
		query->nh.nh_family = fib->family;
		__builtin_memcpy(query->nh.ipv6_nh, fib->ipv6_dst, sizeof(query->nh.ipv6_nh));
		return XF_REASON_NONE;
	}
	f->flags = (f->flags & ~XF_FLOW_FAST) | XF_FLOW_L2 | (route_is_fast(fib->ifindex) ? XF_FLOW_FAST : 0);
	f->mtu = fib->mtu_result;
	__builtin_memcpy(f->dmac, fib->dmac, ETH_ALEN);
	__builtin_memcpy(f->smac, fib->smac, ETH_ALEN);
	return XF_REASON_NONE;
}

static __always_inline void route_set_mac(__u8 *to, const __u8 *from)
{
	if (!mac_equal(to, from))
		__builtin_memcpy(to, from, ETH_ALEN);
}

/*
 * The way back: where this packet of the client's came from. The half may be in
 * use on another CPU, so it is written only where something changed.
 */
static __always_inline void route_learn(ctx_t *ctx, struct xf_flow *reply, const struct pkt *p)
{
	__u32 ifindex = ctx_ingress(ctx);
	__u8 flags = reply->flags & ~(XF_FLOW_FAST | XF_FLOW_L2);
	__u8 dest[ETH_ALEN] MAC_ALIGNED, source[ETH_ALEN] MAC_ALIGNED;

	if (route_is_fast(ifindex))
		flags |= XF_FLOW_FAST;
	if (ctx_l2_addresses(ctx, dest, source, p->l3)) {
		flags |= XF_FLOW_L2;
		route_set_mac(reply->dmac, source);
		route_set_mac(reply->smac, dest);
	}
	if (reply->ifindex != ifindex || reply->flags != flags) {
		reply->ifindex = ifindex;
		reply->flags = flags;
	}
	reply->mtu = route_device_mtu(ctx, 0);
}

/* The way back is learned from the client, who may be silent because nothing reaches it: its MTU is asked for. */
static __always_inline void route_check_mtu(ctx_t *ctx, struct xf_flow *f, const struct pkt *p,
					    const struct xf_config *cfg)
{
	if (!(f->flags & XF_FLOW_REPLY) || p->now - f->routed_at < cfg->route_ttl)
		return;
	f->mtu = route_device_mtu(ctx, f->ifindex);
	f->routed_at = p->now;
}

/* Does this machine itself send it, to one of its addresses? */
static __always_inline bool route_is_own(ctx_t *ctx)
{
	return ctx_ingress(ctx) == LOOPBACK_IFINDEX;
}

/* Does the packet fit the way out? A GSO packet by its segments. */
static __always_inline enum verdict route_carries(ctx_t *ctx, struct pkt *p, const struct xf_flow *f)
{
	p->mtu = f->mtu;
	if (!p->mtu || ctx_segment_len(ctx, p) <= p->mtu)
		return SEND;
#if !CTX_IS_FAST
	return split_judge(ctx, p, f);
#else
	return refuse(p, XF_REASON_TOO_BIG);
#endif
}

/* Must the way out be looked up for this packet? Without a link address, the full tier asks each time. */
static __always_inline bool route_is_due(const struct xf_flow *f, const struct pkt *p, const struct xf_config *cfg)
{
	if (f->flags & XF_FLOW_REPLY)
		return false;
	return p->now - f->routed_at >= cfg->route_ttl || (!CTX_IS_FAST && !(f->flags & XF_FLOW_L2));
}

#endif
