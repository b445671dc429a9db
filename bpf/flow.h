/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table: one slot a flow, which is also the place of its two halves, and
 * their two tuples, by which they are found.
 *
 * Making: a slot, what the halves say, then the reply's tuple (which claims the
 * masquerade port, or finds it taken), then the client's; what fails takes back what
 * was done. Ending: who moves the slot to BUSY takes the tuples away, then frees
 * the slot. So no half outlives the other, and no port is given out twice. Nothing
 * but the programs writes here; a flow whose rule has another tag, or that was idle
 * too long, is dead wherever it is met, and its slot is taken back when one is
 * needed, or when the sweeper comes by.
 */
#ifndef XDPFWD_BPF_FLOW_H
#define XDPFWD_BPF_FLOW_H

#include "cfg.h"
#include "flow_port.h"
#include "flow_slot.h"
#include "flow_state.h"
#include "flow_table.h"
#include "maps.h"
#include "pkt.h"

#define FLOW_BUSY 100 /* jiffies since the last packet for which no flow can be over */

static __always_inline struct flow_draft *draft_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&draft, &zero);
}

/* The client's half of the flow that this CPU has made for its packet. */
static __always_inline struct xf_flow *flow_drafted(void)
{
	const struct flow_draft *d = draft_get();

	return d ? flow_at(XF_FLOW_INDEX(d->client.slot, false)) : NULL;
}

/* Is its port claimed apart, in "udp_ports"? All else is claimed by the reply half. */
static __always_inline bool draft_shares_port(const struct flow_draft *d)
{
	return d->masquerade && d->client_key.proto == IPPROTO_UDP;
}

/* Copies what was drafted for a half to its place. It has its tuple there, but is no flow's before it is published. */
static __always_inline void half_write(struct xf_flow *draft, const struct xf_key6 *key, __u32 index, const __u8 family)
{
	struct xf_flow *f = flow_at(index);

	if (!f)
		return;
	draft->family = 0;
	flow_set_tuple(draft, key, family);
	if (family == XF_IPV6)
		__builtin_memcpy(f, draft, sizeof(*f));
	else
		__builtin_memcpy(f, draft, offsetof(struct xf_flow, key_saddr6));
}

/* The reply's tuple of a flow that is seen under the client's own address and port. */
static __always_inline enum xf_reason reply_insert(struct flow_draft *d, const __u8 family)
{
	int err = flow_insert(&d->reply_key, XF_FLOW_INDEX(d->client.slot, true), family);
	const struct xf_flow *other;

	if (!err)
		return XF_REASON_NONE;
	if (err != -EEXIST)
		return XF_REASON_FLOW_TABLE_FULL;
	other = flow_lookup(&d->reply_key, family);
	d->in_the_way = other ? other->slot : NO_SLOT;
	return XF_REASON_FLOW_CONFLICT;
}

/* The same under one port of this machine's. -EEXIST: it is taken. */
static __always_inline int reply_insert_at(struct flow_draft *d, __be16 port, const __u8 family)
{
	const __u32 index = XF_FLOW_INDEX(d->client.slot, true);
	struct xf_flow *f = flow_at(index);
	int err;

	if (!f)
		return -ENOSPC;
	d->client.sport = port;
	d->reply_key.dport = port;
	f->key_dport = port;
	if (draft_shares_port(d) && !port_take(d, family))
		return -EEXIST;
	err = flow_insert(&d->reply_key, index, family);
	if (err && draft_shares_port(d))
		port_give_back(&d->reply_key, family);
	return err;
}

/* Picks the port. */
static __always_inline enum xf_reason reply_insert_masqueraded(struct flow_draft *d, const struct xf_config *cfg,
							       const __u8 family)
{
	int err = -EEXIST;

	/* At the second try one of the same ports has come free. */
	if (d->in_the_way == NO_SLOT)
		port_choose(d, cfg, family);
	for (int i = 0; i < PORT_PROBES; i++) {
		if (err == -EEXIST)
			err = reply_insert_at(d, port_candidate(&d->port, cfg, i), family);
	}
	if (err == -EEXIST)
		return XF_REASON_PORTS_EXHAUSTED;
	return err ? XF_REASON_FLOW_TABLE_FULL : XF_REASON_NONE;
}

static __always_inline enum xf_reason halves_insert_family(struct flow_draft *d, const struct xf_config *cfg,
							   const __u8 family)
{
	const __u32 client = XF_FLOW_INDEX(d->client.slot, false);
	enum xf_reason reason;
	int err;

	half_write(&d->reply, &d->reply_key, XF_FLOW_INDEX(d->client.slot, true), family);
	reason = d->masquerade ? reply_insert_masqueraded(d, cfg, family) : reply_insert(d, family);
	if (reason != XF_REASON_NONE)
		return reason;
	half_write(&d->client, &d->client_key, client, family);
	err = flow_insert(&d->client_key, client, family);
	if (!err)
		return XF_REASON_NONE;
	flow_delete(&d->reply_key, XF_FLOW_INDEX(d->client.slot, true), family);
	if (draft_shares_port(d))
		port_give_back(&d->reply_key, family);
	return err == -EEXIST ? XF_REASON_FLOW_CONFLICT : XF_REASON_FLOW_TABLE_FULL;
}

/* From now on a half is known by its tuple, and a hint that points there is right. */
static __always_inline void half_publish(__u32 index, __u8 family)
{
	struct xf_flow *f = flow_at(index);

	if (f)
		flow_set_family(f, family);
}

