/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors about forwarded packets (RFC 5508, 4): the packet inside becomes
 * what its sender once sent, then the outside follows, and all checksums with
 * them. `f` is the half that an answer to the packet inside would take, so that
 * its rewrite, turned round, is what the packet inside was before ours.
 */
#ifndef XDPFWD_BPF_NAT_ICMP_H
#define XDPFWD_BPF_NAT_ICMP_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "csum.h"
#include "flow_table.h"
#include "nat.h"
#include "pkt.h"

/*
 * The transport checksum inside, if that much is quoted (a TCP checksum often is
 * not). Returns the ICMP checksum's difference with that field's.
 */
static __always_inline __u64 nat_inner_check(ctx_t *ctx, const struct pkt *p, __u64 diff, __u64 icmp_diff)
{
	bool udp = p->tuple.proto == IPPROTO_UDP;
	__u32 off = p->inner_l4 + (udp ? 6 : 16);
	__u16 *check, old;

	if (off + sizeof(*check) > p->l3 + p->len)
		return icmp_diff;
	check = ctx_header(ctx, off, sizeof(*check));
	if (!check || (udp && !*check))
		return icmp_diff;
	old = *check;
	*check = csum_apply(old, diff);
	if (udp && !*check)
		*check = 0xffff;
	return csum_diff16(icmp_diff, old, *check);
}

/* The packet inside: addresses, ports, its own checksums. Adds to *icmp_diff. -1: it cannot be written. */
static __always_inline int nat_inner(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f, __u64 *icmp_diff,
				     const __u8 family)
{
	__u64 addr_diff = 0, port_diff = 0;
	__be16 *l4ports = ctx_header(ctx, p->inner_l4, 2 * sizeof(*l4ports));

	if (!l4ports)
		return -1;
	addr_diff = csum_diff_addr(addr_diff, &p->tuple.daddr, flow_daddr(f, family), family);
	addr_diff = csum_diff_addr(addr_diff, &p->tuple.saddr, flow_saddr(f, family), family);
	port_diff = csum_diff16(port_diff, l4ports[0], f->dport);
	port_diff = csum_diff16(port_diff, l4ports[1], f->sport);
	l4ports[0] = f->dport;
	l4ports[1] = f->sport;
	*icmp_diff += addr_diff + port_diff;
	*icmp_diff = nat_inner_check(ctx, p, addr_diff + port_diff, *icmp_diff);

	if (family == XF_IPV6) {
		struct ipv6hdr *ip = ctx_header(ctx, p->inner_l3, sizeof(*ip));

		if (!ip)
			return -1;
		__builtin_memcpy(&ip->saddr, f->daddr6.w, sizeof(ip->saddr));
		__builtin_memcpy(&ip->daddr, f->saddr6.w, sizeof(ip->daddr));
	} else {
		struct iphdr *ip = ctx_header(ctx, p->inner_l3, sizeof(*ip));
		__u16 old;

		if (!ip)
			return -1;
		ip->saddr = f->daddr4;
		ip->daddr = f->saddr4;
		old = ip->check;
		ip->check = csum_apply(old, addr_diff);
		*icmp_diff = csum_diff16(*icmp_diff, old, ip->check);
	}
	return 0;
}

/*
 * Where the error seems to come from: towards the client the listen address,
 * which hides what is inside; towards the target whoever sent it, unless the
 * target is to see this machine only.
 */
static __always_inline bool nat_error_hides_source(const struct pkt *p, const struct xf_flow *f, const __u8 family)
{
	return !addr_equal(flow_saddr(f, family), &p->tuple.saddr, family);
}

static __always_inline int nat_outer_addrs(ctx_t *ctx, const struct pkt *p, union xf_addr outer[2], const __u8 family)
{
	if (family == XF_IPV6) {
		const struct ipv6hdr *ip = ctx_header(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return -1;
		__builtin_memcpy(&outer[0], &ip->saddr, sizeof(outer[0]));
		__builtin_memcpy(&outer[1], &ip->daddr, sizeof(outer[1]));
	} else {
		const struct iphdr *ip = ctx_header(ctx, p->l3, sizeof(*ip));

		if (!ip)
			return -1;
		outer[0].v4 = ip->saddr;
		outer[1].v4 = ip->daddr;
	}
	return 0;
}

/* Rewrites an ICMP error inside and outside. -1: the packet cannot be written. */
static __always_inline int nat_icmp_rewrite(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f, const __u8 family)
{
	struct nat_addrs to = {.daddr = flow_daddr(f, family)};
	__u64 outer_diff = 0, icmp_diff = 0;
	union xf_addr outer[2];
	struct icmp_head *icmp;

	if (nat_outer_addrs(ctx, p, outer, family) || nat_inner(ctx, p, f, &icmp_diff, family))
		return -1;
	to.saddr = nat_error_hides_source(p, f, family) ? flow_saddr(f, family) : &outer[0];
	outer_diff = csum_diff_addr(outer_diff, &outer[0], to.saddr, family);
	outer_diff = csum_diff_addr(outer_diff, &outer[1], to.daddr, family);
	if (family == XF_IPV6)
		icmp_diff += outer_diff; /* ICMPv6 has a pseudo-header (RFC 4443, 2.3) */
	icmp = ctx_header(ctx, p->l4, sizeof(*icmp));
	if (!icmp)
		return -1;
	icmp->checksum = csum_apply(icmp->checksum, icmp_diff);
	/* All that changed is covered by a checksum that changed with it, but the hop limit of IPv6. */
	return family == XF_IPV6 ? nat_ipv6(ctx, p, &to, 0) : nat_ipv4(ctx, p, &to, outer_diff);
}

#endif
