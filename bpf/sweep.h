/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sweeper: ends flows that are over although no packet meets them, so that
 * what is counted is what there is, and ports and places come back. A timer of
 * the kernel's runs it (bpf_timer, 5.15); no process does. It goes over all slots
 * that were ever used within SWEEP_ROUND ticks, however many they are.
 */
#ifndef XDPFWD_BPF_SWEEP_H
#define XDPFWD_BPF_SWEEP_H

#include "cfg.h"
#include "flow_slot.h"
#include "maps.h"
#include "policy_sets.h"

#define SWEEP_TICK_NS 100000000ULL
#define SWEEP_ROUND   30
#define SWEEP_CLOCK   1 /* CLOCK_MONOTONIC */

/* The timer, and where it goes on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_sweeper);
} sweeper SEC(".maps");

struct sweep {
	__u32 from; /* the first slot */
	__u32 now;
	__u32 ended;
};

static long sweep_slot(__u32 i, struct sweep *s)
{
	__u32 index = s->from + i;
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return 1;
	if (slot_is_due(slot, *(volatile __u32 *)&slot->state, s->now))
		s->ended += slot_end(index, s->now, XF_SLOT_FREE);
	return 0;
}

/* Slots from here on were never used. */
static __always_inline __u32 sweep_end(void)
{
	const struct xf_config *cfg = cfg_get();
	const struct xf_cursor *cur = slot_cursor();

	if (!cfg || !cur)
		return 0;
	return cur->fresh < cfg->max_flows ? cur->fresh : cfg->max_flows;
}

static int sweep_tick(void *map, __u32 *key, struct xf_sweeper *w)
{
	struct sweep s = {.from = w->next, .now = bpf_jiffies64()};
	__u32 end = sweep_end(), n = end / SWEEP_ROUND + 1;

	if (s.from >= end)
		s.from = 0;
	if (n > end - s.from)
		n = end - s.from;
	bpf_loop(n, sweep_slot, &s, 0);
	w->next = s.from + n;
	bpf_timer_start(&w->timer, SWEEP_TICK_NS, 0);
	return 0;
}

/* Lets the timer run this version's sweeper from now on. Again, too: then it is the same timer. */
static __always_inline int sweep_start(void)
{
	__u32 zero = 0;
	struct xf_sweeper *w = bpf_map_lookup_elem(&sweeper, &zero);
	int err;

	if (!w)
		return -1;
	err = bpf_timer_init(&w->timer, &sweeper, SWEEP_CLOCK);
	if (err && err != -16 /* EBUSY: it has been before */)
		return err;
	err = bpf_timer_set_callback(&w->timer, sweep_tick);
	return err ? err : bpf_timer_start(&w->timer, SWEEP_TICK_NS, 0);
}

/* All at once, for the tool. Returns how many have ended. */
static __always_inline __u32 sweep_all(void)
{
	struct sweep s = {.now = bpf_jiffies64()};
	__u32 from = 0;

	/* Not a constant to the verifier, which would go through all slots one by one. */
	asm volatile("" : "+r"(from));
	s.from = from;
	bpf_loop(sweep_end(), sweep_slot, &s, 0);
	return s.ended;
}

/* ---- flows of clients that were banned */

static __always_inline bool sweep_is_banned(const struct xf_slot *slot)
{
	union xf_addr client = slot->key.saddr;

	return slot->family == XF_IPV6 ? set_find(&client, XF_SET_BANS, XF_IPV6) :
					 set_find(&client, XF_SET_BANS, XF_IPV4);
}

/* Of a closed one only the port is left, which stays taken for its time. */
__weak __noinline int sweep_slot_banned(__u32 index)
{
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	__u32 was;

	if (!slot)
		return 0;
	was = *(volatile __u32 *)&slot->state;
	if ((was != XF_SLOT_PENDING && was != XF_SLOT_ESTABLISHED) || !slot_claim(slot, was))
		return 0;
	if (!sweep_is_banned(slot)) {
		slot_release(slot, was);
		return 0;
	}
	slot_clear(index, was);
	slot_free(slot, index);
	return 1;
}

static long sweep_banned_one(__u32 i, struct sweep *s)
{
	s->ended += sweep_slot_banned(s->from + i);
	return 0;
}

/* All at once, for the tool. Returns how many have ended. */
static __always_inline __u32 sweep_banned(void)
{
	struct sweep s = {};

	bpf_loop(sweep_end(), sweep_banned_one, &s, 0);
	return s.ended;
}

#endif
