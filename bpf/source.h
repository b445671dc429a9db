/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom limits by source are about: an IPv4 address, or the /64 that one IPv6 subscriber has. */
#ifndef XDPFWD_BPF_SOURCE_H
#define XDPFWD_BPF_SOURCE_H

#include "pkt.h"
#include "xdpfwd/policy.h"

static __always_inline void source_key(struct xf_source_key *key, __u32 rule, const union xf_addr *addr, __u8 family)
{
	key->addr.w[0] = addr->w[0];
	key->addr.w[1] = family == XF_IPV6 ? addr->w[1] : 0;
	key->addr.w[2] = 0;
	key->addr.w[3] = 0;
	key->rule = rule;
}

#endif
