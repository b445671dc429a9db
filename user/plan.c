// SPDX-License-Identifier: GPL-2.0-only
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "names.h"

#define X(name, text, other) text,
static const char *const field_names[] = {PLAN_FIELDS(X)};
#undef X
#define X(name, text, other) ((uint32_t)(other) << PLAN_##name) |
/* Any of these, and it is another rule. */
static const uint32_t other_rule = PLAN_FIELDS(X) 0;
#undef X

const char *plan_field_name(enum plan_field field)
{
	return (unsigned int)field < PLAN_FIELD_COUNT ? field_names[field] : "?";
}

const char *plan_kind_name(enum plan_kind kind)
{
	return kind == PLAN_ADDED ? "added" : kind == PLAN_REMOVED ? "removed" : "changed";
}

bool plan_keeps_flows(const struct plan_change *change)
{
	return change->kind == PLAN_CHANGED && !(change->fields & other_rule);
}

void plan_rules(const struct xf_rule_spec *specs, size_t n, struct plan_rule *rules)
{
	const struct xf_prefixes *allow = NULL, *deny = NULL;
	uint64_t allow_hash = 0, deny_hash = 0;
	size_t i;

	/* Lists are long, and the next rule often has that of the one before. */
	for (i = 0; i < n; i++) {
		if (specs[i].allow && specs[i].allow != allow)
			allow_hash = xf_prefixes_hash(specs[i].allow);
		if (specs[i].deny && specs[i].deny != deny)
			deny_hash = xf_prefixes_hash(specs[i].deny);
		allow = specs[i].allow ? specs[i].allow : allow;
		deny = specs[i].deny ? specs[i].deny : deny;
		rules[i] = (struct plan_rule){.spec = &specs[i]};
		if (specs[i].allow)
			rules[i].allow = (struct plan_list){specs[i].allow->given, allow_hash};
		if (specs[i].deny)
			rules[i].deny = (struct plan_list){specs[i].deny->given, deny_hash};
	}
}

/* ---- two rules of one name */

static bool same_address(const struct xf_address *a, const struct xf_address *b)
{
	return a->family == b->family && (!a->family || xf_address_equal(a, b));
}

static bool same_pool(const struct xf_pool *a, const struct xf_pool *b)
{
	return same_address(&a->first, &b->first) && a->more == b->more;
}

static bool same_listen(const struct xf_listen *a, const struct xf_listen *b)
{
	if (a->kind != b->kind || a->ports.lo != b->ports.lo || a->ports.hi != b->ports.hi)
		return false;
	if (a->kind == XF_LISTEN_ADDR)
		return same_address(&a->addr, &b->addr);
	return a->kind != XF_LISTEN_IFACE || !strcmp(a->ifname, b->ifname);
}

/* The same port is the same one, written out or not; if it follows that of listen, that says it all. */
static bool same_target(const struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	uint16_t x = a->target.port ? a->target.port : a->listen.ports.lo;
	uint16_t y = b->target.port ? b->target.port : b->listen.ports.lo;

	if (x != y && a->target.port != b->target.port)
		return false;
	/* A name is what was asked for, whatever it means now. */
	if (a->target.host[0] || b->target.host[0])
		return !strcmp(a->target.host, b->target.host);
	return same_address(&a->target.addr, &b->target.addr);
}

static bool same_list(const struct plan_list *a, const struct plan_list *b)
{
	const char *x = a->given ? a->given : "", *y = b->given ? b->given : "";

	return !strcmp(x, y) && (!*x || a->hash == b->hash);
}

static bool same_rate(const struct xf_rate *a, const struct xf_rate *b)
{
	return a->count == b->count && a->unit == b->unit && a->burst == b->burst;
}

