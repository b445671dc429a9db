/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows as users see them: two halves put together, and only those that live.
 * The entries themselves are the programs' to remove.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"

struct half_walk {
	dp_half_fn fn;
	void *arg;
	bool stopped;
};

static int visit4(const void *key, const void *value, void *arg)
{
	struct half_walk *walk = arg;
	struct dp_half half = {.family = XF_IPV4};
	struct xf_key4 k;

	memcpy(&k, key, sizeof(k));
	memcpy(&half.flow, value, sizeof(half.flow));
	half.key = (struct xf_key6){
		.saddr.v4 = k.saddr, .daddr.v4 = k.daddr, .sport = k.sport, .dport = k.dport, .proto = k.proto};
	walk->stopped = walk->fn(&half, walk->arg) != 0;
	return walk->stopped;
}

static int visit6(const void *key, const void *value, void *arg)
{
	struct half_walk *walk = arg;
	struct dp_half half = {.family = XF_IPV6};

	memcpy(&half.key, key, sizeof(half.key));
	memcpy(&half.flow, value, sizeof(half.flow));
	walk->stopped = walk->fn(&half, walk->arg) != 0;
	return walk->stopped;
}

int dp_halves(struct dataplane *dp, dp_half_fn fn, void *arg, struct xf_error *err)
{
	struct half_walk walk = {.fn = fn, .arg = arg};
	int rc = dp_map_walk(dp->map[DP_MAP_FLOW4], visit4, &walk);

	if (!rc && !walk.stopped)
		rc = dp_map_walk(dp->map[DP_MAP_FLOW6], visit6, &walk);
	return rc ? xf_fail(err, "cannot read the flows: %s", strerror(-rc)) : 0;
}

/* The other half's key is the tuple that this half's packets get, turned round. */
static bool find_twin(const struct dataplane *dp, const struct dp_half *half, struct xf_flow *twin)
{
	const struct xf_flow *f = &half->flow;

	if (half->family == XF_IPV4) {
		struct xf_key4 key = {.saddr = f->daddr4,
				      .daddr = f->saddr4,
				      .sport = f->dport,
				      .dport = f->sport,
				      .proto = half->key.proto};

		return !bpf_map_lookup_elem(dp->map[DP_MAP_FLOW4], &key, twin);
	} else {
		struct xf_key6 key = {.saddr = f->daddr6,
				      .daddr = f->saddr6,
				      .sport = f->dport,
				      .dport = f->sport,
				      .proto = half->key.proto};

		return !bpf_map_lookup_elem(dp->map[DP_MAP_FLOW6], &key, twin);
	}
}

/* Jiffies since then; a packet may have come after the clock was read. */
static __u32 since(__u32 then, __u32 now)
{
	__s32 passed = (__s32)(now - then);

	return passed > 0 ? (__u32)passed : 0;
}

bool dp_flow_expired(const struct dp_half *half, __u32 now)
{
	return since(half->flow.last_seen, now) >= half->flow.timeout;
}

static struct xf_address address(__u8 family, const union xf_addr *addr)
{
	struct xf_address a = {.family = family};

	if (family == XF_IPV4)
		a.addr.v4 = addr->v4;
	else
		a.addr = *addr;
	return a;
}

static struct xf_address source_of(const struct dp_half *half)
{
	union xf_addr v4 = {.v4 = half->flow.saddr4};

	return address(half->family, half->family == XF_IPV4 ? &v4 : &half->flow.saddr6);
}

static struct xf_address target_of(const struct dp_half *half)
{
	union xf_addr v4 = {.v4 = half->flow.daddr4};

	return address(half->family, half->family == XF_IPV4 ? &v4 : &half->flow.daddr6);
}

static void describe(const struct dp_half *half, const struct xf_flow *twin, struct dp_flow *flow)
{
	const struct xf_flow *f = &half->flow;

	*flow = (struct dp_flow){
		.rule = f->rule & XF_RULE_ID_MASK,
		.proto = half->key.proto,
		.state = (enum xf_flow_state)f->state,
		.client = address(half->family, &half->key.saddr),
		.listen = address(half->family, &half->key.daddr),
		.target = target_of(half),
		.translated = source_of(half),
		.client_port = ntohs(half->key.sport),
		.listen_port = ntohs(half->key.dport),
		.target_port = ntohs(f->dport),
		.translated_port = ntohs(f->sport),
		.packets_in = f->packets,
		.bytes_in = f->bytes,
		.packets_out = twin->packets,
		.bytes_out = twin->bytes,
	};
}

struct flow_walk {
	struct dataplane *dp;
	dp_flow_fn fn;
	void *arg;
	struct dp_ruleset set;
	__u32 now;
};

bool dp_flow_has_rule(const struct dp_ruleset *set, const struct xf_flow *flow)
{
	__u32 id = flow->rule & XF_RULE_ID_MASK;

	return id < set->max_rules && set->rules[id].tag == flow->rule;
}

static int put_together(const struct dp_half *found, void *arg)
{
	struct flow_walk *walk = arg;
	struct dp_half half = *found;
	struct xf_flow twin = {0};
	struct dp_flow flow;

	if (half.flow.flags & XF_FLOW_REPLY || !dp_flow_has_rule(&walk->set, &half.flow))
		return 0;
	/* A half alone is a flow that is just being made or ended. */
	if (!find_twin(walk->dp, &half, &twin))
		return 0;
	if (since(twin.last_seen, walk->now) < since(half.flow.last_seen, walk->now))
		half.flow.last_seen = twin.last_seen;
	if (dp_flow_expired(&half, walk->now))
		return 0;
	describe(&half, &twin, &flow);
	flow.age_seconds = (double)since(half.flow.created, walk->now) / walk->dp->config.hz;
	flow.idle_seconds = (double)since(half.flow.last_seen, walk->now) / walk->dp->config.hz;
	return walk->fn(&flow, walk->arg);
}

int dp_flows(struct dataplane *dp, dp_flow_fn fn, void *arg, struct xf_error *err)
{
	struct flow_walk walk = {.dp = dp, .fn = fn, .arg = arg};
	struct xf_clock clock;
	int rc;

	if (dp_clock_read(dp, &clock, err) || dp_ruleset_read(dp, &walk.set, err))
		return -1;
	walk.now = (__u32)clock.jiffies;
	rc = dp_halves(dp, put_together, &walk, err);
	dp_ruleset_free(&walk.set);
	return rc;
}

static int renew(struct dataplane *dp, __u32 id, const struct xf_rule *rule, struct xf_error *err)
{
	struct xf_rule renewed = *rule;

	renewed.tag = dp_rule_next_tag(dp, id);
	if (dp_rule_write(dp, id, &renewed))
		return xf_fail(err, "cannot end the rule's flows");
	return 0;
}

/* A flow of another tag than its rule's is dead. */
int dp_flows_flush(struct dataplane *dp, const char *name, struct xf_error *err)
{
	const struct dp_entry *only = NULL;
	struct dp_ruleset set;
	size_t i;
	int rc;

	if (dp_ruleset_read(dp, &set, err))
		return -1;
	if (name)
		only = dp_ruleset_find(&set, name, err);
	rc = name && !only ? -1 : 0;
	for (i = 0; i < set.n_entries && !rc; i++)
		if (!only || only == &set.entries[i])
			rc = renew(dp, set.entries[i].id, &set.rules[set.entries[i].id], err);
	dp_ruleset_free(&set);
	return rc;
}
