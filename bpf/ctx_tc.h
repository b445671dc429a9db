/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The full tier's way of touching a packet: TC, on socket buffers. The same
 * names as ctx_xdp.h; here a packet may be a GSO packet, its checksum may be
 * unfinished, and the way out may be any device.
 */
#ifndef XDPFWD_BPF_CTX_TC_H
#define XDPFWD_BPF_CTX_TC_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include "csum.h"
#include "maps.h"
#include "pkt.h"

typedef struct __sk_buff ctx_t;

#define TIER(name)    tc_##name /* global functions need names of their own in each object */
#define CTX_IS_FAST   0
#define CTX_PASS      TC_ACT_UNSPEC /* also TCX_NEXT: let the next program look at it */
#define CTX_DROP      TC_ACT_SHOT
#define CTX_MAX_L4OFF 0x1ff
#define CTX_LINEAR    256 /* Ethernet, IPv6 with extension headers, TCP with options */

/* In one instruction: the verifier wants the field's offset there, and the compiler likes to add it somewhere before. */
static __always_inline __u32 ctx_ingress(ctx_t *ctx)
{
	__u32 ifindex;

	asm("%0 = *(u32 *)(%1 + %2)" : "=r"(ifindex) : "r"(ctx), "i"(offsetof(ctx_t, ifindex)));
	return ifindex;
}

static __always_inline void *ctx_header(ctx_t *ctx, __u32 off, __u32 len)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	void *header = data + (off & CTX_MAX_L4OFF);

	return header + len > end ? NULL : header;
}

/*
 * Are the headers in front, and only a segment's data is in pages? So it is with
 * all that a local stack sends. Were some of that pulled in front, the receiving
 * stack could not join the segment to the one before, and would answer and wake
 * its reader for each by itself.
 */
static __always_inline bool ctx_headers_in_front(ctx_t *ctx, __u32 l3)
{
	const struct ipv6hdr *ip6 = ctx_header(ctx, l3, sizeof(struct iphdr));
	const struct iphdr *ip = (const void *)ip6;
	const struct tcphdr *tcp;
	__u32 l4;

	if (!ip || (ip->version == 4 && ip->frag_off & bpf_htons(IPV4_MORE | IPV4_OFFSET)))
		return false;
	if ((ip->version == 4 ? ip->protocol : ip6->nexthdr) != IPPROTO_TCP)
		return false;
	l4 = l3 + (ip->version == 4 ? ip->ihl * 4 : sizeof(*ip6));
	tcp = ctx_header(ctx, l4, sizeof(*tcp));
	return tcp && ctx_header(ctx, l4, tcp->doff * 4);
}

static __always_inline __be16 ctx_protocol(ctx_t *ctx, __u32 l3)
{
	__u32 want = ctx->len < CTX_LINEAR ? ctx->len : CTX_LINEAR;

	/* The kernel has taken the outer tag off: the VLAN device gets to see the packet. */
	if (ctx->pkt_type != 0 /* PACKET_HOST */ || ctx->vlan_present)
		return 0;
	if ((void *)(long)ctx->data + want > (void *)(long)ctx->data_end && !ctx_headers_in_front(ctx, l3) &&
	    bpf_skb_pull_data(ctx, want))
		return 0;
	return ctx->protocol;
}

/*
 * The same at egress, of what this machine itself sends: what came in somewhere
 * was seen there. Nothing is pulled in: the local stack's headers are in front.
 */
static __always_inline __be16 ctx_out_protocol(ctx_t *ctx)
{
	return ctx->ingress_ifindex || ctx->vlan_present ? 0 : ctx->protocol;
}

/* ctx_protocol has asked already. */
static __always_inline bool ctx_is_for_us(ctx_t *ctx)
{
	return true;
}

static __always_inline bool ctx_has(ctx_t *ctx, __u32 len)
{
	return ctx->len >= len;
}

static __always_inline bool ctx_is_gso(ctx_t *ctx)
{
	return ctx->gso_size;
}

/* The IP packet's length; a GSO packet may be longer than its header can say, which then says 0. */
static __always_inline __u32 ctx_ip_len(ctx_t *ctx, __u32 l3, __u32 len)
{
	return ctx_is_gso(ctx) ? ctx->len - l3 : len;
}

static __always_inline __u32 ctx_segments(ctx_t *ctx)
{
	return ctx->gso_segs > 1 ? ctx->gso_segs : 1;
}

static __always_inline __u32 ctx_segment_len(ctx_t *ctx, const struct pkt *p)
{
	return ctx->gso_size ? p->hdr_len + ctx->gso_size : p->len;
}

static __always_inline bool ctx_csum_unfinished(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	return false; /* the helper below knows */
}

/*
 * The helper tells CHECKSUM_PARTIAL (only the pseudo-header's part changes),
 * COMPLETE and NONE apart. Two differences, since the addresses are part of the
 * pseudo-header and the ports are not.
 */
static __always_inline int ctx_l4_csum(ctx_t *ctx, const struct pkt *p, __u64 addr_diff, __u64 port_diff)
{
	bool udp = p->tuple.proto == IPPROTO_UDP;
	__u64 flags = udp ? BPF_F_MARK_MANGLED_0 : 0;
	__u32 off = p->l4 + (udp ? 6 : 16);

	if (bpf_l4_csum_replace(ctx, off, 0, csum_fold32(addr_diff), BPF_F_PSEUDO_HDR | flags))
		return -1;
	if (port_diff && bpf_l4_csum_replace(ctx, off, 0, csum_fold32(port_diff), flags))
		return -1;
	return 0;
}

