/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole set of rules in the place of another. First it is found out whether it
 * can be; then all of it is written where no packet looks; and then it is in
 * force at once. Killed anywhere on the way, the former set is in force and the
 * rest is rubbish, which the next command clears away; or the new one is, and
 * so is what is left of the former.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane_apply.h"
#include "dataplane_iface_int.h"

/* ---- what becomes of the rules that are there */

static int find_before(struct apply *a, struct xf_error *err)
{
	size_t i;

	a->at = calloc(a->before.max_rules, sizeof(*a->at));
	a->taken = calloc(a->before.max_rules, sizeof(*a->taken));
	if (!a->at || !a->taken)
		return xf_fail(err, "out of memory");
	for (i = 0; i < a->before.n_entries; i++) {
		a->at[a->before.entries[i].id] = &a->before.entries[i];
		a->taken[a->before.entries[i].id] = true;
	}
	return 0;
}

/* By id: is the rule one of those wanted? */
static bool *find_staying(const struct apply *a, struct xf_error *err)
{
	bool *stays = calloc(a->before.max_rules, sizeof(*stays));
	size_t i;

	if (!stays)
		xf_fail(err, "out of memory");
	for (i = 0; stays && i < a->set->n; i++)
		if (a->set->wanted[i].fate != DP_FATE_NEW)
			stays[a->set->wanted[i].id] = true;
	return stays;
}

int dp_apply_carry(struct apply *a, const struct dp_entry *from)
{
	struct dp_entry *entry = dp_ruleset_add(&a->next, from->id);

	if (!entry)
		return -ENOMEM;
	*entry = *from;
	a->next.rules[from->id] = a->before.rules[from->id];
	return 0;
}

/* Rules that go: at once, or when their last flow is over. */
static int end_the_others(struct apply *a, const bool *stays)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < a->before.n_entries && !rc; i++) {
		const struct dp_entry *entry = &a->before.entries[i];
		const struct xf_rule *rule = &a->before.rules[entry->id];
		bool live = rule->flags & XF_RULE_LIVE;

		if (stays[entry->id])
			continue;
		if (live && (!a->options->keep_flows || rule->flags & XF_RULE_STATELESS))
			continue;
		rc = dp_apply_carry(a, entry);
		if (!rc && live)
			a->next.rules[entry->id].flags =
				XF_RULE_DRAINING | (rule->flags & (XF_RULE_LOCAL | XF_RULE_POLICY));
	}
	return rc;
}

/* ---- can it be? */

static void blame(struct apply *a, size_t i, const struct xf_error *why)
{
	if (!a->blamed++)
		xf_fail(&a->first, "rule \"%s\": %.240s", a->set->wanted[i].spec->name, why->text);
	if (a->options->blame)
		a->options->blame(i, why, a->options->arg);
}

static bool is_to_be_judged(const struct dp_wanted *wanted)
{
	return wanted->fate == DP_FATE_NEW || wanted->fate == DP_FATE_OTHER;
}

static int judge_draining(const struct apply *a, const struct xf_rule_spec *spec, struct xf_error *err)
{
	size_t i;

	for (i = 0; spec->stateless && i < a->next.n_entries; i++) {
		const struct dp_entry *entry = &a->next.entries[i];
		struct xf_rule_spec other;

		xf_rule_decode(&a->next.rules[entry->id], &entry->meta, &other);
		if (dp_judge_draining(spec, &other, err))
			return -1;
	}
	return 0;
}

void dp_apply_take(struct apply *a, size_t i)
{
	const struct judged *known = &a->judged[i];
	struct dp_machine machine = a->add.machine;

	a->add = (struct dp_addition){
		/* Only a rule without a name would be changed, and these have theirs. */
		.spec = (struct xf_rule_spec *)a->set->wanted[i].spec,
		.force = a->options->force,
		.route = known->route,
		.local = known->local,
		.listen_ifindex = known->listen_ifindex,
		.source = known->source,
		.machine = machine,
	};
}

static int judge_one(struct apply *a, size_t i, struct xf_error *err)
{
	dp_apply_take(a, i);
	if (judge_draining(a, a->add.spec, err) || dp_judge_machine(a->dp, &a->add, err))
		return -1;
	a->judged[i] = (struct judged){
		.route = a->add.route,
		.local = a->add.local,
		.listen_ifindex = a->add.listen_ifindex,
		.source = a->add.source,
	};
	return 0;
}

