/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rules found out about the network when they were made, found out anew:
 * which interface a name stands for, which way leads to a target, by which next
 * hop and from which address. All that changes while no process of ours looks.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "log.h"

struct follow {
	struct dataplane *dp;
	struct dp_ruleset set;
	__u32 n_lost;	      /* rules that are as they were, as it could not be found out */
	struct xf_error lost; /* why, of the first of them */
};

static const struct xf_rule *rule_of(const struct follow *f, size_t i)
{
	return &f->set.rules[f->set.entries[i].id];
}

static void lose(struct follow *f, size_t i, __u32 n, const struct xf_error *why)
{
	if (!f->n_lost)
		xf_fail(&f->lost, "rule \"%s\": %s", f->set.entries[i].meta.name, why->text);
	f->n_lost += n;
}

/* ---- interfaces that rules listen on */

static bool listens_on_interface(const struct follow *f, size_t i)
{
	return rule_of(f, i)->flags & XF_RULE_LIVE && f->set.entries[i].meta.listen_kind == XF_LISTEN_IFACE;
}

static struct dp_placed placed(const struct follow *f, size_t i)
{
	const struct dp_entry *entry = &f->set.entries[i];

	return (struct dp_placed){.id = entry->id, .rule = &f->set.rules[entry->id], .meta = &entry->meta};
}

/* Takes the rule's keys away if its interface has another index now; an interface that is gone may come back. */
static bool leave_interface(struct follow *f, size_t i, struct nd_link *last)
{
	struct dp_entry *entry = &f->set.entries[i];
	struct dp_placed old = placed(f, i);
	struct xf_error ignored;

	if (strcmp(last->name, entry->meta.ifname) && nd_link_by_name(entry->meta.ifname, last, &ignored)) {
		memset(last, 0, sizeof(*last));
		return false;
	}
	if (last->ifindex == entry->meta.ifindex)
		return false;
	dp_listen_remove(f->dp, &old);
	entry->meta.ifindex = last->ifindex;
	return true;
}

static void enter_interface(struct follow *f, size_t i)
{
	const struct dp_placed new = placed(f, i);
	struct xf_error why;

	if (dp_meta_write(f->dp, new.id, new.meta))
		log_debug("cannot note where \"%s\" listens", new.meta->name);
	if (dp_listen_add(f->dp, &new, &why))
		lose(f, i, 1, &why);
}

/* All leave before one enters: two interfaces may have swapped their names. */
static int follow_interfaces(struct follow *f, struct xf_error *err)
{
	bool *moved = calloc(f->set.n_entries + 1, sizeof(*moved));
	struct nd_link last = {0};
	size_t i;

	if (!moved)
		return xf_fail(err, "out of memory");
	for (i = 0; i < f->set.n_entries; i++)
		moved[i] = listens_on_interface(f, i) && leave_interface(f, i, &last);
	for (i = 0; i < f->set.n_entries; i++)
		if (moved[i])
			enter_interface(f, i);
	free(moved);
	return 0;
}

/* ---- the one address that a rule without state listens on */

static void follow_own_addresses(struct follow *f)
{
	struct dp_own own = {0};
	struct xf_error why;
	size_t i;

	for (i = 0; i < f->set.n_entries; i++) {
		const struct dp_placed rule = placed(f, i);

		if (!(rule.rule->flags & XF_RULE_LIVE) || !(rule.rule->flags & XF_RULE_STATELESS) ||
		    rule.meta->listen_kind == XF_LISTEN_ADDR)
			continue;
		if (dp_stateless_follow(f->dp, &own, &rule, &why))
			lose(f, i, 1, &why);
	}
	free(own.addr);
}

/* ---- ways to targets */

/* Live rules first, those of one target side by side: its way is asked for once. */
static int by_target(const void *a, const void *b, void *arg)
{
	const struct dp_entry *x = a, *y = b;
	const struct xf_rule *rules = arg;
	int order = (int)(rules[y->id].flags & XF_RULE_LIVE) - (int)(rules[x->id].flags & XF_RULE_LIVE);

	if (!order)
		order = (int)rules[x->id].family - (int)rules[y->id].family;
	return order ? order : memcmp(&rules[x->id].target, &rules[y->id].target, sizeof(union xf_addr));
}

/* The source that the route gives, where the user named none. */
static void follow_source(struct follow *f, size_t i, const struct xf_address *prefsrc)
{
	const struct dp_entry *entry = &f->set.entries[i];
	static const union xf_addr none;
	struct xf_rule rule = *rule_of(f, i);

	if (rule.flags & XF_RULE_STATELESS || entry->meta.masquerade_fixed || !prefsrc->family ||
	    !memcmp(&rule.masquerade, &none, sizeof(none)) || !memcmp(&rule.masquerade, &prefsrc->addr, sizeof(none)))
		return;
	rule.masquerade = prefsrc->addr;
	if (dp_rule_write(f->dp, entry->id, &rule))
		log_debug("cannot note the source of \"%s\"", entry->meta.name);
}

/* The rules from `first` on to before `end` have one target. */
static void follow_target(struct follow *f, size_t first, size_t end)
{
	const struct xf_rule *rule = rule_of(f, first);
	const struct xf_address target = {.family = rule->family, .addr = rule->target};
	struct nd_route route;
	struct xf_error why;
	size_t i;

	if (nd_route_get(&target, &route, &why)) {
		lose(f, first, (__u32)(end - first), &why);
		return;
	}
	if (route.local)
		return;
	if (!(f->dp->config.flags & XF_CONFIG_NO_AUTO_ATTACH) && dp_attach_way_out(f->dp, &route, &why) < 0)
		lose(f, first, (__u32)(end - first), &why);
	dp_neighbour_add(f->dp, &target, &route, (__u32)(end - first));
	for (i = first; i < end; i++)
		follow_source(f, i, &route.prefsrc);
}

static void follow_targets(struct follow *f)
{
	struct dp_entry *entries = f->set.entries;
	size_t first, end;

	if (f->set.n_entries)
		qsort_r(entries, f->set.n_entries, sizeof(*entries), by_target, f->set.rules);
	dp_neighbours_recount(f->dp);
	for (first = 0; first < f->set.n_entries && rule_of(f, first)->flags & XF_RULE_LIVE; first = end) {
		for (end = first + 1; end < f->set.n_entries; end++)
			if (by_target(&entries[first], &entries[end], f->set.rules))
				break;
		follow_target(f, first, end);
	}
	dp_neighbours_forget_unused(f->dp);
}

int dp_follow(struct dataplane *dp, struct xf_error *err)
{
	struct follow f = {.dp = dp};
	int rc;

	if (dp_ruleset_read(dp, &f.set, err))
		return -1;
	rc = follow_interfaces(&f, err);
	if (!rc) {
		follow_own_addresses(&f);
		follow_targets(&f);
	}
	if (!rc && f.set.live)
		dp_attach_loopback(dp);
	dp_ruleset_free(&f.set);
	if (!rc && f.n_lost > 1)
		log_warning("%s; so it is with %u more rules", f.lost.text, f.n_lost - 1);
	else if (!rc && f.n_lost)
		log_warning("%s", f.lost.text);
	return rc;
}
