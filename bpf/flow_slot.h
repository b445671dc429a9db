/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots: one for each flow there can be, so that room is found without a process
 * that looks for it, and never at the expense of a flow that stands.
 *
 * "evictable" is the queue of those that may go when room is needed: flows that
 * nobody has answered yet, and connections that both sides have closed; the
 * oldest first. A place in it counts as long as its slot says so, too.
 */
#ifndef XDPFWD_BPF_FLOW_SLOT_H
#define XDPFWD_BPF_FLOW_SLOT_H

#include "cfg.h"
#include "flow_count.h"
#include "flow_port.h"
#include "flow_table.h"
#include "maps.h"
#include "pkt.h"

#define QUEUE_STALE_MOST  1024 /* places that nobody needs any more passed over for a newcomer, at most */
#define SLOT_QUEUE_PROBES 32   /* places of the queue looked at for one to displace, at most */
#define SLOT_HAND_PROBES  32   /* slots looked at for one whose flow is over, at most */
#define FLOW_CLOCK_SKEW	  1000 /* jiffies by which two CPUs can disagree: how long one of them may be held up */

static __always_inline bool slot_claim(struct xf_slot *slot, __u32 from)
{
	return __sync_val_compare_and_swap(&slot->state, from, XF_SLOT_BUSY) == from;
}

/* A slot that was BUSY on our account goes on so. */
static __always_inline void slot_release(struct xf_slot *slot, __u32 state)
{
	__sync_lock_test_and_set(&slot->state, state);
}

static __always_inline struct xf_cursor *slot_cursor(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cursor, &zero);
}

/* ---- the queue */

/* Is the place at the head one that nobody needs any more? */
static __always_inline bool queue_is_stale(__u32 place, __u32 max)
{
	__u32 at = place % max, *index = bpf_map_lookup_elem(&evictable, &at);
	const struct xf_slot *slot = index ? bpf_map_lookup_elem(&slots, index) : NULL;

	return !slot || slot->queued != place || slot->state == XF_SLOT_ESTABLISHED || slot->state == XF_SLOT_FREE;
}

/* Clears the place at the head, if it is stale. */
__weak __noinline int queue_clear_one(__u32 max)
{
	struct xf_cursor *cur = slot_cursor();
	__u32 head;

	if (!cur || !max)
		return false;
	head = *(volatile __u32 *)&cur->head;
	if (head == *(volatile __u32 *)&cur->tail || !queue_is_stale(head, max))
		return false;
	/* If another CPU was faster, it has cleared it. */
	__sync_val_compare_and_swap(&cur->head, head, head + 1);
	return true;
}

/*
 * Of flows that were established one after the other, the places are stale as one
 * run, which is at the head when the one in front has gone: so many more of them
 * are passed over than of those that have to be looked at closely.
 */
static __always_inline void queue_clear(__u32 max)
{
	int stale = true;

	for (int i = 0; i < QUEUE_STALE_MOST && stale; i++)
		stale = queue_clear_one(max);
}

/* The slot is the youngest of those that may go. Each newcomer also clears one place at the head, if it is stale. */
static __always_inline void queue_push(struct xf_slot *slot, __u32 index, __u32 max)
{
	struct xf_cursor *cur = slot_cursor();
	__u32 place, at, *entry;

	if (!cur || !max)
		return;
	place = __sync_fetch_and_add(&cur->tail, 1);
	slot->queued = place;
	at = place % max;
	entry = bpf_map_lookup_elem(&evictable, &at);
	if (entry)
		*(volatile __u32 *)entry = index;
	queue_clear_one(max);
}

/* The place at the head, which is now ours. False: the queue is empty, or another CPU was faster. */
static __always_inline bool queue_pop(struct xf_cursor *cur, __u32 max, __u32 *place)
{
	__u32 head = *(volatile __u32 *)&cur->head, tail = *(volatile __u32 *)&cur->tail;

	if ((__s32)(tail - head) <= 0)
		return false;
	/* What was overwritten is lost to the queue; the hand finds it when it is over. */
	*place = tail - head > max ? tail - max : head;
	return __sync_val_compare_and_swap(&cur->head, head, *place + 1) == head;
}

/* ---- the end of a flow */

/* Takes the tuples of the flow in a slot that is BUSY on our account out of the table; the slot stays BUSY. */
static __always_inline void slot_clear_family(struct xf_slot *slot, __u32 index, struct end_keys *keys,
					      const __u8 family)
{
	struct xf_flow *client = flow_at(XF_FLOW_INDEX(index, false));
	struct xf_flow *reply = flow_at(XF_FLOW_INDEX(index, true));

	if (!client || !reply || !client->family)
		return;
	flow_twin_key(&keys->twin, client, slot->key.proto, family);
	flow_set_family(client, 0);
	flow_set_family(reply, 0);
	flow_delete(&keys->twin, XF_FLOW_INDEX(index, true), family);
	flow_delete(&slot->key, XF_FLOW_INDEX(index, false), family);
	if (slot->holds_port)
		port_give_back(&keys->twin, family);
}

/* A function of its own, which keeps its callers' stack frames small: 6.1 rounds each up to 32 octets. */
__weak __noinline int slot_clear(__u32 index, __u32 was)
{
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	struct end_keys *keys = end_keys_get();

	if (!slot || !keys)
		return 0;
	if (slot->family == XF_IPV6)
		slot_clear_family(slot, index, keys, XF_IPV6);
	else
		slot_clear_family(slot, index, keys, XF_IPV4);
	if (was == XF_SLOT_ESTABLISHED)
		count_disestablish(slot, &keys->source);
	else
		count_flow(slot->rule, was, -1);
	return 0;
}

