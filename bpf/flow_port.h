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

#define PORT_PROBES 48	 /* ports tried, at most */
#define PORT_STRIDE 2531 /* a prime, so that it visits every port of a range that it does not divide */
#define PORT_RACES  4	 /* times that other CPUs may come between */

/* One client's masquerading, and the port that is being tried. */
struct port_choice {
	__u32 start;
	__u32 stride;
	__u32 ports;
};

static __always_inline __u64 port_mix(__u64 h, __u64 word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

/*
 * Where to begin. UDP: for one client always there, so that it finds its own
 * port again, and only who knows the secret can foresee it. TCP: anywhere (RFC
 * 6056, 3.3.1).
 */
static __always_inline struct port_choice port_choose(const struct flow_draft *d, const struct xf_config *cfg,
						      const __u8 family)
{
	struct port_choice c = {.start = bpf_get_prandom_u32(), .ports = cfg->port_hi - cfg->port_lo + 1};
	const union xf_addr *client = &d->client_key.saddr;

	if (d->client_key.proto == IPPROTO_UDP) {
		__u64 h = port_mix(cfg->secret[0], client->w[0]);

		if (family == XF_IPV6)
			h = port_mix(port_mix(h, client->w[1]), (__u64)client->w[2] << 32 | client->w[3]);
		h = port_mix(h ^ cfg->secret[1], d->client_key.sport);
		c.start = h >> 32;
	}
	/* Neighbouring ports tend to be taken together; a stride leaves them behind. */
	c.stride = c.ports > PORT_PROBES ? PORT_STRIDE : 1;
	return c;
}

static __always_inline __be16 port_candidate(const struct port_choice *c, const struct xf_config *cfg, __u32 probe)
{
	return bpf_htons(cfg->port_lo + (c->start + probe * c->stride) % c->ports);
}

static __always_inline bool port_is_owner(const struct xf_port_owner *owner, const struct xf_key6 *client)
{
	return owner->client_port == client->sport && owner->client.w[0] == client->saddr.w[0] &&
	       owner->client.w[1] == client->saddr.w[1] && owner->client.w[2] == client->saddr.w[2] &&
	       owner->client.w[3] == client->saddr.w[3];
}

/* One more of the owner's flows uses it; false: the last one is just leaving. */
static __always_inline bool port_share(struct xf_port_owner *owner)
{
	__u32 n = *(volatile __u32 *)&owner->flows;

	for (int i = 0; i < PORT_RACES && n; i++) {
		__u32 was = __sync_val_compare_and_swap(&owner->flows, n, n + 1);

		if (was == n)
			return true;
		n = was;
	}
	return false;
}

static __always_inline void port_key(struct xf_port_key *key, const struct xf_key6 *reply, __u8 family)
{
	__builtin_memset(key, 0, sizeof(*key));
	addr_store(&key->addr, &reply->daddr, family);
	key->port = reply->dport;
	key->family = family;
}

/* Takes the drafted reply's port for the drafted UDP client, or a share in it; false: it is another's. */
__weak __noinline int port_take(const struct flow_draft *d, __u32 family)
{
	struct xf_port_owner mine = {.flows = 1}, *owner;
	struct xf_port_key key;

	if (!d)
		return false;
	port_key(&key, &d->reply_key, family);
	mine.client = d->client_key.saddr;
	mine.client_port = d->client_key.sport;
	if (!bpf_map_update_elem(&udp_ports, &key, &mine, BPF_NOEXIST))
		return true;
	owner = bpf_map_lookup_elem(&udp_ports, &key);
	return owner && port_is_owner(owner, &d->client_key) && port_share(owner);
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
	if (owner && __sync_fetch_and_add(&owner->flows, -1) == 1)
		bpf_map_delete_elem(&udp_ports, &keys->port);
}

#endif
