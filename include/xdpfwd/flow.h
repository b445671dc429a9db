/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table: what both sides of its maps know. Byte orders and times as in
 * abi.h.
 */
#ifndef XDPFWD_FLOW_H
#define XDPFWD_FLOW_H

#include <linux/bpf.h>

#include "xdpfwd/abi.h"

/* A packet's five-tuple as it arrives. IPv4: in the first word of each address, the others are zero. */
struct xf_key6 {
	union xf_addr saddr;
	union xf_addr daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3];
};

/*
 * What tuples are hashed with: odd numbers, of which each instance has three of its own.
 * These are for programs that were not given any: 2^64 over the golden ratio, and two of
 * those of xf_sketch_hash().
 */
#define XF_MIX1 0x9e3779b97f4a7c15ULL
#define XF_MIX2 0xbf58476d1ce4e5b9ULL
#define XF_MIX3 0x94d049bb133111ebULL

/* The instance's own, from a random number. */
static __always_inline void xf_tuple_mix(__u64 secret, __u64 mix[3])
{
	for (int i = 0; i < 3; i++) {
		secret = (secret ^ secret >> 32) * XF_MIX1 + XF_MIX2;
		mix[i] = (secret ^ secret >> 29) | 1;
	}
}

/*
 * Where to look for what is known of a tuple: the upper bits tell it. Tuples that differ
 * in one octet only, whichever, must not meet there; to make some meet on purpose, one
 * has to know the instance's numbers.
 */
static __always_inline __u64 xf_tuple_hash(const struct xf_key6 *t, __u8 family, const volatile __u64 mix[3])
{
	const __u32 *s = t->saddr.w, *d = t->daddr.w;
	__u64 h = ((__u32)t->sport << 16 | t->dport) * mix[2] + t->proto * mix[0];

	if (family == XF_IPV6) {
		h += s[1] * mix[0] + s[2] * mix[1] + d[1] * mix[1] + d[2] * mix[0];
		h = (h ^ h >> 32) * mix[2];
		h += s[3] * mix[1] + d[3] * mix[2];
	}
	h += s[0] * mix[0] + d[0] * mix[1];
	/* The lower bits of a product do not depend on the upper ones of its factors. */
	return (h ^ h >> 32) * mix[1];
}

enum xf_flow_state {
	XF_FLOW_PENDING,  /* not answered; TCP: or the client has not acknowledged the answer */
	XF_FLOW_ANSWERED, /* UDP: answered, and nothing of the client since */
	XF_FLOW_ESTABLISHED,
	XF_FLOW_CLOSING, /* TCP: a FIN of one side went by */
	XF_FLOW_CLOSED,	 /* and one of the other, or a RST */
};

#define XF_FLOW_REPLY	    (1u << 0) /* this entry is the target-to-client half */
#define XF_FLOW_L2	    (1u << 1) /* dmac and smac are valid */
#define XF_FLOW_FAST	    (1u << 2) /* the way out takes XDP frames */
#define XF_FLOW_LOCAL	    (1u << 3) /* the target is this machine: up on the way in, and met again at TC egress */
#define XF_FLOW_FIN	    (1u << 4) /* a FIN went by in this direction */
#define XF_FLOW_RST	    (1u << 5) /* a RST did, that the other side may yet turn down (RFC 5961, 3.2) */
#define XF_FLOW_MASQUERADED (1u << 6) /* under a port of this machine's */
#define XF_FLOW_STATELESS   (1u << 7) /* no entry of the table: put together for one packet */
#define XF_FLOW_WAY	    (XF_FLOW_L2 | XF_FLOW_FAST)

/*
 * One direction of a flow: element of the array "flows". Its packet and byte counts
 * are exact as long as one CPU at a time handles the flow; the rule's counters are
 * exact always. A flow is two of these, at XF_FLOW_INDEX of its slot: what the
 * client sends, and what the target answers. "buckets" find them by their tuples. The
 * tuple that a packet gets, turned round, is that of the other half.
 *
 * The first 64 octets are a cache line, and have all that an IPv4 packet of a busy
 * flow needs but for the two counters.
 */
