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
#include <sys/mman.h>
#include <time.h>

#include <bpf/bpf.h>

#include "dataplane_int.h"
#include "log.h"

/* What the machine said of one of the wanted rules. */
struct judged {
	struct nd_route route;
	bool local;
	__u32 listen_ifindex;
	struct xf_address source;
};

struct apply {
	struct dataplane *dp;
	const struct dp_apply_set *set;
	const struct dp_apply_options *options;
	struct dp_ruleset before, next;
	const struct dp_entry **at; /* by id, the rule that is there before; NULL: none */
	bool *taken;		    /* by id: by a rule before, or by one that stays or is new */
	struct dp_addition add;	    /* of the rule at hand; what it asked the machine is kept */
	struct judged *judged;	    /* by place in the set */
	__u32 free_id;		    /* below it all are taken */
	size_t blamed;
	struct xf_error first; /* of those that were blamed */
	struct dp_attachments attached;
};

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

static int carry(struct apply *a, const struct dp_entry *from)
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
		rc = carry(a, entry);
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

/* The rule at hand, with what is known of it. */
static void take_rule(struct apply *a, size_t i)
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
	take_rule(a, i);
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

/* ---- the new set, in memory */

/* Free places first: in that of a rule that goes, its counters would be lost before it is gone. */
static __u32 take_id(struct apply *a)
{
	__u32 id;

	for (; a->free_id < a->before.max_rules; a->free_id++)
		if (!a->taken[a->free_id])
			break;
	id = a->free_id;
	if (id == a->before.max_rules)
		for (id = 0; dp_rule_is_there(&a->next.rules[id]);)
			id++;
	a->taken[id] = true;
	return id;
}

/* The rule as it is to be, but for its tag; what it needs of the machine was judged just now. */
static int encode(struct apply *a, struct dp_entry *entry, struct xf_rule *rule, struct xf_error *err)
{
	xf_rule_encode(a->add.spec, rule, &entry->meta);
	if (dp_policy_make(a->dp, &a->add, rule, err))
		return -1;
	entry->policy = a->add.policy;
	if (a->add.source.family)
		rule->masquerade = a->add.source.addr;
	if (a->add.local)
		rule->flags |= XF_RULE_LOCAL;
	entry->meta.ifindex = a->add.listen_ifindex;
	entry->meta.created_unix = (__u64)time(NULL);
	return 0;
}

/* What it is and leads to stays, with all that was found out; the rest is new. */
static void keep_ends(const struct apply *a, struct dp_entry *entry, struct xf_rule *rule)
{
	const struct xf_rule *was = &a->before.rules[entry->id];

	rule->tag = was->tag;
	rule->masquerade = was->masquerade;
	rule->flags |= was->flags & XF_RULE_LOCAL;
	entry->meta.ifindex = a->at[entry->id]->meta.ifindex;
	/* What a name means is for whoever follows it to say. */
	if (a->add.spec->target.host[0])
		rule->target = was->target;
}

static int build_rule(struct apply *a, size_t i, struct xf_error *err)
{
	const struct dp_wanted *wanted = &a->set->wanted[i];
	__u32 id = wanted->fate == DP_FATE_NEW ? take_id(a) : wanted->id;
	struct xf_rule *rule = &a->next.rules[id];
	struct dp_entry *entry;
	__u32 next_tag;

	if (wanted->fate == DP_FATE_SAME)
		return carry(a, a->at[id]) ? xf_fail(err, "out of memory") : 0;
	entry = dp_ruleset_add(&a->next, id);
	if (!entry)
		return xf_fail(err, "out of memory");
	take_rule(a, i);
	next_tag = rule->tag;
	if (encode(a, entry, rule, err))
		return -1;
	rule->tag = next_tag;
	if (wanted->fate == DP_FATE_CONDITIONS)
		keep_ends(a, entry, rule);
	if (wanted->fate != DP_FATE_NEW)
		entry->meta.created_unix = a->at[id]->meta.created_unix;
	return dp_host_write(a->dp, rule->tag, wanted->spec->target.host, err);
}

