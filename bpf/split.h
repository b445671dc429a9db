/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPv4 packets that may be fragmented, and must be: larger than the way out
 * carries, and without DF (RFC 791, 3.2; RFC 1812, 5.2.6). The packet is
 * rewritten first, as if it fitted; then it is copied aside and sent piece by
 * piece, in order. What comes as a fragment is cut further. Full tier only.
 */
#ifndef XDPFWD_BPF_SPLIT_H
#define XDPFWD_BPF_SPLIT_H

#include <linux/ip.h>

#include "csum.h"
#include "maps.h"
#include "pkt.h"

#define SPLIT_PIECE  8192  /* octets in a piece behind its header, at most: the kernel lets a packet grow to 16 KiB */
#define SPLIT_MOST   24000 /* of a packet that is split: with a piece more, what a per-CPU entry can hold */
#define SPLIT_PIECES 64	   /* of one packet; 20 are the most on a link of 1280 octets */
#define SPLIT_CHUNK  512   /* what one bpf_csum_diff sums at most */
#define SPLIT_HEADER 60	   /* an IPv4 header with all the options that it can have */

#define SPLIT_DONT  0x4000 /* RFC 791, 3.1 */
#define SPLIT_MORE  0x2000
#define IPV4_COPIED 0x80 /* an option that all fragments have */
#define IPV4_NOP    1

/*
 * A local sender may have left the checksum to a device (CHECKSUM_PARTIAL). The
 * mark must go, or each piece would be finished by itself; see ERROR_SHIFT.
 */
#define SPLIT_SHIFT 512

/* A packet that is being split, and what is done with it. */
struct split_draft {
	__u32 l3;
	__u32 header; /* octets */
	__u32 rest;
	__u32 step;	/* octets in a piece behind its header */
	__u32 frag_off; /* flags and offset, as the packet came */
	__u32 ifindex;	/* where the pieces go to */
	__u32 flags;	/* of the redirection */
	__u8 first[SPLIT_HEADER];
	__u8 later[SPLIT_HEADER]; /* of all pieces but the first */
	__u8 octets[SPLIT_MOST + SPLIT_PIECE];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct split_draft);
} split_draft SEC(".maps");

static __always_inline struct split_draft *split_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&split_draft, &zero);
}

static __always_inline __u32 split_step(const struct pkt *p)
{
	__u32 step = (p->mtu - (p->l4 - p->l3)) & ~7u;

	return step < SPLIT_PIECE ? step : SPLIT_PIECE;
}

/* Of a packet that is too big. A GSO packet is many, and each of them would have to be split. */
static __always_inline bool split_may(ctx_t *ctx, const struct pkt *p)
{
	const struct iphdr *ip = ctx_header(ctx, p->l3, sizeof(*ip));
	__u32 header = p->l4 - p->l3, rest = p->len - header;

	if (!ip || ip->version != 4 || ip->frag_off & bpf_htons(SPLIT_DONT) || ctx_is_gso(ctx))
		return false;
	return p->mtu >= header + 8 && rest <= SPLIT_MOST && rest <= split_step(p) * SPLIT_PIECES;
}

/* The header of all pieces but the first: in place of options that they do not have, there is nothing. */
__noinline int TIER(split_options)(__u32 header)
{
	struct split_draft *d = split_get();
	__u8 left = 0, kind = 0;

	if (!d)
		return -1;
	__builtin_memcpy(d->later, d->first, SPLIT_HEADER);
	for (__u32 i = sizeof(struct iphdr); i < SPLIT_HEADER - 1; i++) {
		if (i >= header)
			break;
		if (!left) {
			kind = d->later[i];
			left = kind == IPV4_NOP ? 1 : d->later[i + 1];
			if (!kind || !left)
				break;
		}
		if (!(kind & IPV4_COPIED))
			d->later[i] = IPV4_NOP;
		left--;
	}
	return 0;
}

