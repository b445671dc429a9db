/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's packets, once for all its programs and tools: an Ethernet frame
 * of 64 octets (without FCS) with UDP or TCP over IPv4, and as little more as
 * IPv6 needs.
 *
 * A flow's number tells everything about its packets: who sends it, which rule
 * it hits, what must come out. The number stands in the payload, so whoever
 * receives the packet can check it without having seen it before.
 */
#ifndef XDPFWD_BENCH_FRAME_H
#define XDPFWD_BENCH_FRAME_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/types.h>
#include <linux/udp.h>

#define BENCH_MAGIC 0x62656e63u

/* Host order. Flow f comes from 198.18.1.(f % 256), source port 1024 + f / 256. */
#define BENCH_CLIENT_NET  0xc6120000u /* 198.18.0.0; its low half is the host */
#define BENCH_CLIENT_HOST 0x0100u
#define BENCH_CLIENT_PORT 1024u
#define BENCH_FLOWS_LIMIT (1u << 24)
/* Rule r listens on 203.0.113.(10 + r / 40000), port 5000 + r % 40000 ... */
#define BENCH_LISTEN_NET  0xcb000000u /* 203.0.0.0 */
#define BENCH_LISTEN_HOST 0x710au     /* .113.10 */
#define BENCH_LISTEN_PORT 5000u
/* ... and sends it to 192.0.2.(10 + r / 40000), port 6000 + r % 40000. */
#define BENCH_TARGET_NET   0xc0000000u /* 192.0.0.0 */
#define BENCH_TARGET_HOST  0x020au     /* .2.10 */
#define BENCH_TARGET_PORT  6000u
#define BENCH_RULES_A_ADDR 40000u
#define BENCH_RULES_LIMIT  (BENCH_RULES_A_ADDR * 200)

#define BENCH_TTL 64

/* IPv6: every address is 2001:db8:: with the IPv4 address in its last four octets. */
#define BENCH_PREFIX 0x20010db8u

struct bench_tag {
	__be32 magic;
	__be32 flow;
};

#define BENCH_TCP_OCTETS	20u
#define BENCH_IP_AT		((unsigned int)sizeof(struct ethhdr))
#define BENCH_L4_AT(ipv6)	(BENCH_IP_AT + ((ipv6) ? 40u : 20u))
#define BENCH_L4_LEN(tcp)	((tcp) ? BENCH_TCP_OCTETS : (unsigned int)sizeof(struct udphdr))
#define BENCH_CHECK_AT(tcp)	((tcp) ? 16u : 6u) /* the checksum, from where its header begins */
#define BENCH_TAG_AT(ipv6, tcp) (BENCH_L4_AT(ipv6) + BENCH_L4_LEN(tcp))
/* A multiple of 8, so that programs can write it word by word. */
#define BENCH_FULL(ipv6, tcp) ((BENCH_TAG_AT(ipv6, tcp) + (unsigned int)sizeof(struct bench_tag) + 7) & ~7u)
#define BENCH_SIZE(ipv6, tcp) (BENCH_FULL(ipv6, tcp) < 64 ? 64 : BENCH_FULL(ipv6, tcp))
#define BENCH_MAX_SIZE	      BENCH_SIZE(1, 1)

_Static_assert(BENCH_SIZE(0, 0) == 64 && BENCH_SIZE(0, 1) == 64, "over IPv4 a bench frame has 64 octets");
_Static_assert(BENCH_SIZE(1, 0) == 72 && BENCH_SIZE(1, 1) == 88, "over IPv6 as little more as it needs");

/* What all packets of a run are. */
struct bench_kind {
	__u8 ipv6;
	__u8 tcp;
	__u8 tcp_flags; /* the header's octet: 0x02 SYN, 0x10 ACK */
	__u8 direct;	/* to the target itself, as if there were no rule */
};

/*
 * A frame in which all that depends on the flow is zero, and the sums of 16-bit
 * words, in host order, that its checksums are made from.
 */
struct bench_blank {
	__u64 words[BENCH_MAX_SIZE / sizeof(__u64)];
	__u32 ip_sum;
	__u32 l4_sum;
};

/* What a packet of a flow carries at one point of its way; host order. */
struct bench_tuple {
	__u32 saddr;
	__u32 daddr;
	__u16 sport;
	__u16 dport;
};

static inline __attribute__((always_inline)) struct bench_tuple bench_tuple(__u32 flow, __u32 rules)
{
	__u32 rule = flow % rules;
	__u32 host = rule / BENCH_RULES_A_ADDR;

	return (struct bench_tuple){
		.saddr = BENCH_CLIENT_NET + BENCH_CLIENT_HOST + (flow & 0xff),
		.daddr = BENCH_LISTEN_NET + BENCH_LISTEN_HOST + host,
		.sport = BENCH_CLIENT_PORT + (flow >> 8),
		.dport = BENCH_LISTEN_PORT + rule % BENCH_RULES_A_ADDR,
	};
}

/* What the target gets of a packet that was sent to a rule, if its source is kept. */
static inline __attribute__((always_inline)) struct bench_tuple bench_forwarded(struct bench_tuple tuple)
{
	tuple.daddr += BENCH_TARGET_NET + BENCH_TARGET_HOST - BENCH_LISTEN_NET - BENCH_LISTEN_HOST;
	tuple.dport += BENCH_TARGET_PORT - BENCH_LISTEN_PORT;
	return tuple;
}

/* Ones' complement sum of 16-bit words, of which up to 65,536 have been added. */
static inline __attribute__((always_inline)) __u16 bench_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

#endif
