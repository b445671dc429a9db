/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast tier's way of touching a packet: XDP, native or generic. ctx_tc.h
 * has the same names for the full tier; the stages know only these.
 */
#ifndef XDPFWD_BPF_CTX_XDP_H
#define XDPFWD_BPF_CTX_XDP_H

#include "csum.h"
#include "maps.h"
#include "pkt.h"

typedef struct xdp_md ctx_t;

#define TIER(name)    xdp_##name /* global functions need names of their own in each object */
#define CTX_IS_FAST   1
#define CTX_PASS      XDP_PASS
#define CTX_DROP      XDP_DROP
#define CTX_MAX_L4OFF 0x1ff /* parse.h gives up beyond, so that the verifier sees a bound */

static __always_inline __u32 ctx_ingress(ctx_t *ctx)
{
	return ctx->ingress_ifindex;
}

/* `len` octets from `off` on, to read or write; NULL where the packet is shorter. */
static __always_inline void *ctx_header(ctx_t *ctx, __u32 off, __u32 len)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	void *header = data + (off & CTX_MAX_L4OFF);

	return header + len > end ? NULL : header;
}

/* Is there work here? The network protocol, or 0 for what is not ours to see. */
static __always_inline __be16 ctx_protocol(ctx_t *ctx, __u32 l3)
{
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));

	/* Group addresses are no way to reach a router. A tag is left to the VLAN device. */
	if (!eth || eth->h_dest[0] & 1)
		return 0;
	return eth->h_proto;
}

/*
 * Is the frame for this machine, and not for another station that we overhear (a
 * promiscuous device, a bridge port)? Asked before a flow is made; a wrong "no",
 * from a device that changed its address, only leaves the packet to the full
 * tier, which is told.
 */
static __always_inline bool ctx_is_for_us(ctx_t *ctx)
{
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));
	__u32 ifindex = ctx->ingress_ifindex;
	const struct xf_iface *iface = bpf_map_lookup_elem(&interfaces, &ifindex);

	if (!eth)
		return false;
	return !iface || mac_equal(iface->mac, eth->h_dest) || mac_is_none(iface->mac);
}

static __always_inline bool ctx_has(ctx_t *ctx, __u32 len)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	/* Only a frame of several buffers needs the call. */
	return data + len <= end || bpf_xdp_get_buff_len(ctx) >= len;
}

static __always_inline bool ctx_is_gso(ctx_t *ctx)
{
	return false;
}

/* The IP packet's length, where its header says `len`. */
static __always_inline __u32 ctx_ip_len(ctx_t *ctx, __u32 l3, __u32 len)
{
	return len;
}

/* How many packets of the wire this is, and how long the largest is from the IP header on. */
static __always_inline __u32 ctx_segments(ctx_t *ctx)
{
	return 1;
}

static __always_inline __u32 ctx_segment_len(ctx_t *ctx, const struct pkt *p)
{
	return p->len;
}

/*
 * A local sender (veth, tap, container) may leave the checksum to a NIC that
 * never comes: the field then holds just the pseudo-header's sum, and XDP is not
 * told. What looks so, one true checksum in 65,536 too, is left to the full
 * tier, which is told.
 */
static __always_inline bool ctx_csum_unfinished(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	return p->l4_check == csum_pseudo(p, family);
}

/* Fixes the L4 checksum for changed addresses and ports; keeps UDP's "none" (RFC 768). */
static __always_inline int ctx_l4_csum(ctx_t *ctx, const struct pkt *p, __u64 addr_diff, __u64 port_diff)
{
	bool udp = p->tuple.proto == IPPROTO_UDP;
	__u16 *check = ctx_header(ctx, p->l4 + (udp ? 6 : 16), sizeof(*check));

	if (!check)
		return -1;
	if (udp && !*check)
		return 0;
	*check = csum_apply(*check, addr_diff + port_diff);
	if (udp && !*check)
		*check = 0xffff;
	return 0;
}

/* The packet's whole sum has changed; here nobody keeps it. */
static __always_inline void ctx_sum_changed(ctx_t *ctx, __u64 diff)
{
}

/* Copies the addresses of the Ethernet header that the frame came with; false: it has none. */
static __always_inline bool ctx_l2_addresses(ctx_t *ctx, __u8 *dest, __u8 *source, __u32 l3)
{
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));

	if (!eth)
		return false;
	__builtin_memcpy(dest, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(source, eth->h_source, ETH_ALEN);
	return true;
}

/* Can this tier send on the flow's way out? */
static __always_inline bool ctx_can_send(const struct xf_flow *f)
{
	return (f->flags & (XF_FLOW_FAST | XF_FLOW_L2)) == (XF_FLOW_FAST | XF_FLOW_L2);
}

/* Sends the rewritten packet on the flow's way out; returns the program's verdict. */
static __always_inline int ctx_send(ctx_t *ctx, const struct xf_flow *f, __u32 l3)
{
	struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));

	if (!eth)
		return XDP_DROP;
	mac_copy(eth->h_dest, f->dmac);
	mac_copy(eth->h_source, f->smac);
	return bpf_redirect_map(&egress, f->ifindex, 0);
}

/* Can a frame go out again where it came in? What takes no XDP frames at all does not take back its own either. */
static __always_inline bool ctx_can_send_back(ctx_t *ctx)
{
	__u32 ifindex = ctx->ingress_ifindex;

	return bpf_map_lookup_elem(&egress, &ifindex);
}

/*
 * Puts an IP packet, which is not longer, in the place of the one at hand, and
 * sends it out again where that came in, to the neighbour that it came from. Not
 * by XDP_TX: a veth whose peer has no XDP program keeps what was sent so.
 */
static __always_inline int ctx_answer(ctx_t *ctx, __u32 l3, const void *packet, const __u32 len)
{
	int excess = bpf_xdp_get_buff_len(ctx) - (sizeof(struct ethhdr) + len);
	__u8 source[ETH_ALEN];
	struct ethhdr *eth;

	if (excess < 0 || bpf_xdp_adjust_tail(ctx, -excess))
		return XDP_DROP;
	eth = ctx_header(ctx, 0, sizeof(*eth) + len);
	if (!eth)
		return XDP_DROP;
	__builtin_memcpy(eth + 1, packet, len);
	__builtin_memcpy(source, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, source, ETH_ALEN);
	return bpf_redirect_map(&egress, ctx->ingress_ifindex, 0);
}

/*
 * libbpf's linker (1.1) fails on a kernel function that stands in the ksyms
 * section of two objects: only one of them may say so.
 */
#define CTX_KSYM_ONCE __ksym

struct nf_conn;
struct host_ct_opts;
struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 tuple_len,
				  struct host_ct_opts *opts, __u32 opts_len) __ksym __weak;

/* 12 octets of options are what all kernels take that have the call. */
#define ctx_ct_lookup(ctx, tuple, len, opts) bpf_xdp_ct_lookup(ctx, tuple, len, opts, sizeof(*(opts)))

#define CTX_SENT XDP_REDIRECT

#endif
