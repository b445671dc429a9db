/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may come in, how often and until when: what both sides of the policy maps
 * know. Byte orders and times as in abi.h.
 *
 * Rates are token buckets in the form of the generic cell rate algorithm (ITU-T
 * I.371): a bucket is one number, the time at which it will be full again. Its
 * unit is the tick: a jiffy has XF_TICKS_PER_JIFFY of them.
 */
#ifndef XDPFWD_POLICY_H
#define XDPFWD_POLICY_H

#include "xdpfwd/abi.h"

#define XF_TICK_SHIFT	   20
#define XF_TICKS_PER_JIFFY (1ULL << XF_TICK_SHIFT)
#define XF_BURST_MAX	   (1ULL << 62) /* ticks; beyond that the time when it is full is no number */

/* What a rule asks of newcomers: element of the array "policies", by the rule's place; read if the rule has XF_RULE_POLICY. */
struct xf_policy {
	__u64 rate_cost;	/* ticks that a new flow costs; 0: no limit */
	__u64 rate_burst;	/* ticks that can be saved up: rate_cost at least, XF_BURST_MAX at most */
	__u64 source_rate_cost; /* the same for each source */
	__u64 source_rate_burst;
	__u32 allow;	 /* a set in "prefixes4"/"prefixes6"; 0: everybody */
	__u32 deny;	 /* 0: nobody */
	__u32 max_flows; /* that have been answered; 0: no limit */
	__u32 max_flows_per_source;
	__u32 timeout[XF_TIMEOUT_COUNT]; /* jiffies; 0: as the instance */
	__u32 syn_threshold; /* half-open connections from which on sources must prove themselves; 0: never */
	__u32 pad;
};

/* What a rule's traffic amounts to, written by the programs alone: array "rule_states", by rule id. */
struct xf_rule_state {
	__u64 bucket;  /* ticks */
	__u32 pending; /* flows in the table, by state */
	__u32 established;
	__u32 closed;
	__u8 pad[44];
};

/*
 * Networks, in two longest-prefix-match maps, "prefixes4" and "prefixes6". A
 * set is known by its number, which is never used again while a rule has it.
 */
#define XF_SET_BANS  1 /* what was banned, for all rules */
#define XF_SET_FIRST 2 /* those of allow and deny from here on */

struct xf_prefix4 {
	__u32 prefixlen; /* XF_PREFIX4_BITS(of the network) */
	__u32 set;
	__be32 addr;
};
#define XF_PREFIX4_BITS(network) (32 + (network))

struct xf_prefix6 {
	__u32 prefixlen; /* XF_PREFIX6_BITS(of the network) */
	__u32 set;
	__u32 zero; /* the kernel puts the value right behind the key: only so its counter is aligned */
	__u8 addr[16];
};
#define XF_PREFIX6_BITS(network) (64 + (network))

struct xf_prefix {
	__u64 until; /* jiffies64 from which on it is as if it were not there; 0: it is there for good */
	__u64 hits;  /* packets refused on its account; XF_SET_BANS only */
	__u32 bits;  /* of the network: when its time is over, the wider one around it counts */
	__u32 pad;
};

/*
 * What is known of a set: hash "prefix_sets", by number. It is there before the
 * first network of the set and until after the last, so that none is left over.
 */
#define XF_GIVEN_LEN 1008
struct xf_prefix_set {
	__u64 hash;		  /* of its networks */
	__u32 count;		  /* networks */
	__u32 whole;		  /* 0: being filled or emptied, and not to be used */
	char given[XF_GIVEN_LEN]; /* as it was stated: "198.51.100.0/24,@/etc/blocklist" */
};

/* One source of one rule: an IPv4 address, or an IPv6 /64, the network that one subscriber has. */
struct xf_source_key {
	union xf_addr addr;
	__u32 rule; /* its id; in "source_buckets" its tag */
};

/*
 * What a source has proven by its answer to a challenge: element of the LRU hash
 * "syn_proofs", by source. Its flows pass without another one, as many as are left.
 */
struct xf_syn_proof {
	__u64 until; /* jiffies64 */
	__s32 left;
	__u32 pad;
};

XF_SIZE(struct xf_policy, 72);
XF_SIZE(struct xf_rule_state, 64);
XF_SIZE(struct xf_prefix4, 12);
XF_SIZE(struct xf_prefix6, 28);
XF_SIZE(struct xf_prefix, 24);
XF_SIZE(struct xf_prefix_set, 1024);
XF_SIZE(struct xf_source_key, 20);
XF_SIZE(struct xf_syn_proof, 16);

#endif
