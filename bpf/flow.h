/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table: two halves a flow, one slot a flow.
 *
 * Making: a slot, then the reply half (which claims the masquerade port, or
 * finds the tuple taken), then the client half; what fails takes back what was
 * done. Ending: who moves the slot to BUSY deletes the reply half, then the
 * client half, then frees the slot. So no half outlives the other, and no port
 * is given out twice. Nothing but the programs writes here; a flow whose rule
 * has another generation, or that was idle too long, is dead wherever it is
 * met, and its slot is taken back when one is needed.
 */
#ifndef XDPFWD_BPF_FLOW_H
#define XDPFWD_BPF_FLOW_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"

#define FLOW_SLOT_PROBES 32   /* slots looked at for one to take back, at most */
#define FLOW_PORT_PROBES 32   /* masquerade ports tried, at most */
#define FLOW_PORT_STRIDE 2531 /* a prime, so that it visits every port of a range that it does not divide */
#define FLOW_CLOCK_SKEW	 1000 /* jiffies by which two CPUs can disagree: how long one of them may be held up */
#define NO_SLOT		 0xffffffffu

static __always_inline struct xf_key4 flow_key4(const struct xf_key6 *t)
{
	struct xf_key4 key = {
		.saddr = t->saddr.v4, .daddr = t->daddr.v4, .sport = t->sport, .dport = t->dport, .proto = t->proto};

	return key;
}

static __always_inline struct xf_flow *flow_lookup(const struct xf_key6 *t, const __u8 family)
{
	struct xf_key4 key;

	if (family == XF_IPV6)
		return bpf_map_lookup_elem(&flow6, t);
	key = flow_key4(t);
	return bpf_map_lookup_elem(&flow4, &key);
}

/* int: before 6.4 the helper leaves the upper half of its result undefined. */
static __always_inline int flow_insert(const struct xf_key6 *t, const struct xf_flow *f, const __u8 family)
{
	struct xf_key4 key;

	if (family == XF_IPV6)
		return bpf_map_update_elem(&flow6, t, f, BPF_NOEXIST);
	key = flow_key4(t);
	return bpf_map_update_elem(&flow4, &key, f, BPF_NOEXIST);
}

static __always_inline void flow_delete(const struct xf_key6 *t, const __u8 family)
{
	struct xf_key4 key;

	if (family == XF_IPV6) {
		bpf_map_delete_elem(&flow6, t);
		return;
	}
	key = flow_key4(t);
	bpf_map_delete_elem(&flow4, &key);
}

/* The other half's key: what this half's packets become, turned round. */
static __always_inline void flow_twin_key(struct xf_key6 *key, const struct xf_flow *f, __u8 proto, const __u8 family)
{
	__builtin_memset(key, 0, sizeof(*key));
	addr_copy(&key->saddr, &f->daddr, family);
	addr_copy(&key->daddr, &f->saddr, family);
	key->sport = f->dport;
	key->dport = f->sport;
	key->proto = proto;
}

static __always_inline struct xf_flow *flow_twin(const struct xf_flow *f, __u8 proto, const __u8 family)
{
	if (family == XF_IPV6) {
		struct xf_key6 key;

		flow_twin_key(&key, f, proto, XF_IPV6);
		return bpf_map_lookup_elem(&flow6, &key);
	} else {
		struct xf_key4 key = {.saddr = f->daddr.v4,
				      .daddr = f->saddr.v4,
				      .sport = f->dport,
				      .dport = f->sport,
				      .proto = proto};

		return bpf_map_lookup_elem(&flow4, &key);
	}
}

static __always_inline bool slot_claim(struct xf_slot *slot, __u32 from)
{
	return __sync_val_compare_and_swap(&slot->state, from, XF_SLOT_BUSY) == from;
}

/* Deletes both halves of the flow in a slot that is BUSY on our account; the slot stays BUSY. */
static __always_inline void slot_clear_family(struct xf_slot *slot, __u32 index, const __u8 family)
{
	struct xf_flow *client = flow_lookup(&slot->key, family);
	struct xf_key6 twin;

	if (!client || client->slot != index)
		return;
	flow_twin_key(&twin, client, slot->key.proto, family);
	flow_delete(&twin, family);
	flow_delete(&slot->key, family);
}

/* A function of its own, which keeps its callers' stack frames small: 6.1 rounds each up to 32 octets. */
__weak __noinline int slot_clear(__u32 index)
{
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return 0;
	if (slot->family == XF_IPV6)
		slot_clear_family(slot, index, XF_IPV6);
	else
		slot_clear_family(slot, index, XF_IPV4);
	return 0;
}

static __always_inline void slot_free(struct xf_slot *slot, __u32 index)
{
	__sync_lock_test_and_set(&slot->state, XF_SLOT_FREE);
	bpf_map_push_elem(&free_slots, &index, BPF_ANY);
}

/* Jiffies since then; 0 if another CPU was there after this one had looked at the clock. */
static __always_inline __u32 flow_idle(__u32 now, __u32 then)
{
	return then - now < FLOW_CLOCK_SKEW ? 0 : now - then;
}

