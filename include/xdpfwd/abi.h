/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both sides of the maps know: the programs in bpf/ and the tool in user/.
 *
 * Everything here outlives a process: it is pinned, and a later version of the
 * tool reads it. Padding is spelled out, sizes are asserted, and a change that
 * an older reader would misread raises XF_ABI_VERSION.
 *
 * Byte order: fields of type __be16/__be32 and all addresses are in network
 * order, everything else in host order. Times are the low 32 bits of jiffies
 * unless the name says otherwise; struct xf_config has the tick rate.
 */
#ifndef XDPFWD_ABI_H
#define XDPFWD_ABI_H

#include <linux/types.h>

#include "xdpfwd/reasons.h"

/* A test builds the programs and the tool with another layout, to upgrade across it. Nobody else defines XF_TEST_ABI. */
#ifdef XF_TEST_ABI
#define XF_TEST_FIELD(name) __u32 name;
#define XF_TEST_OCTETS	    4
#else
#define XF_TEST_FIELD(name)
#define XF_TEST_OCTETS 0
#endif

/* What is raised here gets its step in user/dataplane_abi.c, or what an older version has loaded is refused. */
#define XF_ABI_VERSION (5 + !!XF_TEST_OCTETS)

#define XF_NAME_LEN    64  /* a rule's name, with its NUL */
#define XF_COMMENT_LEN 128 /* a rule's comment, with its NUL */
#define XF_IFNAME_LEN  16  /* IFNAMSIZ */

/* Address families as the maps spell them. 0 is "no address". */
#define XF_IPV4 4
#define XF_IPV6 6

/* An address of either family. IPv4 stands in v4, and the other 12 bytes are zero. */
union xf_addr {
	__be32 v4;
	__u8 v6[16];
	__u32 w[4];
};

/* ---- rules ------------------------------------------------------------- */

/* What a rule listens on: an address (scope 0 in ifindex), an interface, or anything. */
struct xf_listen_key {
	__u32 set;     /* the rule set this entry is part of, see xf_config.set */
	__u32 ifindex; /* IFACE:PORT: the interface; else 0 */
	XF_TEST_FIELD(test)
	union xf_addr addr; /* ADDR:PORT: the address; else all zero */
	__u8 family;	    /* XF_IPV4 or XF_IPV6, always that of the target */
	__u8 proto;	    /* IPPROTO_TCP or IPPROTO_UDP */
	__be16 port;
};

/* In ifindex: the entry is of a rule without state, and has its target's address and port, by which answers find it. */
#define XF_LISTEN_TARGET 0xffffffffu

/*
 * The same for port ranges, in a longest-prefix-match map: the port is last, so
 * that a range A-B becomes at most 30 prefixes of it, however wide it is.
 */
struct xf_range_key {
	__u32 prefixlen; /* 28 * 8 - 16 + bits of the port that count */
	struct xf_listen_key listen;
};
#define XF_RANGE_KEY_BITS ((__u32)sizeof(struct xf_listen_key) * 8)

enum xf_source {
	XF_SOURCE_AUTO,
	XF_SOURCE_PRESERVE,
	XF_SOURCE_MASQUERADE,
};

#define XF_RULE_LIVE	  (1u << 0) /* listed; takes new flows if not disabled */
#define XF_RULE_DISABLED  (1u << 1) /* refuses every packet */
#define XF_RULE_DRAINING  (1u << 2) /* deleted with --keep-flows: its flows live out */
#define XF_RULE_LOCAL	  (1u << 3) /* the target is this machine */
#define XF_RULE_POLICY	  (1u << 4) /* has conditions for newcomers, in "policies" */
#define XF_RULE_STATELESS (1u << 5) /* both directions are read from the rule */

#define XF_PROTO_TCP (1u << 0)
#define XF_PROTO_UDP (1u << 1)

/*
 * A rule's id and how often that was given away: what a flow keeps of its rule.
 * The second part goes from 1 to XF_RULE_GENERATIONS and begins anew; a place
 * that no rule has keeps it.
 */
#define XF_RULE_ID_BITS	    20
#define XF_RULE_ID_MASK	    ((1u << XF_RULE_ID_BITS) - 1)
#define XF_RULE_GENERATIONS ((1u << (32 - XF_RULE_ID_BITS)) - 1)
#define XF_RULE_TAG(id, n)  ((__u32)(n) << XF_RULE_ID_BITS | (id))

/*
 * Of all that is said of a rule in "rules", "rule_meta" and "policies" there is room
 * for two: one half of these maps has what is said in the rule set in force, the
 * other what was said before, or will be. What comes of a rule (counters, states,
 * buckets, flows) goes by its id, whatever the set.
 */
#define XF_SET_HALF(set)		   (~(set)&1u)
#define XF_RULE_PLACE(half, max_rules, id) ((half) ? (max_rules) + (id) : (id))