static __always_inline void slot_free(struct xf_slot *slot, __u32 index)
{
	slot_release(slot, XF_SLOT_FREE);
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
__weak __noinline __u32 flow_left(const struct xf_flow *f, __u32 now)
{
	const struct xf_flow *twin;
	__u32 idle;

	if (!f || !flow_rule(f->rule, half_now()))
		return 0;
	idle = flow_idle(now, f->last_seen);
	twin = flow_twin(f);
	if (twin && flow_idle(now, twin->last_seen) < idle)
		idle = flow_idle(now, twin->last_seen);
	return idle < f->timeout ? f->timeout - idle : 0;
}

/* Clears a slot that is BUSY on our account if its flow is over; else it is put back as it was. */
static __always_inline bool slot_clear_dead(struct xf_slot *slot, __u32 index, __u32 was, __u32 now)
{
	__u32 left = flow_left(flow_at(XF_FLOW_INDEX(index, false)), now);

	if (left) {
		/* A closed one's is about its port. */
		if (was != XF_SLOT_CLOSED)
			slot->check_at = now + left;
		slot_release(slot, was);
		return false;
	}
	slot_clear(index, was);
	return true;
}

static __always_inline bool slot_is_used(__u32 state)
{
	return state == XF_SLOT_PENDING || state == XF_SLOT_ESTABLISHED || state == XF_SLOT_CLOSED;
}

/*
 * Ends the flow in that slot, both halves, if it is over: by the time we get
 * there, the slot may be another flow's. `enough`: in that state it need not be over.
 */
__weak __noinline int slot_end(__u32 index, __u32 now, __u32 enough)
{
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	__u32 was;

	if (!slot)
		return 0;
	was = *(volatile __u32 *)&slot->state;
	if (!slot_is_used(was) || !slot_claim(slot, was))
		return 0;
	if (was == enough)
		slot_clear(index, was);
	else if (!slot_clear_dead(slot, index, was, now))
		return 0;
	slot_free(slot, index);
	return 1;
}

/* ---- room for a new one */

/* Displaces what is in the oldest place of the queue that still counts. The slot is then BUSY on our account. */
static __always_inline __u32 slot_displace(struct xf_cursor *cur, __u32 max, __u32 now)
{
	__u32 found = NO_SLOT;

	queue_clear(max);
	for (int i = 0; i < SLOT_QUEUE_PROBES && found == NO_SLOT; i++) {
		struct xf_slot *slot;
		__u32 place, at, index, state, *entry;

		if (!queue_pop(cur, max, &place))
			continue;
		at = place % max;
		entry = bpf_map_lookup_elem(&evictable, &at);
		if (!entry)
			continue;
		index = *(volatile __u32 *)entry;
		slot = bpf_map_lookup_elem(&slots, &index);
		if (!slot || slot->queued != place)
			continue;
		state = *(volatile __u32 *)&slot->state;
		/* Its port rests, or another CPU looks at it, and may leave it as it was. */
		if ((state == XF_SLOT_CLOSED && (__s32)(now - slot->check_at) < 0) || state == XF_SLOT_BUSY) {
			queue_push(slot, index, max);
			continue;
		}
		if ((state != XF_SLOT_PENDING && state != XF_SLOT_CLOSED) || !slot_claim(slot, state))
			continue;
		slot_clear(index, state);
		found = index;
	}
	return found;
}

/* Can its flow be over, as far as the slot tells? */
static __always_inline bool slot_is_due(const struct xf_slot *slot, __u32 state, __u32 now)
{
	return slot_is_used(state) && ((__s32)(now - slot->check_at) >= 0 || !flow_rule(slot->rule, half_now()));
}

/* A slot whose flow is over, from the hand on. It is then BUSY on our account. */
static __always_inline __u32 slot_reclaim(struct xf_cursor *cur, __u32 max, __u32 now)
{
	__u32 found = NO_SLOT;

	for (int i = 0; i < SLOT_HAND_PROBES && found == NO_SLOT; i++) {
		__u32 index = __sync_fetch_and_add(&cur->hand, 1) % max, state;
		struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

		if (!slot)
			continue;
		state = *(volatile __u32 *)&slot->state;
		if (slot_is_due(slot, state, now) && slot_claim(slot, state) &&
		    slot_clear_dead(slot, index, state, now))
			found = index;
	}
	return found;
}

/* One of those that were free; if somebody just looks at it, it goes back to them. */
static __always_inline __u32 slot_get(__u32 index)
{
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (slot && slot_claim(slot, XF_SLOT_FREE))
		return index;
	bpf_map_push_elem(&free_slots, &index, BPF_ANY);
	return NO_SLOT;
}

/* The index of a slot that is now BUSY on our account; NO_SLOT: the table is full of flows that stand. */
__weak __noinline __u32 slot_take(__u32 max, __u32 now)
{
	struct xf_cursor *cur = slot_cursor();
	__u32 index;

	if (!cur || !max)
		return NO_SLOT;
	if (!bpf_map_pop_elem(&free_slots, &index))
		return slot_get(index);
	if (*(volatile __u32 *)&cur->fresh < max) {
		index = __sync_fetch_and_add(&cur->fresh, 1);
		if (index < max)
			return slot_get(index);
	}
	index = slot_displace(cur, max, now);
	return index == NO_SLOT ? slot_reclaim(cur, max, now) : index;
}

#endif