/*
 * Jiffies until the flow of this half can be over, going by the half that was
 * seen last; 0: it is.
 */
__weak __noinline __u32 flow_left(const struct xf_flow *f, __u32 now, __u32 proto, __u32 family)
{
	const struct xf_config *cfg = cfg_get();
	const struct xf_flow *twin;
	const struct xf_rule *rule;
	__u32 idle, timeout;

	if (!f || !cfg)
		return 0;
	rule = rule_get(f->rule);
	if (!rule || rule->gen != f->rule_gen)
		return 0;
	idle = flow_idle(now, f->last_seen);
	timeout = cfg_timeout(cfg, proto, f->state);
	twin = family == XF_IPV6 ? flow_twin(f, proto, XF_IPV6) : flow_twin(f, proto, XF_IPV4);
	if (twin && flow_idle(now, twin->last_seen) < idle)
		idle = flow_idle(now, twin->last_seen);
	return idle < timeout ? timeout - idle : 0;
}

static __always_inline const struct xf_flow *slot_flow(const struct xf_slot *slot)
{
	return slot->family == XF_IPV6 ? flow_lookup(&slot->key, XF_IPV6) : flow_lookup(&slot->key, XF_IPV4);
}

/* Clears a slot that is BUSY on our account if its flow is dead; else it is put back as it was. */
static __always_inline bool slot_clear_dead(struct xf_slot *slot, __u32 index, __u32 was, __u32 now)
{
	__u32 left = flow_left(slot_flow(slot), now, slot->key.proto, slot->family);

	slot->check_at = now + left;
	if (left) {
		__sync_lock_test_and_set(&slot->state, was);
		return false;
	}
	slot_clear(index);
	return true;
}

/*
 * Ends the flow in that slot, both halves, if it is dead: by the time we get
 * there, the slot may be another flow's.
 */
__weak __noinline int flow_end(__u32 index, __u32 now)
{
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	__u32 was;

	if (!slot)
		return 0;
	was = *(volatile __u32 *)&slot->state;
	if (was != XF_SLOT_ESTABLISHED && was != XF_SLOT_PENDING)
		return 0;
	if (slot_claim(slot, was) && slot_clear_dead(slot, index, was, now))
		slot_free(slot, index);
	return 0;
}

static __always_inline bool slot_rule_stands(const struct xf_slot *slot)
{
	const struct xf_rule *rule = rule_get(slot->rule);

	return rule && rule->gen == slot->rule_gen;
}

/*
 * Takes a slot back: from a flow that nobody has answered yet, or from one that
 * is over. Never from one that stands.
 */
static __always_inline bool slot_reclaim(struct xf_slot *slot, __u32 index, __u32 now)
{
	__u32 state = *(volatile __u32 *)&slot->state;

	if (state == XF_SLOT_ESTABLISHED) {
		if ((__s32)(now - slot->check_at) < 0 && slot_rule_stands(slot))
			return false;
		return slot_claim(slot, state) && slot_clear_dead(slot, index, state, now);
	}
	if (state != XF_SLOT_PENDING || !slot_claim(slot, state))
		return false;
	slot_clear(index);
	return true;
}

static __always_inline bool slot_get(__u32 index)
{
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	return slot && slot_claim(slot, XF_SLOT_FREE);
}

/* The index of a slot that is now BUSY on our account; NO_SLOT: the table is full of flows that stand. */
__weak __noinline __u32 slot_take(__u32 max, __u32 now)
{
	__u32 zero = 0, index;
	struct xf_cursor *cur = bpf_map_lookup_elem(&cursor, &zero);

	if (!cur || !max)
		return NO_SLOT;
	if (!bpf_map_pop_elem(&free_slots, &index))
		return slot_get(index) ? index : NO_SLOT;
	if (*(volatile __u32 *)&cur->fresh < max) {
		index = __sync_fetch_and_add(&cur->fresh, 1);
		if (index < max)
			return slot_get(index) ? index : NO_SLOT;
	}
	for (int i = 0; i < FLOW_SLOT_PROBES; i++) {
		struct xf_slot *slot;

		index = __sync_fetch_and_add(&cur->hand, 1) % max;
		slot = bpf_map_lookup_elem(&slots, &index);
		if (slot && slot_reclaim(slot, index, now))
			return index;
	}
	return NO_SLOT;
}

/*
 * Puts in the reply half. When masquerading, this is what picks the port: the
 * first from a random one on that no flow to the same target has. A dead flow
 * in the way is ended, and the next try finds its place free.
 */
