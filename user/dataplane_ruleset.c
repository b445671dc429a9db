/* SPDX-License-Identifier: GPL-2.0-only */
/* All rules at once, as a writer needs them to judge a new one, and the end of a rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"

/* The number of a rule in this half of the maps; false: it is in the other one. */
static bool id_of(const struct dataplane *dp, __u32 place, __u32 *id)
{
	__u32 first = XF_RULE_PLACE(XF_SET_HALF(dp->set), dp->config.max_rules, 0);

	*id = place - first;
	return place >= first && *id < dp->config.max_rules;
}

__u32 dp_rule_place(const struct dataplane *dp, __u32 id)
{
	return XF_RULE_PLACE(XF_SET_HALF(dp->set), dp->config.max_rules, id);
}

int dp_rule_write(struct dataplane *dp, __u32 id, const struct xf_rule *rule)
{
	__u32 place = dp_rule_place(dp, id);

	return bpf_map_update_elem(dp->map[DP_MAP_RULES], &place, rule, BPF_ANY) ? -errno : 0;
}

int dp_meta_write(struct dataplane *dp, __u32 id, const struct xf_rule_meta *meta)
{
	__u32 place = dp_rule_place(dp, id);

	return bpf_map_update_elem(dp->map[DP_MAP_RULE_META], &place, meta, BPF_ANY) ? -errno : 0;
}

struct dp_entry *dp_ruleset_add(struct dp_ruleset *set, __u32 id)
{
	struct dp_entry *grown;

	if (set->n_entries == set->room) {
		set->room = set->room ? 2 * set->room : 64;
		grown = realloc(set->entries, set->room * sizeof(*grown));
		if (!grown)
			return NULL;
		set->entries = grown;
	}
	grown = &set->entries[set->n_entries++];
	*grown = (struct dp_entry){.id = id};
	return grown;
}

struct reading {
	const struct dataplane *dp;
	struct dp_ruleset *set;
};

static int take_meta(const void *key, const void *value, void *arg)
{
	struct reading *r = arg;
	struct dp_entry *entry;
	__u32 place, id;

	memcpy(&place, key, sizeof(place));
	if (!id_of(r->dp, place, &id))
		return 0;
	entry = dp_ruleset_add(r->set, id);
	if (!entry)
		return -ENOMEM;
	memcpy(&entry->meta, value, sizeof(entry->meta));
	entry->meta.name[XF_NAME_LEN - 1] = '\0';
	return 0;
}

/* Of both kinds: what people read is there only of rules, of the rest there is an element for each that could be. */
static int take_rules(struct dataplane *dp, struct dp_ruleset *set, struct xf_error *err)
{
	struct xf_policy *policies;
	struct xf_rule *rules;
	size_t len[2], i;

	rules = dp_map_mmap(dp, DP_MAP_RULES, &len[0], err);
	policies = rules ? dp_map_mmap(dp, DP_MAP_POLICIES, &len[1], err) : NULL;
	for (i = 0; policies && i < set->n_entries; i++) {
		struct dp_entry *entry = &set->entries[i];
		__u32 place = dp_rule_place(dp, entry->id);

		set->rules[entry->id] = rules[place];
		if (rules[place].flags & XF_RULE_POLICY)
			entry->policy = policies[place];
	}
	if (policies)
		munmap(policies, len[1]);
	if (rules)
		munmap(rules, len[0]);
	return policies ? 0 : -1;
}

bool dp_rule_is_there(const struct xf_rule *rule)
{
	return rule->flags & (XF_RULE_LIVE | XF_RULE_DRAINING);
}

/*
 * The half that is not in force may have the later one: of a set that was not
 * confirmed, and whose flows are not all swept up yet. What is ahead by less than
 * half of all numbers is later.
 */
__u32 dp_tag_after(__u32 id, __u32 here, __u32 there)
{
	__u32 a = here >> XF_RULE_ID_BITS, b = there >> XF_RULE_ID_BITS;
	__u32 ahead = (b + XF_RULE_GENERATIONS - a) % XF_RULE_GENERATIONS;
	__u32 n = ahead < XF_RULE_GENERATIONS / 2 ? b : a;

	return XF_RULE_TAG(id, n < XF_RULE_GENERATIONS ? n + 1 : 1);
}

__u32 dp_rule_next_tag(const struct dataplane *dp, __u32 id)
{
	__u32 place[2] = {id, dp->config.max_rules + id};
	struct xf_rule rule[2] = {{0}};
	int here = (int)XF_SET_HALF(dp->set);

	bpf_map_lookup_elem(dp->map[DP_MAP_RULES], &place[0], &rule[0]);
	bpf_map_lookup_elem(dp->map[DP_MAP_RULES], &place[1], &rule[1]);
	return dp_tag_after(id, rule[here].tag, rule[!here].tag);
}

/*
 * Drops what a killed command left of free slots, and counts the rest. Each rule
 * has its entry in "rule_meta", which is written before and removed after it.
 */
