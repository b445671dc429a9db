// SPDX-License-Identifier: GPL-2.0-only
/* How the rules of a config stand to each other: names, and what they listen on. By sorting, as there may be many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_int.h"

/* ---- names */

/* Names that are given come first: those that are made give way to them. */
static void check_names(struct reader *r, struct names *names)
{
	struct config *config = r->config;
	struct name *name;
	size_t i;

	for (i = 0; i < config->n_rules; i++) {
		if (!config->rules[i].name[0])
			continue;
		name = names_add(names, config->rules[i].name);
		if (!name)
			r->errors->failed = true;
		else if (name->at)
			config_errors_add(r->errors, r->notes[i].name,
					  "the name %s is that of the rule in line %u already", config->rules[i].name,
					  config->places[name->at - 1].line);
		else
			name->at = (uint32_t)i + 1;
	}
}

static bool is_never_taken(const char *text, void *arg)
{
	(void)text;
	(void)arg;
	return false;
}

/* "tcp-443", "tcp-443-2" and so on: thousands may want the same, so each goes on where the last one stopped. */
static bool give_name(struct xf_rule_spec *rule, struct names *names, struct names *wishes)
{
	char first[XF_NAME_LEN / 2];
	struct name *wish, *name;

	xf_rule_default_name(rule, is_never_taken, NULL);
	snprintf(first, sizeof(first), "%.31s", rule->name);
	wish = names_add(wishes, first);
	if (!wish)
		return false;
	while (names_find(names, rule->name))
		snprintf(rule->name, sizeof(rule->name), "%s-%u", first, ++wish->size + 1);
	name = names_add(names, rule->name);
	return name;
}

/* ---- what they listen on */

struct claim {
	const struct xf_rule_spec *rule;
	const struct rule_note *note;
	const struct claim *before; /* the first one in the file that is in its way; NULL: none */
	uint8_t proto;		    /* one of them */
};

static int compare_places(const struct config_place *a, const struct config_place *b)
{
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : a->column > b->column;
}

/* 0: they are about one and the same, but for the ports. */
static int compare_scope(const struct claim *a, const struct claim *b)
{
	const struct xf_listen *x = &a->rule->listen, *y = &b->rule->listen;

	if (a->proto != b->proto)
		return a->proto - b->proto;
	if (a->rule->target.addr.family != b->rule->target.addr.family)
		return a->rule->target.addr.family - b->rule->target.addr.family;
	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	if (x->kind == XF_LISTEN_IFACE)
		return strcmp(x->ifname, y->ifname);
	if (x->kind == XF_LISTEN_ADDR && x->addr.family != y->addr.family)
		return x->addr.family - y->addr.family;
	if (x->kind != XF_LISTEN_ADDR)
		return 0;
	return memcmp(&x->addr.addr, &y->addr.addr, x->addr.family == XF_IPV4 ? 4 : sizeof(x->addr.addr));
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int scope = compare_scope(x, y);

	if (scope)
		return scope;
	if (x->rule->listen.ports.lo != y->rule->listen.ports.lo)
		return x->rule->listen.ports.lo - y->rule->listen.ports.lo;
	return compare_places(&x->note->listen, &y->note->listen);
}

static void blame_claim(struct reader *r, const struct claim *claim)
{
	const struct claim *before = claim->before;
	char listen[XF_ENDPOINT_STRLEN];

	config_errors_add(r->errors, claim->note->listen, "rule %s in line %u listens on %s %s already",
			  before->rule->name, before->note->listen.line,
			  xf_protos_format(before->rule->protos & claim->rule->protos),
			  xf_listen_format(&before->rule->listen, listen, sizeof(listen)));
}

/* The one that comes later in the file is at fault. */
static void note_conflict(struct claim *a, struct claim *b)
{
	bool a_first = compare_places(&a->note->listen, &b->note->listen) < 0;
	struct claim *first = a_first ? a : b, *second = a_first ? b : a;

	if (!second->before || compare_places(&first->note->listen, &second->before->note->listen) < 0)
		second->before = first;
}

static size_t claims_of(const struct reader *r, struct claim *claims)
{
	size_t i, n = 0;
	uint8_t proto;

	for (i = 0; i < r->config->n_rules; i++)
		for (proto = XF_PROTO_TCP; r->notes[i].whole && proto <= XF_PROTO_UDP; proto = (uint8_t)(proto << 1))
			if (r->config->rules[i].protos & proto)
				claims[n++] = (struct claim){
					.rule = &r->config->rules[i], .note = &r->notes[i], .proto = proto};
	return n;
}

/*
 * Those whose ports have not ended yet, as the claims are gone through by where
 * they begin. If ever more of them share a port, those that reach farthest are
 * remembered: with so many lines to mend, a few that come to light afterwards
 * do not matter, and time does.
 */
#define OPEN_MAX 16
struct open_claims {
	struct claim *claim[OPEN_MAX];
	size_t n;
};

static void meet(struct open_claims *open, struct claim *claim)
{
	struct claim **shortest = NULL;
	size_t i, kept = 0;

	for (i = 0; i < open->n; i++) {
		struct claim *other = open->claim[i];

		if (compare_scope(other, claim) || other->rule->listen.ports.hi < claim->rule->listen.ports.lo)
			continue;
		note_conflict(other, claim);
		open->claim[kept++] = other;
	}
	open->n = kept;
	for (i = 0; i < kept; i++)
		if (!shortest || open->claim[i]->rule->listen.ports.hi < (*shortest)->rule->listen.ports.hi)
			shortest = &open->claim[i];
	if (kept < OPEN_MAX)
		open->claim[open->n++] = claim;
	else if ((*shortest)->rule->listen.ports.hi < claim->rule->listen.ports.hi)
		*shortest = claim;
}

static void check_claims(struct reader *r)
{
	struct claim *claims = calloc(2 * r->config->n_rules + 1, sizeof(*claims));
	struct open_claims open = {.n = 0};
	size_t i, n;

	if (!claims) {
		r->errors->failed = true;
		return;
	}
	n = claims_of(r, claims);
	if (n)
		qsort(claims, n, sizeof(*claims), compare_claims);
	for (i = 0; i < n; i++)
		meet(&open, &claims[i]);
	for (i = 0; i < n; i++)
		if (claims[i].before)
			blame_claim(r, &claims[i]);
	free(claims);
}

void config_set(struct reader *r)
{
	struct names names = {0}, wishes = {0};
	size_t i;

	check_names(r, &names);
	for (i = 0; i < r->config->n_rules; i++)
		if (r->notes[i].whole && !r->config->rules[i].name[0])
			r->errors->failed |= !give_name(&r->config->rules[i], &names, &wishes);
	check_claims(r);
	names_free(&names);
	names_free(&wishes);
}