static __always_inline enum xf_reason reply_insert(struct flow_draft *d, const struct xf_config *cfg, bool masquerade,
						   const __u8 family)
{
	__u32 ports = cfg->port_hi - cfg->port_lo + 1;
	/* Neighbouring ports tend to be taken together; a stride leaves them behind. */
	__u32 start = bpf_get_prandom_u32(), stride = ports > FLOW_PORT_PROBES ? FLOW_PORT_STRIDE : 1;
	enum xf_reason reason = masquerade ? XF_REASON_PORTS_EXHAUSTED : XF_REASON_FLOW_CONFLICT;
	int err;

	for (int i = 0; i < FLOW_PORT_PROBES; i++) {
		const struct xf_flow *other;

		if (masquerade) {
			__be16 port = bpf_htons(cfg->port_lo + (start + i * stride) % ports);

			d->client.sport = port;
			d->reply_key.dport = port;
		}
		err = flow_insert(&d->reply_key, &d->reply, family);
		if (err != -17 /* EEXIST */) {
			reason = err ? XF_REASON_FLOW_TABLE_FULL : XF_REASON_NONE;
			break;
		}
		other = flow_lookup(&d->reply_key, family);
		if (other && !flow_left(other, d->reply.last_seen, d->reply_key.proto, family))
			flow_end(other->slot, d->reply.last_seen);
		else if (!masquerade)
			break;
	}
	return reason;
}

/* Puts the drafted flow in the table, both halves or neither. */
static __always_inline enum xf_reason flow_create(struct flow_draft *d, const struct xf_config *cfg, bool masquerade,
						  const __u8 family)
{
	__u32 index = slot_take(cfg->max_flows, d->client.last_seen);
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	enum xf_reason reason;

	if (!slot)
		return XF_REASON_FLOW_TABLE_FULL;
	d->client.slot = index;
	d->reply.slot = index;
	reason = reply_insert(d, cfg, masquerade, family);
	if (reason != XF_REASON_NONE) {
		slot_free(slot, index);
		return reason;
	}
	if (flow_insert(&d->client_key, &d->client, family)) {
		flow_delete(&d->reply_key, family);
		slot_free(slot, index);
		return XF_REASON_FLOW_CONFLICT;
	}
	slot->key = d->client_key;
	slot->family = family;
	slot->rule = d->client.rule;
	slot->rule_gen = d->client.rule_gen;
	slot->check_at = d->client.last_seen;
	__sync_lock_test_and_set(&slot->state, XF_SLOT_PENDING);
	return XF_REASON_NONE;
}

/* Brings both halves of a flow to another state. */
__weak __noinline int flow_set_state(struct xf_flow *f, __u32 state, __u32 proto, __u32 family)
{
	struct xf_flow *twin;

	if (!f)
		return 0;
	twin = family == XF_IPV6 ? flow_twin(f, proto, XF_IPV6) : flow_twin(f, proto, XF_IPV4);
	f->state = state;
	if (twin)
		twin->state = state;
	return 0;
}

/* The other side has answered: from now on no newcomer displaces this flow. */
static __always_inline void flow_promote(struct xf_flow *f, __u8 proto, const __u8 family)
{
	__u32 index = f->slot;
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	/* Another CPU may be looking at the slot just now; then the next answer does it. */
	if (slot && __sync_val_compare_and_swap(&slot->state, XF_SLOT_PENDING, XF_SLOT_ESTABLISHED) != XF_SLOT_BUSY)
		flow_set_state(f, XF_FLOW_ESTABLISHED, proto, family);
}

/* Its time is shorter from now on: who looks for room shall look at it again. */
static __always_inline void flow_close(struct xf_flow *f, const struct pkt *p, const __u8 family)
{
	__u32 index = f->slot;
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	flow_set_state(f, XF_FLOW_CLOSING, p->tuple.proto, family);
	if (slot)
		slot->check_at = p->now;
}

/* What the packet means for its flow's state; nearly always nothing. */
static __always_inline void flow_track(struct xf_flow *f, const struct pkt *p, const __u8 family)
{
	__u8 proto = p->tuple.proto;

	if (f->state == XF_FLOW_PENDING && f->flags & XF_FLOW_REPLY)
		flow_promote(f, proto, family);
	if (proto != IPPROTO_TCP)
		return;
	if (p->tcp_flags & (TCP_FIN | TCP_RST)) {
		/* What has not been answered cannot end: its time is as short already. */
		if (f->state == XF_FLOW_ESTABLISHED)
			flow_close(f, p, family);
	} else if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && f->state == XF_FLOW_CLOSING) {
		/* The port is used again (RFC 9293, 3.6.1). The answer makes it a connection, as the first time. */
		flow_set_state(f, XF_FLOW_PENDING, proto, family);
	}
}

/*
 * The living flow that this packet belongs to, and its rule; NULL: none. A dead
 * one that is met on the way is ended.
 */
static __always_inline struct xf_flow *flow_find(struct pkt *p, const struct xf_config *cfg, struct xf_rule **rule,
						 const __u8 family)
{
	struct xf_flow *f = flow_lookup(&p->tuple, family);

	if (!f)
		return NULL;
	*rule = rule_get(f->rule);
	if (*rule && (*rule)->gen == f->rule_gen) {
		if (p->now - f->last_seen < cfg_timeout(cfg, p->tuple.proto, f->state) ||
		    flow_left(f, p->now, p->tuple.proto, family)) {
			p->rule = f->rule;
			return f;
		}
	}
	flow_end(f->slot, p->now);
	return NULL;
}

#endif
