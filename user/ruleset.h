/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding rules by name among those that dp_rules() gave. */
#ifndef XDPFWD_USER_RULESET_H
#define XDPFWD_USER_RULESET_H

#include "dataplane.h"

/* Begins all zero; dp_rules() fills the first two. */
struct ruleset {
	struct dp_rule *rules;
	size_t n;
	const struct dp_rule **by_id; /* of ruleset_index */
	uint32_t n_ids;
};

void ruleset_free(struct ruleset *set);

/* NULL and err "no rule is named NAME" if there is none. */
const struct dp_rule *ruleset_find(const struct ruleset *set, const char *name, struct xf_error *err);
/* Makes ruleset_by_id work: it is asked once a flow, and there may be many of both. */
int ruleset_index(struct ruleset *set, struct xf_error *err);
/* NULL if there is none. */
const struct dp_rule *ruleset_by_id(const struct ruleset *set, uint32_t id);
/* Does every name name a rule, and none twice? 0, or -1 with err. */
int ruleset_check_names(const struct ruleset *set, char **names, int n, struct xf_error *err);

#endif
