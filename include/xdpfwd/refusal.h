/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Refusals that are remembered, so that the next packet of the same tuple is
 * refused without a question. Byte orders and times as in abi.h.
 */
#ifndef XDPFWD_REFUSAL_H
#define XDPFWD_REFUSAL_H

#include "xdpfwd/abi.h"

#define XF_REFUSAL_BITS 12
#define XF_REFUSALS	(1u << XF_REFUSAL_BITS) /* of each CPU */

#define XF_REFUSAL_TCP	(1u << 0)
#define XF_REFUSAL_IPV6 (1u << 1)
#define XF_REFUSAL_SYN	(1u << 2) /* without ACK; of others it is asked, too, whether they are this machine's own */

/*
 * One tuple without a flow that a rule has refused: element of the array
 * "refusals", where each CPU has XF_REFUSALS in a row. Only that CPU writes there,
 * but for "settled". The first 64 octets, a cache line, are all that the next
 * packet of the tuple needs.
 */
struct xf_refusal {
	union xf_addr saddr;
	union xf_addr daddr;
	__be16 sport;
	__be16 dport;
	__u32 stamp;   /* what it rests on, see bpf/refusal.h; 0: there is none here */
	__u32 asked;   /* when the rule was asked */
	__u32 count;   /* packets refused since, added to those of the tuples that were here before */
	__u32 ifindex; /* by which they come */
	__u8 mac[6];   /* and to which link address */
	__u8 kind;     /* XF_REFUSAL_* */
	__u8 pad[5];

	__u32 rule;    /* its id */
	__u32 settled; /* up to where "count" was added to the rule's and its source's counters */
	__u8 reason;   /* enum xf_reason */
	__u8 pad2[55];
};

/* Element 0 of the array "changes". */
struct xf_changes {
	__u32 number;  /* of changes to anything that a refusal may rest on; older refusals do not count */
	__u32 kept;    /* when one was remembered last */
	__u32 settled; /* when all that they had counted was added to everybody's counters */
	__u32 pad;
};

XF_SIZE(struct xf_changes, 16);
XF_SIZE(struct xf_refusal, 128);
_Static_assert(__builtin_offsetof(struct xf_refusal, rule) == 64, "the next packet needs but one cache line");

#endif
