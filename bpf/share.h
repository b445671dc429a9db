/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of hash tables that live as long as somebody has a share in them: who
 * gives the last one back deletes the entry. A word of it counts the shares in
 * its lower half; the upper half is a random number, another one each time that
 * an entry is made. For what a look-up has found may be deleted the next moment,
 * and its memory be another entry's: then the word is not the one that was seen.
 */
#ifndef XDPFWD_BPF_SHARE_H
#define XDPFWD_BPF_SHARE_H

#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#define SHARE_RACES 4 /* times that other CPUs may come between */

/* The word of an entry that is about to be made, with one share. */
static __always_inline __u64 share_first(void)
{
	return (__u64)bpf_get_prandom_u32() << 32 | 1;
}

static __always_inline __u64 share_read(const __u64 *word)
{
	return *(const volatile __u64 *)word;
}

static __always_inline __u32 share_count(__u64 word)
{
	return word;
}

/*
 * One more. `seen` was read between two look-ups that found the same entry. False:
 * it has changed since then, or its last share is just being given back.
 */
static __always_inline bool share_add(__u64 *word, __u64 seen)
{
	return share_count(seen) && __sync_val_compare_and_swap(word, seen, seen + 1) == seen;
}

/* One less, by who has one. True: that was the last, and the entry is the caller's to delete. */
static __always_inline bool share_drop(__u64 *word)
{
	return share_count(__sync_fetch_and_add(word, -1)) == 1;
}

#endif
