/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing the frames of frame.h, whole, with complete checksums. */
#ifndef XDPFWD_BENCH_WRITE_BPF_H
#define XDPFWD_BENCH_WRITE_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"

static __always_inline __u32 words_of(__u32 value)
{
	return (value >> 16) + (value & 0xffff);
}

static __always_inline __u32 sum_of_addresses(const struct bench_tuple *tuple)
{
	return words_of(tuple->saddr) + words_of(tuple->daddr);
}

static __always_inline __be16 l4_check(__u32 blank_sum, const struct bench_tuple *tuple, __u32 flow)
{
	__u32 ports = (__u32)tuple->sport + tuple->dport;
	__u16 check = ~bench_fold(blank_sum + sum_of_addresses(tuple) + ports + words_of(flow));

	return check ? bpf_htons(check) : 0xffff;
}

static __always_inline void write_addresses(void *ip, const struct bench_tuple *tuple, const bool ipv6)
{
	/* Source and destination; of IPv6 the last word of each, before which all are alike. */
	__be32 *saddr = ip + (ipv6 ? 20 : 12), *daddr = ip + (ipv6 ? 36 : 16);

	*saddr = bpf_htonl(tuple->saddr);
	*daddr = bpf_htonl(tuple->daddr);
}

/* A frame of BENCH_SIZE(ipv6, tcp) octets. */
static __always_inline void write_frame(void *frame, const volatile struct bench_blank *blank,
					const struct bench_tuple *tuple, __u32 flow, const bool ipv6, const bool tcp)
{
	void *ip = frame + BENCH_IP_AT, *l4 = frame + BENCH_L4_AT(ipv6);
	struct bench_tag *tag = frame + BENCH_TAG_AT(ipv6, tcp);
	__be16 *ports = l4;
	__u64 *to = frame;

#pragma unroll
	for (int i = 0; i < (int)(BENCH_SIZE(ipv6, tcp) / sizeof(*to)); i++)
		to[i] = blank->words[i];
	write_addresses(ip, tuple, ipv6);
	if (!ipv6)
		((struct iphdr *)ip)->check = bpf_htons(~bench_fold(blank->ip_sum + sum_of_addresses(tuple)));
	ports[0] = bpf_htons(tuple->sport);
	ports[1] = bpf_htons(tuple->dport);
	*(__be16 *)(l4 + BENCH_CHECK_AT(tcp)) = l4_check(blank->l4_sum, tuple, flow);
	tag->flow = bpf_htonl(flow);
}

#endif
