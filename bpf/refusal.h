/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a rule has refused just now it refuses again, without a question: each CPU
 * remembers tuples that have no flow, are not this machine's own, and may not
 * come in. A flood then costs a cache line a packet, which only that CPU writes.
 *
 * A refusal rests on a number that changes with whatever the tool changes: rules,
 * networks, bans, addresses; and with a new flow whose answers have a tuple that
 * a rule listens for. The number is read before the questions are asked. Of what
 * changes with nobody telling (a connection of this machine's own, the end of a
 * ban) the packets hear within REFUSAL_PART of a second, when all is asked again.
 * What depends on how much came before (rates, numbers of flows) is never remembered.
 *
 * Packets refused so are counted here alone, and added to the rule's and the
 * source's counters when the tuple is asked about again, gives its place away, or
 * somebody wants to read them (refusal_settle).
 */
#ifndef XDPFWD_BPF_REFUSAL_H
#define XDPFWD_BPF_REFUSAL_H

#include "xdpfwd/refusal.h"

/* pipeline.h includes the stages before. */

#define REFUSAL_PART   16
#define REFUSAL_PLACES 3

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* for its elements to begin with a cache line */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_refusal);
} refusals SEC(".maps") __weak;

/* What all of them rest on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_changes);
} changes SEC(".maps") __weak;

static __always_inline struct xf_changes *refusal_changes(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&changes, &zero);
}

/* Never 0. The half tells apart what a set that was not confirmed has refused. */
static __always_inline __u32 refusal_stamp(const struct xf_changes *c, __u32 half)
{
	return *(volatile const __u32 *)&c->number << 2 | half << 1 | 1;
}

/* No refusal of before stands any longer. */
static __always_inline void refusals_end(void)
{
	struct xf_changes *c = refusal_changes();

	if (c)
		__sync_fetch_and_add(&c->number, 1);
}

static __always_inline bool refusal_is_recent(__u32 asked, __u32 now, const struct xf_config *cfg)
{
	return now - asked < cfg->hz / REFUSAL_PART;
}

static __always_inline __u8 refusal_kind(const struct pkt *p, const __u8 family)
{
	bool tcp = p->tuple.proto == IPPROTO_TCP, syn = (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	return (tcp ? XF_REFUSAL_TCP : 0) | (syn ? XF_REFUSAL_SYN : 0) | (family == XF_IPV6 ? XF_REFUSAL_IPV6 : 0);
}

/* Is nothing about it that is asked of the packet by itself, whatever its tuple? */
static __always_inline bool refusal_is_plain(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	return p->listen_ports & XF_PORT_LISTEN && !(p->is_error | p->fragment | p->malformed) && p->ttl > 1 &&
	       !(p->tcp_flags & TCP_RST) && !parse_has_options(p, family) && ctx_segments(ctx) == 1;
}

/* One of the places that a tuple can be in, on this CPU. */
static __always_inline struct xf_refusal *refusal_at(__u64 hash, __u32 place, __u32 *index)
{
	__u32 slot = hash >> (64 - XF_REFUSAL_BITS * (place + 1)) & (XF_REFUSALS - 1);

	*index = bpf_get_smp_processor_id() << XF_REFUSAL_BITS | slot;
	return bpf_map_lookup_elem(&refusals, index);
}

static __always_inline bool refusal_is_of(const struct xf_refusal *r, const struct pkt *p, const __u8 family)
{
	return r->sport == p->tuple.sport && r->dport == p->tuple.dport && r->kind == refusal_kind(p, family) &&
	       addr_equal(&r->saddr, &p->tuple.saddr, family) && addr_equal(&r->daddr, &p->tuple.daddr, family);
}

/* Does the packet come as the other one did? Frames of other stations that we overhear are not for us to refuse. */
static __always_inline bool refusal_has_way(ctx_t *ctx, const struct xf_refusal *r, const struct pkt *p)
{
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));

	return r->ifindex == ctx_ingress(ctx) && (!p->l3 || (eth && mac_equal(eth->h_dest, r->mac)));
}

