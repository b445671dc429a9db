/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules come and go. A new one takes traffic with its listen keys, which are
 * written last and removed first: before and after, no packet finds it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "log.h"

/* ---- adding */

int dp_attach_way_out(struct dataplane *dp, const struct nd_route *route, struct xf_error *err)
{
	struct dp_attach request = {.mode = DP_MODE_AUTO, .automatic = true};
	struct dp_iface_record record;

	if (route->local || dp_iface_get(dp, route->ifindex, &record))
		return 0;
	if (nd_link_by_index(route->ifindex, &request.link, err))
		return -1;
	if (dp->config.flags & XF_CONFIG_NO_AUTO_ATTACH) {
		log_warning(
			"the target is reached through %s, which is not loaded: its answers will not be translated; "
			"remedy: xdpfwd load %s",
			request.link.name, request.link.name);
		return 0;
	}
	return dp_attach(dp, &request, err) ? -1 : 1;
}

int dp_attach_loopback(struct dataplane *dp)
{
	struct dp_attach request = {.mode = DP_MODE_AUTO, .automatic = true};
	struct dp_iface_record record;
	struct xf_error why;

	if (dp->config.flags & XF_CONFIG_NO_AUTO_ATTACH || dp_iface_get(dp, LOOPBACK_IFINDEX, &record))
		return 0;
	if (!nd_link_by_index(LOOPBACK_IFINDEX, &request.link, &why) && !dp_attach(dp, &request, &why))
		return 1;
	log_warning("this machine's own connections to what rules listen on are not forwarded: %s", why.text);
	return 0;
}

static void detach_way_out(struct dataplane *dp, __u32 ifindex)
{
	struct dp_iface_record record;
	struct xf_error ignored;

	if (dp_iface_get(dp, ifindex, &record))
		dp_detach(dp, &record, &ignored);
}

static int zero_counters(struct dataplane *dp, __u32 id, struct xf_error *err)
{
	int cpus = libbpf_num_possible_cpus(), rc;
	void *zeros;

	zeros = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(struct xf_rule_counters));
	if (!zeros)
		return xf_fail(err, "out of memory");
	rc = bpf_map_update_elem(dp->map[DP_MAP_RULE_COUNTERS], &id, zeros, BPF_ANY) ? -errno : 0;
	free(zeros);
	dp_rule_drops_clear(dp, id);
	dp_watch_forget(dp, id);
	return rc ? xf_fail(err, "cannot clear the rule's counters: %s", strerror(-rc)) : 0;
}

static int write_rule(struct dataplane *dp, const struct dp_placed *placed, struct xf_error *err)
{
	int rc;

	if (dp_policy_write(dp, placed->id, placed->policy, err) ||
	    dp_host_write(dp, placed->rule->tag, placed->host, err))
		return -1;
	rc = dp_meta_write(dp, placed->id, placed->meta);
	if (!rc)
		rc = dp_rule_write(dp, placed->id, placed->rule);
	return rc ? xf_fail(err, "cannot write the rule: %s", strerror(-rc)) : 0;
}

/* All or nothing. The set is as it was before, so that the ports can be marked anew without the rule. */
static int place(struct dataplane *dp, const struct dp_placed *placed, const struct dp_ruleset *set,
		 struct xf_error *err)
{
	struct xf_error ignored;

	if (zero_counters(dp, placed->id, err))
		return -1;
	if (!write_rule(dp, placed, err) && !dp_ports_add(dp, placed, err) && !dp_listen_add(dp, placed, err))
		return 0;
	dp_rule_free(dp, placed->id, &ignored);
	dp_ports_rebuild(dp, set, &ignored);
	return -1;
}

static int add_judged(struct dataplane *dp, struct dp_addition *add, struct xf_error *err)
{
	struct dp_placed placed = {.id = add->set.free_id};
	struct xf_error ignored;
	struct xf_rule_meta meta;
	struct xf_rule rule;

	xf_rule_encode(add->spec, &rule, &meta);
	if (dp_policy_make(dp, add, &rule, err)) {
		dp_prefixes_clean(dp, &add->set);
		return -1;
	}
	rule.tag = dp_rule_next_tag(dp, placed.id);
	if (add->source.family)
		rule.masquerade = add->source.addr;
	if (add->local)
		rule.flags |= XF_RULE_LOCAL;
	meta.ifindex = add->listen_ifindex;
	meta.created_unix = (__u64)time(NULL);
	placed.rule = &rule;
	placed.meta = &meta;
	placed.policy = &add->policy;
	placed.host = add->spec->target.host;
	if (!dp_local_apply(dp, dp_local_needs(&add->set, &rule), err) && !place(dp, &placed, &add->set, err))
		return 0;
	dp_prefixes_clean(dp, &add->set);
	dp_local_apply(dp, dp_local_needs(&add->set, NULL), &ignored);
	return -1;
}

