/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who comes: counted where flows begin or are refused, and nowhere else. A flood
 * costs a sketch no memory, and of the sources, a share that is bounded: who comes
 * often is remembered while those that came once make room.
 */
#ifndef XDPFWD_BPF_WATCH_H
#define XDPFWD_BPF_WATCH_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"
#include "source.h"
#include "xdpfwd/watch.h"

#define WATCH_NEW_A_JIFFY 16 /* sources that are remembered as soon as they come, on each CPU */
#define WATCH_NEW_ONE_IN  16 /* and of those beyond */

/*
 * How many sources each rule has, as far as a sketch can tell: of all rules, or
 * of those that newcomers come to, so that a scan of thousands of ports takes no
 * memory.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_sketch);
} sketches SEC(".maps") __weak;

/* The sources that came last, and those that come often. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, struct xf_source_key);
	__type(value, struct xf_source_count);
} sources SEC(".maps") __weak;

/* A sketch in the making, and how many sources were new in this jiffy. */
struct watch_scratch {
	struct xf_sketch blank;
	__u64 jiffy;
	__u64 new_sources;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct watch_scratch);
} watch_scratch SEC(".maps") __weak;

static __always_inline struct xf_sketch *sketch_get(__u32 rule, struct watch_scratch *scratch)
{
	struct xf_sketch *sketch = bpf_map_lookup_elem(&sketches, &rule);

	if (sketch)
		return sketch;
	scratch->blank.seed = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	bpf_map_update_elem(&sketches, &rule, &scratch->blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&sketches, &rule);
}

/* Begins a bank anew that is of a period long past. Who changes its number clears it. */
static __always_inline void sketch_turn(struct xf_sketch *sketch, __u32 bank, __u32 period)
{
	volatile __u64 *ranks = (volatile __u64 *)sketch->ranks[bank];
	__u32 was = sketch->period[bank];

	if (was == period || __sync_val_compare_and_swap(&sketch->period[bank], was, period) != was)
		return;
	for (int i = 0; i < XF_SKETCH_REGISTERS / 2 / 8; i++)
		ranks[i] = 0;
}

/*
 * Two CPUs may write the same octet at once, and one rank is lost: the next
 * packet of that source puts it right.
 */
static __always_inline void sketch_add(struct xf_sketch *sketch, __u64 source, __u32 period)
{
	__u64 hash = xf_sketch_hash(sketch->seed, source);
	__u32 bank = period & 1, rank = xf_sketch_rank(hash);
	__u64 place = xf_sketch_register(hash);
	__u32 shift = place & 1 ? 4 : 0, old;

	sketch_turn(sketch, bank, period);
	old = sketch->ranks[bank][place / 2];
	if ((old >> shift & 0xf) < rank)
		sketch->ranks[bank][place / 2] = (old & (0xf0 >> shift)) | rank << shift;
}

/* Is a source to be remembered that was not? All of a few; of a flood, a sample. */
static __always_inline bool source_is_admitted(struct watch_scratch *scratch, __u64 now)
{
	if (scratch->jiffy != now) {
		scratch->jiffy = now;
		scratch->new_sources = 0;
	}
	return scratch->new_sources++ < WATCH_NEW_A_JIFFY || !(bpf_get_prandom_u32() % WATCH_NEW_ONE_IN);
}

static __always_inline void source_count(const struct xf_source_key *key, bool refused, struct watch_scratch *scratch)
{
	struct xf_source_count first = {.last = bpf_jiffies64()};
	struct xf_source_count *count = bpf_map_lookup_elem(&sources, key);

	if (!count && source_is_admitted(scratch, first.last)) {
		bpf_map_update_elem(&sources, key, &first, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&sources, key);
	}
	if (!count)
		return;
	__sync_fetch_and_add(refused ? &count->refused : &count->flows, 1);
	count->last = first.last;
}

/*
 * Does the refusal concern the source? Packets whose sender is told, the other
 * tier gets to see too; a reset by which a source proves itself is welcome; and a
 * conflict can be with the very same flow, made by another CPU just now.
 */
static __always_inline bool watch_blames(const struct pkt *p)
{
	return p->reason != XF_REASON_TTL_EXCEEDED && p->reason != XF_REASON_TOO_BIG &&
	       p->reason != XF_REASON_FLOW_CONFLICT && p->reason != XF_REASON_SYN_PROVEN;
}

/* A packet without a flow was decided on: this is its verdict, and is returned. */
__weak __noinline int watch_newcomer(const struct pkt *p, __u32 verdict, __u32 family)
{
	const struct xf_config *cfg = cfg_get();
	struct watch_scratch *scratch;
	struct xf_source_key key;
	struct xf_sketch *sketch;
	__u32 zero = 0;

	scratch = bpf_map_lookup_elem(&watch_scratch, &zero);
	if (!p || !cfg || !scratch || p->rule == NO_RULE || verdict == PASS)
		return verdict;
	if (verdict == DROP && !watch_blames(p))
		return verdict;
	source_key(&key, p->rule, &p->tuple.saddr, family);
	source_count(&key, verdict == DROP, scratch);
	sketch = sketch_get(key.rule, scratch);
	if (sketch)
		sketch_add(sketch, xf_source_bits(&key.addr, family),
			   bpf_jiffies64() / ((__u64)cfg->hz * XF_SKETCH_SECONDS));
	return verdict;
}

#endif