static void settle(struct dp_ruleset *set)
{
	size_t i, kept = 0;

	set->live = set->draining = 0;
	for (i = 0; i < set->n_entries; i++) {
		__u32 id = set->entries[i].id;

		if (id >= set->max_rules || !dp_rule_is_there(&set->rules[id]))
			continue;
		set->entries[kept++] = set->entries[i];
		if (set->rules[id].flags & XF_RULE_LIVE)
			set->live++;
		else
			set->draining++;
	}
	set->n_entries = kept;
	for (set->free_id = 0; set->free_id < set->max_rules && dp_rule_is_there(&set->rules[set->free_id]);
	     set->free_id++)
		;
}

static int read_set(struct dataplane *dp, struct dp_ruleset *set, struct xf_error *err)
{
	struct reading reading = {.dp = dp, .set = set};
	int rc;

	*set = (struct dp_ruleset){.max_rules = dp->config.max_rules};
	set->rules = calloc(set->max_rules, sizeof(*set->rules));
	rc = set->rules ? dp_map_walk(dp->map[DP_MAP_RULE_META], take_meta, &reading) : -ENOMEM;
	if (rc)
		return xf_fail(err, "cannot read the rules: %s", strerror(-rc));
	if (take_rules(dp, set, err))
		return -1;
	settle(set);
	return 0;
}

/* Whoever only reads has no lock, and another set may come into force meanwhile. */
int dp_ruleset_read(struct dataplane *dp, struct dp_ruleset *set, struct xf_error *err)
{
	__u32 before;
	int rc;

	do {
		before = dp->set;
		rc = read_set(dp, set, err);
		if (!rc)
			rc = dp_set_look(dp, err);
		if (rc || dp->set != before)
			dp_ruleset_free(set);
	} while (!rc && dp->set != before);
	return rc;
}

void dp_ruleset_free(struct dp_ruleset *set)
{
	free(set->rules);
	free(set->entries);
	memset(set, 0, sizeof(*set));
}

const struct dp_entry *dp_ruleset_find(const struct dp_ruleset *set, const char *name, struct xf_error *err)
{
	size_t i;

	for (i = 0; i < set->n_entries; i++)
		if (set->rules[set->entries[i].id].flags & XF_RULE_LIVE && !strcmp(set->entries[i].meta.name, name))
			return &set->entries[i];
	xf_fail(err, "no rule \"%.*s\"", XF_NAME_LEN, name);
	return NULL;
}

void dp_rule_drops_clear(struct dataplane *dp, __u32 id)
{
	struct xf_drop_key key = {.rule = id};

	dp_refusals_end(dp);
	for (key.reason = 0; key.reason < XF_REASON_COUNT; key.reason++)
		bpf_map_delete_elem(dp->map[DP_MAP_RULE_DROPS], &key);
}

int dp_rule_free(struct dataplane *dp, __u32 id, struct xf_error *err)
{
	const struct xf_rule none = {.tag = dp_rule_next_tag(dp, id)};
	__u32 place = dp_rule_place(dp, id);
	int rc;

	dp_target_forget(dp, id);
	rc = dp_rule_write(dp, id, &none);
	if (rc)
		return xf_fail(err, "cannot end the rule: %s", strerror(-rc));
	bpf_map_delete_elem(dp->map[DP_MAP_RULE_META], &place);
	dp_rule_drops_clear(dp, id);
	return 0;
}

/* ---- rules whose flows live out */

struct reaper {
	const struct dp_ruleset *set;
	__u32 now;
	bool *has_flows; /* by rule id */
};

static int note_flow(const struct xf_flow *half, void *arg)
{
	struct reaper *reaper = arg;

	if (dp_flow_has_rule(reaper->set, half) && !dp_flow_expired(half, reaper->now))
		reaper->has_flows[half->rule & XF_RULE_ID_MASK] = true;
	return 0;
}

static int free_drained(struct dataplane *dp, struct dp_ruleset *set, const bool *has_flows, struct xf_error *err)
{
	__u32 id, freed = 0;
	size_t i;

	for (i = 0; i < set->n_entries; i++) {
		id = set->entries[i].id;
		if (set->rules[id].flags & XF_RULE_LIVE || has_flows[id])
			continue;
		if (dp_rule_free(dp, id, err))
			return -1;
		set->rules[id] = (struct xf_rule){0};
		freed++;
	}
	settle(set);
	if (!freed)
		return 0;
	return dp_ports_rebuild(dp, set, err) || dp_local_apply(dp, dp_local_needs(set, NULL), err) ? -1 : 0;
}

int dp_ruleset_reap(struct dataplane *dp, struct dp_ruleset *set, struct xf_error *err)
{
	struct reaper reaper = {.set = set};
	struct xf_clock clock;
	int rc;

	if (!set->draining)
		return 0;
	reaper.has_flows = calloc(set->max_rules, sizeof(bool));
	if (!reaper.has_flows)
		return xf_fail(err, "out of memory");
	rc = dp_clock_read(dp, &clock, err);
	reaper.now = (__u32)clock.jiffies;
	if (!rc)
		rc = dp_halves(dp, note_flow, &reaper, err);
	if (!rc)
		rc = free_drained(dp, set, reaper.has_flows, err);
	free(reaper.has_flows);
	return rc;
}
