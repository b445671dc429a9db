/* SPDX-License-Identifier: GPL-2.0-only */
/* What a receiving end tells of the frames that it got. */
#ifndef XDPFWD_BENCH_SINK_H
#define XDPFWD_BENCH_SINK_H

#include <linux/types.h>

enum bench_verdict {
	BENCH_RIGHT,
	BENCH_WRONG_MAC,
	BENCH_WRONG_HEADER,
	BENCH_WRONG_IP_CHECKSUM,
	BENCH_WRONG_L4_CHECKSUM,
	BENCH_WRONG_ADDRESS,
	BENCH_WRONG_PORT,
	BENCH_WRONG_TTL,
	BENCH_VERDICTS, /* a power of two: the verifier sees that an index is inside */
};

enum bench_which {
	BENCH_TARGET,
	BENCH_CLIENT,
	BENCH_ENDS,
};

/* Element of the array "ends". Each end has one queue and so one thread that writes. */
struct bench_end {
	__u64 frames;
	__u64 verdicts[BENCH_VERDICTS]; /* by enum bench_verdict; those of checked frames */
};

#endif
