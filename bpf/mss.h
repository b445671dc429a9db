/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SYN's maximum segment size, lowered to what both ways carry (RFC 6691 has
 * the arithmetic), so that path MTU discovery is not needed to begin with.
 */
#ifndef XDPFWD_BPF_MSS_H
#define XDPFWD_BPF_MSS_H

#include "csum.h"
#include "pkt.h"

#define MSS_OPTIONS   8 /* options looked at; all known stacks have the MSS among the first three */
#define TCPOPT_EOL    0
#define TCPOPT_NOP    1
#define TCPOPT_MAXSEG 2

/* Where the MSS option's value is; 0: there is none. */
static __always_inline __u32 mss_find(ctx_t *ctx, const struct pkt *p)
{
	__u32 end = p->l3 + p->hdr_len;
	__u32 off = p->l4 + 20;

	for (int i = 0; i < MSS_OPTIONS; i++) {
		const __u8 *option;

		if (off + 4 > end || off > CTX_MAX_L4OFF - 4)
			return 0;
		option = ctx_header(ctx, off, 4);
		if (!option || option[0] == TCPOPT_EOL)
			return 0;
		if (option[0] == TCPOPT_NOP) {
			off++;
			continue;
		}
		if (option[0] == TCPOPT_MAXSEG)
			return option[1] == 4 ? off + 2 : 0;
		if (option[1] < 2)
			return 0;
		off += option[1];
	}
	return 0;
}

/* Lowers the SYN's MSS to what fits in packets of `mtu` octets. -1: the packet cannot be written. */
static __always_inline int mss_clamp(ctx_t *ctx, const struct pkt *p, __u32 mtu, const __u8 family)
{
	__u32 headers = family == XF_IPV6 ? 60 : 40;
	__u32 off = mss_find(ctx, p);
	__u16 old, new;
	__u8 *value;
	__u64 diff;

	if (!off || mtu <= headers)
		return 0;
	value = ctx_header(ctx, off, 2);
	if (!value)
		return 0;
	old = value[0] << 8 | value[1];
	new = mtu - headers;
	if (old <= new)
		return 0;
	value[0] = new >> 8;
	value[1] = new;
	/* In the checksum, octets count by whether they are first or second of their word. */
	diff = (off - p->l4) & 1 ? csum_diff16(0, bpf_htons(old << 8 | old >> 8), bpf_htons(new << 8 | new >> 8)) :
				   csum_diff16(0, bpf_htons(old), bpf_htons(new));
	return ctx_l4_csum(ctx, p, 0, diff);
}

#endif
