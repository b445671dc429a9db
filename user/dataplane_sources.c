/* SPDX-License-Identifier: GPL-2.0-only */
/* Each rule's sources: what the programs remember of them, and the flows that they have now. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane_rule_int.h"

/* The sources found, and by (rule, address) where: open addressing, a power of two, half empty at least. */
struct table {
	struct dp_source *sources;
	size_t n, room;
	__u32 *index; /* place in sources + 1; 0: free */
	size_t index_room;
	bool failed;
};

struct source_walk {
	struct dataplane *dp;
	struct table table;
	__u64 jiffies; /* now */
	double unix_now;
	__u8 *family; /* of the rules, by id; 0: not listed */
};

static size_t slot_of(const struct table *t, __u32 rule, const struct xf_address *addr)
{
	__u64 hash = xf_sketch_hash(rule, xf_source_bits(&addr->addr, addr->family));
	size_t at = hash & (t->index_room - 1);
	__u32 i;

	while ((i = t->index[at])) {
		const struct dp_source *s = &t->sources[i - 1];

		if (s->rule == rule && xf_address_equal(&s->addr, addr))
			break;
		at = (at + 1) & (t->index_room - 1);
	}
	return at;
}

static bool grow(struct table *t)
{
	size_t room = t->room ? t->room * 2 : 1024, i;
	struct dp_source *sources = reallocarray(t->sources, room, sizeof(*sources));
	__u32 *index = calloc(room * 2, sizeof(*index));

	if (sources)
		t->sources = sources;
	if (!sources || !index) {
		free(index);
		t->failed = true;
		return false;
	}
	free(t->index);
	t->index = index;
	t->index_room = room * 2;
	t->room = room;
	for (i = 0; i < t->n; i++)
		t->index[slot_of(t, t->sources[i].rule, &t->sources[i].addr)] = (__u32)i + 1;
	return true;
}

/* The source's entry, made if there is none; NULL: memory ran out. */
static struct dp_source *source_of(struct table *t, __u32 rule, const struct xf_address *addr)
{
	size_t at;

	if (t->n == t->room && !grow(t))
		return NULL;
	at = slot_of(t, rule, addr);
	if (!t->index[at]) {
		t->sources[t->n++] = (struct dp_source){.rule = rule, .addr = *addr};
		t->index[at] = (__u32)t->n;
	}
	return &t->sources[t->index[at] - 1];
}

static int add_count(const void *key, const void *value, void *arg)
{
	struct source_walk *w = arg;
	struct xf_source_count count;
	struct xf_address addr = {0};
	struct xf_source_key k;
	struct dp_source *s;

	memcpy(&k, key, sizeof(k));
	memcpy(&count, value, sizeof(count));
	if (k.rule >= w->dp->config.max_rules || !w->family[k.rule])
		return 0;
	addr.family = w->family[k.rule];
	addr.addr = k.addr;
	s = source_of(&w->table, k.rule, &addr);
	if (!s)
		return 1;
	s->flows_created = count.flows;
	s->refused = count.refused;
	if (count.last <= w->jiffies)
		s->last_seen_unix = w->unix_now - (double)(w->jiffies - count.last) / w->dp->config.hz;
	else
		s->last_seen_unix = w->unix_now;
	return 0;
}

static int add_flow(const struct dp_flow *flow, void *arg)
{
	struct source_walk *w = arg;
	struct xf_address addr = flow->client;
	double seen = w->unix_now - flow->idle_seconds;
	struct dp_source *s;

	if (flow->rule >= w->dp->config.max_rules || !w->family[flow->rule])
		return 0;
	if (addr.family == XF_IPV6)
		addr.addr.w[2] = addr.addr.w[3] = 0;
	s = source_of(&w->table, flow->rule, &addr);
	if (!s)
		return 1;
	s->flows++;
	s->bytes_in += flow->bytes_in;
	s->bytes_out += flow->bytes_out;
	if (seen > s->last_seen_unix)
		s->last_seen_unix = seen;
	return 0;
}

static int prepare(struct source_walk *w, struct xf_error *err)
{
	struct timespec now;
	struct dp_ruleset set;
	struct xf_clock clock;
	size_t i;

	if (dp_clock_read(w->dp, &clock, err) || dp_refusals_settle(w->dp, err) || dp_ruleset_read(w->dp, &set, err))
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	w->unix_now = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	w->jiffies = clock.jiffies;
	w->family = calloc(set.max_rules, sizeof(*w->family));
	for (i = 0; w->family && i < set.n_entries; i++)
		if (set.rules[set.entries[i].id].flags & XF_RULE_LIVE)
			w->family[set.entries[i].id] = set.rules[set.entries[i].id].family;
	dp_ruleset_free(&set);
	return w->family ? 0 : xf_fail(err, "out of memory");
}

int dp_sources(struct dataplane *dp, struct dp_source **sources, size_t *n, struct xf_error *err)
{
	struct source_walk w = {.dp = dp};
	int rc = prepare(&w, err), walked;

	if (!rc) {
		walked = dp_map_walk(dp->map[DP_MAP_SOURCES], add_count, &w);
		if (walked)
			rc = xf_fail(err, "cannot read the sources: %s", strerror(-walked));
	}
	if (!rc)
		rc = dp_flows(dp, add_flow, &w, err);
	if (!rc && w.table.failed)
		rc = xf_fail(err, "out of memory");
	free(w.family);
	free(w.table.index);
	if (rc) {
		free(w.table.sources);
		return -1;
	}
	*sources = w.table.sources;
	*n = w.table.n;
	return 0;
}