/* The refusal of this tuple, if it rests on what is still so. */
static __always_inline struct xf_refusal *refusal_find(const struct pkt *p, const __u8 family)
{
	__u64 hash = flow_hash(&p->tuple, family);
	struct xf_refusal *r;
	__u32 index;

	for (__u32 place = 0; place < REFUSAL_PLACES; place++) {
		r = refusal_at(hash, place, &index);
		if (r && r->stamp == p->stamp && refusal_is_of(r, p, family))
			return r;
	}
	return NULL;
}

/*
 * Is it known that this packet may not come in? Then it is counted, too. If it is
 * not, what a refusal would rest on is noted before anything is asked. Where nobody
 * is refused, flows do not pay for the look.
 */
static __always_inline bool refusal_stands(ctx_t *ctx, struct pkt *p, const struct xf_config *cfg, const __u8 family)
{
	const struct xf_changes *c = refusal_changes();
	struct xf_refusal *r;

	if (!c || !refusal_is_plain(ctx, p, family))
		return false;
	p->stamp = refusal_stamp(c, p->half);
	if (!refusal_is_recent(c->kept, p->now, cfg))
		return false;
	r = refusal_find(p, family);
	if (!r || !refusal_is_recent(r->asked, p->now, cfg) || !refusal_has_way(ctx, r, p))
		return false;
	r->count++;
	return true;
}

/* ---- remembering */

/* Those that only "changes" or a time that was set can turn into their opposite. */
static __always_inline bool refusal_lasts(__u8 reason)
{
	const __u32 lasting = 1u << XF_REASON_DISABLED | 1u << XF_REASON_BAD_SOURCE | 1u << XF_REASON_BANNED |
			      1u << XF_REASON_DENIED | 1u << XF_REASON_NOT_ALLOWED | 1u << XF_REASON_EXPIRED;

	return lasting >> (reason & 31) & 1;
}

static __always_inline void refusal_charge_source(const struct xf_refusal *r, __u32 packets)
{
	struct xf_source_count first = {.refused = packets, .last = bpf_jiffies64()}, *count;
	struct xf_source_key key;

	source_key(&key, r->rule, &r->saddr, r->kind & XF_REFUSAL_IPV6 ? XF_IPV6 : XF_IPV4);
	count = bpf_map_lookup_elem(&sources, &key);
	if (count)
		__sync_fetch_and_add(&count->refused, packets);
	else
		bpf_map_update_elem(&sources, &key, &first, BPF_NOEXIST);
}

static __always_inline void refusal_charge_ban(const struct xf_refusal *r, __u32 packets)
{
	union xf_addr addr = r->saddr;
	struct xf_prefix *ban = r->kind & XF_REFUSAL_IPV6 ? set_find(&addr, XF_SET_BANS, XF_IPV6) :
							    set_find(&addr, XF_SET_BANS, XF_IPV4);

	if (ban)
		__sync_fetch_and_add(&ban->hits, packets);
}

/*
 * Adds what was counted here to the counters of the rule, the source and the ban.
 * The tool has it done while packets come, on whichever CPU: who moves "settled"
 * charges them, and whose they are has not changed if "settled" has not.
 */
__weak __noinline int refusal_settle(__u32 index)
{
	struct xf_refusal *r = bpf_map_lookup_elem(&refusals, &index), charged;
	__u32 from, packets;

	if (!r)
		return 0;
	from = __sync_fetch_and_add(&r->settled, 0);
	charged.saddr = r->saddr;
	charged.kind = r->kind;
	charged.rule = r->rule;
	charged.reason = r->reason;
	packets = *(volatile __u32 *)&r->count - from;
	if ((__s32)packets <= 0 || __sync_val_compare_and_swap(&r->settled, from, from + packets) != from)
		return 0;
	account_charge(charged.rule, charged.reason, packets);
	refusal_charge_source(&charged, packets);
	if (charged.reason == XF_REASON_BANNED)
		refusal_charge_ban(&charged, packets);
	return 0;
}

#define REFUSALS_MANY (1u << 23) /* as many turns as bpf_loop takes */

static long refusal_settle_one(__u32 index, void *unused)
{
	const struct xf_refusal *r = bpf_map_lookup_elem(&refusals, &index);

	if (!r)
		return 1;
	if (r->count != r->settled)
		refusal_settle(index);
	return 0;
}

