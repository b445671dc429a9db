/* SPDX-License-Identifier: GPL-2.0-only */
/* The rewrite, one function for both directions: addresses, ports, hop count, checksums. */
#ifndef XDPFWD_BPF_NAT_H
#define XDPFWD_BPF_NAT_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "csum.h"
#include "flow_table.h"
#include "pkt.h"

struct nat_addrs {
	const union xf_addr *saddr, *daddr;
};

/* Gives an IPv4 header new addresses, whose difference is addr_diff, and as many hops less as we are. */
static __always_inline int nat_ipv4(ctx_t *ctx, const struct pkt *p, const struct nat_addrs *to, __u64 addr_diff)
{
	struct iphdr *ip = ctx_header(ctx, p->l3, sizeof(*ip));
	__u8 ttl = p->ttl - p->hops;
	__u64 diff = addr_diff;

	if (!ip)
		return -1;
	/* TTL is the high octet of its word (RFC 1141). */
	diff = csum_diff16(diff, bpf_htons(p->ttl << 8), bpf_htons(ttl << 8));
	ip->ttl = ttl;
	ip->saddr = to->saddr->v4;
	ip->daddr = to->daddr->v4;
	ip->check = csum_apply(ip->check, diff);
	return 0;
}

/* The same for IPv6; sum_diff is what the header's change adds to the packet's whole sum besides the hop limit. */
static __always_inline int nat_ipv6(ctx_t *ctx, const struct pkt *p, const struct nat_addrs *to, __u64 sum_diff)
{
	struct ipv6hdr *ip = ctx_header(ctx, p->l3, sizeof(*ip));
	__u8 hop_limit = p->ttl - p->hops;

	if (!ip)
		return -1;
	ip->hop_limit = hop_limit;
	__builtin_memcpy(&ip->saddr, to->saddr->w, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, to->daddr->w, sizeof(ip->daddr));
	/* The hop limit is the low octet of its word. */
	ctx_sum_changed(ctx, csum_diff16(sum_diff, bpf_htons(p->ttl), bpf_htons(hop_limit)));
	return 0;
}

/* The ports, and the checksum that covers both them and the addresses. */
static __always_inline int nat_l4(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f, __u64 addr_diff)
{
	__be16 *l4ports = ctx_header(ctx, p->l4, 2 * sizeof(*l4ports));
	__u64 port_diff = 0;

	if (!l4ports)
		return -1;
	if (p->tuple.sport != f->sport)
		port_diff = csum_diff16(port_diff, p->tuple.sport, f->sport);
	if (p->tuple.dport != f->dport)
		port_diff = csum_diff16(port_diff, p->tuple.dport, f->dport);
	l4ports[0] = f->sport;
	l4ports[1] = f->dport;
	return ctx_l4_csum(ctx, p, addr_diff, port_diff);
}

/* Gives the packet the flow's addresses and ports. -1: the packet cannot be written. */
static __always_inline int nat_rewrite(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f, const __u8 family)
{
	const struct nat_addrs to = {flow_saddr(f, family), flow_daddr(f, family)};
	__u64 addr_diff = 0;

	addr_diff = csum_diff_addr(addr_diff, &p->tuple.saddr, to.saddr, family);
	addr_diff = csum_diff_addr(addr_diff, &p->tuple.daddr, to.daddr, family);
	if (family == XF_IPV6 ? nat_ipv6(ctx, p, &to, addr_diff) : nat_ipv4(ctx, p, &to, addr_diff))
		return -1;
	/* The first fragment has the ports, and its checksum is that of the whole datagram. */
	if (!CTX_IS_FAST && p->frag_off)
		return 0;
	return nat_l4(ctx, p, f, addr_diff);
}

#endif
