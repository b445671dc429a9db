/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which rule wants this packet. The closest listen endpoint wins: the address
 * itself, then the interface that has the address, then any address; a lookup
 * costs the same however many rules there are and however wide a range is.
 */
#ifndef XDPFWD_BPF_RULE_H
#define XDPFWD_BPF_RULE_H

#include "maps.h"
#include "pkt.h"

/* Masked after the swap, and so that the compiler does not see through it: to kernels before 6.13 a swap has no bounds. */
static __always_inline __u32 port_index(__be16 port)
{
	__u32 index = bpf_ntohs(port);

	asm volatile("" : "+r"(index));
	return index & 0xffff;
}

/* Do these ports concern us at all? Two loads decide for everybody else's packets. */
static __always_inline bool rule_wants_ports(struct pkt *p)
{
	const struct xf_ports *known;
	__u8 source, dest;
	__u32 zero = 0;

	known = bpf_map_lookup_elem(&ports, &zero);
	if (!known)
		return false;
	if (p->tuple.proto == IPPROTO_TCP) {
		dest = known->tcp[port_index(p->tuple.dport)];
		source = known->tcp[port_index(p->tuple.sport)];
	} else {
		dest = known->udp[port_index(p->tuple.dport)];
		source = known->udp[port_index(p->tuple.sport)];
	}
	p->listen_ports = (dest & (XF_PORT_LISTEN | XF_PORT_LISTEN_STATELESS)) | (source & XF_PORT_TARGET_STATELESS);
	return p->listen_ports || source & XF_PORT_TARGET;
}

/* Of what concern a port is to rules: XF_PORT_*. */
static __always_inline __u8 port_concern(__u8 proto, __be16 port)
{
	const struct xf_ports *known;
	__u32 zero = 0;

	known = bpf_map_lookup_elem(&ports, &zero);
	if (!known)
		return 0;
	return proto == IPPROTO_TCP ? known->tcp[port_index(port)] : known->udp[port_index(port)];
}

/* Does some rule listen on this port? */
static __always_inline bool rule_listens_on(__u8 proto, __be16 port)
{
	return port_concern(proto, port) & XF_PORT_LISTEN;
}

/* Does some target answer from this port? */
static __always_inline bool rule_answers_from(const struct pkt *p)
{
	return port_concern(p->tuple.proto, p->tuple.sport) & XF_PORT_TARGET;
}

static __always_inline const __u32 *rule_at(const struct xf_listen_key *key, __u8 single, __u8 kinds)
{
	struct xf_range_key range = {.prefixlen = XF_RANGE_KEY_BITS, .listen = *key};
	const __u32 *id = NULL;

	if (kinds & single)
		id = bpf_map_lookup_elem(&listen, key);
	if (!id && kinds & XF_PORT_LISTEN_RANGE)
		id = bpf_map_lookup_elem(&listen_ranges, &range);
	return id;
}

static __always_inline const __u32 *rule_match(const struct pkt *p, __u32 set, const __u8 family)
{
	struct xf_listen_key key = {
		.set = set,
		.family = family,
		.proto = p->tuple.proto,
		.port = p->tuple.dport,
	};
	struct xf_local_key own = {.family = family};
	const struct xf_local *local;
	const __u32 *id;

	addr_copy(&key.addr, &p->tuple.daddr, family);
	id = rule_at(&key, XF_PORT_LISTEN_ADDR, p->listen_ports);
	if (id || !(p->listen_ports & (XF_PORT_LISTEN_WIDE | XF_PORT_LISTEN_RANGE)))
		return id;

	addr_copy(&own.addr, &p->tuple.daddr, family);
	local = bpf_map_lookup_elem(&local_addrs, &own);
	if (!local)
		return NULL;
	__builtin_memset(&key.addr, 0, sizeof(key.addr));
	key.ifindex = local->ifindex;
	id = rule_at(&key, XF_PORT_LISTEN_WIDE, p->listen_ports);
	if (id)
		return id;
	key.ifindex = 0;
	return rule_at(&key, XF_PORT_LISTEN_WIDE, p->listen_ports);
}

/* The id of the rule of this set that listens where the packet goes to; NO_RULE: none. */
__weak __noinline __u32 rule_find(const struct pkt *p, __u32 set, __u32 family)
{
	const __u32 *id;

	if (!p)
		return NO_RULE;
	id = family == XF_IPV6 ? rule_match(p, set, XF_IPV6) : rule_match(p, set, XF_IPV4);
	return id ? *id : NO_RULE;
}

/* The id of the rule without state whose target this packet comes from; NO_RULE: none. */
__weak __noinline __u32 rule_find_target(const struct pkt *p, __u32 set, __u32 family)
{
	struct xf_listen_key key = {.set = set, .ifindex = XF_LISTEN_TARGET, .family = family};
	const __u32 *id;

	if (!p)
		return NO_RULE;
	key.addr = p->tuple.saddr;
	key.proto = p->tuple.proto;
	key.port = p->tuple.sport;
	id = rule_at(&key, 1, 1 | XF_PORT_LISTEN_RANGE);
	return id ? *id : NO_RULE;
}

#endif