static int judge_all(struct apply *a, struct xf_error *err)
{
	struct xf_error why;
	size_t i;

	for (i = 0; i < a->set->n; i++)
		if (is_to_be_judged(&a->set->wanted[i]) && judge_one(a, i, &why))
			blame(a, i, &why);
	if (a->blamed > 1)
		return xf_fail(err, "%.200s; and %zu more rules cannot be", a->first.text, a->blamed - 1);
	return a->blamed ? xf_fail(err, "%s", a->first.text) : 0;
}

static int judge_room(const struct apply *a, struct xf_error *err)
{
	if (a->set->n + a->next.n_entries <= a->before.max_rules)
		return 0;
	return xf_fail(err,
		       "%zu rules%s, and there is room for %u; for more, run `xdpfwd unload --all` and load again with "
		       "--max-rules",
		       a->set->n, a->next.n_entries ? ", and others whose flows live out" : "", a->before.max_rules);
}

/* ---- all of it */

static int bring_into_force(struct apply *a, struct xf_error *err)
{
	struct xf_error ignored;
	__u32 next;

	if (dp_set_begin(a->dp, &next, err))
		return -1;
	if (dp_apply_build(a, err) || dp_apply_write(a, next, err) ||
	    dp_set_switch(a->dp, next, a->options->confirm_seconds, err)) {
		dp_set_clear(a->dp, &ignored);
		return -1;
	}
	return a->options->confirm_seconds ? dp_follow(a->dp, err) : dp_set_clear(a->dp, err);
}

static void warn_of_forwarding(struct apply *a)
{
	unsigned int families = 0;
	size_t i;

	for (i = 0; i < a->set->n; i++)
		if (is_to_be_judged(&a->set->wanted[i]))
			families |= a->set->wanted[i].spec->target.addr.family == XF_IPV4 ? DP_WARN_IPV4 : DP_WARN_IPV6;
	if (families)
		dp_forwarding_warn(a->dp, families);
}

static bool differs(const struct apply *a)
{
	size_t i;

	for (i = 0; i < a->set->n; i++)
		if (a->set->wanted[i].fate != DP_FATE_SAME)
			return true;
	return a->set->n != a->before.live;
}

static int attach_and_change(struct apply *a, struct xf_error *err)
{
	int rc = dp_attach_wanted(a->dp, a->options, &a->attached, err);
	size_t i;

	for (i = 0; i < a->set->n && !rc; i++) {
		struct nd_route *route = &a->judged[i].route;

		if (!is_to_be_judged(&a->set->wanted[i]))
			continue;
		route->local = a->judged[i].local;
		rc = dp_attach_for(a->dp, route, &a->attached, err);
	}
	if (!rc)
		rc = dp_local_addrs_refresh(a->dp, err) || dp_egress_refresh(a->dp, err) ? -1 : 0;
	if (!rc && differs(a))
		rc = bring_into_force(a, err);
	if (rc)
		dp_attachments_undo(a->dp, &a->attached);
	return rc;
}

static int apply_all(struct apply *a, struct xf_error *err)
{
	bool *stays = NULL;
	int rc = -1;

	a->next = (struct dp_ruleset){.max_rules = a->before.max_rules};
	a->next.rules = calloc(a->next.max_rules, sizeof(*a->next.rules));
	a->judged = calloc(a->set->n + 1, sizeof(*a->judged));
	if (!a->next.rules || !a->judged)
		return xf_fail(err, "out of memory");
	if (!find_before(a, err))
		stays = find_staying(a, err);
	if (stays)
		rc = end_the_others(a, stays) ? xf_fail(err, "out of memory") : 0;
	free(stays);
	if (rc || judge_room(a, err) || judge_all(a, err))
		return -1;
	if (a->options->dry_run)
		return 0;
	warn_of_forwarding(a);
	return attach_and_change(a, err);
}

int dp_apply(struct dataplane *dp, const struct dp_apply_set *set, const struct dp_apply_options *options,
	     struct xf_error *err)
{
	struct apply a = {.dp = dp, .set = set, .options = options};
	int rc;

	if (!options->dry_run && dp_ifaces_prune(dp, err))
		return -1;
	if (dp_ruleset_read(dp, &a.before, err))
		return -1;
	rc = options->dry_run ? 0 : dp_ruleset_reap(dp, &a.before, err);
	if (!rc)
		rc = apply_all(&a, err);
	dp_ruleset_free(&a.before);
	dp_ruleset_free(&a.next);
	dp_machine_free(&a.add.machine);
	free(a.attached.ifindex);
	free(a.judged);
	free(a.taken);
	free(a.at);
	return rc;
}
