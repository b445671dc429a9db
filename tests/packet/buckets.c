// SPDX-License-Identifier: GPL-2.0-only
#include "buckets.h"

#include <string.h>

#include <bpf/bpf.h>

#include "maps.h"

#define BUCKETS (XF_BUCKETS(MAX_FLOWS) + XF_BUCKETS_NEAR - 1)

/* maps_open() has left the programs theirs, and these are the same. */
static const uint64_t mix[3] = {XF_MIX1, XF_MIX2, XF_MIX3};

static uint64_t hash_of(const struct xf_key6 *key, uint8_t family)
{
	return xf_tuple_hash(key, family, (const __u64 *)mix);
}

static void read_bucket(uint32_t at, struct xf_bucket *bucket)
{
	assert_int_equal(bpf_map_lookup_elem(map_fd("buckets"), &at, bucket), 0);
}

void buckets_clear(void)
{
	static const struct xf_bucket empty;

	for (uint32_t at = 0; at < BUCKETS; at++)
		map_put("buckets", &at, &empty);
}

uint32_t buckets_home(const struct xf_key6 *key, uint8_t family)
{
	return xf_bucket(hash_of(key, family), XF_BUCKETS(MAX_FLOWS));
}

static bool has_tuple(uint32_t index, const struct xf_key6 *key, uint8_t family)
{
	struct xf_flow f;

	if (bpf_map_lookup_elem(map_fd("flows"), &index, &f) || f.family != family || f.proto != key->proto ||
	    f.key_sport != key->sport || f.key_dport != key->dport)
		return false;
	if (family == XF_IPV4)
		return f.key_saddr4 == key->saddr.v4 && f.key_daddr4 == key->daddr.v4;
	return !memcmp(&f.key_saddr6, &key->saddr, 16) && !memcmp(&f.key_daddr6, &key->daddr, 16);
}

bool buckets_find(const struct xf_key6 *key, uint8_t family, uint32_t *index)
{
	const uint32_t home = buckets_home(key, family), mask = xf_entry_index(MAX_FLOWS);
	const uint32_t tag = xf_entry_tag(hash_of(key, family), family, mask);
	struct xf_bucket b;

	for (uint32_t near = 0; near < XF_BUCKETS_NEAR; near++) {
		read_bucket(home + near, &b);
		for (int i = 0; i < XF_BUCKET_ENTRIES; i++) {
			*index = (b.entry[i] & mask) - 1;
			if (b.entry[i] && (b.entry[i] & ~mask) == tag && has_tuple(*index, key, family))
				return true;
		}
		if (!near && !b.elsewhere)
			break;
	}
	return false;
}

uint32_t buckets_entries(uint8_t family)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < BUCKETS; at++) {
		struct xf_bucket b;

		read_bucket(at, &b);
		for (int i = 0; i < XF_BUCKET_ENTRIES; i++)
			n += b.entry[i] && !(b.entry[i] & XF_ENTRY_IPV6) == (family == XF_IPV4);
	}
	return n;
}

uint32_t buckets_elsewhere(void)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < BUCKETS; at++) {
		struct xf_bucket b;

		read_bucket(at, &b);
		n += b.elsewhere;
	}
	return n;
}
