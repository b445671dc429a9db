/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who comes: what both sides know of the sources of a rule's newcomers. A source
 * is an IPv4 address, or an IPv6 /64, the network that one subscriber has.
 *
 * How many there are is estimated by a HyperLogLog sketch for each rule (Flajolet
 * and others, 2007). Each source has a register and a rank by a hash of its
 * address: rank k with probability 2^-k. A register keeps the highest rank seen.
 * With 4096 of them the standard error is 1.6 %. Ranks from 15 on count as one,
 * which leaves room for some 30 million sources and halves the memory.
 */
#ifndef XDPFWD_WATCH_H
#define XDPFWD_WATCH_H

#include "xdpfwd/abi.h"

#define XF_SKETCH_REGISTERS 4096
#define XF_SKETCH_RANK_MAX  15
#define XF_SKETCH_SECONDS   3600 /* after which a new bank is begun */

/*
 * The sources of one rule: LRU hash "sketches", by rule id, made by the first. Of
 * two banks, one has those of this period, and the other those of the period
 * before: both together, of the last one to two hours.
 */
struct xf_sketch {
	__u64 seed;				/* random, so that nobody can choose sources that fall together */
	__u32 period[2];			/* which period the bank is of: jiffies64 / (hz * XF_SKETCH_SECONDS) */
	__u8 ranks[2][XF_SKETCH_REGISTERS / 2]; /* two registers an octet */
};

/* A source of a rule, as far as it is remembered: LRU hash "sources", by struct xf_source_key. */
struct xf_source_count {
	__u64 flows;   /* that it has opened */
	__u64 refused; /* packets of it that could have opened one */
	__u64 last;    /* jiffies64 of the latest of both */
};

/* Of an address, the 64 bits that tell sources apart. */
static __always_inline __u64 xf_source_bits(const union xf_addr *addr, __u8 family)
{
	return family == XF_IPV6 ? (__u64)addr->w[0] << 32 | addr->w[1] : addr->w[0];
}

/* Steele, Lea and Flood's mixer (2014): each bit of the result depends on all of the source and of the seed. */
static __always_inline __u64 xf_sketch_hash(__u64 seed, __u64 source)
{
	__u64 h = source ^ seed;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ h >> 27) * 0x94d049bb133111ebULL;
	return h ^ h >> 31;
}

static __always_inline __u32 xf_sketch_register(__u64 hash)
{
	return (__u32)(hash >> 32) % XF_SKETCH_REGISTERS;
}

/* One more than the number of zeros that the hash ends with; there is no instruction for it in BPF. */
static __always_inline __u8 xf_sketch_rank(__u64 hash)
{
	__u32 bits = (__u32)hash | 1u << (XF_SKETCH_RANK_MAX - 1);
	__u8 rank = 1;

	if (!(bits & 0xff)) {
		rank += 8;
		bits >>= 8;
	}
	if (!(bits & 0xf)) {
		rank += 4;
		bits >>= 4;
	}
	if (!(bits & 0x3)) {
		rank += 2;
		bits >>= 2;
	}
	return bits & 1 ? rank : rank + 1;
}

XF_SIZE(struct xf_sketch, 4112);
XF_SIZE(struct xf_source_count, 24);

#endif
