/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fragments. Only the first of a datagram has the ports, so it decides for all of
 * them; nothing is put together here. Those that come before it wait in "held",
 * and are given back to the interface when it comes, right behind it: then each
 * takes the ordinary way, ours or the kernel's. Full tier only.
 *
 * The fragments of one datagram may be on several CPUs at once. A waiting one
 * belongs to who takes its ticket. Who has put one there looks at the entry's
 * state again afterwards, and who has set the state looks for waiting ones
 * afterwards: so that one of them sees the other.
 */
#ifndef XDPFWD_BPF_FRAG_H
#define XDPFWD_BPF_FRAG_H

#include "cfg.h"
#include "frag_hosts.h"
#include "frag_table.h"
#include "maps.h"
#include "pkt.h"

#define HELD_LEAST 20 /* an IP header */
#define HELD_SIZE  9216
#define HELD_SLOTS 256 /* a power of two */
#define HELD_FREE  0
#define HELD_BUSY  0xffffffffu

struct held {
	__u32 ticket; /* HELD_FREE, HELD_BUSY, or that of the fragment in it */
	__u32 len;
	__u8 packet[HELD_SIZE]; /* from the IP header on */
};

/* Fragments that wait for the first of their datagram; the oldest make room for new ones. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HELD_SLOTS);
	__type(key, __u32);
	__type(value, struct held);
} held SEC(".maps");

/* The last ticket that was given out: its low bits are the place in "held". */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} held_tickets SEC(".maps");

/* Puts a copy where it waits, in place of the oldest; its ticket, or HELD_FREE if that cannot be. */
static __always_inline __u32 held_put(ctx_t *ctx, const struct pkt *p)
{
	__u64 len = len_bounded(p->len, HELD_LEAST, HELD_SIZE);
	__u32 zero = 0, ticket, index, was;
	__u32 *last = bpf_map_lookup_elem(&held_tickets, &zero);
	struct held *h;

	if (!last || !len || p->malformed)
		return HELD_FREE;
	ticket = __sync_fetch_and_add(last, 1) + 1;
	index = ticket % HELD_SLOTS;
	h = bpf_map_lookup_elem(&held, &index);
	if (!h || ticket == HELD_FREE || ticket == HELD_BUSY)
		return HELD_FREE;
	was = *(volatile __u32 *)&h->ticket;
	if (was == HELD_BUSY || __sync_val_compare_and_swap(&h->ticket, was, HELD_BUSY) != was)
		return HELD_FREE;
	if (bpf_skb_load_bytes(ctx, p->l3, h->packet, len))
		ticket = HELD_FREE;
	h->len = len;
	__sync_lock_test_and_set(&h->ticket, ticket);
	return ticket;
}

/* The fragment with that ticket, to whoever asks first; NULL: another CPU has it, or it had to make room. */
static __always_inline struct held *held_take(__u32 ticket)
{
	__u32 index = ticket % HELD_SLOTS;
	struct held *h = bpf_map_lookup_elem(&held, &index);

	if (!h || ticket == HELD_FREE || __sync_val_compare_and_swap(&h->ticket, ticket, HELD_BUSY) != ticket)
		return NULL;
	return h;
}

static __always_inline void held_free(struct held *h)
{
	__sync_lock_test_and_set(&h->ticket, HELD_FREE);
}

enum fragment_wait {
	FRAGMENT_WAITS,
	FRAGMENT_CANNOT_WAIT,
	FRAGMENT_NEED_NOT_WAIT, /* in the meantime the first has come */
};

