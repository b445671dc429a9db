/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a new rule can be: against the rules that are there, and against this machine. */
#include <stdlib.h>
#include <string.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "log.h"

/* ---- the other rules */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct taken {
	const char **sorted;
	size_t n;
};

static bool is_taken(const char *name, void *arg)
{
	const struct taken *names = arg;

	return names->n && bsearch(&name, names->sorted, names->n, sizeof(*names->sorted), compare_names);
}

/* Thousands of rules may have the same port, and so want the same name. */
static int give_name(struct dp_addition *add, struct xf_error *err)
{
	struct taken names = {.sorted = calloc(add->set.n_entries + 1, sizeof(*names.sorted))};
	size_t i;

	if (!names.sorted)
		return xf_fail(err, "out of memory");
	for (i = 0; i < add->set.n_entries; i++)
		if (add->set.rules[add->set.entries[i].id].flags & XF_RULE_LIVE)
			names.sorted[names.n++] = add->set.entries[i].meta.name;
	qsort(names.sorted, names.n, sizeof(*names.sorted), compare_names);
	xf_rule_default_name(add->spec, is_taken, &names);
	free(names.sorted);
	return 0;
}

static int judge_against(const struct xf_rule_spec *rule, const struct xf_rule_spec *other, struct xf_error *err)
{
	char text[XF_ENDPOINT_STRLEN];

	if (!strcmp(rule->name, other->name))
		return xf_fail(err, "there is a rule \"%s\" already", other->name);
	if (xf_rule_conflicts(rule, other))
		return xf_fail(err, "rule \"%s\" listens on %s %s already", other->name,
			       xf_protos_format(other->protos & rule->protos),
			       xf_listen_format(&other->listen, text, sizeof(text)));
	if ((rule->stateless || other->stateless) && xf_rule_shares_target(rule, other))
		return xf_fail(
			err,
			"%s is the target of rule \"%s\" as well, and %s keeps no state: nothing would tell whose "
			"answers come from there; use another port of the target",
			xf_target_format(&rule->target, text, sizeof(text)), other->name,
			other->stateless ? "that one" : "this one");
	if (xf_rule_feeds(rule, other, false) && xf_rule_feeds(other, rule, false))
		return xf_fail(err,
			       "loop: the target is what rule \"%s\" listens on, and its target is what this one does",
			       other->name);
	return 0;
}

/* A rule that is gone, but for its last flows: their answers must still find them. */
int dp_judge_draining(const struct xf_rule_spec *rule, const struct xf_rule_spec *other, struct xf_error *err)
{
	char text[XF_ENDPOINT_STRLEN];

	if (!rule->stateless || !xf_rule_shares_target(rule, other))
		return 0;
	return xf_fail(err,
		       "%s is the target of flows of the former rule \"%s\", which was deleted with --keep-flows: add "
		       "this one when they are over",
		       xf_target_format(&rule->target, text, sizeof(text)), other->name);
}

int dp_judge_rules(struct dp_addition *add, struct xf_error *err)
{
	const struct dp_ruleset *set = &add->set;
	size_t i;

	if (xf_rule_check(add->spec, err) || xf_comment_check(add->spec->comment, err))
		return -1;
	if (add->spec->name[0] ? xf_name_check(add->spec->name, err) : give_name(add, err))
		return -1;
	for (i = 0; i < set->n_entries; i++) {
		const struct dp_entry *entry = &set->entries[i];
		bool live = set->rules[entry->id].flags & XF_RULE_LIVE;
		struct xf_rule_spec other;

		xf_rule_decode(&set->rules[entry->id], &entry->meta, &other);
		if (live ? judge_against(add->spec, &other, err) : dp_judge_draining(add->spec, &other, err))
			return -1;
	}
	if (set->free_id == set->max_rules)
		return xf_fail(err,
			       "all %u places for rules are taken; for more, run `xdpfwd unload --all` and load again "
			       "with --max-rules",
			       set->max_rules);
	return 0;
}

/* ---- the machine */

static int judge_listen_iface(struct dataplane *dp, struct dp_addition *add, struct xf_error *err)
{
	struct dp_iface_record record;
	struct nd_link link;

	if (add->spec->listen.kind != XF_LISTEN_IFACE)
		return 0;
	if (dp_machine_link(&add->machine, add->spec->listen.ifname, &link, err))
		return -1;
	add->listen_ifindex = link.ifindex;
	if (!dp_iface_get(dp, link.ifindex, &record) && dp_machine_says(&add->machine, link.name))
		log_warning("%s is not loaded: packets that come in there meet no rule; remedy: xdpfwd load %s",
			    link.name, link.name);
	return 0;
}

static int judge_target(struct dp_addition *add, struct xf_error *err)
{
	const struct xf_address *target = &add->spec->target.addr;
	char text[XF_ENDPOINT_STRLEN];
	int local = dp_machine_owns(&add->machine, target, err);

	if (local < 0)
		return -1;
	if (!local && dp_machine_route(&add->machine, target, &add->route, err))
		return -1;
	add->local = local || add->route.local;
	if (add->local && add->spec->source == XF_SOURCE_MASQUERADE)
		return xf_fail(err,
			       "%s is an address of this machine, which has no other source to show to itself; "
			       "leave --source masquerade out",
			       xf_address_format(target, text, sizeof(text)));
	if (add->local && add->spec->stateless)
		return xf_fail(
			err,
			"%s is an address of this machine, and a stateless rule's target has to be another; leave "
			"--stateless out",
			xf_address_format(target, text, sizeof(text)));
	return 0;
}

/* Warns of the first address that is not this machine's: the others have probably the same reason. */
static int judge_pool(struct dp_addition *add, const struct xf_pool *pool, struct xf_error *err)
{
	char text[XF_ENDPOINT_STRLEN];
	unsigned int i;
	int local = 1;

	for (i = 0; i <= pool->more && local > 0; i++) {
		struct xf_address addr = xf_pool_address(pool, (uint8_t)i);

		local = dp_machine_owns(&add->machine, &addr, err);
		xf_address_format(&addr, text, sizeof(text));
		if (!local && dp_machine_says(&add->machine, text))
			log_warning("%s is no address of this machine: the target's answers must be routed here", text);
	}
	return local < 0 ? -1 : 0;
}

/*
 * Under "auto" and "preserve" the source is there for the case that it comes to
 * masquerading, as it always does for clients on this machine; under "masquerade"
 * it must be.
 */
static int judge_source(struct dp_addition *add, struct xf_error *err)
{
	const struct xf_rule_spec *rule = add->spec;
	char text[XF_ENDPOINT_STRLEN];

	if (rule->stateless)
		return dp_stateless_judge(add, err);
	if (add->local)
		return 0;
	add->source = rule->masquerade.first.family ? rule->masquerade.first : add->route.prefsrc;
	if (rule->source != XF_SOURCE_MASQUERADE)
		return 0;
	if (!add->source.family)
		return xf_fail(err, "no address of this machine to reach %s from; use --source masquerade=ADDR",
			       xf_address_format(&rule->target.addr, text, sizeof(text)));
	return judge_pool(add, &(struct xf_pool){.first = add->source, .more = rule->masquerade.more}, err);
}

int dp_judge_machine(struct dataplane *dp, struct dp_addition *add, struct xf_error *err)
{
	if (judge_target(add, err) || (!add->force && dp_machine_locks_out(&add->machine, add->spec, err)) ||
	    judge_source(add, err))
		return -1;
	return judge_listen_iface(dp, add, err);
}