/* Each place gets a tag that no flow has; rules that stay get back their own. */
static int begin_tags(struct apply *a, struct xf_error *err)
{
	__u32 max = a->before.max_rules, half = XF_SET_HALF(a->dp->set), id;
	const struct xf_rule *rules;
	size_t len;

	rules = dp_map_mmap(a->dp, DP_MAP_RULES, &len, err);
	if (!rules)
		return -1;
	for (id = 0; id < max; id++)
		if (!dp_rule_is_there(&a->next.rules[id]))
			a->next.rules[id].tag = dp_tag_after(id, rules[XF_RULE_PLACE(half, max, id)].tag,
							     rules[XF_RULE_PLACE(!half, max, id)].tag);
	munmap((void *)rules, len);
	return 0;
}

static int build(struct apply *a, struct xf_error *err)
{
	size_t i;

	if (begin_tags(a, err))
		return -1;
	for (i = 0; i < a->set->n; i++)
		if (build_rule(a, i, err))
			return -1;
	return 0;
}

/* ---- and in the maps */

static int write_half(struct apply *a, __u32 next, struct xf_error *err)
{
	__u32 first = XF_RULE_PLACE(XF_SET_HALF(next), a->next.max_rules, 0);
	struct xf_policy *policies;
	struct xf_rule *rules;
	size_t len[2], i;

	rules = dp_map_mmap(a->dp, DP_MAP_RULES, &len[0], err);
	policies = rules ? dp_map_mmap(a->dp, DP_MAP_POLICIES, &len[1], err) : NULL;
	if (policies) {
		memcpy(rules + first, a->next.rules, a->next.max_rules * sizeof(*rules));
		for (i = 0; i < a->next.n_entries; i++)
			policies[first + a->next.entries[i].id] = a->next.entries[i].policy;
		munmap(policies, len[1]);
	}
	if (rules)
		munmap(rules, len[0]);
	return policies ? 0 : -1;
}

static int write_metas(struct apply *a, __u32 next, struct xf_error *err)
{
	__u32 first = XF_RULE_PLACE(XF_SET_HALF(next), a->next.max_rules, 0), place;
	struct dp_batch batch;
	int rc = dp_batch_begin(&batch, a->dp->map[DP_MAP_RULE_META], false);
	size_t i;

	for (i = 0; i < a->next.n_entries && !rc; i++) {
		place = first + a->next.entries[i].id;
		rc = dp_batch_add(&batch, &place, &a->next.entries[i].meta);
	}
	rc = dp_batch_end(&batch, rc);
	return rc ? xf_fail(err, "cannot write the rules: %s", strerror(-rc)) : 0;
}

/* What is counted begins anew for rules that are new; for others of the same name only what they have spent. */
static int begin_counts(struct apply *a, struct xf_error *err)
{
	bool *fresh = calloc(a->next.max_rules, sizeof(*fresh));
	bool *spent = calloc(a->next.max_rules, sizeof(*spent));
	size_t i;
	int rc;

	for (i = 0; fresh && spent && i < a->next.n_entries; i++) {
		__u32 id = a->next.entries[i].id;

		if (!(a->next.rules[id].flags & XF_RULE_LIVE))
			continue;
		spent[id] = !a->at[id] || a->next.rules[id].tag != a->before.rules[id].tag;
		fresh[id] = !a->at[id] || strcmp(a->at[id]->meta.name, a->next.entries[i].meta.name) != 0;
	}
	rc = fresh && spent ? dp_counts_begin(a->dp, fresh, spent, err) : xf_fail(err, "out of memory");
	free(fresh);
	free(spent);
	return rc;
}

static int write_aside(struct apply *a, __u32 next, struct xf_error *err)
{
	unsigned int needs = dp_local_needs(&a->before, NULL) | dp_local_needs(&a->next, NULL);

	if (dp_local_apply(a->dp, needs, err) || write_half(a, next, err) || write_metas(a, next, err) ||
	    dp_listen_add_all(a->dp, &a->next, next, err) || begin_counts(a, err))
		return -1;
	return dp_ports_cover(a->dp, &a->before, &a->next, err);
}

/* ---- all of it */

static int bring_into_force(struct apply *a, struct xf_error *err)
{
	struct xf_error ignored;
	__u32 next;

	if (dp_set_begin(a->dp, &next, err))
		return -1;
	if (build(a, err) || write_aside(a, next, err) ||
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