static int add_attached(struct dataplane *dp, struct dp_addition *add, struct xf_error *err)
{
	int attached, loopback;

	add->route.local = add->local;
	attached = dp_attach_way_out(dp, &add->route, err);
	if (attached < 0)
		return -1;
	loopback = dp_attach_loopback(dp);
	if (!dp_local_addrs_refresh(dp, err) && !dp_egress_refresh(dp, err) && !add_judged(dp, add, err)) {
		dp_neighbour_take(dp, &add->spec->target.addr, &add->route);
		if (!add->local)
			dp_forwarding_warn(dp, add->spec->target.addr.family == XF_IPV4 ? DP_WARN_IPV4 : DP_WARN_IPV6);
		return 0;
	}
	if (attached)
		detach_way_out(dp, add->route.ifindex);
	if (loopback)
		detach_way_out(dp, LOOPBACK_IFINDEX);
	return -1;
}

int dp_rule_add(struct dataplane *dp, struct xf_rule_spec *rule, bool force, struct xf_error *err)
{
	struct dp_addition add = {.spec = rule, .force = force};
	int rc;

	if (dp_ifaces_prune(dp, err) || dp_ruleset_read(dp, &add.set, err))
		return -1;
	rc = dp_ruleset_reap(dp, &add.set, err);
	/* What a killed command left. */
	if (!rc)
		dp_prefixes_clean(dp, &add.set);
	if (!rc)
		rc = dp_judge_rules(&add, err);
	if (!rc)
		rc = dp_judge_machine(dp, &add, err);
	if (!rc)
		rc = add_attached(dp, &add, err);
	dp_ruleset_free(&add.set);
	dp_machine_free(&add.machine);
	return rc;
}

/* ---- removing */

/* Takes the rule's entry out of the set, so that the ports can be marked anew without it. */
static void set_remove(struct dp_ruleset *set, __u32 id)
{
	size_t i;

	set->rules[id] = (struct xf_rule){0};
	for (i = 0; i < set->n_entries; i++)
		if (set->entries[i].id == id) {
			set->entries[i] = set->entries[--set->n_entries];
			return;
		}
}

static int drain(struct dataplane *dp, struct dp_ruleset *set, __u32 id, struct xf_error *err)
{
	int rc;

	set->rules[id].flags = XF_RULE_DRAINING | (set->rules[id].flags & (XF_RULE_LOCAL | XF_RULE_POLICY));
	rc = dp_rule_write(dp, id, &set->rules[id]);
	return rc ? xf_fail(err, "cannot end the rule: %s", strerror(-rc)) : 0;
}

static int end(struct dataplane *dp, struct dp_ruleset *set, __u32 id, struct xf_error *err)
{
	if (dp_rule_free(dp, id, err))
		return -1;
	set_remove(set, id);
	return 0;
}

/* From here on the rule takes no new flows. */
static void close_rule(struct dataplane *dp, const struct dp_ruleset *set, const struct dp_entry *entry)
{
	const struct xf_rule *rule = &set->rules[entry->id];
	struct dp_placed placed = {.id = entry->id, .rule = rule, .meta = &entry->meta};
	struct xf_address target = {.family = rule->family, .addr = rule->target};

	dp_listen_remove(dp, &placed);
	if (!(rule->flags & XF_RULE_LOCAL))
		dp_neighbour_release(dp, &target);
}

int dp_rule_del(struct dataplane *dp, const char *name, bool keep_flows, struct xf_error *err)
{
	const struct dp_entry *entry;
	struct dp_ruleset set;
	int rc = -1;
	__u32 id;

	if (dp_ruleset_read(dp, &set, err))
		return -1;
	if (!dp_ruleset_reap(dp, &set, err) && (entry = dp_ruleset_find(&set, name, err))) {
		id = entry->id;
		close_rule(dp, &set, entry);
		/* A rule without state has no flows that could live out. */
		keep_flows &= !(set.rules[id].flags & XF_RULE_STATELESS);
		rc = keep_flows ? drain(dp, &set, id, err) : end(dp, &set, id, err);
		if (!rc)
			rc = dp_ports_rebuild(dp, &set, err);
		if (!rc)
			rc = dp_local_apply(dp, dp_local_needs(&set, NULL), err);
		dp_prefixes_clean(dp, &set);
	}
	dp_ruleset_free(&set);
	return rc;
}

/* ---- switching on and off */

int dp_rule_set_disabled(struct dataplane *dp, const char *name, bool disabled, struct xf_error *err)
{
	const struct dp_entry *entry;
	struct dp_ruleset set;
	int rc = -1;

	if (dp_ruleset_read(dp, &set, err))
		return -1;
	entry = dp_ruleset_find(&set, name, err);
	if (entry) {
		struct xf_rule rule = set.rules[entry->id];

		rule.flags = disabled ? rule.flags | XF_RULE_DISABLED : rule.flags & ~XF_RULE_DISABLED;
		rc = dp_rule_write(dp, entry->id, &rule);
		if (rc)
			rc = xf_fail(err, "cannot change rule \"%s\": %s", name, strerror(-rc));
	}
	dp_ruleset_free(&set);
	return rc;
}
