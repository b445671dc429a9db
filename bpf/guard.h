/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a target in 127/8, the kernel must be told to route such addresses on the
 * attached interfaces (route_localnet), and then takes them from anyone on the
 * link: every service of this machine that trusts in listening on loopback alone
 * would be open to them (CVE-2020-8558). So what comes from outside with such an
 * address is dropped here, before any packet is rewritten to have one.
 */
#ifndef XDPFWD_BPF_GUARD_H
#define XDPFWD_BPF_GUARD_H

#include <linux/ip.h>

#include "cfg.h"
#include "pkt.h"

#define GUARD_TAGS 4 /* looked through; the kernel takes off any number that say VLAN 0 */

struct guard_tag {
	__be16 tci;
	__be16 protocol;
};

static __always_inline bool guard_is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* The tags that the packet still has in front of its header: *off goes behind them. Returns what follows. */
static __always_inline __be16 guard_protocol(ctx_t *ctx, __u32 *off)
{
	__be16 protocol = ctx->protocol;

	for (int i = 0; i < GUARD_TAGS && guard_is_tag(protocol); i++) {
		struct guard_tag tag;

		if (bpf_skb_load_bytes(ctx, *off, &tag, sizeof(tag)))
			return 0;
		protocol = tag.protocol;
		*off += sizeof(tag);
	}
	return protocol;
}

/* Whatever the packet is else: to a group, a fragment, tagged, of another protocol. */
static __always_inline bool guard_drops(ctx_t *ctx, __u32 l3)
{
	const struct xf_config *cfg = cfg_get();
	union xf_addr addrs[2];
	__be16 protocol;
	__be32 pair[2];

	if (!cfg || !(cfg->flags & XF_CONFIG_GUARD_LOOPBACK) || ctx_ingress(ctx) == LOOPBACK_IFINDEX)
		return false;
	protocol = guard_protocol(ctx, &l3);
	if (guard_is_tag(protocol))
		return true;
	if (protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes(ctx, l3 + offsetof(struct iphdr, saddr), pair, sizeof(pair)))
		return false;
	addrs[0].v4 = pair[0];
	addrs[1].v4 = pair[1];
	return addr_is_loopback(&addrs[0], XF_IPV4) || addr_is_loopback(&addrs[1], XF_IPV4);
}

#endif
