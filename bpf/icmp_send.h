/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors of our own making, to the sender of a packet that cannot go on:
 * in terms of its own connection, so they quote the packet as it came. They
 * come from the address that the packet went to, which is the one that its
 * sender knows us by. Only the full tier builds them; the fast tier leaves it
 * such packets.
 */
#ifndef XDPFWD_BPF_ICMP_SEND_H
#define XDPFWD_BPF_ICMP_SEND_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "cfg.h"
#include "csum.h"
#include "maps.h"
#include "pkt.h"

/* An error fits in 576 octets (RFC 1812, 4.3.2.3) or the minimum MTU (RFC 4443, 2.4 c); whole words of it. */
#define ERROR_QUOTE_IPV4 548
#define ERROR_QUOTE_IPV6 1232
#define ERROR_CSUM_CHUNK 512 /* what one bpf_csum_diff sums at most */
#define ERROR_TTL	 64

/* Errors a second on each CPU, and at once (RFC 1812, 4.3.2.8; RFC 4443, 2.4 f). */
#define ERROR_RATE  500
#define ERROR_BURST 50

/* An error in the making. */
struct error_draft {
	union {
		struct {
			struct iphdr ip;
			struct icmp_head icmp;
			__u8 quote[ERROR_QUOTE_IPV4];
		} v4;
		struct {
			struct ipv6hdr ip;
			struct icmp_head icmp;
			__u8 quote[ERROR_QUOTE_IPV6];
		} v6;
	};
	__u8 slack[ERROR_CSUM_CHUNK];
	__u32 tokens; /* hundredths of an error, at most */
	__u32 filled; /* jiffies */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct error_draft);
} error_draft SEC(".maps");

static __always_inline bool error_allowed(struct error_draft *d, __u32 now)
{
	const struct xf_config *cfg = cfg_get();
	__u32 passed = now - d->filled;

	if (!cfg || !cfg->hz)
		return false;
	if (passed) {
		/* A second fills the bucket, so that longer is no more. */
		__u64 tokens = d->tokens + (passed < cfg->hz ? (__u64)passed * ERROR_RATE * 100 / cfg->hz : ~0u);

		d->tokens = tokens < ERROR_BURST * 100 ? tokens : ERROR_BURST * 100;
		d->filled = now;
	}
	if (d->tokens < 100)
		return false;
	d->tokens -= 100;
	return true;
}

/* The sum of `len` octets, a multiple of 4, of a draft. 64 bits, since 6.1 loses the bounds of a spilled 32-bit value. */
static __always_inline __u64 error_sum(__u8 *from, __u64 len)
{
	__u64 sum = 0;

	for (int i = 0; i < 3; i++) {
		__u64 chunk = len < ERROR_CSUM_CHUNK ? len : ERROR_CSUM_CHUNK;

		asm volatile("" : "+r"(chunk));
		if (chunk > ERROR_CSUM_CHUNK)
			return 0;
		if (chunk)
			sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)(from + i * ERROR_CSUM_CHUNK), chunk, 0);
		len -= chunk;
	}
	return sum;
}

static __always_inline void error_icmp(struct icmp_head *icmp, const struct pkt *p, const __u8 family)
{
	bool too_big = p->reason == XF_REASON_TOO_BIG;

	if (family == XF_IPV6) {
		icmp->type = too_big ? 2 : 3; /* packet too big; time exceeded, code 0 */
		icmp->code = 0;
		icmp->rest = too_big ? bpf_htonl(p->mtu) : 0;
	} else {
		icmp->type = too_big ? ICMP_DEST_UNREACH : ICMP_TIME_EXCEEDED;
		icmp->code = too_big ? 4 : 0; /* fragmentation needed (RFC 1191) */
		icmp->rest = too_big ? bpf_htonl(p->mtu) : 0;
	}
	icmp->checksum = 0;
}

static __always_inline __u32 error_ipv4(struct error_draft *d, const struct pkt *p, __u64 quote)
{
	__u32 len = sizeof(d->v4.ip) + sizeof(d->v4.icmp) + quote;

	__builtin_memset(&d->v4.ip, 0, sizeof(d->v4.ip));
	d->v4.ip.version = 4;
	d->v4.ip.ihl = 5;
	d->v4.ip.tos = 0xc0; /* internetwork control (RFC 1812, 4.3.2.5) */
	d->v4.ip.tot_len = bpf_htons(len);
	d->v4.ip.frag_off = bpf_htons(0x4000);
	d->v4.ip.ttl = ERROR_TTL;
	d->v4.ip.protocol = IPPROTO_ICMP;
	d->v4.ip.saddr = p->tuple.daddr.v4;
	d->v4.ip.daddr = p->tuple.saddr.v4;
	d->v4.ip.check = ~csum_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&d->v4.ip, sizeof(d->v4.ip), 0));
	error_icmp(&d->v4.icmp, p, XF_IPV4);
	d->v4.icmp.checksum = ~csum_fold(error_sum((__u8 *)&d->v4.icmp, sizeof(d->v4.icmp) + quote));
	return len;
}

static __always_inline __u32 error_ipv6(struct error_draft *d, const struct pkt *p, __u64 quote)
{
	__u32 payload = sizeof(d->v6.icmp) + quote;
	__u64 sum;

	__builtin_memset(&d->v6.ip, 0, sizeof(d->v6.ip));
	d->v6.ip.version = 6;
	d->v6.ip.payload_len = bpf_htons(payload);
	d->v6.ip.nexthdr = IPPROTO_ICMPV6;
	d->v6.ip.hop_limit = ERROR_TTL;
	__builtin_memcpy(&d->v6.ip.saddr, p->tuple.daddr.w, sizeof(d->v6.ip.saddr));
	__builtin_memcpy(&d->v6.ip.daddr, p->tuple.saddr.w, sizeof(d->v6.ip.daddr));
	error_icmp(&d->v6.icmp, p, XF_IPV6);
	sum = bpf_htons(payload) + (__u32)bpf_htons(IPPROTO_ICMPV6);
	sum = csum_sum_addr(sum, &p->tuple.saddr, XF_IPV6);
	sum = csum_sum_addr(sum, &p->tuple.daddr, XF_IPV6);
	d->v6.icmp.checksum = ~csum_fold(sum + error_sum((__u8 *)&d->v6.icmp, payload));
	return sizeof(d->v6.ip) + payload;
}

/* Turns the packet into the error and sends it back where it came from; returns the program's verdict. */
static __always_inline int error_send(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	const __u32 most = family == XF_IPV6 ? ERROR_QUOTE_IPV6 : ERROR_QUOTE_IPV4;
	__u64 quote = (p->len < most ? p->len : most) & ~3ul, len;
	struct error_draft *d;
	__u32 zero = 0;
	void *to;

	d = bpf_map_lookup_elem(&error_draft, &zero);
	if (!d || !error_allowed(d, p->now))
		return CTX_DROP;
	to = family == XF_IPV6 ? d->v6.quote : d->v4.quote;
	quote = len_bounded(quote, 28, most);
	if (!quote || bpf_skb_load_bytes(ctx, p->l3, to, quote))
		return CTX_DROP;
	len = family == XF_IPV6 ? error_ipv6(d, p, quote) : error_ipv4(d, p, quote);
	len = len_bounded(len, 28, sizeof(d->v6));
	return len ? ctx_answer(ctx, p->l3, d, len) : CTX_DROP;
}

#endif