static uint32_t differ(const struct plan_rule *running, const struct plan_rule *wanted)
{
	const struct xf_rule_spec *a = running->spec, *b = wanted->spec;
	bool same[PLAN_FIELD_COUNT] = {
		[PLAN_PROTOCOL] = a->protos == b->protos,
		[PLAN_LISTEN] = same_listen(&a->listen, &b->listen),
		[PLAN_TARGET] = same_target(a, b),
		[PLAN_SOURCE] = a->source == b->source && same_pool(&a->masquerade, &b->masquerade),
		[PLAN_STATELESS] = a->stateless == b->stateless,
		[PLAN_ALLOW] = same_list(&running->allow, &wanted->allow),
		[PLAN_DENY] = same_list(&running->deny, &wanted->deny),
		[PLAN_RATE] = same_rate(&a->rate, &b->rate),
		[PLAN_SOURCE_RATE] = same_rate(&a->source_rate, &b->source_rate),
		[PLAN_MAX_FLOWS] = a->max_flows == b->max_flows,
		[PLAN_MAX_PER_SOURCE] = a->max_flows_per_source == b->max_flows_per_source,
		/* The moment alone: whether it was stated as a date is not what `save` can tell. */
		[PLAN_EXPIRES] = a->expires == b->expires,
		[PLAN_TIMEOUTS] = !memcmp(a->timeout, b->timeout, sizeof(a->timeout)),
		[PLAN_SYN_THRESHOLD] = a->syn_threshold == b->syn_threshold,
		[PLAN_COMMENT] = !strcmp(a->comment, b->comment),
		[PLAN_ENABLED] = a->disabled == b->disabled,
	};
	uint32_t fields = 0;
	int f;

	for (f = 0; f < PLAN_FIELD_COUNT; f++)
		fields |= (uint32_t)!same[f] << f;
	return fields;
}

/* ---- two sets */

/* at: index + 1. */
static int index_names(struct names *names, const struct plan_set *set, struct xf_error *err)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		struct name *name = names_add(names, set->rule[i].spec->name);

		if (!name)
			return xf_fail(err, "not enough memory");
		if (name->at)
			return xf_fail(err, "there are two rules named %s", name->text);
		name->at = (uint32_t)i + 1;
	}
	return 0;
}

static void plan_wanted(struct plan *plan, const struct plan_rule *running, const struct plan_rule *wanted)
{
	struct plan_change change = {PLAN_ADDED, running, wanted, 0};

	if (running) {
		change.kind = PLAN_CHANGED;
		change.fields = differ(running, wanted);
	}
	if (running && !change.fields) {
		plan->unchanged++;
		return;
	}
	plan->added += !running;
	plan->changed += running != NULL;
	plan->change[plan->n++] = change;
}

static void compare_sets(struct plan *plan, const struct plan_set *running, const struct plan_set *wanted,
			 struct names names[2])
{
	size_t i;

	for (i = 0; i < running->n; i++) {
		if (names_find(&names[1], running->rule[i].spec->name))
			continue;
		plan->change[plan->n++] = (struct plan_change){PLAN_REMOVED, &running->rule[i], NULL, 0};
		plan->removed++;
	}
	for (i = 0; i < wanted->n; i++) {
		const struct name *name = names_find(&names[0], wanted->rule[i].spec->name);

		plan_wanted(plan, name ? &running->rule[name->at - 1] : NULL, &wanted->rule[i]);
	}
}

int plan_make(const struct plan_set *running, const struct plan_set *wanted, struct plan *plan, struct xf_error *err)
{
	struct names names[2] = {{0}};
	int rc = -1;

	memset(plan, 0, sizeof(*plan));
	plan->change = calloc(running->n + wanted->n + 1, sizeof(*plan->change));
	if (!plan->change)
		xf_fail(err, "not enough memory");
	else if (!index_names(&names[0], running, err) && !index_names(&names[1], wanted, err))
		rc = 0;
	if (!rc)
		compare_sets(plan, running, wanted, names);
	names_free(&names[0]);
	names_free(&names[1]);
	if (rc)
		plan_free(plan);
	return rc;
}

void plan_free(struct plan *plan)
{
	free(plan->change);
	memset(plan, 0, sizeof(*plan));
}
