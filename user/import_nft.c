// SPDX-License-Identifier: GPL-2.0-only
/* nft -j list ruleset: what the chains of the type nat lead to. */
#include "import_nft.h"

#include <stdlib.h>
#include <string.h>

/* ---- collecting */

static int by_chain(const void *a, const void *b)
{
	const struct nft_rule *x = a, *y = b;
	int order = strcmp(x->family, y->family);

	if (!order)
		order = strcmp(x->table, y->table);
	if (!order)
		order = strcmp(x->chain, y->chain);
	if (!order)
		order = x->number < y->number ? -1 : x->number > y->number;
	return order;
}

static int collect(struct nft *nft, const json_t *all, struct xf_error *err)
{
	const json_t *value = NULL;
	size_t i;

	nft->rule = calloc(json_array_size(all) + 1, sizeof(*nft->rule));
	if (!nft->rule)
		return xf_fail(err, "not enough memory");
	for (i = 0; i < json_array_size(all); i++) {
		const char *kind = nft_kind(json_array_get(all, i), &value);

		if (kind && !strcmp(kind, "rule"))
			nft->rule[nft->n++] = (struct nft_rule){.family = nft_text(value, "family"),
								.table = nft_text(value, "table"),
								.chain = nft_text(value, "chain"),
								.json = value,
								.number = i};
		if (!kind || (strcmp(kind, "set") && strcmp(kind, "map")))
			continue;
		if (nft->n_sets == NFT_SETS_MAX)
			return xf_fail(err, "%.80s: more than %d sets and maps", nft->im->input, NFT_SETS_MAX);
		nft->set[nft->n_sets++] = value;
	}
	qsort(nft->rule, nft->n, sizeof(*nft->rule), by_chain);
	return 0;
}