/* Has nothing been refused since all was settled? What was remembered that long before counts no more packets. */
static __always_inline bool refusals_are_settled(const struct xf_changes *c, const struct xf_config *cfg)
{
	return (__s32)(c->settled - c->kept) > (__s32)(cfg->hz / REFUSAL_PART + FLOW_CLOCK_SKEW);
}

/* All of all CPUs', for the tool, which asks for it with each rule that goes. */
static __always_inline void refusals_settle(void)
{
	const struct xf_config *cfg = cfg_get();
	struct xf_changes *c = refusal_changes();
	__u32 now = bpf_jiffies64();

	if (!c || !cfg || refusals_are_settled(c, cfg))
		return;
	bpf_loop(REFUSALS_MANY, refusal_settle_one, NULL, 0);
	c->settled = now;
}

/* The place that the tuple has, or else the first that has nothing to lose; NULL: all are in use. */
static __always_inline struct xf_refusal *refusal_place(const struct pkt *p, __u32 *index, const __u8 family)
{
	const struct xf_config *cfg = cfg_get();
	__u64 hash = tuple_hash(&p->tuple, family);
	struct xf_refusal *r, *free = NULL;
	__u32 at;

	if (!cfg)
		return NULL;
	for (__u32 place = 0; place < REFUSAL_PLACES; place++) {
		bool own;

		r = refusal_at(hash, place, &at);
		if (!r)
			return NULL;
		own = refusal_is_of(r, p, family);
		if (own || (!free && (r->stamp != p->stamp || !refusal_is_recent(r->asked, p->now, cfg)))) {
			*index = at;
			free = r;
		}
		if (own)
			break;
	}
	return free;
}

static __always_inline void refusal_write(ctx_t *ctx, struct xf_refusal *r, const struct pkt *p, const __u8 family)
{
	__u8 source[ETH_ALEN];

	addr_store(&r->saddr, &p->tuple.saddr, family);
	addr_store(&r->daddr, &p->tuple.daddr, family);
	r->sport = p->tuple.sport;
	r->dport = p->tuple.dport;
	r->stamp = p->stamp;
	r->asked = p->now;
	r->ifindex = ctx_ingress(ctx);
	ctx_l2_addresses(ctx, r->mac, source, p->l3);
	r->kind = refusal_kind(p, family);
	r->rule = p->rule;
	r->reason = p->reason;
}

/*
 * Remembers that this packet was refused. Between the two additions the entry owes
 * nothing, and from the first on it is another's, see refusal_settle().
 */
static __always_inline int refusal_keep(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	struct xf_changes *c = refusal_changes();
	struct xf_refusal *r;
	__u32 index = 0;

	if (!c || !refusal_is_plain(ctx, p, family))
		return 0;
	r = refusal_place(p, &index, family);
	if (!r)
		return 0;
	refusal_settle(index);
	__sync_fetch_and_add(&r->settled, 1);
	refusal_write(ctx, r, p, family);
	__sync_fetch_and_add(&r->count, 1);
	/* Everybody reads it: written once a jiffy. */
	if (c->kept != p->now)
		c->kept = p->now;
	return 0;
}

__noinline int TIER(refusal_ipv4)(ctx_t *ctx, const struct pkt *p)
{
	return p ? refusal_keep(ctx, p, XF_IPV4) : 0;
}

__noinline int TIER(refusal_ipv6)(ctx_t *ctx, const struct pkt *p)
{
	return p ? refusal_keep(ctx, p, XF_IPV6) : 0;
}

/*
 * After a flow was made: may its answers, packets without a flow until now, have been refused
 * (a rule listens on what is a masquerade port, too)? Then nothing of before counts.
 */
__weak __noinline int refusal_yields(struct pkt *p, __u32 family)
{
	const struct flow_draft *d = draft_get();
	const struct xf_config *cfg = cfg_get();
	__u8 listen_ports;

	if (!p || !d || !cfg || !rule_listens_on(p->tuple.proto, d->reply_key.dport))
		return 0;
	listen_ports = p->listen_ports;
	p->tuple = d->reply_key;
	rule_wants_ports(p);
	if (rule_find(p, cfg_set(cfg, p->half), family) != NO_RULE)
		refusals_end();
	p->tuple = d->client_key;
	p->listen_ports = listen_ports;
	return 0;
}

#endif
