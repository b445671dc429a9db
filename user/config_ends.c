// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the targets of a config's rules stand to each other, and to what other
 * rules listen on: rules that lead to each other, and a target of a rule without
 * state that is another's too. By sorting, as there may be many.
 */
#include <stdlib.h>
#include <string.h>

#include "config_int.h"

/* What a rule listens on, or sends to, of one protocol. */
struct end {
	const struct xf_rule_spec *rule;
	const struct rule_note *note;
	const struct xf_address *addr;
	struct xf_port_range ports;
	uint8_t proto;
};

struct ends {
	struct end *end;
	size_t n;
};

/* 0: they are about one and the same, but for the ports. */
static int compare_scope(const struct end *a, const struct end *b)
{
	if (a->proto != b->proto)
		return a->proto - b->proto;
	if (a->addr->family != b->addr->family)
		return a->addr->family - b->addr->family;
	return memcmp(&a->addr->addr, &b->addr->addr, a->addr->family == XF_IPV4 ? 4 : sizeof(a->addr->addr));
}

static int compare_ends(const void *a, const void *b)
{
	const struct end *x = a, *y = b;
	int scope = compare_scope(x, y);

	return scope ? scope : x->ports.lo - y->ports.lo;
}

static struct xf_port_range target_ports(const struct xf_rule_spec *rule)
{
	uint16_t lo = rule->target.port ? rule->target.port : rule->listen.ports.lo;

	return (struct xf_port_range){.lo = lo, .hi = (uint16_t)(lo + rule->listen.ports.hi - rule->listen.ports.lo)};
}

static void add_ends(struct ends *ends, const struct end *end)
{
	uint8_t proto;

	for (proto = XF_PROTO_TCP; proto <= XF_PROTO_UDP; proto = (uint8_t)(proto << 1)) {
		if (!(end->rule->protos & proto))
			continue;
		ends->end[ends->n] = *end;
		ends->end[ends->n++].proto = proto;
	}
}

static void collect(const struct reader *r, struct ends *targets, struct ends *listens)
{
	size_t i;

	for (i = 0; i < r->config->n_rules; i++) {
		const struct xf_rule_spec *rule = &r->config->rules[i];
		struct end end = {.rule = rule, .note = &r->notes[i]};

		if (!r->notes[i].whole)
			continue;
		end.addr = &rule->target.addr;
		end.ports = target_ports(rule);
		add_ends(targets, &end);
		end.addr = &rule->listen.addr;
		end.ports = rule->listen.ports;
		if (rule->listen.kind == XF_LISTEN_ADDR)
			add_ends(listens, &end);
	}
	if (targets->n)
		qsort(targets->end, targets->n, sizeof(*targets->end), compare_ends);
	if (listens->n)
		qsort(listens->end, listens->n, sizeof(*listens->end), compare_ends);
}

static bool is_later(const struct end *a, const struct end *b)
{
	const struct config_place *x = &a->note->target, *y = &b->note->target;

	return x->line != y->line ? x->line > y->line : x->column > y->column;
}

/* ---- targets of rules without state */

static void blame_share(struct reader *r, const struct end *a, const struct end *b)
{
	const struct end *later = is_later(a, b) ? a : b, *former = later == a ? b : a;

	config_errors_add(r->errors, later->note->target,
			  "this is the target of rule %s in line %u as well, and %s keeps no state: nothing would tell "
			  "whose answers come from there; use another port of the target",
			  former->rule->name, former->note->target.line,
			  former->rule->stateless ? "that one" : "this one");
}

/* Of those that begin before, the one that reaches farthest tells whether there is any in the way. */
static void check_targets(struct reader *r, const struct ends *targets)
{
	const struct end *any = NULL, *stateless = NULL;
	size_t i;

	for (i = 0; i < targets->n; i++) {
		const struct end *end = &targets->end[i], *before;

		if (any && compare_scope(any, end))
			any = stateless = NULL;
		before = end->rule->stateless ? any : stateless;
		if (before && before->ports.hi >= end->ports.lo)
			blame_share(r, before, end);
		if (!any || any->ports.hi <= end->ports.hi)
			any = end;
		if (end->rule->stateless && (!stateless || stateless->ports.hi <= end->ports.hi))
			stateless = end;
	}
}

/* ---- rules that lead to each other */

/* The first of those sorted that is not wholly before it. */
static size_t find_first(const struct ends *listens, const struct end *end)
{
	size_t lo = 0, hi = listens->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int scope = compare_scope(&listens->end[mid], end);

		if (scope < 0 || (!scope && listens->end[mid].ports.hi < end->ports.lo))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void check_loop(struct reader *r, const struct ends *listens, const struct end *target)
{
	size_t i;

	for (i = find_first(listens, target); i < listens->n; i++) {
		const struct end *other = &listens->end[i];

		if (compare_scope(other, target) || other->ports.lo > target->ports.hi)
			return;
		if (!is_later(target, other) || !xf_rule_feeds(other->rule, target->rule, false))
			continue;
		config_errors_add(r->errors, target->note->target,
				  "loop: this is what rule %s in line %u listens on, and its target is what this one "
				  "does",
				  other->rule->name, other->note->listen.line);
		return;
	}
}

void config_ends(struct reader *r)
{
	size_t room = 2 * r->config->n_rules + 1, i;
	struct ends targets = {.end = calloc(room, sizeof(*targets.end))};
	struct ends listens = {.end = calloc(room, sizeof(*listens.end))};

	if (targets.end && listens.end) {
		collect(r, &targets, &listens);
		check_targets(r, &targets);
		for (i = 0; i < targets.n; i++)
			check_loop(r, &listens, &targets.end[i]);
	} else {
		r->errors->failed = true;
	}
	free(targets.end);
	free(listens.end);
}
