/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules as users see them: with counters, added up over the CPUs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane_rule_int.h"

struct lister {
	struct dataplane *dp;
	struct dp_rule *rules;
	size_t n;
	__u32 *index; /* by rule id, place in rules + 1; 0: not listed */
	bool counts;  /* or only what was asked for */
	void *percpu;
	size_t cpus;
	struct dp_prefix_sets sets;
	const char **words; /* how each was stated; in the same memory as the rules */
	__u64 now;	    /* jiffies */
	__s64 tick;	    /* nanoseconds a jiffy */
	__s64 first_tick;   /* when jiffies were 0, in nanoseconds since 1970 */
};

static double unix_time(const struct lister *l, __u64 jiffies)
{
	return jiffies ? (double)(l->first_tick + (__s64)jiffies * l->tick) / 1e9 : 0;
}

static __s64 nanoseconds(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static __s64 round_down(__s64 n, __s64 to)
{
	__s64 over = n % to;

	return n - (over < 0 ? over + to : over);
}

#define CLOCK_READINGS 3 /* between which the clock is hardly late each time */

/*
 * Where between two ticks the clock is read must not show in the answer: a hit
 * has one time, whoever asks and when. Ticks come at whole multiples of their
 * length; one that is late makes a reading look later, so the earliest counts.
 */
static int read_clock(struct lister *l, struct xf_error *err)
{
	__s64 first, earliest = 0;
	struct xf_clock clock;
	int i;

	l->tick = (1000000000LL + l->dp->config.hz / 2) / l->dp->config.hz;
	for (i = 0; i < CLOCK_READINGS; i++) {
		if (dp_clock_read(l->dp, &clock, err))
			return -1;
		first = round_down((__s64)clock.monotonic_ns - (__s64)clock.jiffies * l->tick, l->tick);
		if (!i || first < earliest)
			earliest = first;
	}
	l->now = clock.jiffies;
	l->first_tick = earliest - nanoseconds(CLOCK_MONOTONIC) + nanoseconds(CLOCK_REALTIME);
	return 0;
}

static void add_counters(const struct lister *l, struct dp_rule *rule)
{
	const struct xf_rule_counters *c = l->percpu;
	__u64 last_hit = 0;
	size_t cpu;

	if (bpf_map_lookup_elem(l->dp->map[DP_MAP_RULE_COUNTERS], &rule->id, l->percpu))
		return;
	for (cpu = 0; cpu < l->cpus; cpu++) {
		rule->packets_in += c[cpu].packets_in;
		rule->bytes_in += c[cpu].bytes_in;
		rule->packets_out += c[cpu].packets_out;
		rule->bytes_out += c[cpu].bytes_out;
		rule->flows_created += c[cpu].flows_created;
		rule->fast_packets += c[cpu].fast_packets;
		if (c[cpu].last_hit > last_hit)
			last_hit = c[cpu].last_hit;
	}
	rule->last_hit_unix = unix_time(l, last_hit);
}

/* Drops are few, so they are looked up by what there is, not by what there could be. */
static int note_drop_keys(struct lister *l, struct xf_error *err)
{
	int map = l->dp->map[DP_MAP_RULE_DROPS];
	const __u64 *counts = l->percpu;
	struct xf_drop_key key, next;
	void *from = NULL;
	__u64 sum;
	size_t cpu;

	while (!bpf_map_get_next_key(map, from, &next)) {
		key = next;
		from = &key;
		if (key.rule >= l->dp->config.max_rules || key.reason >= XF_REASON_COUNT || !l->index[key.rule] ||
		    bpf_map_lookup_elem(map, &key, l->percpu))
			continue;
		/* Set, not added to: when a key is deleted meanwhile, the walk may start over. */
		for (sum = 0, cpu = 0; cpu < l->cpus; cpu++)
			sum += counts[cpu];
		l->rules[l->index[key.rule] - 1].drops[key.reason] = sum;
	}
	return errno == ENOENT ? 0 : xf_fail(err, "cannot read the rules' drops: %s", strerror(errno));
}

/* How a set was stated. Without a lock, the set may be gone already, and with it the rule. */
static const char *words_of(const struct lister *l, __u32 id, uint64_t *hash)
{
	const struct dp_prefix_set *set = dp_prefix_set_find(&l->sets, id);

	if (!id)
		return NULL;
	*hash = set ? set->set.hash : 0;
	return set ? l->words[set - l->sets.set] : "?";
}

/*
 * A rule that was told to close so long from then closes by the programs' clock,
 * and when that is, the clock on the wall may have been set to say otherwise.
 */
static int64_t expires_at(const struct lister *l, const struct xf_rule *rule, const struct xf_rule_meta *meta)
{
	double at = unix_time(l, rule->expires), stated = (double)meta->expires_unix;

	if (meta->expires_by_date || (at > stated - 2 && at < stated + 2))
		return (int64_t)meta->expires_unix;
	return (int64_t)(at + 0.5);
}

static void describe(const struct lister *l, const struct dp_ruleset *set, const struct dp_entry *entry,
		     struct dp_rule *out)
{
	const struct xf_rule *rule = &set->rules[entry->id];

	*out = (struct dp_rule){.id = entry->id, .tag = rule->tag, .created_unix = entry->meta.created_unix};
	xf_rule_decode(rule, &entry->meta, &out->spec);
	xf_policy_decode(&entry->policy, l->dp->config.hz, &out->spec);
	out->allow = words_of(l, entry->policy.allow, &out->allow_hash);
	out->deny = words_of(l, entry->policy.deny, &out->deny_hash);
	out->spec.expires = rule->expires ? expires_at(l, rule, &entry->meta) : 0;
	out->expired = rule->expires && rule->expires <= l->now;
	out->local = rule->flags & XF_RULE_LOCAL;
	if (rule->source == XF_SOURCE_MASQUERADE || rule->flags & XF_RULE_STATELESS)
		out->masquerade = (struct xf_pool){.first = {.family = rule->family, .addr = rule->masquerade},
						   .more = rule->pool};
}

static int by_listen_port(const void *a, const void *b)
{
	const struct dp_rule *x = a, *y = b;

	if (x->spec.listen.ports.lo != y->spec.listen.ports.lo)
		return x->spec.listen.ports.lo < y->spec.listen.ports.lo ? -1 : 1;
	return strcmp(x->spec.name, y->spec.name);
}

static int list_rules(struct lister *l, const struct dp_ruleset *set, struct xf_error *err)
{
	size_t i;

	for (i = 0; i < set->n_entries; i++)
		if (set->rules[set->entries[i].id].flags & XF_RULE_LIVE)
			describe(l, set, &set->entries[i], &l->rules[l->n++]);
	if (l->n)
		qsort(l->rules, l->n, sizeof(*l->rules), by_listen_port);
	dp_targets_read(l->dp, l->rules, l->n);
	if (!l->counts)
		return 0;
	for (i = 0; i < l->n; i++) {
		l->index[l->rules[i].id] = (__u32)i + 1;
		add_counters(l, &l->rules[i]);
	}
	return dp_refusals_settle(l->dp, err) || note_drop_keys(l, err) || dp_watch_read(l->dp, l->rules, l->n, err) ?
		       -1 :
		       0;
}

/* The rules' array with room for the sets' words behind it, so that one free() does. */
static int make_room(struct lister *l, const struct dp_ruleset *set, struct xf_error *err)
{
	size_t i, octets = (set->n_entries + 1) * sizeof(*l->rules), words = 0;
	bool any = false;
	char *at;

	for (i = 0; i < set->n_entries; i++)
		any |= set->entries[i].policy.allow || set->entries[i].policy.deny;
	if (any && dp_prefix_sets_read(l->dp, &l->sets, err))
		return -1;
	for (i = 0; i < l->sets.n; i++)
		words += strlen(l->sets.set[i].set.given) + 1;
	l->rules = calloc(1, octets + words);
	l->words = calloc(l->sets.n + 1, sizeof(*l->words));
	if (!l->rules || !l->words)
		return xf_fail(err, "out of memory");
	for (i = 0, at = (char *)l->rules + octets; i < l->sets.n; i++) {
		l->words[i] = at;
		at = stpcpy(at, l->sets.set[i].set.given) + 1;
	}
	return 0;
}

static int prepare(struct lister *l, const struct dp_ruleset *set, struct xf_error *err)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1)
		return xf_fail(err, "cannot count the CPUs: %s", strerror(-cpus));
	if (read_clock(l, err) || make_room(l, set, err))
		return -1;
	l->cpus = (size_t)cpus;
	l->percpu = calloc(l->cpus, sizeof(struct xf_rule_counters));
	l->index = calloc(set->max_rules, sizeof(*l->index));
	return l->percpu && l->index ? 0 : xf_fail(err, "out of memory");
}

static int list(struct lister *l, struct dp_rule **rules, size_t *n, struct xf_error *err)
{
	struct dp_ruleset set;
	int rc;

	*rules = NULL;
	*n = 0;
	if (dp_ruleset_read(l->dp, &set, err))
		return -1;
	rc = prepare(l, &set, err);
	if (!rc)
		rc = list_rules(l, &set, err);
	dp_ruleset_free(&set);
	dp_prefix_sets_free(&l->sets);
	free(l->words);
	free(l->percpu);
	free(l->index);
	if (rc) {
		free(l->rules);
		return -1;
	}
	*rules = l->rules;
	*n = l->n;
	return 0;
}

int dp_rules(struct dataplane *dp, struct dp_rule **rules, size_t *n, struct xf_error *err)
{
	struct lister l = {.dp = dp, .counts = true};

	return list(&l, rules, n, err);
}

int dp_rule_specs(struct dataplane *dp, struct dp_rule **rules, size_t *n, struct xf_error *err)
{
	struct lister l = {.dp = dp};

	return list(&l, rules, n, err);
}
