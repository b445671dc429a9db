// SPDX-License-Identifier: GPL-2.0-only
/* What is known only when all is read: who translates sources, which rules are one, and what they are called. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"

/* ---- translations of sources on the way out */

void import_translate(struct import *im, const struct import_cond *cond, const struct xf_address *source)
{
	struct import_masquerade *all;

	if (!cond->to.n) {
		import_lost(im, "no port forward, but a translation of what goes out: leave it where it is");
		return;
	}
	if (*cond->lost) {
		import_lost(im, "%s", cond->lost);
		return;
	}
	if (cond->from.n || cond->not_from.n) {
		import_lost(im, "of certain sources alone; those in the target's own network are masqueraded by "
				"\"source: auto\", which is the default");
		return;
	}
	/* Each is compared with each rule. */
	if (im->n_masquerade >= IMPORT_RULES_MAX / 10) {
		import_lost(im, "more than %d translations of sources", IMPORT_RULES_MAX / 10);
		return;
	}
	all = reallocarray(im->masquerade, im->n_masquerade + 1, sizeof(*all));
	if (!all) {
		im->failed = true;
		return;
	}
	im->masquerade = all;
	all += im->n_masquerade++;
	*all = (struct import_masquerade){.cond = *cond, .source = *source};
	memcpy(all->where, im->where, sizeof(all->where));
}

static bool meets(const struct import_cond *cond, const struct xf_rule_spec *rule)
{
	uint16_t port = rule->target.port ? rule->target.port : rule->listen.ports.lo;
	uint32_t last = port + xf_ports_count(rule->listen.ports) - 1;
	bool to = false, ports = !cond->ports.n;
	size_t i;

	for (i = 0; i < cond->to.n; i++)
		to |= cidr_contains(&cond->to.net[i], &rule->target.addr);
	for (i = 0; i < cond->ports.n; i++)
		ports |= cond->ports.range[i].lo <= port && last <= cond->ports.range[i].hi;
	return to && ports && !cond->never && !(cond->protos && rule->protos & ~cond->protos);
}

static void translate(struct import *im, struct import_rule *rule)
{
	struct xf_rule_spec changed = rule->spec;
	struct import_masquerade *m;
	struct xf_error err;
	size_t i;

	for (i = 0; i < im->n_masquerade; i++) {
		m = &im->masquerade[i];
		if (!meets(&m->cond, &rule->spec))
			continue;
		changed.source = XF_SOURCE_MASQUERADE;
		changed.masquerade = (struct xf_pool){.first = m->source};
		if (xf_rule_check(&changed, &err)) {
			import_at(im, "%s", m->where);
			import_lost(im, "%s", err.text);
		} else {
			rule->spec = changed;
		}
		m->used = true;
		return;
	}
}

/* ---- rules that are one */

static bool same_nets(const struct cidr *a, size_t na, const struct cidr *b, size_t nb)
{
	size_t i;

	if (na != nb)
		return false;
	for (i = 0; i < na; i++)
		if (cidr_compare(&a[i], &b[i]))
			return false;
	return true;
}

static uint16_t target_port(const struct xf_rule_spec *r)
{
	return r->target.port ? r->target.port : r->listen.ports.lo;
}

/* The same but for protocols and ports? */
static bool same_otherwise(const struct import_rule *a, const struct import_rule *b)
{
	const struct xf_rule_spec *s = &a->spec, *t = &b->spec;

	return xf_address_equal(&s->target.addr, &t->target.addr) && s->listen.kind == t->listen.kind &&
	       (s->listen.kind != XF_LISTEN_ADDR || xf_address_equal(&s->listen.addr, &t->listen.addr)) &&
	       (s->listen.kind != XF_LISTEN_IFACE || !strcmp(s->listen.ifname, t->listen.ifname)) &&
	       s->source == t->source && xf_address_equal(&s->masquerade.first, &t->masquerade.first) &&
	       s->disabled == t->disabled && !strcmp(s->comment, t->comment) && !strcmp(a->wish, b->wish) &&
	       same_nets(a->allow, a->n_allow, b->allow, b->n_allow) &&
	       same_nets(a->deny, a->n_deny, b->deny, b->n_deny);
}

