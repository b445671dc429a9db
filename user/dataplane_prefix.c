/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of networks. Rules that state the same share one set. A set is described
 * before its first network is written, and is whole before a rule refers to it;
 * it loses its networks once no rule does, and its description last. So a
 * command that is killed between any two steps leaves at most a set that
 * nobody refers to, and that the next command removes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"
#include "log.h"

/* ---- what sets there are */

static int take_set(const void *key, const void *value, void *arg)
{
	struct dp_prefix_sets *sets = arg;
	struct dp_prefix_set *grown;

	if (sets->n == sets->room) {
		sets->room = sets->room ? 2 * sets->room : 16;
		grown = realloc(sets->set, sets->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		sets->set = grown;
	}
	memcpy(&sets->set[sets->n].id, key, sizeof(__u32));
	memcpy(&sets->set[sets->n].set, value, sizeof(struct xf_prefix_set));
	sets->set[sets->n].set.given[XF_GIVEN_LEN - 1] = '\0';
	sets->n++;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct dp_prefix_set *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int dp_prefix_sets_read(struct dataplane *dp, struct dp_prefix_sets *sets, struct xf_error *err)
{
	int rc;

	*sets = (struct dp_prefix_sets){0};
	rc = dp_map_walk(dp->map[DP_MAP_PREFIX_SETS], take_set, sets);
	if (rc) {
		dp_prefix_sets_free(sets);
		return xf_fail(err, "cannot read the sets of networks: %s", strerror(-rc));
	}
	if (sets->n)
		qsort(sets->set, sets->n, sizeof(*sets->set), by_id);
	return 0;
}

void dp_prefix_sets_free(struct dp_prefix_sets *sets)
{
	free(sets->set);
	*sets = (struct dp_prefix_sets){0};
}

const struct dp_prefix_set *dp_prefix_set_find(const struct dp_prefix_sets *sets, __u32 id)
{
	const struct dp_prefix_set wanted = {.id = id};

	return sets->n ? bsearch(&wanted, sets->set, sets->n, sizeof(*sets->set), by_id) : NULL;
}

/* ---- removing */

static int compare_ids(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Numbers of sets, in order. */
struct set_ids {
	__u32 *id;
	size_t n;
};

/* So that nobody takes what is half gone for a set. */
static int mark_unusable(struct dataplane *dp, const struct dp_prefix_sets *sets, __u32 id)
{
	struct xf_prefix_set set = dp_prefix_set_find(sets, id)->set;

	set.whole = 0;
	return bpf_map_update_elem(dp->map[DP_MAP_PREFIX_SETS], &id, &set, BPF_EXIST) ? -errno : 0;
}

static int remove_sets(struct dataplane *dp, const struct dp_prefix_sets *sets, const struct set_ids *unused)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < unused->n && !rc; i++)
		rc = mark_unusable(dp, sets, unused->id[i]);
	if (!rc)
		rc = dp_networks_remove(dp, unused->id, unused->n);
	for (i = 0; i < unused->n && !rc; i++)
		bpf_map_delete_elem(dp->map[DP_MAP_PREFIX_SETS], &unused->id[i]);
	return rc;
}

/* Those that live rules refer to. */
static int find_used(const struct dp_ruleset *set, struct set_ids *used)
{
	size_t i;

	used->id = calloc(2 * set->n_entries + 1, sizeof(*used->id));
	if (!used->id)
		return -ENOMEM;
	for (i = 0; i < set->n_entries; i++) {
		const struct dp_entry *entry = &set->entries[i];

		if (!(set->rules[entry->id].flags & XF_RULE_LIVE))
			continue;
		if (entry->policy.allow)
			used->id[used->n++] = entry->policy.allow;
		if (entry->policy.deny)
			used->id[used->n++] = entry->policy.deny;
	}
	if (used->n)
		qsort(used->id, used->n, sizeof(*used->id), compare_ids);
	return 0;
}

/* The others: also what was never whole, since nobody refers to that. */
static int find_unused(const struct dp_prefix_sets *sets, const struct set_ids *used, struct set_ids *unused)
{
	size_t i;

	unused->id = calloc(sets->n + 1, sizeof(*unused->id));
	if (!unused->id)
		return -ENOMEM;
	for (i = 0; i < sets->n; i++) {
		const __u32 *id = &sets->set[i].id;

		if (!used->n || !bsearch(id, used->id, used->n, sizeof(*id), compare_ids))
			unused->id[unused->n++] = *id;
	}
	return 0;
}

void dp_prefixes_clean(struct dataplane *dp, const struct dp_ruleset *set)
{
	struct set_ids used = {0}, unused = {0};
	struct dp_prefix_sets sets;
	struct xf_error why;
	int rc;

	if (dp_prefix_sets_read(dp, &sets, &why)) {
		log_debug("%s", why.text);
		return;
	}
	rc = find_used(set, &used);
	if (!rc)
		rc = find_unused(&sets, &used, &unused);
	if (!rc && unused.n)
		rc = remove_sets(dp, &sets, &unused);
	if (rc)
		log_debug("cannot remove sets of networks that no rule has: %s", strerror(-rc));
	free(used.id);
	free(unused.id);
	dp_prefix_sets_free(&sets);
}

/* ---- making */

static int describe(struct dataplane *dp, __u32 id, const struct xf_prefix_set *set)
{
	return bpf_map_update_elem(dp->map[DP_MAP_PREFIX_SETS], &id, set, BPF_ANY) ? -errno : 0;
}

static int make_set(struct dataplane *dp, const struct xf_prefixes *list, struct dp_prefix_set *new,
		    struct xf_error *err)
{
	int rc = describe(dp, new->id, &new->set);

	if (!rc)
		rc = dp_networks_write(dp, list, new->id);
	new->set.whole = 1;
	if (!rc)
		rc = describe(dp, new->id, &new->set);
	if (rc == -ENOSPC || rc == -E2BIG)
		return xf_fail(
			err,
			"no room for the %zu networks of %.80s: the lists of all rules together may have 1048576 of "
			"either family, and there may be 65536 lists",
			list->n, list->given);
	return rc ? xf_fail(err, "cannot write the networks of %.80s: %s", list->given, strerror(-rc)) : 0;
}

int dp_prefixes_intern(struct dataplane *dp, const struct xf_prefixes *list, __u32 *id, struct xf_error *err)
{
	struct dp_prefix_set new = {.id = XF_SET_FIRST};
	struct dp_prefix_sets sets;
	int rc = 0;
	size_t i;

	*id = 0;
	if (!list)
		return 0;
	if (dp_prefix_sets_read(dp, &sets, err))
		return -1;
	new.set.hash = xf_prefixes_hash(list);
	new.set.count = (__u32)list->n;
	memcpy(new.set.given, list->given, sizeof(new.set.given));
	for (i = 0; i < sets.n && !*id; i++) {
		const struct xf_prefix_set *set = &sets.set[i].set;

		/* Stated otherwise it is another set: each rule shows its own words. */
		if (set->whole && set->hash == new.set.hash && set->count == new.set.count &&
		    !strcmp(set->given, new.set.given))
			*id = sets.set[i].id;
		new.id = sets.set[i].id + 1;
	}
	if (!*id) {
		rc = make_set(dp, list, &new, err);
		*id = new.id;
	}
	dp_prefix_sets_free(&sets);
	return rc;
}
