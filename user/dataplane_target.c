// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of rules' targets besides their addresses: the names that they
 * were given as, and whether they answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
}

int dp_host_write(struct dataplane *dp, __u32 tag, const char *name, struct xf_error *err)
{
	struct xf_rule_host host = {0};

	if (!name || !*name)
		return 0;
	memcpy(host.name, name, strnlen(name, sizeof(host.name) - 1));
	if (bpf_map_update_elem(dp->map[DP_MAP_RULE_HOSTS], &tag, &host, BPF_ANY))
		return xf_fail(err, "cannot note the target's name: %s", strerror(errno));
	return 0;
}

void dp_target_forget(struct dataplane *dp, __u32 id)
{
	__u32 place = dp_rule_place(dp, id);
	struct xf_rule rule;

	if (!bpf_map_lookup_elem(dp->map[DP_MAP_RULES], &place, &rule))
		bpf_map_delete_elem(dp->map[DP_MAP_RULE_HOSTS], &rule.tag);
	bpf_map_delete_elem(dp->map[DP_MAP_TARGET_HEALTH], &id);
}

static void read_host(struct dataplane *dp, __u32 tag, struct xf_target *target)
{
	struct xf_rule_host host;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_RULE_HOSTS], &tag, &host))
		return;
	host.name[sizeof(host.name) - 1] = '\0';
	if (!xf_host_check(host.name, NULL))
		memcpy(target->host, host.name, sizeof(target->host));
}

/* Most instances have no names and no health at all, and then nothing is asked rule by rule. */
static bool is_empty(struct dataplane *dp, enum dp_map map)
{
	__u32 first;

	return bpf_map_get_next_key(dp->map[map], NULL, &first);
}

static void read_health(struct dataplane *dp, struct dp_rule *rule, __u64 now)
{
	struct xf_target_health health;

	if (!bpf_map_lookup_elem(dp->map[DP_MAP_TARGET_HEALTH], &rule->id, &health) && health.tag == rule->tag &&
	    health.until_ns > now)
		rule->health = health.up ? DP_HEALTH_UP : DP_HEALTH_DOWN;
}

void dp_targets_read(struct dataplane *dp, struct dp_rule *rules, size_t n)
{
	bool names = !is_empty(dp, DP_MAP_RULE_HOSTS), health = !is_empty(dp, DP_MAP_TARGET_HEALTH);
	__u64 now = now_ns();
	size_t i;

	for (i = 0; i < n && (names || health); i++) {
		read_host(dp, rules[i].tag, &rules[i].spec.target);
		read_health(dp, &rules[i], now);
	}
}

/* ---- for those who look after them */

static void describe(struct dataplane *dp, const struct dp_ruleset *set, const struct dp_entry *entry,
		     struct dp_target *out)
{
	const struct xf_rule *rule = &set->rules[entry->id];
	struct xf_rule_spec spec;

	xf_rule_decode(rule, &entry->meta, &spec);
	read_host(dp, rule->tag, &spec.target);
	*out = (struct dp_target){
		.id = entry->id,
		.tag = rule->tag,
		.protos = rule->protos,
		.target = spec.target,
		.port = rule->target_lo,
		.local = rule->flags & XF_RULE_LOCAL,
	};
	memcpy(out->name, spec.name, sizeof(out->name));
}

int dp_targets(struct dataplane *dp, struct dp_target **targets, size_t *n, struct xf_error *err)
{
	struct dp_ruleset set;
	size_t i;

	*n = 0;
	if (dp_ruleset_read(dp, &set, err))
		return -1;
	*targets = calloc(set.n_entries + 1, sizeof(**targets));
	for (i = 0; i < set.n_entries && *targets; i++)
		if (set.rules[set.entries[i].id].flags & XF_RULE_LIVE)
			describe(dp, &set, &set.entries[i], &(*targets)[(*n)++]);
	dp_ruleset_free(&set);
	return *targets ? 0 : xf_fail(err, "out of memory");
}

int dp_health_note(struct dataplane *dp, const struct dp_target *target, bool up, uint32_t good_ms)
{
	struct xf_target_health health = {
		.tag = target->tag,
		.up = up,
		.until_ns = now_ns() + (__u64)good_ms * 1000000,
	};

	return bpf_map_update_elem(dp->map[DP_MAP_TARGET_HEALTH], &target->id, &health, BPF_ANY) ? -errno : 0;
}

static int forget_health(const void *key, const void *value, void *arg)
{
	struct dataplane *dp = arg;

	(void)value;
	bpf_map_delete_elem(dp->map[DP_MAP_TARGET_HEALTH], key);
	return 0;
}

void dp_health_forget(struct dataplane *dp)
{
	dp_map_walk(dp->map[DP_MAP_TARGET_HEALTH], forget_health, dp);
}

/* ---- another address for a name */

/* Everything about the rule but its own place among the others, as if it were to be added. */
static int judge_move(struct dataplane *dp, struct dp_addition *add, const struct dp_entry *entry, struct xf_error *err)
{
	struct dp_ruleset *set = &add->set;
	__u32 id = entry->id;

	set->entries[entry - set->entries] = set->entries[set->n_entries - 1];
	set->n_entries--;
	set->free_id = id; /* it has a place */
	return dp_judge_rules(add, err) || dp_judge_machine(dp, add, err) ? -1 : 0;
}

static int write_move(struct dataplane *dp, const struct dp_addition *add, struct xf_rule *rule, struct xf_error *err)
{
	__u32 id = rule->tag & XF_RULE_ID_MASK;
	int rc;

	rule->target = add->spec->target.addr.addr;
	rule->flags = add->local ? rule->flags | XF_RULE_LOCAL : rule->flags & ~XF_RULE_LOCAL;
	if (add->source.family)
		rule->masquerade = add->source.addr;
	/* What the way out needs is there before the first packet goes there. */
	if (!add->local && dp_attach_way_out(dp, &add->route, err) < 0)
		return -1;
	if (dp_local_apply(dp, dp_local_needs(&add->set, rule), err) || dp_egress_refresh(dp, err))
		return -1;
	rc = dp_rule_write(dp, id, rule);
	return rc ? xf_fail(err, "cannot write the rule: %s", strerror(-rc)) : 0;
}

int dp_target_move(struct dataplane *dp, const struct dp_target *target, const struct xf_address *to,
		   struct xf_error *err)
{
	struct dp_addition add = {.force = true};
	const struct dp_entry *entry;
	struct xf_rule_spec spec;
	struct xf_rule rule;
	int rc = -1;

	if (dp_ruleset_read(dp, &add.set, err))
		return -1;
	entry = dp_ruleset_find(&add.set, target->name, err);
	if (entry && add.set.rules[entry->id].tag != target->tag)
		xf_fail(err, "the rule \"%s\" is another one by now", target->name);
	else if (entry) {
		rule = add.set.rules[entry->id];
		xf_rule_decode(&rule, &entry->meta, &spec);
		spec.target.addr = *to;
		add.spec = &spec;
		rc = judge_move(dp, &add, entry, err) || write_move(dp, &add, &rule, err) ? -1 : 0;
		/* The flows that stay need the former next hop, until the next time that all are counted. */
		if (!rc && !add.local)
			dp_neighbour_take(dp, to, &add.route);
	}
	dp_ruleset_free(&add.set);
	return rc;
}
