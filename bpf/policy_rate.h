/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often flows may begin, for a rule and for each of its sources.
 *
 * A newcomer is asked twice. First, before anything is looked up on its account,
 * whether the buckets have enough (policy_rate): nothing is taken, so that a
 * flood is refused cheaply, a packet that the fast tier leaves to the full tier
 * pays once, and so does nobody whose packet is refused or left to the kernel for
 * another reason. Then, when the flow is about to be made, for what it costs
 * (policy_charge): only there is it decided exactly. Who is refused for the
 * rule's bucket gets back what the source's bucket has paid. A flow that finds
 * no room in the table has been paid for.
 *
 * A source has a bucket only once it has paid: packets that are refused fill no
 * map. When there are more sources than buckets, those unused for longest go, and
 * with them only what those sources owe: they begin with a full bucket again.
 *
 * A TCP packet of a connection that we know nothing of (its flow is from before
 * the tables were lost) begins a flow like a SYN, and pays like one: else a flood
 * of ACKs would find the door open.
 */
#ifndef XDPFWD_BPF_POLICY_RATE_H
#define XDPFWD_BPF_POLICY_RATE_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"
#include "source.h"

#define BUCKET_TRIES 4 /* for one flow, against other CPUs that pay at the same moment */

static __always_inline __u64 bucket_now(void)
{
	return bpf_jiffies64() << XF_TICK_SHIFT;
}

/* When it will be full again if one more flow is paid from it now: what lies in the past is full already. */
static __always_inline __u64 bucket_after(__u64 full_at, __u64 cost, __u64 now)
{
	return (full_at < now ? now : full_at) + cost;
}

/*
 * No bucket can lack more than `burst`. One that does has paid under another
 * rate, and would refuse everybody until that is made good.
 */
static __always_inline bool bucket_is_strange(__u64 full_at, __u64 burst, __u64 now)
{
	return full_at > now + burst;
}

/* Would it pay for a flow? A strange one is for bucket_pay() to set right. */
static __always_inline bool bucket_has(const __u64 *bucket, __u64 cost, __u64 burst)
{
	__u64 full_at = *(volatile const __u64 *)bucket, now = bucket_now();

	return bucket_is_strange(full_at, burst, now) || bucket_after(full_at, cost, now) <= now + burst;
}

/*
 * Takes a flow's cost out of the bucket; false: there is not enough in it. If
 * others are faster each time, they found enough in it, and so it is taken
 * without asking again: that overdraws by no more than a flow for each CPU.
 */
static __always_inline bool bucket_pay(__u64 *bucket, __u64 cost, __u64 burst)
{
	__u64 now = bucket_now();
	bool paid = false, enough = true;

	for (int i = 0; i < BUCKET_TRIES && enough && !paid; i++) {
		__u64 was = *(volatile __u64 *)bucket, next = bucket_after(was, cost, now);

		enough = next <= now + burst;
		if (enough)
			paid = __sync_val_compare_and_swap(bucket, was, next) == was;
		else if (bucket_is_strange(was, burst, now))
			__sync_val_compare_and_swap(bucket, was, now + burst);
	}
	if (enough && !paid)
		__sync_fetch_and_add(bucket, cost);
	return enough;
}

/*
 * The source's bucket pays; it is made with its first flow. An entry of such a
 * map can become another source's in this very moment; that one then pays for
 * this flow, which is wrong by one flow in a race that takes a flood to happen.
 */
static __always_inline bool source_pay(const struct xf_source_key *key, const struct xf_policy *policy)
{
	__u64 *bucket = bpf_map_lookup_elem(&source_buckets, key), first;
	int err;

	if (!bucket) {
		first = bucket_now() + policy->source_rate_cost;
		err = bpf_map_update_elem(&source_buckets, key, &first, BPF_NOEXIST);
		if (!err)
			return true;
		bucket = bpf_map_lookup_elem(&source_buckets, key);
	}
	/* Where there is no room to remember a source, it is not held against it. */
	return !bucket || bucket_pay(bucket, policy->source_rate_cost, policy->source_rate_burst);
}

static __always_inline void source_pay_back(const struct xf_source_key *key, const struct xf_policy *policy)
{
	__u64 *bucket = bpf_map_lookup_elem(&source_buckets, key);

	if (bucket)
		__sync_fetch_and_sub(bucket, policy->source_rate_cost);
}

static __always_inline const struct xf_policy *policy_get(const struct pkt *p, struct xf_source_key *source)
{
	__u32 id = p->rule;
	const struct xf_rule *rule = rule_get(p);

	if (!rule || !(rule->flags & XF_RULE_POLICY))
		return NULL;
	/* By its tag: a later rule with this id asks something else of its sources. */
	source_key(source, rule->tag, &p->tuple.saddr, rule->family);
	return policy_of(id, p->half);
}

/* May a flow of this source begin now? The reason why not, or XF_REASON_NONE; nothing is taken yet. */
__weak __noinline int policy_rate(const struct pkt *p)
{
	const struct xf_rule_state *state;
	const struct xf_policy *policy;
	struct xf_source_key source;
	const __u64 *bucket;
	__u32 id;

	policy = p ? policy_get(p, &source) : NULL;
	if (!policy)
		return XF_REASON_NONE;
	/* The source first: one of them alone shall not use up what the rule has for all. */
	bucket = policy->source_rate_cost ? bpf_map_lookup_elem(&source_buckets, &source) : NULL;
	if (bucket && !bucket_has(bucket, policy->source_rate_cost, policy->source_rate_burst))
		return XF_REASON_SOURCE_RATE_LIMITED;
	id = source.rule & XF_RULE_ID_MASK;
	state = policy->rate_cost ? bpf_map_lookup_elem(&rule_states, &id) : NULL;
	if (state && !bucket_has(&state->bucket, policy->rate_cost, policy->rate_burst))
		return XF_REASON_RATE_LIMITED;
	return XF_REASON_NONE;
}

/* The same at last, and takes what the flow costs. */
__weak __noinline int policy_charge(const struct pkt *p)
{
	const struct xf_policy *policy;
	struct xf_rule_state *state;
	struct xf_source_key source;
	__u32 id;

	policy = p ? policy_get(p, &source) : NULL;
	if (!policy)
		return XF_REASON_NONE;
	if (policy->source_rate_cost && !source_pay(&source, policy))
		return XF_REASON_SOURCE_RATE_LIMITED;
	id = source.rule & XF_RULE_ID_MASK;
	state = policy->rate_cost ? bpf_map_lookup_elem(&rule_states, &id) : NULL;
	if (!state || bucket_pay(&state->bucket, policy->rate_cost, policy->rate_burst))
		return XF_REASON_NONE;
	if (policy->source_rate_cost)
		source_pay_back(&source, policy);
	return XF_REASON_RATE_LIMITED;
}

#endif