struct xf_flow {
	XF_TEST_FIELD(test_a)
	XF_TEST_FIELD(test_b)
	__be32 key_saddr4; /* the tuple of a packet that arrives; IPv6: see below */
	__be32 key_daddr4;
	__be16 key_sport;
	__be16 key_dport;
	__u8 proto;
	__u8 family;   /* 0: this half is of no flow, or of one that is being made or ended */
	__u8 state;    /* enum xf_flow_state; the same in both halves */
	__u8 flags;    /* XF_FLOW_* */
	__be32 saddr4; /* IPv4: what the packet gets */
	__be32 daddr4;
	__be16 sport; /* what the packet gets */
	__be16 dport;
	__u32 ifindex; /* way out; 0: not known yet */
	__u8 dmac[6];
	__u8 smac[6];
	__u32 rule;	 /* its tag */
	__u32 routed_at; /* when the next hop was looked up */
	__u32 last_seen;
	__u32 ack; /* TCP: what this direction acknowledged last, host order */
	__u16 mtu; /* of the way out, octets of an IP packet */
	__u16 pad1;

	__u64 packets;
	__u64 bytes;   /* octets from the IP header on */
	__u32 timeout; /* jiffies without a packet after which the flow is over; the same in both halves */
	__u32 slot;    /* index in "slots" */
	__u32 created;
	/*
	 * TCP, pending: what the target has sent is behind the reply half's and up to the
	 * client half's. To acknowledge that, the client must have received it.
	 */
	__u32 next_seq;
	union xf_addr key_saddr6; /* IPv6: the tuple's addresses */
	union xf_addr key_daddr6;

	union xf_addr saddr6; /* IPv6: what the packet gets */
	union xf_addr daddr6;
	__u8 pad2[32];
};

/* The element of "flows" that has this half of the flow in that slot. */
#define XF_FLOW_INDEX(slot, is_reply) ((slot) << 1 | !!(is_reply))
#define XF_FLOW_SLOT(index)	      ((index) >> 1)

/* "flow_hints": how many there are is a power of two, and so many for each slot as far as these bounds allow. */
#define XF_HINTS_LEAST	256
#define XF_HINT_BITS	24 /* of a tuple's hash, of which more do not tell apart */
#define XF_HINTS_A_SLOT 8

/*
 * Element of the array "buckets", a cache line: entries are the elements of "flows"
 * whose tuples belong here, or in one of the few buckets before, and found no place
 * there. The lower bits of an entry, as many as it takes, are one more than the
 * element's index, the highest is set for IPv6, and those between, the tag, are some
 * of the tuple's hash. 0: none.
 */
#define XF_BUCKET_ENTRIES 15
#define XF_BUCKETS_NEAR	  8 /* a tuple's own, and those behind it that take what is too much for it */
#define XF_BUCKET_LOAD	  8 /* tuples that belong in one, on average, if there are as many flows as there can be */
#define XF_ENTRY_IPV6	  (1u << 31)

struct xf_bucket {
	__u32 entry[XF_BUCKET_ENTRIES];
	__u32 elsewhere; /* tuples that belong here and are in a bucket behind */
};

/* How many buckets tuples belong in; XF_BUCKETS_NEAR - 1 more are behind. */
#define XF_BUCKETS(max_flows) ((2 * (max_flows) + XF_BUCKET_LOAD - 1) / XF_BUCKET_LOAD)

static __always_inline __u32 xf_bucket(__u64 hash, __u32 buckets)
{
	return (hash >> 32) * buckets >> 32;
}

/* The bits of an entry that its index takes, where there can be so many flows. */
static __always_inline __u32 xf_entry_index(__u32 max_flows)
{
	__u32 mask = 1;

	while (mask < 2 * max_flows)
		mask = mask << 1 | 1;
	return mask;
}

/* The other bits. Buckets and hints go by others of the hash. */
static __always_inline __u32 xf_entry_tag(__u64 hash, __u8 family, __u32 index_mask)
{
	return ((__u32)(hash >> 8) & ~XF_ENTRY_IPV6 & ~index_mask) | (family == XF_IPV6 ? XF_ENTRY_IPV6 : 0);
}

