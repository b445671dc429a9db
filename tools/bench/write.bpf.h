/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing the frames of frame.h, whole, with complete checksums. */
#ifndef XDPFWD_BENCH_WRITE_BPF_H
#define XDPFWD_BENCH_WRITE_BPF_H

#include <linux/bpf.h>

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

static __always_inline __be16 udp_check(__u32 blank_sum, const struct bench_tuple *tuple, __u32 flow)
{
	__u32 ports = (__u32)tuple->sport + tuple->dport;
	__u16 check = ~bench_fold(blank_sum + sum_of_addresses(tuple) + ports + words_of(flow));

	return check ? bpf_htons(check) : 0xffff;
}

/* The frame's headers by pointers of their own: through the packed struct, each octet would be stored alone. */
static __always_inline void write_udp(void *at, const struct bench_tuple *tuple, __be16 check, __u32 flow)
{
	struct udphdr *udp = at;
	struct bench_tag *tag = at + sizeof(*udp);

	udp->source = bpf_htons(tuple->sport);
	udp->dest = bpf_htons(tuple->dport);
	udp->check = check;
	tag->flow = bpf_htonl(flow);
}

static __always_inline void write_frame(struct bench_frame *frame, const volatile struct bench_blank *blank,
					const struct bench_tuple *tuple, __u32 flow)
{
	struct iphdr *ip = (void *)&frame->ip;
	__u64 *to = (void *)frame;

#pragma unroll
	for (int i = 0; i < (int)(sizeof(*frame) / sizeof(*to)); i++)
		to[i] = blank->words[i];
	ip->saddr = bpf_htonl(tuple->saddr);
	ip->daddr = bpf_htonl(tuple->daddr);
	ip->check = bpf_htons(~bench_fold(blank->ip_sum + sum_of_addresses(tuple)));
	write_udp(&frame->udp, tuple, udp_check(blank->udp_sum, tuple, flow), flow);
}

static __always_inline void write_frame6(struct bench_frame6 *frame, const volatile struct bench_blank *blank,
					 const struct bench_tuple *tuple, __u32 flow)
{
	struct ipv6hdr *ip = (void *)&frame->ip;
	__u64 *to = (void *)frame;

#pragma unroll
	for (int i = 0; i < (int)(sizeof(*frame) / sizeof(*to)); i++)
		to[i] = blank->words[i];
	ip->saddr.in6_u.u6_addr32[3] = bpf_htonl(tuple->saddr);
	ip->daddr.in6_u.u6_addr32[3] = bpf_htonl(tuple->daddr);
	write_udp(&frame->udp, tuple, udp_check(blank->udp_sum, tuple, flow), flow);
}

#endif
