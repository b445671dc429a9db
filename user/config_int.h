/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the config's reader share. */
#ifndef XDPFWD_USER_CONFIG_INT_H
#define XDPFWD_USER_CONFIG_INT_H

#include "config.h"
#include "config_doc.h"
#include "names.h"

/* What is known of a rule besides its spec, index by index. */
struct rule_note {
	struct config_place name, listen, target;
	bool whole; /* it is known what it listens on, and where its target is */
};

struct reader {
	const struct config_source *from;
	struct config *config;
	struct config_errors *errors;
	struct doc doc;
	struct names lists;	      /* at: index in config->lists + 1, by what was stated */
	struct xf_rule_spec defaults; /* what rules begin with */
	struct rule_note *notes;
};

/* ---- config_map.c: nodes to values. What is not as it should be is told, once. */

/* A key that was given, and its value; 0: it was not. */
struct slot {
	uint32_t key, value;
};

/* How a kind of mapping is called in errors, and its keys. */
struct map_kind {
	const char *what; /* "a rule" */
	const char *const *keys;
	size_t n; /* at most MAP_KEYS_MAX */
};
#define MAP_KEYS_MAX 24

/* Finds the keys' values, also through "<<". False: the node is no mapping. */
bool config_map(struct reader *r, uint32_t node, const struct map_kind *kind, struct slot *slots);
/* Is it a list? Else that is told. */
bool config_is_list(struct reader *r, uint32_t node);
/* NULL: it is no text, or empty. */
const char *config_text(struct reader *r, uint32_t node);
bool config_u32(struct reader *r, uint32_t node, uint32_t max, uint32_t *out);
bool config_bool(struct reader *r, uint32_t node, bool *out);
void config_blame(struct reader *r, uint32_t node, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Goes over what is in a list; node is resolved. */
#define config_each(r, list, i) \
	for (uint32_t i = (r)->doc.node[doc_resolve(&(r)->doc, list)].first; i; i = (r)->doc.node[i].next)

/* ---- config_list.c: allow and deny */

/* NULL: something is wrong with it. */
const struct xf_prefixes *config_prefixes(struct reader *r, uint32_t alias);

/* ---- config_timeouts.c */

bool config_timeouts(struct reader *r, uint32_t node, uint32_t timeout[XF_TIMEOUT_COUNT]);

/* ---- config_rule.c */

void config_defaults(struct reader *r, uint32_t node);
void config_rule(struct reader *r, uint32_t node, struct xf_rule_spec *rule, struct rule_note *note);

/* ---- config_set.c: how rules stand to each other. Gives names to those without. */

void config_set(struct reader *r);

/* ---- config_ends.c: and their targets. */

void config_ends(struct reader *r);

#endif
