/* SPDX-License-Identifier: GPL-2.0-only */
/* The numbers that only who receives our answers can know, see syn.h. */
#ifndef XDPFWD_BPF_SYN_COOKIE_H
#define XDPFWD_BPF_SYN_COOKIE_H

#include "cfg.h"
#include "pkt.h"

#define SYN_PERIOD     8 /* seconds after which cookies change; the last one is valid as well */
#define SYN_HASH_WORDS 5
#define SYN_NUMBER     0x3fffffffu /* the bits of a cookie that follow from the hash */

/*
 * How far a cookie is below the SYN's own number, at least; and less than twice
 * that, so that it is an old number to everybody. Some firewalls (pf) want resets
 * exact to the octet if what they answer was within a window of the right number,
 * and answer themselves if it was not.
 */
#define SYN_DISTANCE 0x40000000u

static __always_inline __u64 syn_rotate(__u64 x, const __u32 bits)
{
	return x << bits | x >> (64 - bits);
}

static __always_inline void syn_hash_round(__u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = syn_rotate(v[1], 13) ^ v[0];
	v[3] = syn_rotate(v[3], 16) ^ v[2];
	v[0] = syn_rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = syn_rotate(v[1], 17) ^ v[2];
	v[3] = syn_rotate(v[3], 21) ^ v[0];
	v[2] = syn_rotate(v[2], 32);
}

static __always_inline __u64 syn_word(const __u32 *w)
{
	return (__u64)w[1] << 32 | w[0];
}

/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of the connection's addresses and
 * ports and of a time: who does not know the secret cannot tell it from chance.
 */
__weak __noinline __u64 syn_hash(const struct pkt *p, __u64 period)
{
	const struct xf_config *cfg = cfg_get();
	__u64 m, v[4];

	if (!p || !cfg)
		return 0;
	v[0] = cfg->secret[0] ^ 0x736f6d6570736575ULL;
	v[1] = cfg->secret[1] ^ 0x646f72616e646f6dULL;
	v[2] = cfg->secret[0] ^ 0x6c7967656e657261ULL;
	v[3] = cfg->secret[1] ^ 0x7465646279746573ULL;
	for (int i = 0; i < SYN_HASH_WORDS + 1; i++) {
		if (i < 2)
			m = syn_word(&p->tuple.saddr.w[2 * i]);
		else if (i < 4)
			m = syn_word(&p->tuple.daddr.w[2 * (i - 2)]);
		else if (i == 4)
			m = (period << 32) | (__u32)p->tuple.sport << 16 | p->tuple.dport;
		else
			m = (__u64)(SYN_HASH_WORDS * 8) << 56;
		v[3] ^= m;
		syn_hash_round(v);
		syn_hash_round(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		syn_hash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* So many seconds, in jiffies; never 0, since it is divided by. */
static __always_inline __u64 syn_jiffies(__u32 seconds)
{
	const struct xf_config *cfg = cfg_get();

	return cfg && cfg->hz ? (__u64)cfg->hz * seconds : seconds;
}

static __always_inline __u64 syn_period(void)
{
	return bpf_jiffies64() / syn_jiffies(SYN_PERIOD);
}

/* The number to be acknowledged to who sent this SYN. */
static __always_inline __u32 syn_cookie(const struct pkt *p, __u32 syn)
{
	return syn - ((syn - (__u32)syn_hash(p, syn_period())) & SYN_NUMBER) - SYN_DISTANCE;
}

static __always_inline bool syn_cookie_is_valid(const struct pkt *p, __u32 number)
{
	__u64 period = syn_period();

	return !((number ^ syn_hash(p, period)) & SYN_NUMBER) || !((number ^ syn_hash(p, period - 1)) & SYN_NUMBER);
}

#endif