static size_t find(const struct nft *nft, const struct nft_rule *key)
{
	size_t lo = 0, hi = nft->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_chain(&nft->rule[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool in_chain(const struct nft_rule *rule, const struct nft_rule *key)
{
	return !strcmp(rule->family, key->family) && !strcmp(rule->table, key->table) &&
	       !strcmp(rule->chain, key->chain);
}

static void at_rule(const struct nft *nft, const struct nft_rule *rule)
{
	import_at(nft->im, "%.10s %.30s %.40s handle %lld", rule->family, rule->table, rule->chain,
		  (long long)json_integer_value(json_object_get(rule->json, "handle")));
}

/* ---- walking */

struct walk {
	struct nft_rule chain;
	unsigned int depth;
	struct import_cond cond; /* of all jumps up to here, and of the rule so far */
	struct import_cond own;	 /* of the rule alone */
};

static void walk(struct nft *nft, const struct walk *w);

static void jump(struct nft *nft, const struct walk *from, const char *chain)
{
	struct walk *w;

	if (from->depth >= IMPORT_DEPTH_MAX) {
		import_too_deep(nft->im);
		return;
	}
	w = malloc(sizeof(*w));
	if (!w) {
		nft->im->failed = true;
		return;
	}
	*w = *from;
	w->depth++;
	w->chain.chain = chain;
	walk(nft, w);
	free(w);
}

static const char *const ends[] = {"accept", "drop", "return", "reject", "continue", NULL};
static const char *const harmless[] = {"counter", "log", "notrack", "mangle", "ct helper", NULL};

static void match(struct nft *nft, const struct nft_rule *rule, const json_t *value, struct walk *w)
{
	struct nft_match m = {json_object_get(value, "left"), nft_text(value, "op"), json_object_get(value, "right")};
	const json_t *masked = json_object_get(m.left, "&");

	/* "tcp flags & (fin | syn | rst | ack) == syn" is what a new connection begins with. */
	if (masked)
		m.left = json_array_get(masked, 0);
	nft_match(nft, rule, &m, &w->own);
	nft_match(nft, rule, &m, &w->cond);
}

static bool verdict(struct nft *nft, const char *kind, const json_t *value, const struct walk *w)
{
	bool always = import_cond_is_empty(&w->own);

	if (!strcmp(kind, "jump") || !strcmp(kind, "goto")) {
		jump(nft, w, nft_text(value, "target"));
		return !always || !strcmp(kind, "jump");
	}
	if (!strcmp(kind, "continue"))
		return true;
	if (!always)
		import_lost(nft->im, "an exception to the rules after it, by %s", kind);
	return !always;
}

/* Each element of a verdict map is a condition and a verdict. */
static void verdicts(struct nft *nft, const struct nft_rule *rule, const json_t *map, const struct walk *w)
{
	struct nft_list list = nft_list(nft, rule, json_object_get(map, "data"));
	const json_t *value = NULL;
	struct walk *one = malloc(sizeof(*one));
	size_t i;

	for (i = 0; one && i < list.n && list.is_array && import_step(nft->im); i++) {
		const json_t *pair = json_array_get(list.whole, i);
		struct nft_list key = {.whole = json_array_get(pair, 0), .n = 1};
		struct nft_match m = {json_object_get(map, "key"), "==", nft_element(&key, 0)};
		const char *kind = nft_kind(json_array_get(pair, 1), &value);

		*one = *w;
		nft_match(nft, rule, &m, &one->cond);
		nft_match(nft, rule, &m, &one->own);
		at_rule(nft, rule);
		if (kind)
			verdict(nft, kind, value, one);
	}
	nft->im->failed |= !one;
	free(one);
}

/* One statement of a rule; false: the chain ends here. */
static bool statement(struct nft *nft, const struct nft_rule *rule, const json_t *json, struct walk *w)
{
	const json_t *value = NULL;
	const char *kind = nft_kind(json, &value);

	if (!kind)
		kind = "?";
	if (!strcmp(kind, "match"))
		match(nft, rule, value, w);
	else if (!strcmp(kind, "dnat") || !strcmp(kind, "redirect"))
		nft_forward(nft, rule, value, &w->cond);
	else if (!strcmp(kind, "snat") || !strcmp(kind, "masquerade"))
		nft_translate(nft, value, &w->cond);
	else if (!strcmp(kind, "vmap"))
		verdicts(nft, rule, value, w);
	else if (!strcmp(kind, "jump") || !strcmp(kind, "goto") || import_is_one_of(kind, ends))
		return verdict(nft, kind, value, w);
	else if (!strcmp(kind, "xt") && !strcmp(nft_text(value, "type"), "target"))
		import_lost(nft->im, "written by iptables, and nft does not say what: iptables-save does");
	else if (!import_is_one_of(kind, harmless)) {
		import_cond_lose(&w->cond, "the statement %.40s", kind);
		import_cond_lose(&w->own, "the statement %.40s", kind);
	}
	return true;
}

static bool walk_rule(struct nft *nft, struct nft_rule *rule, const struct walk *from)
{
	const json_t *expr = json_object_get(rule->json, "expr");
	struct walk *w = malloc(sizeof(*w));
	bool goes_on = true;
	size_t i;

	if (!w) {
		nft->im->failed = true;
		return false;
	}
	*w = *from;
	memset(&w->own, 0, sizeof(w->own));
	for (i = 0; i < json_array_size(expr) && goes_on; i++)
		goes_on = statement(nft, rule, json_array_get(expr, i), w);
	free(w);
	return goes_on;
}

static void walk(struct nft *nft, const struct walk *w)
{
	size_t i;

	for (i = find(nft, &w->chain); i < nft->n && in_chain(&nft->rule[i], &w->chain); i++) {
		at_rule(nft, &nft->rule[i]);
		if (!import_step(nft->im))
			return;
		nft->rule[i].seen = true;
		if (!walk_rule(nft, &nft->rule[i], w))
			return;
	}
}

static void walk_chain(struct nft *nft, const json_t *chain, const char *hook)
{
	struct walk w = {.chain = {.family = nft_text(chain, "family"),
				   .table = nft_text(chain, "table"),
				   .chain = nft_text(chain, "name")}};

	if (strcmp(nft_text(chain, "type"), "nat") || strcmp(nft_text(chain, "hook"), hook))
		return;
	if (!strcmp(w.chain.family, "ip"))
		import_cond_family(&w.cond, XF_IPV4);
	else if (!strcmp(w.chain.family, "ip6"))
		import_cond_family(&w.cond, XF_IPV6);
	else if (strcmp(w.chain.family, "inet"))
		return;
	walk(nft, &w);
}

static void walk_all(struct nft *nft, const json_t *all, const char *hook)
{
	const json_t *value = NULL;
	size_t i;

	for (i = 0; i < json_array_size(all); i++) {
		const char *kind = nft_kind(json_array_get(all, i), &value);

		if (kind && !strcmp(kind, "chain"))
			walk_chain(nft, value, hook);
	}
}

/* ---- what is left */

static bool translates(const struct nft_rule *rule)
{
	const json_t *expr = json_object_get(rule->json, "expr"), *value = NULL;
	size_t i;

	for (i = 0; i < json_array_size(expr); i++) {
		const char *kind = nft_kind(json_array_get(expr, i), &value);

		if (kind && (!strcmp(kind, "dnat") || !strcmp(kind, "redirect")))
			return true;
	}
	return false;
}

/* A line for each forward that nothing leads to, and one for each chain of other rules. */
static void note_unseen(struct nft *nft)
{
	size_t i, n;

	for (i = 0; i < nft->n && nft->im->steps < IMPORT_STEPS_MAX; i += n) {
		const struct nft_rule *first = &nft->rule[i];
		unsigned int others = 0;

		for (n = 0; i + n < nft->n && in_chain(&nft->rule[i + n], first); n++) {
			if (nft->rule[i + n].seen)
				continue;
			at_rule(nft, &nft->rule[i + n]);
			if (translates(&nft->rule[i + n]))
				import_lost(nft->im, "no packet from outside comes here");
			else
				others++;
		}
		import_at(nft->im, "%.10s %.30s %.40s", first->family, first->table, first->chain);
		if (others)
			import_note(nft->im,
				    "rules that forward no ports (%u): what is forwarded here passes none of them; "
				    "say with allow and deny who may",
				    others);
	}
}

int import_nft(struct import *im, const char *text, size_t len, struct xf_error *err)
{
	struct nft nft = {.im = im};
	json_error_t why;
	json_t *root = json_loadb(text, len, 0, &why);
	const json_t *all = json_object_get(root, "nftables");
	int rc;

	if (!root)
		rc = xf_fail(err, "%.80s:%d:%d: no JSON: %.100s: give what `nft -j list ruleset` prints", im->input,
			     why.line, why.column, why.text);
	else if (!json_is_array(all))
		rc = xf_fail(err, "%.80s: no \"nftables\" in it: give what `nft -j list ruleset` prints", im->input);
	else
		rc = collect(&nft, all, err);
	if (!rc) {
		walk_all(&nft, all, "prerouting");
		walk_all(&nft, all, "postrouting");
		note_unseen(&nft);
	}
	free(nft.rule);
	json_decref(root);
	return rc;
}
