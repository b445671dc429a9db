/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The facts of a packet, found once. What is not a TCP or UDP packet, or an ICMP
 * error about one, is not ours and goes to the kernel: other ICMP, other
 * protocols, extension headers that we do not know. To the fast tier, neither
 * are fragments: frag.h tells what becomes of them in the full tier.
 */
#ifndef XDPFWD_BPF_PARSE_H
#define XDPFWD_BPF_PARSE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "pkt.h"

#define PARSE_L4_FARTHEST  (CTX_MAX_L4OFF - 20) /* a TCP header's fields are within reach */
#define PARSE_IPV6_HEADERS 6			/* extension headers that we walk before giving up */

#define IPV6_MORE   0x0001 /* RFC 8200, 4.5 */
#define IPV6_OFFSET 0xfff8

/* The kernel's header has this struct only for itself. */
struct ipv6_fragment {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

/* Does a header that says `len` octets, `least` of which must be here, go with the packet? A fragment is only a part. */
static __always_inline bool parse_length_fits(const struct pkt *p, __u16 len, __u16 least)
{
	if (p->fragment)
		return len >= least && p->len >= (__u32)(p->l4 - p->l3) + least;
	return len >= least && len <= p->l4_len;
}

static __always_inline int parse_udp(ctx_t *ctx, struct pkt *p)
{
	const struct udphdr *udp = ctx_header(ctx, p->l4, sizeof(*udp));
	__u16 len;

	if (!udp)
		return -1;
	p->tuple.sport = udp->source;
	p->tuple.dport = udp->dest;
	p->l4_check = udp->check;
	p->hdr_len = p->l4 - p->l3 + sizeof(*udp);
	len = bpf_ntohs(udp->len);
	/* A GSO packet may be longer than the field can say. */
	if (!ctx_is_gso(ctx) && !parse_length_fits(p, len, sizeof(*udp)))
		p->malformed = 1;
	return 0;
}

static __always_inline int parse_tcp(ctx_t *ctx, struct pkt *p)
{
	const struct tcphdr *tcp = ctx_header(ctx, p->l4, sizeof(*tcp));

	if (!tcp)
		return -1;
	p->tuple.sport = tcp->source;
	p->tuple.dport = tcp->dest;
	p->l4_check = tcp->check;
	p->tcp_flags = ((const __u8 *)tcp)[13];
	p->hdr_len = p->l4 - p->l3 + tcp->doff * 4;
	/* A first fragment, too, must have the flags (RFC 1858, 3). */
	if (!parse_length_fits(p, tcp->doff * 4, sizeof(*tcp)))
		p->malformed = 1;
	return 0;
}

static __always_inline bool parse_has_options(const struct pkt *p, const __u8 family)
{
	return family == XF_IPV4 && p->l4 - p->l3 > (int)sizeof(struct iphdr);
}

#define PARSE_IPV4_OPTIONS 8 /* options looked at */

/* Is the destination only a stop on the way (RFC 791, 3.1; for IPv6 see below)? Then the kernel decides. */
static __always_inline bool parse_is_source_routed(ctx_t *ctx, const struct pkt *p)
{
	__u32 off = p->l3 + sizeof(struct iphdr);

	for (int i = 0; i < PARSE_IPV4_OPTIONS; i++) {
		const __u8 *option;

		if (off + 2 > p->l4 || off > CTX_MAX_L4OFF)
			return false;
		option = ctx_header(ctx, off, 2);
		if (!option || option[0] == 0)
			return false;
		if (option[0] == IPOPT_LSRR || option[0] == IPOPT_SSRR)
			return true;
		if (option[0] != 1 && option[1] < 2)
			return false;
		off += option[0] == 1 ? 1 : option[1];
	}
	return false;
}

/*
 * The fragment header: of a whole packet it says nothing (RFC 6946), and of the
 * packet inside an error (`p` is NULL) only whether it is the first. -1: no part
 * of a datagram that we can handle.
 */
static __always_inline int parse_ipv6_fragment(ctx_t *ctx, struct pkt *p, __u32 off, __u8 *next)
{
	const struct ipv6_fragment *frag = ctx_header(ctx, off, sizeof(*frag));

	if (!frag)
		return -1;
	*next = frag->nexthdr;
	if (!p)
		return frag->offset & bpf_htons(IPV6_OFFSET) ? -1 : 0;
	if (!(frag->offset & bpf_htons(IPV6_OFFSET | IPV6_MORE)))
		return 0;
	if (CTX_IS_FAST || p->fragment)
		return -1;
	p->fragment = frag->offset & bpf_htons(IPV6_MORE) ? FRAGMENT_PART | FRAGMENT_MORE : FRAGMENT_PART;
	p->frag_off = bpf_ntohs(frag->offset) & IPV6_OFFSET;
	p->frag_id = frag->id;
	p->frag_proto = *next;
	p->l4_len = p->l3 + p->len - off - sizeof(*frag);
	return 0;
}

/*
 * Steps over the extension headers whose length we know (RFC 8200, 4). The offset
 * of what follows them, or 0. Behind the fragment header of a later fragment
 * nothing is a header. `p` is NULL for the packet inside an error.
 */
static __always_inline __u32 parse_ipv6_headers(ctx_t *ctx, struct pkt *p, __u32 off, __u8 *next)
{
	for (int i = 0; i < PARSE_IPV6_HEADERS; i++) {
		const struct ipv6_rt_hdr *ext; /* the largest; all begin alike, and none is shorter than 8 octets */

		if (*next == IPPROTO_FRAGMENT) {
			if (parse_ipv6_fragment(ctx, p, off, next))
				return 0;
			off += sizeof(struct ipv6_fragment);
			if (p && p->frag_off)
				break;
			continue;
		}
		if (*next != IPPROTO_HOPOPTS && *next != IPPROTO_ROUTING && *next != IPPROTO_DSTOPTS)
			break;
		ext = ctx_header(ctx, off, sizeof(*ext));
		if (!ext)
			return 0;
		/* The destination is a stop on the way, not the end that the ports belong to (RFC 8200, 4.4). */
		if (*next == IPPROTO_ROUTING && ext->segments_left)
			return 0;
		*next = ext->nexthdr;
		off += (ext->hdrlen + 1) * 8;
		if (off > PARSE_L4_FARTHEST)
			return 0;
	}
	return off > PARSE_L4_FARTHEST ? 0 : off;
}

/* The ports of the packet inside, turned round as its addresses are. */
static __always_inline int parse_inner_ports(ctx_t *ctx, struct pkt *p)
{
	/* An error quotes at least 8 octets of the transport header (RFC 792; RFC 4443, 3). */
	const __be16 *l4ports = ctx_header(ctx, p->inner_l4, 8);

	if (!l4ports || (p->tuple.proto != IPPROTO_TCP && p->tuple.proto != IPPROTO_UDP))
		return -1;
	if (p->inner_l4 + 8u > p->l3 + p->len)
		return -1;
	p->tuple.dport = l4ports[0];
	p->tuple.sport = l4ports[1];
	p->is_error = 1;
	return 0;
}

static __always_inline int parse_inner_ipv4(ctx_t *ctx, struct pkt *p)
{
	const struct iphdr *ip = ctx_header(ctx, p->inner_l3, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5 || ip->frag_off & bpf_htons(IPV4_OFFSET))
		return -1;
	/* An error goes to the sender of what it is about (RFC 792), or it is forged. */
	if (ip->saddr != p->tuple.daddr.v4)
		return -1;
	p->tuple.saddr.v4 = ip->daddr;
	p->tuple.daddr.v4 = ip->saddr;
	p->tuple.proto = ip->protocol;
	p->inner_l4 = p->inner_l3 + ip->ihl * 4;
	return parse_inner_ports(ctx, p);
}

static __always_inline int parse_inner_ipv6(ctx_t *ctx, struct pkt *p)
{
	const struct ipv6hdr *ip = ctx_header(ctx, p->inner_l3, sizeof(*ip));
	__u8 next;

	if (!ip || ip->version != 6)
		return -1;
	if (ip->saddr.in6_u.u6_addr32[0] != p->tuple.daddr.w[0] ||
	    ip->saddr.in6_u.u6_addr32[1] != p->tuple.daddr.w[1] ||
	    ip->saddr.in6_u.u6_addr32[2] != p->tuple.daddr.w[2] || ip->saddr.in6_u.u6_addr32[3] != p->tuple.daddr.w[3])
		return -1;
	__builtin_memcpy(&p->tuple.saddr, &ip->daddr, sizeof(p->tuple.saddr));
	__builtin_memcpy(&p->tuple.daddr, &ip->saddr, sizeof(p->tuple.daddr));
	next = ip->nexthdr;
	p->inner_l4 = parse_ipv6_headers(ctx, NULL, p->inner_l3 + sizeof(*ip), &next);
	p->tuple.proto = next;
	return p->inner_l4 ? parse_inner_ports(ctx, p) : -1;
}

/* ICMP and ICMPv6 begin alike: type, code, checksum, four octets that depend on the type. */
static __always_inline int parse_icmp_error(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	const struct icmp_head *icmp = ctx_header(ctx, p->l4, sizeof(*icmp));

	if (!icmp)
		return -1;
	p->inner_l3 = p->l4 + sizeof(*icmp);
	if (family == XF_IPV6)
		/* Below 128 all are errors (RFC 4443, 2.1). */
		return icmp->type && icmp->type < ICMPV6_INFORMATIONAL ? parse_inner_ipv6(ctx, p) : -1;
	if (icmp->type != ICMP_DEST_UNREACH && icmp->type != ICMP_TIME_EXCEEDED && icmp->type != ICMP_PARAMETERPROB)
		return -1;
	return parse_inner_ipv4(ctx, p);
}

static __always_inline int parse_l4(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	if (p->len <= (__u32)(p->l4 - p->l3))
		return -1;
	if (!p->fragment)
		p->l4_len = p->len - (p->l4 - p->l3);
	if (!ctx_has(ctx, p->l3 + p->len))
		p->malformed = 1;
	p->hdr_len = p->l4 - p->l3;
	if (p->frag_off)
		return 0;
	switch (p->tuple.proto) {
	case IPPROTO_TCP:
		return parse_tcp(ctx, p);
	case IPPROTO_UDP:
		return parse_udp(ctx, p);
	case IPPROTO_ICMP:
		return family == XF_IPV4 && !p->fragment ? parse_icmp_error(ctx, p, family) : -1;
	case IPPROTO_ICMPV6:
		return family == XF_IPV6 && !p->fragment ? parse_icmp_error(ctx, p, family) : -1;
	default:
		return -1;
	}
}

static __always_inline int parse_ipv4(ctx_t *ctx, struct pkt *p)
{
	const struct iphdr *ip = ctx_header(ctx, p->l3, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return -1;
	p->tuple.saddr.v4 = ip->saddr;
	p->tuple.daddr.v4 = ip->daddr;
	p->tuple.proto = ip->protocol;
	p->ttl = ip->ttl;
	p->len = ctx_ip_len(ctx, p->l3, bpf_ntohs(ip->tot_len));
	p->l4 = p->l3 + ip->ihl * 4;
	if (ip->frag_off & bpf_htons(IPV4_MORE | IPV4_OFFSET)) {
		if (CTX_IS_FAST)
			return -1;
		p->fragment = ip->frag_off & bpf_htons(IPV4_MORE) ? FRAGMENT_PART | FRAGMENT_MORE : FRAGMENT_PART;
		p->frag_off = bpf_ntohs(ip->frag_off) << 3;
		p->frag_id = ip->id;
		p->frag_proto = ip->protocol;
		p->l4_len = p->len - ip->ihl * 4;
	}
	return parse_l4(ctx, p, XF_IPV4);
}

static __always_inline int parse_ipv6(ctx_t *ctx, struct pkt *p)
{
	const struct ipv6hdr *ip = ctx_header(ctx, p->l3, sizeof(*ip));
	__u8 next;

	if (!ip || ip->version != 6)
		return -1;
	__builtin_memcpy(&p->tuple.saddr, &ip->saddr, sizeof(p->tuple.saddr));
	__builtin_memcpy(&p->tuple.daddr, &ip->daddr, sizeof(p->tuple.daddr));
	p->ttl = ip->hop_limit;
	p->len = ctx_ip_len(ctx, p->l3, sizeof(*ip) + bpf_ntohs(ip->payload_len));
	next = ip->nexthdr;
	p->l4 = parse_ipv6_headers(ctx, p, p->l3 + sizeof(*ip), &next);
	p->tuple.proto = next;
	return p->l4 ? parse_l4(ctx, p, XF_IPV6) : -1;
}

/* 0: a TCP or UDP packet, whole or a fragment, or an error about one, all facts in *p; -1: not ours. */
static __always_inline int parse(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	return family == XF_IPV6 ? parse_ipv6(ctx, p) : parse_ipv4(ctx, p);
}

#endif