enum xf_slot_state {
	XF_SLOT_FREE,
	XF_SLOT_BUSY, /* one CPU is making or ending the flow */
	XF_SLOT_PENDING,
	XF_SLOT_ESTABLISHED,
	XF_SLOT_CLOSED,
};

/*
 * Element of the array "slots": what makes flows enumerable to the programs, so
 * that room is found without a process that looks for it. Whoever moves a slot
 * to BUSY owns the end of its flow.
 */
struct xf_slot {
	__u32 state;	    /* enum xf_slot_state */
	__u32 check_at;	    /* before that, the flow cannot be over; closed: before that, its port is not given away */
	struct xf_key6 key; /* the client's tuple; IPv4 in the first word of each address */
	__u32 rule;	    /* its tag */
	__u32 queued;	    /* its place in "evictable", of all that were ever given */
	__u8 family;
	__u8 holds_port;    /* a share of an entry of "udp_ports" */
	__u8 counts_source; /* in "source_flows" */
	__u8 pad[5];
};

/* Element 0 of the array "cursor": where the programs look for a slot. */
struct xf_cursor {
	__u32 fresh; /* slots from here on were never used */
	__u32 hand;  /* next slot to look at when none is free */
	__u32 head;  /* first and behind the last place in "evictable", of all that were ever given */
	__u32 tail;
};

/*
 * Masquerade ports of UDP clients, by source address and port that targets see:
 * hash "udp_ports". A client has one for all targets, and shares it with nobody
 * (RFC 4787, REQ-1).
 */
struct xf_port_key {
	union xf_addr addr;
	__be16 port;
	__u8 family;
	__u8 pad;
};

struct xf_port_owner {
	union xf_addr client;
	__u64 flows; /* in the lower half, that use it; 0: it is on its way out. The upper half is random, see bpf/share.h */
	__be16 client_port;
	__u8 pad[2];
	__u32 slot; /* of the flow that took it */
};

/* Element 0 of the array "sweeper". */
struct xf_sweeper {
	struct bpf_timer timer;
	__u32 next; /* slot to look at next */
	__u32 pad;
};

/* What xf_sweep is asked in the first octets of the packet that it is run with, and what it answers there. */
struct xf_sweep_request {
	__u32 flags; /* XF_SWEEP_* */
	__u32 ended; /* flows */
};
#define XF_SWEEP_START	(1u << 0) /* lets the kernel's timer run the sweeper */
#define XF_SWEEP_ALL	(1u << 1) /* looks at all flows now */
#define XF_SWEEP_BANNED (1u << 2) /* ends those of clients that are banned */
#define XF_SWEEP_CHANGE (1u << 3) /* refusals that are remembered stand no longer */
#define XF_SWEEP_SETTLE (1u << 4) /* adds what they count to everybody's counters */

/* What xf_adopt is run with, and the answer: one half of a flow, as it was in a table of another layout. */
struct xf_adopt_request {
	struct xf_flow half; /* not 0: its family */
	__u32 index;	     /* of the half in "flows" */
	__u8 what;	     /* XF_ADOPT_* */
	__u8 found;	     /* is the half's tuple in the table? */
	__u8 pad[2];
};
#define XF_ADOPT_PUT   0 /* puts it there, if its tuple is not there yet */
#define XF_ADOPT_COUNT 1 /* makes up for what it has seen since it was put there */
#define XF_ADOPT_PRUNE 2 /* its flow is over: takes it away if it is there, and its slot is free */

XF_SIZE(struct xf_adopt_request, 200 + 2 * XF_TEST_OCTETS);
XF_SIZE(struct xf_key6, 40);
XF_SIZE(struct xf_flow, 192 + 2 * XF_TEST_OCTETS);
XF_SIZE(struct xf_bucket, 64);
XF_SIZE(struct xf_slot, 64);
XF_SIZE(struct xf_cursor, 16);
XF_SIZE(struct xf_port_key, 20);
XF_SIZE(struct xf_port_owner, 32);
XF_SIZE(struct xf_sweeper, 24);

#endif
