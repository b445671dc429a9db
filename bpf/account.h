/* SPDX-License-Identifier: GPL-2.0-only */
/* The one place where packets are counted. */
#ifndef XDPFWD_BPF_ACCOUNT_H
#define XDPFWD_BPF_ACCOUNT_H

#include "maps.h"
#include "pkt.h"

/* A packet on its way: to its flow and to its rule. */
static __always_inline void account_sent(ctx_t *ctx, const struct pkt *p, struct xf_flow *f)
{
	__u32 id = p->rule;
	struct xf_rule_counters *c = bpf_map_lookup_elem(&rule_counters, &id);
	__u32 packets = ctx_segments(ctx);
	/* Each packet of the wire has headers of its own. */
	__u64 bytes = p->len + (__u64)(packets - 1) * p->hdr_len;

	f->last_seen = p->now;
	f->packets += packets;
	f->bytes += bytes;
	if (!c)
		return;
	if (f->flags & XF_FLOW_REPLY) {
		c->packets_out += packets;
		c->bytes_out += bytes;
	} else {
		c->packets_in += packets;
		c->bytes_in += bytes;
	}
	if (CTX_IS_FAST)
		c->fast_packets += packets;
	c->last_hit = bpf_jiffies64();
}

static __always_inline void account_flow(const struct pkt *p)
{
	__u32 id = p->rule;
	struct xf_rule_counters *c = bpf_map_lookup_elem(&rule_counters, &id);

	if (c)
		c->flows_created++;
}

static __always_inline void account_global(__u32 reason, __u32 packets)
{
	__u64 *n = bpf_map_lookup_elem(&drops, &reason);

	if (n)
		*n += packets;
}

/* Of packets that the rule refused for this reason, on this CPU; made with the first. NULL: there is no room. */
static __always_inline __u64 *account_refusals(__u32 rule, __u32 reason)
{
	struct xf_drop_key key = {.rule = rule, .reason = reason};
	__u64 zero = 0, *n = bpf_map_lookup_elem(&rule_drops, &key);

	if (n)
		return n;
	bpf_map_update_elem(&rule_drops, &key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&rule_drops, &key);
}

/* A packet that was refused: to its rule if there is one, else to the instance, under exactly one reason. */
__weak __noinline int account_refused(__u32 rule, __u32 reason, __u32 packets)
{
	__u64 *n = rule == NO_RULE ? NULL : account_refusals(rule, reason);

	if (n)
		*n += packets;
	else
		account_global(reason, packets);
	return 0;
}

/* The same outside of the packets' way, where before 6.11 packets may come in between. */
static __always_inline void account_charge(__u32 rule, __u32 reason, __u32 packets)
{
	__u64 *n = account_refusals(rule, reason);

	if (!n)
		n = bpf_map_lookup_elem(&drops, &reason);
	if (n)
		__sync_fetch_and_add(n, packets);
}

#endif
