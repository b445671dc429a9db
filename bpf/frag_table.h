/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of datagrams that come in fragments: whose they are, once the
 * first was seen, and which of their octets were. An entry may be evicted and
 * become another datagram's while a CPU still looks at it, as with every LRU map;
 * at worst that costs a datagram, when thousands of others are incomplete.
 */
#ifndef XDPFWD_BPF_FRAG_TABLE_H
#define XDPFWD_BPF_FRAG_TABLE_H

#include "cfg.h"
#include "maps.h"
#include "pkt.h"

#define FRAGMENT_SECONDS 30  /* a datagram that is not whole by then never will be, and its number may be used again */
#define FRAGMENT_WORDS	 128 /* 65536 octets in units of 8, 64 units a word */
#define FRAGMENT_HELD	 64  /* 64 KiB in packets of 1280 */

/* IPv6 numbers datagrams whatever their protocol (RFC 8200, 4.5). */
struct fragment_key {
	union xf_addr saddr;
	union xf_addr daddr;
	__u32 id;
	__u8 proto; /* IPv4 only */
	__u8 family;
	__u8 is_own; /* sent by this machine */
	__u8 pad;
};

enum fragment_state {
	FRAGMENT_UNKNOWN, /* the first has not come yet */
	FRAGMENT_OURS,
	FRAGMENT_LEFT,	  /* to the kernel */
	FRAGMENT_REFUSED, /* for `reason` */
	FRAGMENT_BAD,	  /* overlaps (RFC 5722), or contradicts itself */
};

struct fragment {
	__u32 state;
	__u32 created;
	__u32 rule;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 reason;
	__u8 pad[2];
	__u32 total; /* octets of the datagram; 0: the last fragment has not come yet */
	__u32 seen;  /* octets that have come */
	__u32 held;  /* fragments that were to be held; some may not have been */
	__u32 ticket[FRAGMENT_HELD];
	__u64 octets[FRAGMENT_WORDS]; /* which of them have come: a bit for 8 */
	__u64 starts[FRAGMENT_WORDS]; /* and with which of them a fragment began */
};

/* Datagrams of which not all has been seen. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct fragment_key);
	__type(value, struct fragment);
} fragments SEC(".maps");

/* An entry in the making. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fragment);
} fragment_draft SEC(".maps");

static __always_inline void fragment_key(struct fragment_key *key, const struct pkt *p, __u8 family)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->saddr = p->tuple.saddr;
	key->daddr = p->tuple.daddr;
	key->id = p->frag_id;
	key->proto = family == XF_IPV4 ? p->frag_proto : 0;
	key->family = family;
}

/* The entry of this datagram; one that is too old is another datagram's. */
static __always_inline struct fragment *fragment_find(const struct fragment_key *key, __u32 now)
{
	struct fragment *f = bpf_map_lookup_elem(&fragments, key);
	const struct xf_config *cfg = cfg_get();

	if (!f || !cfg || now - f->created <= FRAGMENT_SECONDS * cfg->hz)
		return f;
	bpf_map_delete_elem(&fragments, key);
	return NULL;
}

/* A new entry, or the one that another CPU has just made. */
static __always_inline struct fragment *fragment_add(const struct fragment_key *key, __u32 now)
{
	__u32 zero = 0;
	struct fragment *f = bpf_map_lookup_elem(&fragment_draft, &zero);

	if (!f)
		return NULL;
	f->created = now;
	bpf_map_update_elem(&fragments, key, f, BPF_NOEXIST);
	return bpf_map_lookup_elem(&fragments, key);
}

/* ---- which octets have come */

enum fragment_fit {
	FRAGMENT_FITS,
	FRAGMENT_COMPLETES, /* all octets of the datagram have come */
	FRAGMENT_REPEATS,   /* one that has come before; who gets it ignores it (RFC 8200, 4.5) */
	FRAGMENT_CLASHES,
};

/* Does the fragment's end go with what is known of the datagram's? */
static __always_inline bool fragment_end_fits(struct fragment *f, const struct pkt *p, __u32 end)
{
	bool more = p->fragment & FRAGMENT_MORE;
	__u32 total;

	if (end > 0xffff || (more && p->l4_len & 7))
		return false;
	if (more) {
		total = *(volatile __u32 *)&f->total;
		return !total || end < total;
	}
	total = __sync_val_compare_and_swap(&f->total, 0, end);
	return !total || total == end;
}

static __always_inline __u64 *fragment_word(__u64 *words, __u32 unit)
{
	__u32 word = unit / 64;

	asm volatile("" : "+r"(word));
	return &words[word & (FRAGMENT_WORDS - 1)];
}

/* Notes that a fragment begins with this unit; true if none did before. */
static __always_inline bool fragment_begin(struct fragment *f, __u32 unit)
{
	__u64 bit = 1ull << (unit % 64);

	return !(__sync_fetch_and_or(fragment_word(f->starts, unit), bit) & bit);
}

/* The bits of the units from `unit` to `last` that are in its word. */
static __always_inline __u64 fragment_mask(__u32 unit, __u32 last)
{
	__u64 mask = ~0ull << (unit % 64);

	return unit / 64 == last / 64 ? mask & ~0ull >> (63 - last % 64) : mask;
}

/* Notes octets [start, end); true if none of them was there. */
static __always_inline bool fragment_note(struct fragment *f, __u32 start, __u32 end)
{
	__u32 unit = start / 8, last = (end - 1) / 8;
	__u64 clash = 0;

	for (int i = 0; i < FRAGMENT_WORDS; i++) {
		__u64 mask;

		if (unit > last)
			break;
		mask = fragment_mask(unit, last);
		clash |= __sync_fetch_and_or(fragment_word(f->octets, unit), mask) & mask;
		unit = (unit / 64 + 1) * 64;
	}
	return !clash;
}

/* Was just [start, end) one fragment? One begins with `start`; then all of it has come, and no other begins within. */
static __always_inline bool fragment_was(struct fragment *f, __u32 start, __u32 end)
{
	__u32 unit = start / 8, last = (end - 1) / 8, next = last + 1;
	__u64 missing = 0, within = 0, bit = 1ull << (next % 64);

	for (int i = 0; i < FRAGMENT_WORDS; i++) {
		__u64 mask;

		if (unit > last)
			break;
		mask = fragment_mask(unit, last);
		missing |= ~*fragment_word(f->octets, unit) & mask;
		within |= *fragment_word(f->starts, unit) & (unit == start / 8 ? mask & (mask - 1) : mask);
		unit = (unit / 64 + 1) * 64;
	}
	/* And what has come behind it, if anything has, is another. */
	if (next < FRAGMENT_WORDS * 64 && *fragment_word(f->octets, next) & bit)
		within |= ~*fragment_word(f->starts, next) & bit;
	return !missing && !within;
}

__noinline int TIER(fragment_fit)(const struct pkt *p, struct fragment *f)
{
	__u32 len, end, seen;

	if (!p || !f)
		return FRAGMENT_CLASHES;
	len = p->l4_len;
	end = p->frag_off + len;
	if (!fragment_end_fits(f, p, end))
		return FRAGMENT_CLASHES;
	if (!fragment_begin(f, p->frag_off / 8))
		return fragment_was(f, p->frag_off, end) ? FRAGMENT_REPEATS : FRAGMENT_CLASHES;
	if (!fragment_note(f, p->frag_off, end))
		return FRAGMENT_CLASHES;
	seen = __sync_fetch_and_add(&f->seen, len) + len;
	return seen == *(volatile __u32 *)&f->total ? FRAGMENT_COMPLETES : FRAGMENT_FITS;
}

#endif
