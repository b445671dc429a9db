/* SPDX-License-Identifier: GPL-2.0-only */
/* The next set of rules in the maps, beside the one in force. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane_apply.h"
#include "dataplane_iface_int.h"

static int write_half(struct apply *a, __u32 next, struct xf_error *err)
{
	__u32 first = XF_RULE_PLACE(XF_SET_HALF(next), a->next.max_rules, 0);
	struct xf_policy *policies;
	struct xf_rule *rules;
	size_t len[2], i;

	rules = dp_map_mmap(a->dp, DP_MAP_RULES, &len[0], err);
	policies = rules ? dp_map_mmap(a->dp, DP_MAP_POLICIES, &len[1], err) : NULL;
	if (policies) {
		memcpy(rules + first, a->next.rules, a->next.max_rules * sizeof(*rules));
		for (i = 0; i < a->next.n_entries; i++)
			policies[first + a->next.entries[i].id] = a->next.entries[i].policy;
		munmap(policies, len[1]);
	}
	if (rules)
		munmap(rules, len[0]);
	return policies ? 0 : -1;
}

static int write_metas(struct apply *a, __u32 next, struct xf_error *err)
{
	__u32 first = XF_RULE_PLACE(XF_SET_HALF(next), a->next.max_rules, 0), place;
	struct dp_batch batch;
	int rc = dp_batch_begin(&batch, a->dp->map[DP_MAP_RULE_META], false);
	size_t i;

	for (i = 0; i < a->next.n_entries && !rc; i++) {
		place = first + a->next.entries[i].id;
		rc = dp_batch_add(&batch, &place, &a->next.entries[i].meta);
	}
	rc = dp_batch_end(&batch, rc);
	return rc ? xf_fail(err, "cannot write the rules: %s", strerror(-rc)) : 0;
}

/* What is counted begins anew for rules that are new; for others of the same name only what they have spent. */
static int begin_counts(struct apply *a, struct xf_error *err)
{
	bool *fresh = calloc(a->next.max_rules, sizeof(*fresh));
	bool *spent = calloc(a->next.max_rules, sizeof(*spent));
	size_t i;
	int rc;

	for (i = 0; fresh && spent && i < a->next.n_entries; i++) {
		__u32 id = a->next.entries[i].id;

		if (!(a->next.rules[id].flags & XF_RULE_LIVE))
			continue;
		spent[id] = !a->at[id] || a->next.rules[id].tag != a->before.rules[id].tag;
		fresh[id] = !a->at[id] || strcmp(a->at[id]->meta.name, a->next.entries[i].meta.name) != 0;
	}
	rc = fresh && spent ? dp_counts_begin(a->dp, fresh, spent, err) : xf_fail(err, "out of memory");
	free(fresh);
	free(spent);
	return rc;
}

int dp_apply_write(struct apply *a, __u32 next, struct xf_error *err)
{
	unsigned int needs = dp_local_needs(&a->before, NULL) | dp_local_needs(&a->next, NULL);

	if (dp_local_apply(a->dp, needs, err) || write_half(a, next, err) || write_metas(a, next, err) ||
	    dp_listen_add_all(a->dp, &a->next, next, err) || begin_counts(a, err))
		return -1;
	return dp_ports_cover(a->dp, &a->before, &a->next, err);
}