/* The sum of all that follows the header. */
__noinline __u32 TIER(split_sum)(__u32 len)
{
	struct split_draft *d = split_get();
	__u64 sum = 0, left = len;

	if (!d)
		return 0;
	for (int i = 0; i < SPLIT_MOST / SPLIT_CHUNK + 1; i++) {
		__u64 chunk = len_bounded(left < SPLIT_CHUNK ? (left + 3) & ~3ull : SPLIT_CHUNK, 4, SPLIT_CHUNK);

		if (!chunk)
			break;
		sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(d->octets + i * SPLIT_CHUNK), chunk, 0);
		left = left < SPLIT_CHUNK ? 0 : left - SPLIT_CHUNK;
	}
	return csum_fold(sum);
}

/*
 * Finishes the checksum that a local sender has left at the pseudo-header's sum.
 * One that only looks so, though it was whole, comes out as it is.
 */
static __always_inline void split_finish(struct split_draft *d, const struct pkt *p)
{
	const struct iphdr *ip = (struct iphdr *)d->first;
	bool udp = p->tuple.proto == IPPROTO_UDP;
	__u16 *check = (__u16 *)(d->octets + (udp ? 6 : 16));
	__u64 sum;

	if (p->fragment || p->is_error || p->l4_check != csum_pseudo(p, XF_IPV4))
		return;
	*check = 0;
	sum = (__u64)ip->saddr + ip->daddr + bpf_htons(d->rest) + (__u32)bpf_htons(ip->protocol);
	*check = ~csum_fold(sum + TIER(split_sum)(d->rest));
	if (udp && !*check)
		*check = 0xffff;
}

/* Copies the packet aside. The tests stand apart: 6.1 loses a length's lower bound where two of them are merged. */
static __always_inline int split_copy(ctx_t *ctx, struct split_draft *d, const struct pkt *p)
{
	__u64 header = len_bounded(p->l4 - p->l3, sizeof(struct iphdr), SPLIT_HEADER), rest;

	__builtin_memset(d->first, 0, sizeof(d->first));
	if (!header || bpf_skb_load_bytes(ctx, p->l3, d->first, header))
		return -1;
	d->l3 = p->l3;
	d->header = p->l4 - p->l3;
	d->rest = p->len - d->header;
	d->step = split_step(p);
	d->frag_off = bpf_ntohs(((struct iphdr *)d->first)->frag_off);
	rest = len_bounded(d->rest, 8, SPLIT_MOST);
	if (!rest || bpf_skb_load_bytes(ctx, p->l4, d->octets, rest))
		return -1;
	__builtin_memset(d->octets + rest, 0, 4);
	return 0;
}

/* Copies the packet aside, and makes room for its first piece. -1: the packet is lost. */
static __always_inline int split_take(ctx_t *ctx, struct split_draft *d, const struct pkt *p)
{
	struct iphdr *later = (struct iphdr *)d->later;

	if (split_copy(ctx, d, p) || TIER(split_options)(d->header))
		return -1;
	later->check = csum_apply(later->check, (__u32)bpf_csum_diff((__be32 *)d->first, SPLIT_HEADER,
								     (__be32 *)d->later, SPLIT_HEADER, 0));
	split_finish(d, p);
	if (bpf_skb_change_tail(ctx, p->l4 + d->step + SPLIT_SHIFT, 0))
		return -1;
	return bpf_skb_adjust_room(ctx, -SPLIT_SHIFT, BPF_ADJ_ROOM_MAC, 0);
}

/* Makes `head` the header of the piece at `off`. */
static __always_inline void split_number(struct iphdr *head, const struct split_draft *d, __u32 off, __u32 len)
{
	__u16 more = off + len < d->rest ? SPLIT_MORE : 0;
	__be16 frag_off = bpf_htons((d->frag_off | more) + off / 8);
	__be16 tot_len = bpf_htons(d->header + len);
	__u64 diff = csum_diff16(0, head->tot_len, tot_len);

	head->check = csum_apply(head->check, csum_diff16(diff, head->frag_off, frag_off));
	head->tot_len = tot_len;
	head->frag_off = frag_off;
}

