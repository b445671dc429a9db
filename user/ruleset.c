// SPDX-License-Identifier: GPL-2.0-only
#include "ruleset.h"

#include <stdlib.h>
#include <string.h>

void ruleset_free(struct ruleset *set)
{
	free(set->by_id);
	free(set->rules);
	memset(set, 0, sizeof(*set));
}

const struct dp_rule *ruleset_find(const struct ruleset *set, const char *name, struct xf_error *err)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (!strcmp(set->rules[i].spec.name, name))
			return &set->rules[i];
	xf_fail(err, "no rule is named \"%.100s\"; `xdpfwd map list` shows those there are", name);
	return NULL;
}

int ruleset_index(struct ruleset *set, struct xf_error *err)
{
	uint32_t n_ids = 0;
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->rules[i].id >= n_ids)
			n_ids = set->rules[i].id + 1;
	set->by_id = calloc(n_ids ? n_ids : 1, sizeof(*set->by_id));
	if (!set->by_id)
		return xf_fail(err, "not enough memory");
	set->n_ids = n_ids;
	for (i = 0; i < set->n; i++)
		set->by_id[set->rules[i].id] = &set->rules[i];
	return 0;
}

const struct dp_rule *ruleset_by_id(const struct ruleset *set, uint32_t id)
{
	return id < set->n_ids ? set->by_id[id] : NULL;
}

int ruleset_check_names(const struct ruleset *set, char **names, int n, struct xf_error *err)
{
	int i, j;

	for (i = 0; i < n; i++) {
		if (!ruleset_find(set, names[i], err))
			return -1;
		for (j = 0; j < i; j++)
			if (!strcmp(names[i], names[j]))
				return xf_fail(err, "rule \"%s\" is named twice", names[i]);
	}
	return 0;
}