/*
 * IPv6 has no header checksum to even out what changes in the header, so a
 * CHECKSUM_COMPLETE sum must follow; the helper above moves it as for IPv4.
 * Fails with ENOTSUPP, and rightly, for all other packets.
 */
static __always_inline void ctx_sum_changed(ctx_t *ctx, __u64 diff)
{
	bpf_csum_update(ctx, csum_fold32(diff));
}

static __always_inline bool ctx_l2_addresses(ctx_t *ctx, __u8 *dest, __u8 *source, __u32 l3)
{
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));

	if (!l3 || !eth)
		return false;
	__builtin_memcpy(dest, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(source, eth->h_source, ETH_ALEN);
	return true;
}

static __always_inline bool ctx_can_send(const struct xf_flow *f)
{
	return true;
}

/* Known link addresses: what the device's link layer needs is in front already, or put there. -1: it cannot be. */
static __always_inline int ctx_put_l2(ctx_t *ctx, const struct xf_flow *f, __u32 l3)
{
	struct ethhdr *eth;

	if (!l3 && bpf_skb_change_head(ctx, ETH_HLEN, 0))
		return -1;
	eth = ctx_header(ctx, 0, sizeof(*eth));
	if (!eth)
		return -1;
	mac_copy(eth->h_dest, f->dmac);
	mac_copy(eth->h_source, f->smac);
	if (!l3)
		eth->h_proto = ctx->protocol;
	return 0;
}

static __always_inline int ctx_send(ctx_t *ctx, const struct xf_flow *f, __u32 l3)
{
	struct route_query *query;
	__u32 zero = 0;

	if (f->flags & XF_FLOW_L2)
		return ctx_put_l2(ctx, f, l3) ? TC_ACT_SHOT : bpf_redirect(f->ifindex, 0);
	/* A flow learns where its client is; who has no link address there is on an L3 device. */
	if (f->flags & XF_FLOW_REPLY && !(f->flags & XF_FLOW_STATELESS))
		return bpf_redirect(f->ifindex, 0);
	query = bpf_map_lookup_elem(&route_query, &zero);
	return query ? bpf_redirect_neigh(f->ifindex, &query->nh, sizeof(query->nh), 0) : TC_ACT_SHOT;
}

/*
 * Up to this machine's own sockets. The kernel takes packets to ::1 from nothing
 * but loopback (RFC 4291, 2.5.3), so that is where they are put in.
 */
static __always_inline int ctx_deliver(ctx_t *ctx, const struct xf_flow *f, __u32 l3, const __u8 family)
{
	struct ethhdr *eth;

	if (family == XF_IPV4 || ctx->ifindex == LOOPBACK_IFINDEX || !addr_is_loopback(&f->daddr6, XF_IPV6))
		return CTX_PASS;
	if (!l3 && bpf_skb_change_head(ctx, ETH_HLEN, 0))
		return TC_ACT_SHOT;
	eth = ctx_header(ctx, 0, sizeof(*eth));
	if (!eth)
		return TC_ACT_SHOT;
	__builtin_memset(eth->h_dest, 0, ETH_ALEN); /* loopback's own: else it is for another host */
	eth->h_proto = bpf_htons(ETH_P_IPV6);
	return bpf_redirect(LOOPBACK_IFINDEX, BPF_F_INGRESS);
}

/* Out again where it came in, to the neighbour that it came from. */
static __always_inline int ctx_send_back(ctx_t *ctx, __u32 l3)
{
	struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));
	__u8 source[ETH_ALEN];

	if (l3) {
		if (!eth)
			return TC_ACT_SHOT;
		__builtin_memcpy(source, eth->h_source, ETH_ALEN);
		__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
		__builtin_memcpy(eth->h_dest, source, ETH_ALEN);
	}
	return bpf_redirect(ctx->ifindex, 0);
}

static __always_inline bool ctx_can_send_back(ctx_t *ctx)
{
	return true;
}

/*
 * A sender may have left the transport checksum to be finished by a device on
 * the way (CHECKSUM_PARTIAL); it would then be finished inside what takes the
 * packet's place. The kernel takes that mark off when more than all headers is
 * cut off in front.
 */
#define CTX_SHIFT 512

/* Puts an IP packet in the place of the one at hand and sends it back to where that came from. */
static __always_inline int ctx_answer(ctx_t *ctx, __u32 l3, const void *packet, __u32 len)
{
	if (bpf_skb_change_tail(ctx, l3 + len + CTX_SHIFT, 0) ||
	    bpf_skb_adjust_room(ctx, -CTX_SHIFT, BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_store_bytes(ctx, l3, packet, len, BPF_F_INVALIDATE_HASH | BPF_F_RECOMPUTE_CSUM))
		return CTX_DROP;
	return ctx_send_back(ctx, l3);
}

#define CTX_KSYM_ONCE /* see ctx_xdp.h */

struct nf_conn;
struct host_ct_opts;
struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *ctx, struct bpf_sock_tuple *tuple, __u32 tuple_len,
				  struct host_ct_opts *opts, __u32 opts_len) __ksym __weak;

/* 12 octets of options are what all kernels take that have the call. */
#define ctx_ct_lookup(ctx, tuple, len, opts) bpf_skb_ct_lookup(ctx, tuple, len, opts, sizeof(*(opts)))

#define CTX_SENT TC_ACT_REDIRECT

#endif