__noinline int TIER(fragment_hold)(ctx_t *ctx, const struct pkt *p, struct fragment *f)
{
	struct held *h;
	__u32 ticket, n;

	if (!p || !f)
		return FRAGMENT_CANNOT_WAIT;
	ticket = held_put(ctx, p);
	if (ticket == HELD_FREE)
		return FRAGMENT_CANNOT_WAIT;
	n = __sync_fetch_and_add(&f->held, 1);
	if (n < FRAGMENT_HELD) {
		f->ticket[n] = ticket;
		/* Also a barrier: the state is read after the ticket was written. */
		if (__sync_val_compare_and_swap(&f->state, FRAGMENT_UNKNOWN, FRAGMENT_UNKNOWN) == FRAGMENT_UNKNOWN)
			return FRAGMENT_WAITS;
	}
	h = held_take(ticket);
	if (!h)
		return FRAGMENT_WAITS; /* no more: it is on its way */
	held_free(h);
	return n < FRAGMENT_HELD ? FRAGMENT_NEED_NOT_WAIT : FRAGMENT_CANNOT_WAIT;
}

/* Makes the packet at hand that fragment, and gives a clone of it back to the interface. */
static __always_inline void held_return(ctx_t *ctx, const struct pkt *p, __u32 ticket)
{
	struct held *h = held_take(ticket);
	__u64 len;
	long err;

	if (!h)
		return;
	len = len_bounded(h->len, HELD_LEAST, HELD_SIZE);
	err = !len || bpf_skb_change_tail(ctx, p->l3 + len, 0) ||
	      bpf_skb_store_bytes(ctx, p->l3, h->packet, len, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH);
	held_free(h);
	if (!err)
		bpf_clone_redirect(ctx, ctx_ingress(ctx), BPF_F_INGRESS);
}

/*
 * Gives the first fragment, which is at hand, and all that waited for it back to
 * the interface. False: that cannot be, and the packet is what it was.
 */
__noinline int TIER(fragment_release)(ctx_t *ctx, const struct pkt *p, const struct fragment *f)
{
	if (!p || !f || bpf_clone_redirect(ctx, ctx_ingress(ctx), BPF_F_INGRESS))
		return false;
	for (int i = 0; i < FRAGMENT_HELD; i++) {
		__u32 ticket = *(volatile __u32 *)&f->ticket[i];

		if (ticket != HELD_FREE)
			held_return(ctx, p, ticket);
	}
	return true;
}

/*
 * Notes that this fragment has come, and forgets the datagram if it was the last
 * one missing. A bad one is remembered: part of it may wait at the target. The
 * state, as it is now; of what is the kernel's, the kernel judges.
 */
static __always_inline __u32 fragment_seen(const struct pkt *p, struct fragment *f, const struct fragment_key *key)
{
	enum fragment_fit fit = TIER(fragment_fit)(p, f);
	__u32 state;

	if (fit == FRAGMENT_CLASHES)
		__sync_val_compare_and_swap(&f->state, FRAGMENT_OURS, FRAGMENT_BAD);
	state = *(volatile __u32 *)&f->state;
	if (fit == FRAGMENT_COMPLETES && state != FRAGMENT_BAD)
		bpf_map_delete_elem(&fragments, key);
	return state;
}

/* A later fragment of a datagram whose first is known: what was decided then, if nothing overlaps. */
static __always_inline enum verdict fragment_follow(struct pkt *p, struct fragment *f, const struct fragment_key *key)
{
	enum xf_reason reason = f->reason;

	p->rule = f->rule;
	p->tuple.proto = f->proto;
	p->tuple.sport = f->sport;
	p->tuple.dport = f->dport;
	switch (fragment_seen(p, f, key)) {
	case FRAGMENT_OURS:
		return SEND;
	case FRAGMENT_REFUSED:
		return refuse(p, reason);
	case FRAGMENT_BAD:
		return refuse(p, XF_REASON_BAD_FRAGMENT);
	default:
		return PASS;
	}
}

/*
 * A fragment without ports. SEND: now it has those of the first. DROP without a
 * reason: it waits for the first.
 */
