/* SPDX-License-Identifier: GPL-2.0-only */
/* The next set of rules, put together in memory: ids, tags, and what stays of the rules that stay. */
#include <sys/mman.h>
#include <time.h>

#include "dataplane_apply.h"

/* Free places first: in that of a rule that goes, its counters would be lost before it is gone. */
static __u32 take_id(struct apply *a)
{
	__u32 id;

	for (; a->free_id < a->before.max_rules; a->free_id++)
		if (!a->taken[a->free_id])
			break;
	id = a->free_id;
	if (id == a->before.max_rules)
		for (id = 0; dp_rule_is_there(&a->next.rules[id]);)
			id++;
	a->taken[id] = true;
	return id;
}

/* The rule as it is to be, but for its tag; what it needs of the machine was judged just now. */
static int encode(struct apply *a, struct dp_entry *entry, struct xf_rule *rule, struct xf_error *err)
{
	xf_rule_encode(a->add.spec, rule, &entry->meta);
	if (dp_policy_make(a->dp, &a->add, rule, err))
		return -1;
	entry->policy = a->add.policy;
	if (a->add.source.family)
		rule->masquerade = a->add.source.addr;
	if (a->add.local)
		rule->flags |= XF_RULE_LOCAL;
	entry->meta.ifindex = a->add.listen_ifindex;
	entry->meta.created_unix = (__u64)time(NULL);
	return 0;
}

/* What it is and leads to stays, with all that was found out; the rest is new. */
static void keep_ends(const struct apply *a, struct dp_entry *entry, struct xf_rule *rule)
{
	const struct xf_rule *was = &a->before.rules[entry->id];

	rule->tag = was->tag;
	rule->masquerade = was->masquerade;
	rule->flags |= was->flags & XF_RULE_LOCAL;
	entry->meta.ifindex = a->at[entry->id]->meta.ifindex;
	/* What a name means is for whoever follows it to say. */
	if (a->add.spec->target.host[0])
		rule->target = was->target;
}

static int build_rule(struct apply *a, size_t i, struct xf_error *err)
{
	const struct dp_wanted *wanted = &a->set->wanted[i];
	__u32 id = wanted->fate == DP_FATE_NEW ? take_id(a) : wanted->id;
	struct xf_rule *rule = &a->next.rules[id];
	struct dp_entry *entry;
	__u32 next_tag;

	if (wanted->fate == DP_FATE_SAME)
		return dp_apply_carry(a, a->at[id]) ? xf_fail(err, "out of memory") : 0;
	entry = dp_ruleset_add(&a->next, id);
	if (!entry)
		return xf_fail(err, "out of memory");
	dp_apply_take(a, i);
	next_tag = rule->tag;
	if (encode(a, entry, rule, err))
		return -1;
	rule->tag = next_tag;
	if (wanted->fate == DP_FATE_CONDITIONS)
		keep_ends(a, entry, rule);
	if (wanted->fate != DP_FATE_NEW)
		entry->meta.created_unix = a->at[id]->meta.created_unix;
	return dp_host_write(a->dp, rule->tag, wanted->spec->target.host, err);
}

/* Each place gets a tag that no flow has; rules that stay get back their own. */
static int begin_tags(struct apply *a, struct xf_error *err)
{
	__u32 max = a->before.max_rules, half = XF_SET_HALF(a->dp->set), id;
	const struct xf_rule *rules;
	size_t len;

	rules = dp_map_mmap(a->dp, DP_MAP_RULES, &len, err);
	if (!rules)
		return -1;
	for (id = 0; id < max; id++)
		if (!dp_rule_is_there(&a->next.rules[id]))
			a->next.rules[id].tag = dp_tag_after(id, rules[XF_RULE_PLACE(half, max, id)].tag,
							     rules[XF_RULE_PLACE(!half, max, id)].tag);
	munmap((void *)rules, len);
	return 0;
}

int dp_apply_build(struct apply *a, struct xf_error *err)
{
	size_t i;

	if (begin_tags(a, err))
		return -1;
	for (i = 0; i < a->set->n; i++)
		if (build_rule(a, i, err))
			return -1;
	return 0;
}
