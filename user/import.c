// SPDX-License-Identifier: GPL-2.0-only
/* Rules and notes as they come: which finds a place, and what is said of the others. */
#include "import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void import_at(struct import *im, const char *fmt, ...)
{
	char raw[IMPORT_WHERE_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	text_scrub(raw, im->where, sizeof(im->where));
}

static void note(struct import *im, const char *before, const char *fmt, va_list args)
{
	char raw[512];
	struct xf_error line;

	vsnprintf(raw, sizeof(raw), fmt, args);
	xf_fail(&line, "%.80s:%s%s %s%.200s", im->input, im->where, *im->where ? ":" : "", before, raw);
	buf_puts(&im->notes, line.text);
	buf_puts(&im->notes, "\n");
}

void import_note(struct import *im, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(im, "", fmt, args);
	va_end(args);
}

void import_lost(struct import *im, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(im, "not carried over: ", fmt, args);
	va_end(args);
}

bool import_step(struct import *im)
{
	if (im->steps > IMPORT_STEPS_MAX || im->failed)
		return false;
	if (im->steps++ < IMPORT_STEPS_MAX)
		return true;
	import_lost(im, "this and what follows: more than %d rules and jumps", IMPORT_STEPS_MAX);
	return false;
}

void import_too_deep(struct import *im)
{
	import_lost(im, "this and what follows: more than %d chains deep", IMPORT_DEPTH_MAX);
	im->steps = IMPORT_STEPS_MAX + 1;
}

/* ---- one rule */

static struct cidr *nets_copy(struct import *im, const struct import_nets *nets, uint8_t family, size_t *n)
{
	struct cidr *copy;
	size_t i;

	*n = 0;
	if (!nets->n)
		return NULL;
	copy = calloc(nets->n, sizeof(*copy));
	if (!copy) {
		im->failed = true;
		return NULL;
	}
	for (i = 0; i < nets->n; i++)
		if (nets->net[i].addr.family == family)
			copy[(*n)++] = nets->net[i];
	return copy;
}

void import_rule_free(struct import_rule *rule)
{
	free(rule->allow);
	free(rule->deny);
	memset(rule, 0, sizeof(*rule));
}

/* Of two rules that claim one endpoint. */
static bool same_way(const struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	return a->listen.ports.lo == b->listen.ports.lo && a->listen.ports.hi == b->listen.ports.hi &&
	       a->protos == b->protos && a->target.port == b->target.port &&
	       xf_address_equal(&a->target.addr, &b->target.addr);
}

/* Two forwards that differ in who may: one rule for those of either. */
static bool widen(struct import_rule *have, struct import_rule *more)
{
	struct cidr *all;

	if (!same_way(&have->spec, &more->spec) || have->n_deny || more->n_deny)
		return false;
	if (!have->n_allow || !more->n_allow) {
		have->n_allow = 0;
		return true;
	}
	all = reallocarray(have->allow, have->n_allow + more->n_allow, sizeof(*all));
	if (!all)
		return false;
	memcpy(all + have->n_allow, more->allow, more->n_allow * sizeof(*all));
	have->allow = all;
	have->n_allow += more->n_allow;
	return true;
}

/* Would `first` have taken packets that with us go to the more exact `second`? */
static bool precedes(const struct xf_rule_spec *first, const struct xf_rule_spec *second)
{
	return first->listen.kind != second->listen.kind && second->listen.kind != XF_LISTEN_ANY &&
	       first->target.addr.family == second->target.addr.family && first->protos & second->protos &&
	       xf_ports_overlap(first->listen.ports, second->listen.ports) && first->listen.kind != XF_LISTEN_ADDR;
}

/* Is there a place for it? */
static bool finds_place(struct import *im, struct import_rule *rule)
{
	const struct import_rule *before = NULL;
	size_t i;

	for (i = 0; i < im->n; i++) {
		struct import_rule *other = &im->rule[i];

		if (xf_rule_conflicts(&other->spec, &rule->spec)) {
			if (!widen(other, rule))
				import_lost(im, "%s has ports of it already, and comes first", other->where);
			return false;
		}
		if (!before && precedes(&other->spec, &rule->spec))
			before = other;
	}
	if (before)
		import_note(im, "carried over, but what %s, which comes first, takes of it now comes here",
			    before->where);
	return true;
}

static bool make_room(struct import *im)
{
	size_t room = im->room ? im->room * 2 : 32;
	struct import_rule *rule;

	if (im->n < im->room)
		return true;
	if (im->n >= IMPORT_RULES_MAX) {
		import_lost(im, "more than %d rules", IMPORT_RULES_MAX);
		return false;
	}
	if (room > IMPORT_RULES_MAX)
		room = IMPORT_RULES_MAX;
	rule = reallocarray(im->rule, room, sizeof(*rule));
	if (!rule) {
		im->failed = true;
		return false;
	}
	im->rule = rule;
	im->room = room;
	return true;
}

/* Name and comment as far as ours can be so. */
static void take_words(struct import_rule *rule, const struct import_forward *f)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
	char comment[XF_COMMENT_LEN];
	size_t n = 0, octets;
	const char *c;

	for (c = f->name ? f->name : ""; *c && n < 40; c++)
		if (n || !strchr(".+-/ ", *c))
			rule->wish[n++] = strchr(allowed, *c) ? *c : '-';
	rule->wish[n] = '\0';
	/* A character cut in two by the end of the room would become '?'. */
	snprintf(comment, sizeof(comment), "%s", f->comment ? f->comment : "");
	for (n = 0; n < sizeof(comment) && comment[n]; n += octets ? octets : 1) {
		octets = xf_utf8_printable(comment + n);
		if (!octets)
			comment[n] = n > sizeof(comment) - 5 && f->comment[sizeof(comment) - 1] ? '\0' : '?';
	}
	memcpy(rule->spec.comment, comment, sizeof(comment));
}

void import_add(struct import *im, const struct import_forward *f, const struct xf_listen *listen, uint16_t port)
{
	struct import_rule rule = {.spec = {.protos = f->cond->protos, .listen = *listen, .disabled = f->disabled}};
	uint8_t family = f->target.addr.family;
	struct xf_error err;

	if (!import_step(im))
		return;
	rule.spec.target.addr = f->target.addr;
	rule.spec.target.port = port == listen->ports.lo ? 0 : port;
	snprintf(rule.where, sizeof(rule.where), "%s", im->where);
	take_words(&rule, f);
	if (xf_rule_check(&rule.spec, &err)) {
		import_lost(im, "%s", err.text);
		return;
	}
	rule.allow = nets_copy(im, &f->cond->from, family, &rule.n_allow);
	rule.deny = nets_copy(im, &f->cond->not_from, family, &rule.n_deny);
	if (im->failed || (f->cond->from.n && !rule.n_allow)) {
		if (!im->failed)
			import_lost(im, "its sources and its target are not of one family");
		import_rule_free(&rule);
		return;
	}
	if (!make_room(im) || !finds_place(im, &rule)) {
		import_rule_free(&rule);
		return;
	}
	im->rule[im->n++] = rule;
}

void import_free(struct import *im)
{
	size_t i;

	for (i = 0; i < im->n; i++)
		import_rule_free(&im->rule[i]);
	free(im->rule);
	free(im->masquerade);
	buf_free(&im->notes);
}
