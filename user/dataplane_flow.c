// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows as users see them: two halves put together, and only those that live.
 * The entries themselves are the programs' to remove.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"

struct xf_key6 dp_flow_key(const struct xf_flow *flow)
{
	struct xf_key6 key = {.sport = flow->key_sport, .dport = flow->key_dport, .proto = flow->proto};

	if (flow->family == XF_IPV4) {
		key.saddr.v4 = flow->key_saddr4;
		key.daddr.v4 = flow->key_daddr4;
	} else {
		key.saddr = flow->key_saddr6;
		key.daddr = flow->key_daddr6;
	}
	return key;
}

int dp_slots_used(struct dataplane *dp, __u32 *n, struct xf_error *err)
{
	struct xf_cursor cursor;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_CURSOR], &zero, &cursor))
		return xf_fail(err, "cannot read the flows: %s", strerror(errno));
	*n = cursor.fresh < dp->config.max_flows ? cursor.fresh : dp->config.max_flows;
	return 0;
}

/* "flows" in this process' memory, where programs write. */
struct flow_table {
	struct xf_flow *flows;
	__u32 slots;
	size_t len;
};

static int map_flows(struct dataplane *dp, struct flow_table *table, struct xf_error *err)
{
	if (dp_slots_used(dp, &table->slots, err))
		return -1;
	table->flows = dp_map_mmap(dp, DP_MAP_FLOWS, &table->len, err);
	return table->flows ? 0 : -1;
}

int dp_halves(struct dataplane *dp, dp_half_fn fn, void *arg, struct xf_error *err)
{
	struct flow_table table;
	__u32 i;

	if (map_flows(dp, &table, err))
		return -1;
	for (i = 0; i < 2 * table.slots; i++) {
		struct xf_flow half = table.flows[i];

		if (half.family && fn(&half, arg))
			break;
	}
	munmap(table.flows, table.len);
	return 0;
}

/* Jiffies since then; a packet may have come after the clock was read. */
static __u32 since(__u32 then, __u32 now)
{
	__s32 passed = (__s32)(now - then);

	return passed > 0 ? (__u32)passed : 0;
}

bool dp_flow_expired(const struct xf_flow *half, __u32 now)
{
	return since(half->last_seen, now) >= half->timeout;
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

static struct xf_address source_of(const struct xf_flow *f)
{
	union xf_addr v4 = {.v4 = f->saddr4};

	return address(f->family, f->family == XF_IPV4 ? &v4 : &f->saddr6);
}

static struct xf_address target_of(const struct xf_flow *f)
{
	union xf_addr v4 = {.v4 = f->daddr4};

	return address(f->family, f->family == XF_IPV4 ? &v4 : &f->daddr6);
}

static void describe(const struct xf_flow *f, const struct xf_flow *twin, struct dp_flow *flow)
{
	struct xf_key6 key = dp_flow_key(f);

	*flow = (struct dp_flow){
		.rule = f->rule & XF_RULE_ID_MASK,
		.proto = f->proto,
		.state = (enum xf_flow_state)f->state,
		.client = address(f->family, &key.saddr),
		.listen = address(f->family, &key.daddr),
		.target = target_of(f),
		.translated = source_of(f),
		.client_port = ntohs(key.sport),
		.listen_port = ntohs(key.dport),
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

static int put_together(struct xf_flow half, struct xf_flow twin, struct flow_walk *walk)
{
	struct dp_flow flow;

	/* A half alone is a flow that is just being made or ended. */
	if (!half.family || !twin.family || !dp_flow_has_rule(&walk->set, &half))
		return 0;
	if (since(twin.last_seen, walk->now) < since(half.last_seen, walk->now))
		half.last_seen = twin.last_seen;
	if (dp_flow_expired(&half, walk->now))
		return 0;
	describe(&half, &twin, &flow);
	flow.age_seconds = (double)since(half.created, walk->now) / walk->dp->config.hz;
	flow.idle_seconds = (double)since(half.last_seen, walk->now) / walk->dp->config.hz;
	return walk->fn(&flow, walk->arg);
}

static int walk_slots(struct flow_walk *walk, struct xf_error *err)
{
	struct flow_table table;
	int stop = 0;
	__u32 i;

	if (map_flows(walk->dp, &table, err))
		return -1;
	for (i = 0; i < table.slots && !stop; i++)
		stop = put_together(table.flows[XF_FLOW_INDEX(i, false)], table.flows[XF_FLOW_INDEX(i, true)], walk);
	munmap(table.flows, table.len);
	return 0;
}

int dp_flows(struct dataplane *dp, dp_flow_fn fn, void *arg, struct xf_error *err)
{
	struct flow_walk walk = {.dp = dp, .fn = fn, .arg = arg};
	struct xf_clock clock;
	int rc;

	if (dp_clock_read(dp, &clock, err) || dp_ruleset_read(dp, &walk.set, err))
		return -1;
	walk.now = (__u32)clock.jiffies;
	rc = walk_slots(&walk, err);
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
