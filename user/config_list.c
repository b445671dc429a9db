// SPDX-License-Identifier: GPL-2.0-only
/* allow and deny: a list of networks, or a text of them with commas as on the command line. */
#include <stdlib.h>
#include <string.h>

#include "config_int.h"

/* What is stated, with commas, so that lists that say the same are made once. */
static bool statement(struct reader *r, uint32_t node, struct buf *to)
{
	const char *text;

	if (r->doc.node[doc_resolve(&r->doc, node)].kind != DOC_LIST) {
		text = config_text(r, node);
		buf_puts(to, text ? text : "");
		return text;
	}
	config_each(r, node, i) {
		text = config_text(r, i);
		if (!text)
			return false;
		if (to->len)
			buf_puts(to, ",");
		buf_puts(to, text);
	}
	if (!to->len)
		config_blame(r, node, "this list is empty: leave the key out");
	return to->len;
}

static bool list_keep(struct config *config, struct xf_prefixes *list)
{
	size_t room = config->lists_room ? 2 * config->lists_room : 16;
	struct xf_prefixes **grown;
	struct cidr *less;

	if (config->n_lists == config->lists_room) {
		grown = realloc(config->lists, room * sizeof(struct xf_prefixes *));
		if (!grown)
			return false;
		config->lists = grown;
		config->lists_room = room;
	}
	/* There may be many: none keeps room that it will not need. */
	less = list->n ? realloc(list->net, list->n * sizeof(*less)) : NULL;
	if (less) {
		list->net = less;
		list->room = list->n;
	}
	config->lists[config->n_lists++] = list;
	return true;
}

static struct xf_prefixes *out_of_memory(struct reader *r, struct xf_prefixes *list)
{
	if (list)
		xf_prefixes_free(list);
	free(list);
	r->errors->failed = true;
	return NULL;
}

/* The element that is at fault, if they are listed one by one: its place is the better one. */
static void blame_element(struct reader *r, uint32_t list, const struct xf_error *why)
{
	struct xf_prefixes each;
	struct xf_error err;
	bool told = false;

	if (r->doc.node[list].kind == DOC_LIST) {
		config_each(r, list, i) {
			memset(&each, 0, sizeof(each));
			if (xf_prefixes_add(&each, config_text(r, i), r->from->read, &err)) {
				config_blame(r, i, "%s", err.text);
				told = true;
			}
			xf_prefixes_free(&each);
		}
	}
	if (!told)
		config_blame(r, list, "%s", why->text);
	/* Many may point to it: it is looked at once. */
	r->doc.node[list].note = 1;
}

static struct xf_prefixes *make(struct reader *r, uint32_t node, const char *stated)
{
	struct xf_prefixes *list = calloc(1, sizeof(*list));
	struct xf_error err;

	if (!list)
		return out_of_memory(r, NULL);
	if (xf_prefixes_add(list, stated, r->from->read, &err)) {
		blame_element(r, node, &err);
		xf_prefixes_free(list);
		free(list);
		return NULL;
	}
	xf_prefixes_settle(list);
	return list_keep(r->config, list) ? list : out_of_memory(r, list);
}

const struct xf_prefixes *config_prefixes(struct reader *r, uint32_t alias)
{
	uint32_t node = doc_resolve(&r->doc, alias);
	struct buf stated = {0};
	struct xf_prefixes *list = NULL;
	struct name *known;

	if (r->doc.node[node].note)
		return NULL;
	if (!statement(r, node, &stated) || buf_failed(&stated)) {
		r->errors->failed |= stated.failed;
		buf_free(&stated);
		return NULL;
	}
	known = names_add(&r->lists, stated.data ? stated.data : "");
	if (!known)
		list = out_of_memory(r, NULL);
	else if (known->at)
		list = r->config->lists[known->at - 1];
	else
		list = make(r, node, stated.data ? stated.data : "");
	if (known && list && !known->at)
		known->at = (uint32_t)r->config->n_lists;
	buf_free(&stated);
	return list;
}