/* A rule as the programs need it: element of the array "rules", by place. */
struct xf_rule {
	__u32 tag;     /* XF_RULE_TAG: a flow made under another one is dead */
	__u32 flags;   /* XF_RULE_* */
	__u64 expires; /* jiffies64 from which on it refuses every packet; 0: never */
	union xf_addr target;
	union xf_addr
		masquerade; /* the source that targets see under XF_SOURCE_MASQUERADE; stateless: that clients see */
	__u16 listen_lo;    /* first and last listen port */
	__u16 listen_hi;
	__u16 target_lo;  /* where listen_lo goes; the others follow in step */
	__u8 family;	  /* XF_IPV4 or XF_IPV6 */
	__u8 source;	  /* enum xf_source */
	__u8 protos;	  /* XF_PROTO_* */
	__u8 pool;	  /* addresses after "masquerade" that are used as well, differing in their last 32 bits */
	__u8 listen_kind; /* enum xf_listen_kind; before there was this field: 0 */
	__u8 pad[5];
};

enum xf_listen_kind {
	XF_LISTEN_ANY,
	XF_LISTEN_IFACE,
	XF_LISTEN_ADDR,
};

/* So many in such a time, as it was asked for. */
struct xf_rate {
	__u32 count; /* 0: no rate */
	__u32 unit;  /* seconds */
	__u32 burst; /* how many at once; 0: not given, as many as count */
};

/* The rest of a rule, which only people read: hash "rule_meta", by place. */
struct xf_rule_meta {
	char name[XF_NAME_LEN];
	char comment[XF_COMMENT_LEN];
	char ifname[XF_IFNAME_LEN]; /* IFACE:PORT */
	union xf_addr listen;	    /* ADDR:PORT */
	__u32 ifindex;		    /* IFACE:PORT: what ifname was when the rule was made */
	__u8 listen_kind;	    /* enum xf_listen_kind */
	__u8 masquerade_fixed;	    /* 1: --source masquerade=ADDR, 0: the route's own source */
	__u8 target_port_given;	    /* 0: "same port", and so it is printed */
	__u8 expires_by_date;	    /* 1: --expires DATE, 0: so long after it was made */
	__u64 created_unix;	    /* seconds since 1970 */
	__u64 expires_unix;	    /* 0: never */
	struct xf_rate rate;
	struct xf_rate source_rate;
};

/* Per-rule counters: one cache line per CPU and rule. Sums over CPUs; last_hit is the maximum. */
struct xf_rule_counters {
	__u64 packets_in; /* client to target */
	__u64 bytes_in;	  /* octets from the IP header on */
	__u64 packets_out;
	__u64 bytes_out;
	__u64 flows_created;
	__u64 fast_packets; /* of both directions, those that the fast tier finished */
	__u64 last_hit;	    /* jiffies64; 0: never */
	__u64 pad;
};

/* Per-rule drops: per-CPU hash "rule_drops", made on the first drop. */
struct xf_drop_key {
	__u32 rule;
	__u32 reason; /* enum xf_reason */
};

/* ---- instance ---------------------------------------------------------- */

enum xf_timeout {
	XF_TIMEOUT_UDP_PENDING,	    /* until answered, and until the client speaks again after that */
	XF_TIMEOUT_UDP,		    /* RFC 4787 REQ-5: at least 2 min, 5 min recommended */
	XF_TIMEOUT_TCP_TRANSITORY,  /* RFC 5382 REQ-5: 4 min */
	XF_TIMEOUT_TCP_ESTABLISHED, /* RFC 5382 REQ-5: 2 h 4 min */
	XF_TIMEOUT_COUNT,
};

#define XF_CONFIG_NO_AUTO_ATTACH (1u << 0)
#define XF_CONFIG_GUARD_LOOPBACK (1u << 1) /* a target is in 127/8: keep all others away from there */
#define XF_CONFIG_UNSETTLED	 (1u << 2) /* a set is being built or cleared away: what is not in force is rubbish */
#define XF_CONFIG_NO_BANS	 (1u << 3) /* nobody is banned: the programs need not ask who is */

/*
 * Element 0 of the array "config". The programs read it, the tool writes it. By
 * abi, netns and version other versions know whose it is: these stay where they are.
 */
