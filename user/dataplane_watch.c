/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs note of who comes to a rule: read for the lists, and begun anew with a new rule. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"
#include "hll.h"

static __u32 period_at(const struct dataplane *dp, __u64 jiffies)
{
	return (__u32)(jiffies / ((__u64)dp->config.hz * XF_SKETCH_SECONDS));
}

int dp_watch_read(struct dataplane *dp, struct dp_rule *rules, size_t n, struct xf_error *err)
{
	struct xf_rule_state state;
	struct xf_sketch sketch;
	struct xf_clock clock;
	size_t i;

	if (dp_clock_read(dp, &clock, err))
		return -1;
	for (i = 0; i < n; i++) {
		if (!bpf_map_lookup_elem(dp->map[DP_MAP_RULE_STATES], &rules[i].id, &state)) {
			rules[i].flows_pending = state.pending;
			rules[i].flows_established = state.established;
		}
		if (!bpf_map_lookup_elem(dp->map[DP_MAP_SKETCHES], &rules[i].id, &sketch))
			rules[i].sources = hll_estimate(&sketch, period_at(dp, clock.jiffies));
	}
	return 0;
}

struct forgetter {
	__u32 rule;
	int map;
};

static int forget_source(const void *key, const void *value, void *arg)
{
	const struct forgetter *f = arg;
	struct xf_source_key source;

	(void)value;
	memcpy(&source, key, sizeof(source));
	if (source.rule == f->rule)
		bpf_map_delete_elem(f->map, &source);
	return 0;
}

void dp_watch_forget(struct dataplane *dp, __u32 id)
{
	struct forgetter f = {.rule = id, .map = dp->map[DP_MAP_SOURCES]};

	/* Nobody came: no need to look through all the sources there are. */
	if (!bpf_map_delete_elem(dp->map[DP_MAP_SKETCHES], &id))
		dp_map_walk(f.map, forget_source, &f);
}
