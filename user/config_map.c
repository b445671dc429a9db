// SPDX-License-Identifier: GPL-2.0-only
/* Nodes of a document to values, and what is wrong with them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config_int.h"

void config_blame(struct reader *r, uint32_t node, const char *fmt, ...)
{
	struct config_place at = r->doc.node[node].at;
	struct xf_error err;
	char *dashes;
	va_list args;

	va_start(args, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, args);
	va_end(args);
	/* The words of options are those of keys, but for their dashes. */
	while ((dashes = strstr(err.text, "--")))
		memmove(dashes, dashes + 2, strlen(dashes + 2) + 1);
	config_errors_add(r->errors, at, "%s", err.text);
}

static bool is_null(const char *text)
{
	return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") || !strcmp(text, "NULL");
}

static const char *kind_name(const struct reader *r, uint32_t node)
{
	const struct doc_node *n = &r->doc.node[node];

	if (n->kind == DOC_LIST)
		return "a list";
	if (n->kind == DOC_MAP)
		return "a mapping";
	return n->plain && is_null(doc_scalar(&r->doc, node)) ? "nothing" : "a text";
}

/* What it is instead was told already, if it is not known. */
static bool wrong_kind(struct reader *r, uint32_t node, const char *wanted)
{
	uint32_t i = doc_resolve(&r->doc, node);

	if (r->doc.node[i].kind != DOC_SCALAR || !r->doc.node[i].cut)
		config_blame(r, node, "here is %s, where %s belongs", kind_name(r, i), wanted);
	return false;
}

bool config_is_list(struct reader *r, uint32_t node)
{
	if (r->doc.node[doc_resolve(&r->doc, node)].kind == DOC_LIST)
		return true;
	return wrong_kind(r, node, "a list");
}

static const char *scalar(struct reader *r, uint32_t node, const char *wanted, bool plain)
{
	uint32_t i = doc_resolve(&r->doc, node);
	const struct doc_node *n = &r->doc.node[i];

	if (n->kind != DOC_SCALAR || n->cut || (n->plain ? is_null(doc_scalar(&r->doc, i)) : plain)) {
		wrong_kind(r, node, wanted);
		return NULL;
	}
	return doc_scalar(&r->doc, i);
}

const char *config_text(struct reader *r, uint32_t node)
{
	return scalar(r, node, "a text", false);
}

bool config_u32(struct reader *r, uint32_t node, uint32_t max, uint32_t *out)
{
	const char *text = scalar(r, node, "a number", true);
	struct xf_error err;

	if (!text)
		return false;
	if (!xf_u32_parse(text, 1, max, out, &err))
		return true;
	config_blame(r, node, "%s", err.text);
	return false;
}

bool config_bool(struct reader *r, uint32_t node, bool *out)
{
	const char *text = scalar(r, node, "true or false", true);

	if (!text)
		return false;
	*out = !strcmp(text, "true");
	if (*out || !strcmp(text, "false"))
		return true;
	config_blame(r, node, "%.80s is neither true nor false", text);
	return false;
}

/* ---- mappings */

struct collect {
	struct reader *r;
	const struct map_kind *kind;
	struct slot *slots;
	unsigned int depth; /* of "<<" */
};

static bool collect(struct collect *c, uint32_t node);

/* "<<": a mapping, or a list of them, for the keys that are not there. */
static void merge(struct collect *c, uint32_t value)
{
	struct reader *r = c->r;
	uint32_t from = doc_resolve(&r->doc, value);

	if (c->depth == DOC_DEPTH_MAX) {
		config_blame(r, value, "this is nested too deeply");
		return;
	}
	c->depth++;
	if (r->doc.node[from].kind == DOC_LIST) {
		config_each(r, from, i)
			collect(c, i);
	} else {
		collect(c, value);
	}
	c->depth--;
}

static size_t find_key(const struct map_kind *kind, const char *text)
{
	size_t k;

	for (k = 0; k < kind->n; k++)
		if (!strcmp(kind->keys[k], text))
			break;
	return k;
}

static void take_pair(struct collect *c, uint32_t key, uint32_t value)
{
	const char *text = config_text(c->r, key);
	size_t k = text ? find_key(c->kind, text) : 0;
	struct slot *slot = &c->slots[k];

	if (!text)
		return;
	if (k == c->kind->n) {
		config_blame(c->r, key, "unknown key %.80s in %s", *text ? text : "\"\"", c->kind->what);
	} else if (!slot->key) {
		*slot = (struct slot){.key = key, .value = value};
	} else if (!c->depth) {
		config_blame(c->r, key, "the key %s is here twice, first in line %u", text,
			     c->r->doc.node[slot->key].at.line);
	}
}

static bool is_merge_key(struct reader *r, uint32_t key)
{
	const struct doc_node *n = &r->doc.node[key];

	return n->kind == DOC_SCALAR && n->plain && !n->cut && !strcmp(doc_scalar(&r->doc, key), "<<");
}

static bool collect(struct collect *c, uint32_t node)
{
	struct doc *doc = &c->r->doc;
	uint32_t map = doc_resolve(doc, node), key, value, merged = 0;

	if (doc->node[map].kind != DOC_MAP)
		return wrong_kind(c->r, node, "a mapping");
	/* Cut off, a key may be without its value. */
	for (key = doc->node[map].first; key && (value = doc->node[key].next); key = doc->node[value].next) {
		if (!is_merge_key(c->r, key))
			take_pair(c, key, value);
		else if (merged)
			config_blame(c->r, key, "the key << is here twice: write <<: [*A, *B]");
		else
			merged = value;
	}
	/* At last, since what is written out comes first, wherever it stands. */
	if (merged)
		merge(c, merged);
	return true;
}

bool config_map(struct reader *r, uint32_t node, const struct map_kind *kind, struct slot *slots)
{
	struct collect c = {.r = r, .kind = kind, .slots = slots};

	memset(slots, 0, kind->n * sizeof(*slots));
	return collect(&c, node);
}
