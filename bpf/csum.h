/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internet checksums by difference (RFC 1624, eqn. 3): HC' = ~(~HC + ~m + m').
 *
 * A difference is the one's complement sum of ~m + m' over all words that
 * changed, kept in 64 bits so that carries need no care until the end. Words
 * are taken as they stand in memory; the sum does not mind (RFC 1071, 2.B).
 */
#ifndef XDPFWD_BPF_CSUM_H
#define XDPFWD_BPF_CSUM_H

#include "pkt.h"

static __always_inline __u64 csum_diff32(__u64 diff, __u32 from, __u32 to)
{
	return diff + (__u32)~from + to;
}

static __always_inline __u64 csum_diff16(__u64 diff, __u16 from, __u16 to)
{
	return diff + (__u16)~from + to;
}

static __always_inline __u64 csum_diff_addr(__u64 diff, const union xf_addr *from, const union xf_addr *to,
					    const __u8 family)
{
	diff = csum_diff32(diff, from->w[0], to->w[0]);
	if (family == XF_IPV6) {
		diff = csum_diff32(diff, from->w[1], to->w[1]);
		diff = csum_diff32(diff, from->w[2], to->w[2]);
		diff = csum_diff32(diff, from->w[3], to->w[3]);
	}
	return diff;
}

static __always_inline __u32 csum_fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = csum_fold32(sum);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* A checksum field after the words of `diff` changed. */
static __always_inline __u16 csum_apply(__u16 check, __u64 diff)
{
	return ~csum_fold(diff + (__u16)~check);
}

static __always_inline __u64 csum_sum_addr(__u64 sum, const union xf_addr *a, const __u8 family)
{
	sum += a->w[0];
	if (family == XF_IPV6)
		sum += (__u64)a->w[1] + a->w[2] + a->w[3];
	return sum;
}

/* The folded sum of the pseudo-header (RFC 793 3.1, RFC 8200 8.1), not inverted. */
static __always_inline __u16 csum_pseudo(const struct pkt *p, const __u8 family)
{
	__u64 sum = bpf_htons(p->l4_len) + ((__u32)bpf_htons(p->tuple.proto));

	sum = csum_sum_addr(sum, &p->tuple.saddr, family);
	sum = csum_sum_addr(sum, &p->tuple.daddr, family);
	return csum_fold(sum);
}

#endif
