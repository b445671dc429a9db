/* SPDX-License-Identifier: GPL-2.0-only */
/* What is counted of rules, begun anew for many of them at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane_rule_int.h"

struct counts {
	struct dataplane *dp;
	const bool *fresh;
	struct dp_batch batch;
};

static int zero_counters(const struct counts *c)
{
	int cpus = libbpf_num_possible_cpus(), rc = 0;
	void *zeros = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(struct xf_rule_counters));
	__u32 id;

	if (!zeros)
		return -ENOMEM;
	for (id = 0; id < c->dp->config.max_rules && !rc; id++)
		if (c->fresh[id])
			rc = bpf_map_update_elem(c->dp->map[DP_MAP_RULE_COUNTERS], &id, zeros, BPF_ANY) ? -errno : 0;
	free(zeros);
	return rc;
}

/* Values of this map are as many as CPUs: only keys are asked for. */
int dp_drops_forget(struct dataplane *dp, const bool *ids)
{
	int map = dp->map[DP_MAP_RULE_DROPS], rc;
	struct xf_drop_key key, next;
	struct dp_batch batch;
	void *from = NULL;

	dp_refusals_end(dp);
	rc = dp_batch_begin(&batch, map, true);
	while (!rc && !bpf_map_get_next_key(map, from, &next)) {
		key = next;
		from = &key;
		if (key.rule < dp->config.max_rules && ids[key.rule])
			rc = dp_batch_add(&batch, &key, NULL);
	}
	return dp_batch_end(&batch, rc);
}

static int forget_source(const void *key, const void *value, void *arg)
{
	struct counts *c = arg;
	struct xf_source_key source;

	(void)value;
	memcpy(&source, key, sizeof(source));
	if (source.rule >= c->dp->config.max_rules || !c->fresh[source.rule])
		return 0;
	return dp_batch_add(&c->batch, key, NULL);
}

/* Who came: where there is no sketch nobody did. */
static int forget_sources(struct counts *c)
{
	int map = c->dp->map[DP_MAP_SOURCES], rc;
	bool any = false;
	__u32 id;

	for (id = 0; id < c->dp->config.max_rules; id++)
		if (c->fresh[id])
			any |= !bpf_map_delete_elem(c->dp->map[DP_MAP_SKETCHES], &id);
	if (!any)
		return 0;
	rc = dp_batch_begin(&c->batch, map, true);
	if (!rc)
		rc = dp_map_walk(map, forget_source, c);
	return dp_batch_end(&c->batch, rc);
}

/* The rest of a rule's state is of flows in the table, and the programs' own: one word is written, in place. */
static int fill_buckets(struct dataplane *dp, const bool *spent, struct xf_error *err)
{
	struct xf_rule_state *states;
	size_t len;
	__u32 id;

	states = dp_map_mmap(dp, DP_MAP_RULE_STATES, &len, err);
	if (!states)
		return -1;
	for (id = 0; id < dp->config.max_rules; id++)
		if (spent[id])
			states[id].bucket = 0;
	munmap(states, len);
	return 0;
}

int dp_counts_begin(struct dataplane *dp, const bool *fresh, const bool *spent, struct xf_error *err)
{
	struct counts c = {.dp = dp, .fresh = fresh};
	int rc = zero_counters(&c);

	if (!rc)
		rc = dp_drops_forget(dp, fresh);
	if (!rc)
		rc = forget_sources(&c);
	if (rc)
		return xf_fail(err, "cannot begin the counters of new rules: %s", strerror(-rc));
	return fill_buckets(dp, spent, err);
}
