/* SPDX-License-Identifier: GPL-2.0-only */
/* By what a packet that is sent to a rule differs from the one that the target gets: the same for all rules. */
#ifndef XDPFWD_BENCH_SHIFT_BPF_H
#define XDPFWD_BENCH_SHIFT_BPF_H

#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"

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

#endif