static bool join_protos(struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	if (a->listen.ports.lo != b->listen.ports.lo || a->listen.ports.hi != b->listen.ports.hi ||
	    target_port(a) != target_port(b) || a->protos & b->protos)
		return false;
	a->protos |= b->protos;
	return true;
}

/* The ports of b right behind those of a, here and there. */
static bool join_ports(struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	if (a->protos != b->protos || a->listen.ports.hi + 1 != b->listen.ports.lo ||
	    target_port(a) + xf_ports_count(a->listen.ports) != target_port(b))
		return false;
	a->listen.ports.hi = b->listen.ports.hi;
	return true;
}

static void join_by(struct import *im, bool (*join)(struct xf_rule_spec *a, const struct xf_rule_spec *b))
{
	size_t i, j, kept = 0;

	for (i = 0; i < im->n; i++) {
		for (j = 0; j < kept; j++)
			if (same_otherwise(&im->rule[j], &im->rule[i]) && join(&im->rule[j].spec, &im->rule[i].spec))
				break;
		if (j < kept)
			import_rule_free(&im->rule[i]);
		else if (kept++ != i)
			im->rule[kept - 1] = im->rule[i];
	}
	im->n = kept;
}

static void join_all(struct import *im)
{
	join_by(im, join_protos);
	join_by(im, join_ports);
}

/* ---- names */

/* Names are compared with all before: a table of what they hash to keeps that short. */
struct names {
	const struct import *im;
	uint32_t *slot; /* number of the rule + 1 */
	uint32_t *last; /* by slot: the last number that was tried behind its name */
	size_t mask;
};

static size_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h;
}

static uint32_t *slot_of(struct names *names, const char *name)
{
	size_t at = hash(name) & names->mask;

	while (names->slot[at] && strcmp(names->im->rule[names->slot[at] - 1].spec.name, name))
		at = (at + 1) & names->mask;
	return &names->slot[at];
}

static bool nobody_has(const char *name, void *arg)
{
	(void)name, (void)arg;
	return false;
}

static void name_rule(struct import_rule *rule, struct names *names)
{
	struct xf_rule_spec *spec = &rule->spec;
	char base[XF_NAME_LEN];
	uint32_t *last;

	if (xf_name_check(rule->wish, NULL))
		xf_rule_default_name(spec, nobody_has, NULL);
	else
		memcpy(spec->name, rule->wish, sizeof(spec->name));
	memcpy(base, spec->name, sizeof(base));
	last = &names->last[slot_of(names, base) - names->slot];
	while (*slot_of(names, spec->name)) {
		*last = *last ? *last + 1 : 2;
		snprintf(spec->name, sizeof(spec->name), "%.48s-%u", base, *last);
	}
}

static void name_all(struct import *im)
{
	struct names names = {.im = im, .mask = 1};
	size_t i;

	while (names.mask < 2 * im->n)
		names.mask = names.mask << 1 | 1;
	names.slot = calloc(names.mask + 1, sizeof(*names.slot));
	names.last = calloc(names.mask + 1, sizeof(*names.last));
	im->failed |= !names.slot || !names.last;
	for (i = 0; i < im->n && !im->failed; i++) {
		name_rule(&im->rule[i], &names);
		*slot_of(&names, im->rule[i].spec.name) = (uint32_t)i + 1;
	}
	free(names.slot);
	free(names.last);
}

void import_finish(struct import *im)
{
	size_t i;

	for (i = 0; i < im->n; i++)
		translate(im, &im->rule[i]);
	for (i = 0; i < im->n_masquerade; i++) {
		if (im->masquerade[i].used)
			continue;
		import_at(im, "%s", im->masquerade[i].where);
		import_lost(im, "a translation of sources on the way to what no rule here forwards to");
	}
	join_all(im);
	name_all(im);
	im->failed |= buf_failed(&im->notes);
}
