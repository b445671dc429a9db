// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical limit: rewrites MAC addresses, destination address and port by
 * constants, sends the frame out, looks at nothing. It knows that every frame
 * it sees is the generator's, and leaves the TTL alone.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wire SEC(".maps");

const volatile __u32 macs[2 * ETH_ALEN / 4]; /* target's, then the way out's, octets in order */

#define ADDR_SHIFT (BENCH_TARGET_NET + BENCH_TARGET_HOST - BENCH_LISTEN_NET - BENCH_LISTEN_HOST)
#define PORT_SHIFT (BENCH_TARGET_PORT - BENCH_LISTEN_PORT)
/* By how much the sum of 16-bit words grows: the new words, and the complements of the old ones. */
#define ADDR_GROWTH                                                                           \
	((BENCH_TARGET_NET >> 16) + BENCH_TARGET_HOST + (0xffff - (BENCH_LISTEN_NET >> 16)) + \
	 (0xffff - BENCH_LISTEN_HOST))
#define FOLDED(growth) (((growth)&0xffff) + ((growth) >> 16))

/* The sum is the same in either byte order, so only the constant is turned. */
static __always_inline __be16 grown(__be16 check, __u16 growth)
{
	__u32 sum = (__u16)~check + (__u32)bpf_htons(growth);

	return ~((sum & 0xffff) + (sum >> 16));
}

SEC("xdp.frags")
int bench_bare(struct xdp_md *ctx)
{
	struct bench_frame *frame = (void *)(long)ctx->data;
	/* Not through the packed struct: that would load and store octet by octet. */
	__u32 *eth = (void *)&frame->eth;
	struct iphdr *ip = (void *)&frame->ip;
	struct udphdr *udp = (void *)&frame->udp;
	__be16 check;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	for (int i = 0; i < 3; i++)
		eth[i] = macs[i];
	ip->daddr = bpf_htonl(bpf_ntohl(ip->daddr) + ADDR_SHIFT);
	udp->dest = bpf_htons(bpf_ntohs(udp->dest) + PORT_SHIFT);
	ip->check = grown(ip->check, FOLDED(ADDR_GROWTH));
	check = grown(udp->check, FOLDED(ADDR_GROWTH + PORT_SHIFT));
	udp->check = check ? check : 0xffff;
	return bpf_redirect_map(&wire, 0, 0);
}

char _license[] SEC("license") = "GPL";
