/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Masquerade ports. TCP: a port is taken for one target, by the reply half that
 * it makes unique. UDP: it is the client's towards all targets (RFC 4787, REQ-1),
 * by an entry of "udp_ports" whose shares are counted.
 */
#ifndef XDPFWD_BPF_FLOW_PORT_H
#define XDPFWD_BPF_FLOW_PORT_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"
#include "pool.h"
#include "share.h"

#define PORT_PROBES  48	  /* ports tried, at most */
#define PORT_HOLDERS 8	  /* flows without an answer among which one is chosen that has to give up its port */
#define PORT_STRIDE  2531 /* a prime, so that it visits every port of a range that it does not divide */

enum port_claim {
	PORT_LOST, /* to another CPU, this time */
	PORT_OURS,
	PORT_FOREIGN,
};

/*
 * Where to begin. UDP: for one client always there, so that it finds its own
 * port again, and only who knows the secret can foresee it. TCP: anywhere (RFC
 * 6056, 3.3.1).
 */
static __always_inline void port_choose(struct flow_draft *d, const struct xf_config *cfg, const __u8 family)
{
	const union xf_addr *client = &d->client_key.saddr;

	d->port.start = bpf_get_prandom_u32();
	d->port.ports = cfg->port_hi - cfg->port_lo + 1;
	if (d->client_key.proto == IPPROTO_UDP) {
		__u64 h = pool_hash(cfg->port_secret, client, family);

		d->port.start = pool_mix(h, d->client_key.sport) >> 32;
	}
	/* Neighbouring ports tend to be taken together; a stride leaves them behind. */
	d->port.stride = d->port.ports > PORT_PROBES ? PORT_STRIDE : 1;
}

static __always_inline __be16 port_candidate(const struct port_choice *c, const struct xf_config *cfg, __u32 probe)
{
	return bpf_htons(cfg->port_lo + (c->start + probe * c->stride) % c->ports);
}

static __always_inline bool port_is_owner(const struct xf_port_owner *owner, const struct xf_port_owner *client)
{
	/* All words of either family: what IPv4 leaves over is zero. */
	return owner->client_port == client->client_port && addr_equal(&owner->client, &client->client, XF_IPV6);
}

static __always_inline void port_key(struct xf_port_key *key, const struct xf_key6 *reply, __u8 family)
{
	__builtin_memset(key, 0, sizeof(*key));
	addr_store(&key->addr, &reply->daddr, family);
	key->port = reply->dport;
	key->family = family;
}

/* A share in the port that is the client's already; PORT_LOST: the entry is not what it was. */
static __always_inline enum port_claim port_share(const struct end_keys *keys)
{
	struct xf_port_owner *owner = bpf_map_lookup_elem(&udp_ports, &keys->port);
	bool own;
	__u64 seen;

	if (!owner)
		return PORT_LOST;
	seen = share_read(&owner->flows);
	own = port_is_owner(owner, &keys->owner);
	if (bpf_map_lookup_elem(&udp_ports, &keys->port) != owner)
		return PORT_LOST;
	if (!own)
		return PORT_FOREIGN;
	return share_add(&owner->flows, seen) ? PORT_OURS : PORT_LOST;
}

/* Takes the drafted reply's port for the drafted UDP client, or a share in it; false: it is another's. */
__weak __noinline int port_take(const struct flow_draft *d, __u32 family)
{
	struct end_keys *keys = end_keys_get();
	enum port_claim claim = PORT_LOST;

	if (!d || !keys)
		return false;
	port_key(&keys->port, &d->reply_key, family);
	__builtin_memset(&keys->owner, 0, sizeof(keys->owner));
	keys->owner.client = d->client_key.saddr;
	keys->owner.client_port = d->client_key.sport;
	keys->owner.slot = d->client.slot;
	keys->owner.flows = share_first();
	for (int i = 0; i < SHARE_RACES && claim == PORT_LOST; i++) {
		/* Where ports are scarce most are taken: to look first spares making an entry in vain. */
		claim = port_share(keys);
		if (claim == PORT_LOST && !bpf_map_update_elem(&udp_ports, &keys->port, &keys->owner, BPF_NOEXIST))
			claim = PORT_OURS;
	}
	return claim == PORT_OURS;
}

/* The slot of the UDP flow that is the only one to use that port; NO_SLOT: others use it, too. */
static __always_inline __u32 port_sole_user(const struct xf_key6 *reply, __u8 family)
{
	struct end_keys *keys = end_keys_get();
	const struct xf_port_owner *owner;
	const struct xf_slot *slot;
	__u32 index;

	if (!keys)
		return NO_SLOT;
	port_key(&keys->port, reply, family);
	owner = bpf_map_lookup_elem(&udp_ports, &keys->port);
	if (!owner || share_count(share_read(&owner->flows)) != 1)
		return NO_SLOT;
	/* Who took the port may have been outlived by another flow of the same client, and the slot be a stranger's. */
	index = owner->slot;
	slot = bpf_map_lookup_elem(&slots, &index);
	if (!slot || slot->key.sport != owner->client_port || !addr_equal(&slot->key.saddr, &owner->client, XF_IPV6))
		return NO_SLOT;
	return index;
}

/* Gives a share back; `reply` is the key of a reply half. */
static __always_inline void port_give_back(const struct xf_key6 *reply, __u8 family)
{
	struct end_keys *keys = end_keys_get();
	struct xf_port_owner *owner;

	if (!keys)
		return;
	port_key(&keys->port, reply, family);
	owner = bpf_map_lookup_elem(&udp_ports, &keys->port);
	if (owner && share_drop(&owner->flows))
		bpf_map_delete_elem(&udp_ports, &keys->port);
}

#endif
