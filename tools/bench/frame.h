/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's packets, once for all its programs and tools: a 64-octet
 * Ethernet frame (without FCS) with UDP over IPv4, and one with UDP over IPv6.
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

struct bench_frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	struct bench_tag tag;
	__u8 fill[14];
} __attribute__((packed));

struct bench_frame6 {
	struct ethhdr eth;
	struct ipv6hdr ip;
	struct udphdr udp;
	struct bench_tag tag;
	__u8 fill[2];
} __attribute__((packed));

_Static_assert(sizeof(struct bench_frame) == 64, "a bench frame has 64 octets");
_Static_assert(sizeof(struct bench_frame6) == 72, "a bench frame of IPv6 has 72 octets");

/*
 * A frame in which all that depends on the flow is zero, and the sums of 16-bit
 * words, in host order, that its checksums are made from.
 */
struct bench_blank {
	__u64 words[sizeof(struct bench_frame6) / sizeof(__u64)];
	__u32 ip_sum;
	__u32 udp_sum;
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

/* Ones' complement sum of 16-bit words, of which up to 65,536 have been added. */
static inline __attribute__((always_inline)) __u16 bench_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

#endif