struct xf_config {
	__u32 abi;   /* XF_ABI_VERSION */
	__u32 set;   /* the rule set in force: key part of "listen" and "listen_ranges" */
	__u32 hz;    /* jiffies a second */
	__u32 flags; /* XF_CONFIG_* */
	__u32 max_rules;
	__u32 max_flows;
	__u32 route_ttl; /* jiffies for which a flow trusts its next hop */
	__u16 port_lo;	 /* masquerade ports */
	__u16 port_hi;
	__u32 timeout[XF_TIMEOUT_COUNT]; /* jiffies, by enum xf_timeout */
	__u64 netns;			 /* inode of the network namespace that this instance serves */
	__u64 secret[2];   /* random, of this instance: what its cookies are made with, see bpf/syn_cookie.h */
	__u64 port_secret; /* random likewise: where a client's masquerade ports begin, and what tuples are hashed with */
	char version[32]; /* of the tool that loaded the programs */
	__u64 set_until;  /* jiffies64 from which on set_before is in force again; 0: set stays */
	__u32 set_before; /* the rule set that was in force before this one */
	__u32 pad;
};

/* Which ports concern us at all, one octet each: decides "not ours" in two loads. */
#define XF_PORT_LISTEN_ADDR	 (1u << 0) /* destination port of a rule for ADDR:PORT */
#define XF_PORT_LISTEN_WIDE	 (1u << 1) /* destination port of a rule for IFACE:PORT or :PORT */
#define XF_PORT_LISTEN_RANGE	 (1u << 2) /* destination port in the range of some rule */
#define XF_PORT_TARGET		 (1u << 3) /* source port of some target's replies */
#define XF_PORT_LISTEN_STATELESS (1u << 4) /* besides: of a rule without state */
#define XF_PORT_TARGET_STATELESS (1u << 5)
#define XF_PORT_LISTEN		 (XF_PORT_LISTEN_ADDR | XF_PORT_LISTEN_WIDE | XF_PORT_LISTEN_RANGE)

/* Element 0 of the array "ports". Written through mmap while programs read. */
struct xf_ports {
	__u8 tcp[65536]; /* by port in host order */
	__u8 udp[65536];
};

enum xf_tier {
	XF_TIER_NATIVE,
	XF_TIER_GENERIC,
	XF_TIER_TC,
};

enum xf_tc_attach {
	XF_TC_TCX,
	XF_TC_CLSACT,
};

#define XF_IFACE_L3	     (1u << 0) /* frames start at the IP header */
#define XF_IFACE_AUTO	     (1u << 1) /* attached because a target is reached through it */
#define XF_IFACE_MADE_CLSACT (1u << 2) /* the clsact qdisc is ours to remove */
#define XF_IFACE_DISPATCHER  (1u << 3) /* the fast tier runs under libxdp's dispatcher */
#define XF_IFACE_OUT	     (1u << 4) /* the full tier is at TC egress too, for answers of this machine */
/* Settings of the interface that were 0 and are ours to put back. */
#define XF_IFACE_ROUTE_LOCALNET (1u << 5)
#define XF_IFACE_ARP_ANNOUNCE	(1u << 6)
#define XF_IFACE_ACCEPT_LOCAL	(1u << 7)

/* What is attached where: hash "interfaces", by ifindex. */
struct xf_iface {
	char name[XF_IFNAME_LEN];
	__u8 tier;	  /* enum xf_tier */
	__u8 tc_attach;	  /* enum xf_tc_attach */
	__u8 mac[6];	  /* of an Ethernet device; all zero: not known */
	__u32 flags;	  /* XF_IFACE_* */
	char reason[100]; /* why this tier, for status */
};

/* This machine's own addresses: hash "local_addrs". The tool fills it, "run" keeps it. */
struct xf_local_key {
	union xf_addr addr;
	__u32 family;
};

struct xf_local {
	__u32 ifindex;
	__u32 pad;
};

/* Neighbours that the kernel keeps resolved for us: hash "neighbours". Only the tool uses it. */
struct xf_neigh_key {
	union xf_addr addr;
	__u32 ifindex;
	__u8 family;
	__u8 pad[3];
};

#ifndef __cplusplus
#define XF_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " changed its size")
XF_SIZE(union xf_addr, 16);
XF_SIZE(struct xf_listen_key, 28 + XF_TEST_OCTETS);
XF_SIZE(struct xf_range_key, 32 + XF_TEST_OCTETS);
XF_SIZE(struct xf_rule, 64);
XF_SIZE(struct xf_rate, 12);
XF_SIZE(struct xf_rule_meta, 272);
XF_SIZE(struct xf_rule_counters, 64);
XF_SIZE(struct xf_config, 128);
_Static_assert(__builtin_offsetof(struct xf_config, netns) == 48, "older and newer versions look there");
_Static_assert(__builtin_offsetof(struct xf_config, version) == 80, "older and newer versions look there");
XF_SIZE(struct xf_iface, 128);
XF_SIZE(struct xf_local_key, 20);
XF_SIZE(struct xf_neigh_key, 24);

/* What xf_clock writes over the start of the packet that it is run with. */
struct xf_clock {
	__u64 jiffies;
	__u64 monotonic_ns;
};
XF_SIZE(struct xf_clock, 16);
#endif

#endif