/* Makes the packet at hand the piece at `off`. */
static __always_inline int split_put(ctx_t *ctx, struct split_draft *d, __u32 off)
{
	__u32 left = d->rest - off, end = d->l3 + d->header;
	__u8 *head = off ? d->later : d->first;
	__u64 len = left < d->step ? left : d->step, at;

	split_number((struct iphdr *)head, d, off, len);
	if (bpf_skb_change_tail(ctx, end + len, 0))
		return -1;
	at = len_bounded(d->header, sizeof(struct iphdr), SPLIT_HEADER);
	if (!at || bpf_skb_store_bytes(ctx, d->l3, head, at, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return -1;
	at = len_bounded(off, 0, SPLIT_MOST);
	/* It may be 1, and that no comparison tells 6.1. */
	len--;
	asm volatile("" : "+r"(len));
	len &= SPLIT_PIECE - 1;
	return bpf_skb_store_bytes(ctx, end, d->octets + at, len + 1, BPF_F_RECOMPUTE_CSUM);
}

/* Sends all pieces but the last, which is then at hand. */
static __always_inline int split_send(ctx_t *ctx, struct split_draft *d)
{
	__u32 off = 0;
	int err = 0;

	for (int i = 0; i < SPLIT_PIECES && !err; i++) {
		err = split_put(ctx, d, off);
		off += d->step;
		if (off >= d->rest)
			break;
		/* More than zero tells of a queue that is full. */
		if (!err && (int)bpf_clone_redirect(ctx, d->ifindex, d->flags) < 0)
			err = -1;
	}
	return err;
}

/*
 * Sends the rewritten packet in pieces on the flow's way out; returns the
 * program's verdict. Of a way out whose neighbour is not known only the first
 * goes there, for which the kernel looks for it.
 */
__noinline int TIER(split)(ctx_t *ctx, const struct pkt *p, const struct xf_flow *f)
{
	struct split_draft *d = split_get();

	if (!p || !f || !d || split_take(ctx, d, p))
		return CTX_DROP;
	if (!(f->flags & (XF_FLOW_L2 | XF_FLOW_REPLY)))
		return split_put(ctx, d, 0) ? CTX_DROP : ctx_send(ctx, f, d->l3);
	if (f->flags & XF_FLOW_L2) {
		if (ctx_put_l2(ctx, f, d->l3))
			return CTX_DROP;
		d->l3 = ETH_HLEN;
	}
	d->ifindex = f->ifindex;
	d->flags = 0;
	return split_send(ctx, d) ? CTX_DROP : bpf_redirect(f->ifindex, 0);
}

/*
 * The same with the packet as it came, back to the interface: the pieces come
 * again, and each takes the ordinary way. True: they do.
 */
__noinline int TIER(split_back)(ctx_t *ctx, const struct pkt *p)
{
	struct split_draft *d = split_get();

	if (!p || !d || split_take(ctx, d, p))
		return false;
	d->ifindex = ctx_ingress(ctx);
	d->flags = BPF_F_INGRESS;
	return !split_send(ctx, d) && !bpf_clone_redirect(ctx, d->ifindex, d->flags);
}

/*
 * A packet that is larger than the flow's way out carries. SEND: to be sent in
 * pieces. DROP without a reason: it comes again in pieces, since the neighbour is
 * not known and the kernel finds it for what a program returns, not for clones.
 */
static __always_inline enum verdict split_judge(ctx_t *ctx, struct pkt *p, const struct xf_flow *f)
{
	if (!split_may(ctx, p))
		return refuse(p, XF_REASON_TOO_BIG);
	if (f->flags & (XF_FLOW_L2 | XF_FLOW_REPLY) || p->frag_off || p->is_error)
		return SEND;
	return TIER(split_back)(ctx, p) ? DROP : refuse(p, XF_REASON_REDIRECT_FAILED);
}

/* Does it have to be sent in pieces? */
static __always_inline bool split_is_due(ctx_t *ctx, const struct pkt *p)
{
	return p->mtu && ctx_segment_len(ctx, p) > p->mtu;
}

#endif
