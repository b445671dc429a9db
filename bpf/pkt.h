/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stages know of the packet at hand. parse.h finds the facts, once;
 * no packet pointer is kept, since any helper may move the packet.
 */
#ifndef XDPFWD_BPF_PKT_H
#define XDPFWD_BPF_PKT_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "xdpfwd/flow.h"

#ifndef AF_INET
#define AF_INET	 2
#define AF_INET6 10
#endif

/* How a stage, and in the end the pipeline, decides. */
enum verdict {
	PASS, /* to the kernel, or from the fast tier to the full one, unchanged; if pkt.reason is set, counted */
	DROP, /* pkt.reason says why, pkt.rule whom it is charged to */
	SEND, /* go on; at the end: rewritten, on its way out */
};

#define NO_RULE 0xffffffffu

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

struct pkt {
	/*
	 * IPv4 in the first word of each address, the others zero. Of an ICMP error, the
	 * packet inside turned round: the tuple that an answer to it would have.
	 */
	struct xf_key6 tuple;
	__u32 now;	 /* jiffies, low 32 bits */
	__u32 rule;	 /* rule id; NO_RULE until one is found */
	__u32 len;	 /* octets from the IP header on; of a GSO packet, all of them */
	__u16 l3;	 /* offset of the IP header */
	__u16 l4;	 /* offset of the TCP or UDP header */
	__u16 l4_len;	 /* octets from the L4 header to the end of the IP packet; of a fragment, its datagram's */
	__u16 hdr_len;	 /* octets from the IP header to the TCP or UDP payload */
	__u16 mtu;	 /* what the way out carries, if the packet is larger */
	__be16 l4_check; /* the L4 checksum as it arrived */
	__u8 ttl;
	__u8 hops;	   /* that this machine is: 1, or 0 where it is the end of the way */
	__u8 tcp_flags;	   /* TCP_* below; 0 for UDP */
	__u8 listen_ports; /* XF_PORT_LISTEN_* of the destination port */
	__u8 reason;	   /* enum xf_reason */
	__u8 malformed;	   /* length fields contradict the packet; matters only if a rule wants it */
	__u8 family;	   /* XF_IPV4 or XF_IPV6 */
	__u8 on_link;	   /* the target is its own next hop */
	__u8 is_error;	   /* an ICMP error about a TCP or UDP packet */
	__u8 fragment;	   /* FRAGMENT_* below; 0: a whole packet */
	__u8 frag_proto;   /* the protocol that the fragment says */
	__u8 half;	   /* of the rules' maps, where the set is that it meets */
	__u16 frag_off;	   /* octets of the datagram before it; if there are any, it has no ports */
	union {
		struct {
			__u16 inner_l3; /* of an ICMP error: where the packet inside begins */
			__u16 inner_l4; /* and where its TCP or UDP header does */
		};
		__u32 frag_id; /* which datagram, as it stands in the header */
		__u32 stamp;   /* of neither, without a flow: what a refusal rests on, see refusal.h */
	};
};

#define FRAGMENT_PART 1
#define FRAGMENT_MORE 2 /* and not the last */

#define IPV4_MORE   0x2000 /* RFC 791, 3.1 */
#define IPV4_OFFSET 0x1fff

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* ICMP and ICMPv6 begin alike. The kernel's own headers for them drag libc's in. */
struct icmp_head {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest;
};

#define ICMP_DEST_UNREACH    3 /* RFC 792 */
#define ICMP_TIME_EXCEEDED   11
#define ICMP_PARAMETERPROB   12
#define ICMPV6_INFORMATIONAL 128 /* below: errors (RFC 4443, 2.1) */

static __always_inline enum verdict refuse(struct pkt *p, enum xf_reason reason)
{
	p->reason = reason;
	return DROP;
}

/* A packet that meets a rule and still is the kernel's to handle. */
static __always_inline enum verdict leave(struct pkt *p, enum xf_reason reason)
{
	p->reason = reason;
	return PASS;
}

static __always_inline bool addr_is_loopback(const union xf_addr *a, const __u8 family)
{
	if (family == XF_IPV4)
		return (a->v4 & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
	return !(a->w[0] | a->w[1] | a->w[2]) && a->w[3] == bpf_htonl(1);
}

static __always_inline bool addr_is_none(const union xf_addr *a)
{
	return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

static __always_inline bool addr_equal(const union xf_addr *a, const union xf_addr *b, const __u8 family)
{
	if (family == XF_IPV4)
		return a->w[0] == b->w[0];
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

/*
 * Link addresses, by words of two octets: they stand at even offsets, in frames and in
 * maps, and what is on the stack is MAC_ALIGNED. Octet by octet it takes twice as long.
 */
#define MAC_ALIGNED __attribute__((aligned(2)))

static __always_inline bool mac_equal(const __u8 *a, const __u8 *b)
{
	const __u16 *v = (const __u16 *)a, *w = (const __u16 *)b;

	return !((v[0] ^ w[0]) | (v[1] ^ w[1]) | (v[2] ^ w[2]));
}

static __always_inline void mac_copy(__u8 *to, const __u8 *from)
{
	const __u16 *w = (const __u16 *)from;
	__u16 *v = (__u16 *)to;

	v[0] = w[0];
	v[1] = w[1];
	v[2] = w[2];
}

static __always_inline bool mac_is_none(const __u8 *a)
{
	return !(a[0] | a[1] | a[2] | a[3] | a[4] | a[5]);
}

/*
 * The length if it is `least` to `most`, else 0: two comparisons in 64 bits that
 * the compiler cannot merge into one, which is all that 6.1's verifier understands.
 */
static __always_inline __u64 len_bounded(__u64 len, const __u64 least, const __u64 most)
{
	asm volatile("" : "+r"(len));
	if (len > most)
		return 0;
	asm volatile("" : "+r"(len));
	if (len < least)
		return 0;
	asm volatile("" : "+r"(len));
	return len;
}

/* Copies an address: of IPv4 only the word that counts. `family` is a constant wherever this is inlined. */
static __always_inline void addr_copy(union xf_addr *to, const union xf_addr *from, const __u8 family)
{
	to->w[0] = from->w[0];
	if (family == XF_IPV6) {
		to->w[1] = from->w[1];
		to->w[2] = from->w[2];
		to->w[3] = from->w[3];
	}
}

/* The same, and zero what IPv4 leaves over: for addresses that become map keys or values. */
static __always_inline void addr_store(union xf_addr *to, const union xf_addr *from, const __u8 family)
{
	to->w[0] = from->w[0];
	to->w[1] = family == XF_IPV6 ? from->w[1] : 0;
	to->w[2] = family == XF_IPV6 ? from->w[2] : 0;
	to->w[3] = family == XF_IPV6 ? from->w[3] : 0;
}

#endif
