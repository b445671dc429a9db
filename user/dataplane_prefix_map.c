/* SPDX-License-Identifier: GPL-2.0-only */
/* The networks of sets: written and removed many at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"

#define BATCH 1024

/* Keys of one of both maps, to be written or removed at once. */
struct batch {
	int map;
	size_t key_size;
	__u32 n;
	union {
		struct xf_prefix4 v4[BATCH];
		struct xf_prefix6 v6[BATCH];
		unsigned char octets[BATCH * sizeof(struct xf_prefix6)];
	};
	struct xf_prefix values[BATCH];
};

/* Not every kernel takes several networks at once: then one by one. */
static int write_batch(struct batch *b)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_ANY);
	__u32 done = b->n;

	if (!b->n || !bpf_map_update_batch(b->map, b->octets, b->values, &done, &opts))
		return 0;
	for (done = 0; done < b->n; done++)
		if (bpf_map_update_elem(b->map, b->octets + done * b->key_size, &b->values[done], BPF_ANY))
			return -errno;
	return 0;
}

static int remove_batch(struct batch *b)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 done = b->n;

	if (!b->n || !bpf_map_delete_batch(b->map, b->octets, &done, &opts))
		return 0;
	for (done = 0; done < b->n; done++)
		if (bpf_map_delete_elem(b->map, b->octets + done * b->key_size) && errno != ENOENT)
			return -errno;
	return 0;
}

static void batch_begin(struct batch *b, struct dataplane *dp, uint8_t family)
{
	b->map = dp->map[family == XF_IPV4 ? DP_MAP_PREFIXES4 : DP_MAP_PREFIXES6];
	b->key_size = family == XF_IPV4 ? sizeof(struct xf_prefix4) : sizeof(struct xf_prefix6);
	b->n = 0;
}

static void batch_add(struct batch *b, const struct cidr *net, __u32 id)
{
	if (net->addr.family == XF_IPV4) {
		b->v4[b->n] = (struct xf_prefix4){
			.prefixlen = XF_PREFIX4_BITS(net->bits), .set = id, .addr = net->addr.addr.v4};
	} else {
		b->v6[b->n] = (struct xf_prefix6){.prefixlen = XF_PREFIX6_BITS(net->bits), .set = id};
		memcpy(b->v6[b->n].addr, net->addr.addr.v6, sizeof(net->addr.addr.v6));
	}
	b->values[b->n++] = (struct xf_prefix){.bits = net->bits};
}

static int write_family(struct dataplane *dp, const struct xf_prefixes *list, __u32 id, uint8_t family)
{
	struct batch *b = calloc(1, sizeof(*b));
	int rc = b ? 0 : -ENOMEM;
	size_t i;

	if (b)
		batch_begin(b, dp, family);
	for (i = 0; i < list->n && !rc; i++) {
		if (list->net[i].addr.family != family)
			continue;
		batch_add(b, &list->net[i], id);
		if (b->n == BATCH) {
			rc = write_batch(b);
			b->n = 0;
		}
	}
	if (!rc)
		rc = write_batch(b);
	free(b);
	return rc;
}

int dp_networks_write(struct dataplane *dp, const struct xf_prefixes *list, __u32 id)
{
	int rc = write_family(dp, list, id, XF_IPV4);

	return rc ? rc : write_family(dp, list, id, XF_IPV6);
}

/* The numbers of the sets that are to go, in order, and what is found of them. */
struct removal {
	struct dataplane *dp;
	const __u32 *ids;
	size_t n;
	unsigned char *keys;
	size_t key_size, n_keys, room;
};

static int compare_ids(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int note_prefix(const void *key, const void *value, void *arg)
{
	struct removal *r = arg;
	unsigned char *grown;
	__u32 id;

	(void)value;
	/* In both kinds of keys the set comes after the length. */
	memcpy(&id, (const unsigned char *)key + sizeof(__u32), sizeof(id));
	if (!bsearch(&id, r->ids, r->n, sizeof(id), compare_ids))
		return 0;
	if (r->n_keys == r->room) {
		r->room = r->room ? 2 * r->room : BATCH;
		grown = realloc(r->keys, r->room * r->key_size);
		if (!grown)
			return -ENOMEM;
		r->keys = grown;
	}
	memcpy(r->keys + r->n_keys++ * r->key_size, key, r->key_size);
	return 0;
}

static int remove_family(struct removal *r, uint8_t family)
{
	struct batch *b = calloc(1, sizeof(*b));
	size_t at;
	int rc;

	if (!b)
		return -ENOMEM;
	batch_begin(b, r->dp, family);
	r->key_size = b->key_size;
	r->n_keys = r->room = 0;
	r->keys = NULL;
	rc = dp_map_walk(b->map, note_prefix, r);
	for (at = 0; at < r->n_keys && !rc; at += b->n) {
		b->n = (__u32)(r->n_keys - at < BATCH ? r->n_keys - at : BATCH);
		memcpy(b->octets, r->keys + at * r->key_size, b->n * r->key_size);
		rc = remove_batch(b);
	}
	free(r->keys);
	free(b);
	return rc;
}

int dp_networks_remove(struct dataplane *dp, const __u32 *ids, size_t n)
{
	struct removal r = {.dp = dp, .ids = ids, .n = n};
	int rc = remove_family(&r, XF_IPV4);

	return rc ? rc : remove_family(&r, XF_IPV6);
}