__noinline int TIER(fragment_later)(ctx_t *ctx, struct pkt *p, __u32 family)
{
	struct fragment_key key;
	struct fragment *f;

	if (!p)
		return PASS;
	p->now = bpf_jiffies64();
	fragment_key(&key, p, family);
	f = fragment_find(&key, p->now);
	if (!f && fragment_concerns_us(p, family))
		f = fragment_add(&key, p->now);
	if (!f)
		return PASS;
	if (*(volatile __u32 *)&f->state == FRAGMENT_UNKNOWN) {
		switch (TIER(fragment_hold)(ctx, p, f)) {
		case FRAGMENT_WAITS:
			return DROP;
		case FRAGMENT_CANNOT_WAIT:
			return PASS;
		}
	}
	return fragment_follow(p, f, &key);
}

/* Has this entry's first fragment come before, and been no matter of ours? Then its number is used again. */
static __always_inline bool fragment_is_over(const struct fragment *f)
{
	return (f->state == FRAGMENT_LEFT || f->state == FRAGMENT_REFUSED) && f->octets[0] & 1;
}

/* What the others are to know of the first. */
static __always_inline void fragment_tell(struct fragment *f, const struct pkt *p)
{
	f->rule = p->rule;
	f->reason = p->reason;
	f->proto = p->tuple.proto;
	f->sport = p->tuple.sport;
	f->dport = p->tuple.dport;
}

/*
 * A first fragment, on which the others depend: `v` is what was decided about it.
 * DROP without a reason: it comes again, and those that waited come behind it.
 */
__noinline int TIER(fragment_first)(ctx_t *ctx, struct pkt *p, __u32 v, __u32 family)
{
	__u32 state = v == SEND ? FRAGMENT_OURS : v == PASS ? FRAGMENT_LEFT : FRAGMENT_REFUSED;
	struct fragment_key key;
	struct fragment *f;

	if (!p)
		return PASS;
	/* It comes again, in pieces. */
	if (v == DROP && p->reason == XF_REASON_NONE)
		return v;
	p->now = bpf_jiffies64();
	fragment_key(&key, p, family);
	f = fragment_find(&key, p->now);
	if (f && fragment_is_over(f)) {
		bpf_map_delete_elem(&fragments, &key);
		f = NULL;
	}
	if (!f && (v != PASS || fragment_concerns_us(p, family)))
		f = fragment_add(&key, p->now);
	if (!f)
		return v;
	if (*(volatile __u32 *)&f->state == FRAGMENT_UNKNOWN) {
		fragment_tell(f, p);
		if (__sync_val_compare_and_swap(&f->state, FRAGMENT_UNKNOWN, state) == FRAGMENT_UNKNOWN &&
		    *(volatile __u32 *)&f->held && TIER(fragment_release)(ctx, p, f)) {
			p->reason = XF_REASON_NONE;
			return DROP;
		}
	}
	state = fragment_seen(p, f, &key);
	return v == SEND && state == FRAGMENT_BAD ? refuse(p, XF_REASON_BAD_FRAGMENT) : v;
}

/*
 * Of what this machine sends: the first fragment, about which `v` was decided, and
 * then those that follow it, which it always does send in order. PASS: not ours.
 */
__noinline int TIER(fragment_own)(struct pkt *p, __u32 v, __u32 family)
{
	struct fragment_key key;
	struct fragment *f;

	if (!p)
		return PASS;
	fragment_key(&key, p, family);
	key.is_own = 1;
	f = fragment_find(&key, bpf_jiffies64());
	if (p->frag_off)
		return f ? fragment_follow(p, f, &key) : PASS;
	if (f)
		bpf_map_delete_elem(&fragments, &key);
	f = fragment_add(&key, bpf_jiffies64());
	if (!f)
		return v;
	fragment_tell(f, p);
	__sync_lock_test_and_set(&f->state, v == SEND ? FRAGMENT_OURS : FRAGMENT_REFUSED);
	fragment_seen(p, f, &key);
	return v;
}

#endif
