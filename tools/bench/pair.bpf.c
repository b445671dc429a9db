// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical limit for a TCP connection over IPv4: both directions are rewritten
 * by constants and redirected, nothing is looked up. What is not TCP (ARP) is the
 * kernel's.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "shift.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wire_target SEC(".maps"), wire_client SEC(".maps");

/* Where the target is, and where the client is: the way out, its MAC address behind that of who is there. */
const volatile __u32 out_target, out_client;
const volatile __u32 macs_target[2 * ETH_ALEN / 4], macs_client[2 * ETH_ALEN / 4];

#define GROWTH(there, growth) ((there) ? FOLDED(growth) : 0xffff - FOLDED(growth))

#define TCP_AT	     BENCH_L4_AT(false)
#define IP_CHECK_AT  (BENCH_IP_AT + offsetof(struct iphdr, check))
#define TCP_CHECK_AT (TCP_AT + BENCH_CHECK_AT(true))

/* What was, and what is instead. */
struct change {
	__be32 addr[2];
	__be16 port[2];
};

static __always_inline bool ours(const void *frame, const void *end)
{
	const struct ethhdr *eth = frame;
	const struct iphdr *ip = frame + BENCH_IP_AT;

	return frame + TCP_AT + BENCH_TCP_OCTETS <= end && eth->h_proto == bpf_htons(ETH_P_IP) && ip->ihl == 5 &&
	       ip->protocol == IPPROTO_TCP;
}

/* All but the checksums. there: on its way to the target. */
static __always_inline struct change rewrite(void *frame, const bool there)
{
	struct tcphdr *tcp = frame + TCP_AT;
	struct iphdr *ip = frame + BENCH_IP_AT;
	__be32 *addr = there ? &ip->daddr : &ip->saddr;
	__be16 *port = there ? &tcp->dest : &tcp->source;
	const __u32 addr_shift = there ? ADDR_SHIFT : -ADDR_SHIFT, port_shift = there ? PORT_SHIFT : -PORT_SHIFT;
	struct change change = {.addr = {*addr}, .port = {*port}};
	__u32 *eth = frame;

	for (int i = 0; i < 3; i++)
		eth[i] = there ? macs_target[i] : macs_client[i];
	*addr = change.addr[1] = bpf_htonl(bpf_ntohl(*addr) + addr_shift);
	*port = change.port[1] = bpf_htons(bpf_ntohs(*port) + port_shift);
	return change;
}

static __always_inline int xdp(struct xdp_md *ctx, const bool there)
{
	void *frame = (void *)(long)ctx->data;
	__be16 *ip_check = frame + IP_CHECK_AT, *tcp_check = frame + TCP_CHECK_AT;

	if (!ours(frame, (void *)(long)ctx->data_end))
		return XDP_PASS;
	rewrite(frame, there);
	*ip_check = grown(*ip_check, GROWTH(there, ADDR_GROWTH));
	*tcp_check = grown(*tcp_check, GROWTH(there, ADDR_GROWTH + PORT_SHIFT));
	return there ? bpf_redirect_map(&wire_target, 0, 0) : bpf_redirect_map(&wire_client, 0, 0);
}

static __always_inline int tc(struct __sk_buff *ctx, const bool there)
{
	void *frame = (void *)(long)ctx->data;
	struct change change;

	if (!ours(frame, (void *)(long)ctx->data_end))
		return TC_ACT_OK;
	change = rewrite(frame, there);
	bpf_l3_csum_replace(ctx, IP_CHECK_AT, change.addr[0], change.addr[1], 4);
	bpf_l4_csum_replace(ctx, TCP_CHECK_AT, change.addr[0], change.addr[1], BPF_F_PSEUDO_HDR | 4);
	bpf_l4_csum_replace(ctx, TCP_CHECK_AT, change.port[0], change.port[1], 2);
	return bpf_redirect(there ? out_target : out_client, 0);
}

SEC("xdp")
int pair_there(struct xdp_md *ctx)
{
	return xdp(ctx, true);
}

SEC("xdp")
int pair_back(struct xdp_md *ctx)
{
	return xdp(ctx, false);
}

SEC("tc")
int pair_tc_there(struct __sk_buff *ctx)
{
	return tc(ctx, true);
}

SEC("tc")
int pair_tc_back(struct __sk_buff *ctx)
{
	return tc(ctx, false);
}

char _license[] SEC("license") = "GPL";