/* The drafted flow is in the table, under that slot, which is BUSY on our account: lets it go. */
static __always_inline void slot_open(struct xf_slot *slot, const struct flow_draft *d, __u32 max)
{
	slot->key = d->client_key;
	slot->family = d->family;
	slot->rule = d->client.rule;
	slot->counts_source = 0;
	slot->holds_port = draft_shares_port(d);
	slot->check_at = d->client.last_seen + d->client.timeout;
	/* In there is an exchange, before which all is written that is said above. */
	queue_push(slot, d->client.slot, max);
	half_publish(XF_FLOW_INDEX(d->client.slot, false), d->family);
	half_publish(XF_FLOW_INDEX(d->client.slot, true), d->family);
	count_flow(slot->rule, XF_SLOT_PENDING, 1);
	slot_release(slot, XF_SLOT_PENDING);
}

/* Puts both halves of the drafted flow in the table, or neither. */
__weak __noinline int halves_insert(__u32 family)
{
	struct flow_draft *d = draft_get();
	const struct xf_config *cfg = cfg_get();

	if (!d || !cfg)
		return XF_REASON_FLOW_TABLE_FULL;
	return family == XF_IPV6 ? halves_insert_family(d, cfg, XF_IPV6) : halves_insert_family(d, cfg, XF_IPV4);
}

/* The slot of the flow that has the drafted one's port, or one of several; NO_SLOT: there is none. */
static __always_inline __u32 port_holder(const struct flow_draft *d, const __u8 family)
{
	const struct xf_flow *other;

	if (draft_shares_port(d))
		return port_sole_user(&d->reply_key, family);
	other = flow_lookup(&d->reply_key, family);
	return other ? other->slot : NO_SLOT;
}

/* Notes the flow that has this port, if it is the oldest so far without an answer. True: that were enough. */
__weak __noinline int port_weigh(__u32 probe)
{
	const struct xf_config *cfg = cfg_get();
	struct flow_draft *d = draft_get();
	const struct xf_slot *slot;
	__u32 index;

	if (!d || !cfg)
		return true;
	d->reply_key.dport = port_candidate(&d->port, cfg, probe);
	index = d->family == XF_IPV6 ? port_holder(d, XF_IPV6) : port_holder(d, XF_IPV4);
	slot = bpf_map_lookup_elem(&slots, &index);
	if (!slot || slot->state != XF_SLOT_PENDING)
		return false;
	if (!d->port.holders || (__s32)(slot->queued - d->port.oldest) < 0) {
		d->port.oldest = slot->queued;
		d->port.choice = probe;
		d->in_the_way = index;
	}
	d->port.holders++;
	return d->port.holders == PORT_HOLDERS;
}

/*
 * All ports that were tried are taken: looks for one whose flow was not answered,
 * and makes that the first to be tried next. A flood must not keep clients out by
 * taking all ports. The oldest of a few, so that who is about to be answered stays.
 */
static __always_inline void port_displace(struct flow_draft *d)
{
	int enough = false;

	d->port.holders = 0;
	d->port.choice = 0;
	for (__u32 i = 0; i < PORT_PROBES && !enough; i++)
		enough = port_weigh(i);
	d->port.start += d->port.choice * d->port.stride;
}

/* A second try, if what is in the way of the first can go: a flow that is over, or has a port but no answer. */
static __always_inline int halves_insert_again(struct flow_draft *d, int reason)
{
	__u32 enough = XF_SLOT_FREE;

	if (reason == XF_REASON_PORTS_EXHAUSTED) {
		port_displace(d);
		enough = XF_SLOT_PENDING;
	} else if (reason != XF_REASON_FLOW_CONFLICT) {
		return reason;
	}
	return slot_end(d->in_the_way, d->client.last_seen, enough) ? halves_insert(d->family) : reason;
}

/* Puts the drafted flow in the table; what it is in the end stands in the draft. */
static __always_inline enum xf_reason flow_create(struct flow_draft *d, const struct xf_config *cfg)
{
	__u32 index = slot_take(cfg->max_flows, d->client.last_seen);
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	int reason;

	if (!slot)
		return XF_REASON_FLOW_TABLE_FULL;
	d->client.slot = index;
	d->client.timeout = flow_timeout(d->client.rule, d->client_key.proto, XF_FLOW_PENDING);
	d->reply.slot = index;
	d->reply.timeout = d->client.timeout;
	d->in_the_way = NO_SLOT;
	reason = halves_insert_again(d, halves_insert(d->family));
	if (reason == XF_REASON_NONE)
		slot_open(slot, d, cfg->max_flows);
	else
		slot_free(slot, index);
	return reason;
}

/* A client that opens a connection anew after the end of the last one (RFC 9293, 3.6.1): that is another flow. */
static __always_inline bool flow_is_reused(const struct xf_flow *f, const struct pkt *p)
{
	return f->state == XF_FLOW_CLOSED && !(f->flags & XF_FLOW_REPLY) && !p->is_error &&
	       (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static __always_inline bool flow_lives(const struct xf_flow *f, const struct pkt *p)
{
	__u32 idle = p->now - f->last_seen;

	return idle < FLOW_BUSY || idle < f->timeout || flow_left(f, p->now);
}

/*
 * The living flow that this packet belongs to, and its rule; NULL: none. A dead
 * one that is met on the way is ended.
 */
static __always_inline struct xf_flow *flow_find(struct pkt *p, struct xf_rule **rule, const __u8 family)
{
	struct xf_flow *f = flow_hinted(&p->tuple, family);
	bool reused;

	if (!f)
		return NULL;
	reused = flow_is_reused(f, p);
	*rule = flow_rule(f->rule, p->half);
	if (*rule && !reused && flow_lives(f, p)) {
		p->rule = f->rule & XF_RULE_ID_MASK;
		return f;
	}
	slot_end(f->slot, p->now, reused ? XF_SLOT_CLOSED : XF_SLOT_FREE);
	return NULL;
}

#endif
