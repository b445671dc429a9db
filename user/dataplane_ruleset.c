/* SPDX-License-Identifier: GPL-2.0-only */
/* All rules at once, as a writer needs them to judge a new one, and the end of a rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_int.h"

static int take_meta(const void *key, const void *value, void *arg)
{
	struct dp_ruleset *set = arg;
	struct dp_entry *grown;

	if (set->n_entries == set->room) {
		set->room = set->room ? 2 * set->room : 64;
		grown = realloc(set->entries, set->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		set->entries = grown;
	}
	memcpy(&set->entries[set->n_entries].id, key, sizeof(__u32));
	memcpy(&set->entries[set->n_entries].meta, value, sizeof(struct xf_rule_meta));
	set->entries[set->n_entries].meta.name[XF_NAME_LEN - 1] = '\0';
	set->n_entries++;
	return 0;
}

static int take_rule(const void *key, const void *value, void *arg)
{
	struct dp_ruleset *set = arg;
	__u32 id;

	memcpy(&id, key, sizeof(id));
	if (id < set->max_rules)
		memcpy(&set->rules[id], value, sizeof(set->rules[id]));
	return 0;
}

/* One by one while rules are few: to read all of a large array takes longer than all the rest of a command. */
static int take_rules(struct dataplane *dp, struct dp_ruleset *set)
{
	size_t i;
	__u32 id;

	if (set->n_entries > set->max_rules / 4)
		return dp_map_walk(dp->map[DP_MAP_RULES], take_rule, set);
	for (i = 0; i < set->n_entries; i++) {
		id = set->entries[i].id;
		if (id < set->max_rules && bpf_map_lookup_elem(dp->map[DP_MAP_RULES], &id, &set->rules[id]))
			return -errno;
	}
	return 0;
}

bool dp_rule_is_there(const struct xf_rule *rule)
{
	return rule->flags & (XF_RULE_LIVE | XF_RULE_DRAINING);
}

__u32 dp_rule_next_tag(const struct dataplane *dp, __u32 id)
{
	struct xf_rule rule = {0};
	__u32 n;

	bpf_map_lookup_elem(dp->map[DP_MAP_RULES], &id, &rule);
	n = rule.tag >> XF_RULE_ID_BITS;
	return XF_RULE_TAG(id, n < XF_RULE_GENERATIONS ? n + 1 : 1);
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

int dp_ruleset_read(struct dataplane *dp, struct dp_ruleset *set, struct xf_error *err)
{
	int rc;

	*set = (struct dp_ruleset){.max_rules = dp->config.max_rules};
	set->rules = calloc(set->max_rules, sizeof(*set->rules));
	rc = set->rules ? dp_map_walk(dp->map[DP_MAP_RULE_META], take_meta, set) : -ENOMEM;
	if (!rc)
		rc = take_rules(dp, set);
	if (rc) {
		dp_ruleset_free(set);
		return xf_fail(err, "cannot read the rules: %s", strerror(-rc));
	}
	settle(set);
	return 0;
}

void dp_ruleset_free(struct dp_ruleset *set)
{
	free(set->rules);
	free(set->entries);
	*set = (struct dp_ruleset){0};
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

	for (key.reason = 0; key.reason < XF_REASON_COUNT; key.reason++)
		bpf_map_delete_elem(dp->map[DP_MAP_RULE_DROPS], &key);
}

int dp_rule_free(struct dataplane *dp, __u32 id, struct xf_error *err)
{
	const struct xf_rule none = {.tag = dp_rule_next_tag(dp, id)};

	if (bpf_map_update_elem(dp->map[DP_MAP_RULES], &id, &none, BPF_ANY))
		return xf_fail(err, "cannot end the rule: %s", strerror(errno));
	bpf_map_delete_elem(dp->map[DP_MAP_RULE_META], &id);
	dp_rule_drops_clear(dp, id);
	return 0;
}

/* ---- rules whose flows live out */

struct reaper {
	const struct dp_ruleset *set;
	__u32 now;
	bool *has_flows; /* by rule id */
};

static int note_flow(const struct dp_half *half, void *arg)
{
	struct reaper *reaper = arg;
	const struct xf_flow *flow = &half->flow;

	if (dp_flow_has_rule(reaper->set, flow) && !dp_flow_expired(half, reaper->now))
		reaper->has_flows[flow->rule & XF_RULE_ID_MASK] = true;
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
