/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose fragments may be ours, as far as addresses tell: a fragment without ports says no more. */
#ifndef XDPFWD_BPF_FRAG_HOSTS_H
#define XDPFWD_BPF_FRAG_HOSTS_H

#include "maps.h"
#include "pkt.h"

/* Targets, and the addresses that clients asked for, of the flows that were made. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct xf_local_key);
	__type(value, __u32);
} frag_hosts SEC(".maps") __weak;

static __always_inline void fragments_note(struct xf_local_key *key, const union xf_addr *addr)
{
	__u32 nothing = 0;

	key->addr = *addr;
	if (!bpf_map_lookup_elem(&frag_hosts, key))
		bpf_map_update_elem(&frag_hosts, key, &nothing, BPF_ANY);
}

/* A flow was made. In a flood they are made between the same two: that is noted once a jiffy. */
__weak __noinline int fragments_expect(__u32 now)
{
	struct flow_draft *d = draft_get();
	struct xf_local_key key = {};

	if (!d || (d->noted.at == now && addr_equal(&d->noted.target, &d->reply_key.saddr, XF_IPV6) &&
		   addr_equal(&d->noted.listen, &d->client_key.daddr, XF_IPV6)))
		return 0;
	d->noted.target = d->reply_key.saddr;
	d->noted.listen = d->client_key.daddr;
	d->noted.at = now;
	key.family = d->family;
	fragments_note(&key, &d->reply_key.saddr);
	fragments_note(&key, &d->client_key.daddr);
	return 0;
}

static __always_inline bool fragment_is_known_host(const union xf_addr *addr, __u8 family)
{
	struct xf_local_key key = {.addr = *addr, .family = family};

	return bpf_map_lookup_elem(&frag_hosts, &key);
}

/*
 * Can a fragment between these two be ours, as far as one can tell without ports?
 * To one of this machine's addresses, or between the ends of forwarded flows. All
 * other traffic that is routed through here is spared the wait.
 */
static __always_inline bool fragment_concerns_us(const struct pkt *p, __u8 family)
{
	struct xf_local_key key = {.addr = p->tuple.daddr, .family = family};

	if (p->frag_proto != IPPROTO_TCP && p->frag_proto != IPPROTO_UDP &&
	    !(family == XF_IPV6 && p->frag_proto == IPPROTO_DSTOPTS))
		return false;
	return bpf_map_lookup_elem(&local_addrs, &key) || fragment_is_known_host(&p->tuple.daddr, family) ||
	       fragment_is_known_host(&p->tuple.saddr, family);
}

#endif
