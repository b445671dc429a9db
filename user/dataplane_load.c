/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading: an instance where there is none, newer programs where there is one,
 * and interfaces to it. The pinned config is what says that there is an
 * instance; it is pinned when all else is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caps.h"
#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "log.h"

/* ---- the instance */

static int make_pinned(struct dataplane *dp, struct dp_object *object, struct xf_error *err)
{
	if (dp_object_load(object, err) || dp_object_pin_maps(dp, object, err) || dp_config_write(dp, err) ||
	    dp_local_addrs_refresh(dp, err) || dp_object_pin_progs(dp, object, err))
		return -1;
	if (dp_sweep(dp, XF_SWEEP_START, NULL, err))
		return -1;
	return dp_pin(dp, dp->map[DP_MAP_CONFIG], dp_map_specs[DP_MAP_CONFIG].name, err);
}

static int make_instance(struct dataplane *dp, const struct dp_load_options *options, struct xf_error *err)
{
	char foreign[NAME_MAX + 1];
	struct dp_object *object;
	int rc;

	/* What a killed command left would be in the way; what others left is theirs. */
	if (dp_state_clean(dp->dir, foreign, err))
		return -1;
	if (foreign[0])
		return xf_fail(err, "%s/%s is not xdpfwd's; foreign pins are refused", dp->dir, foreign);
	if (dp_config_make(options, &dp->config, err) || dp_object_open(dp, &object, err))
		return -1;
	rc = make_pinned(dp, object, err);
	dp_object_close(object);
	return rc;
}

static int renew_pinned(struct dataplane *dp, struct dp_object *object, struct xf_error *err)
{
	struct xf_config before = dp->config;
	struct xf_error ignored;

	if (dp_object_load(object, err) || dp_attach_replace(dp, object, err))
		return -1;
	if (!dp_object_pin_progs(dp, object, err) && !dp_config_write(dp, err))
		return dp_sweep(dp, XF_SWEEP_START, NULL, err);
	dp->config = before;
	dp_config_write(dp, &ignored);
	return -1;
}

static int refresh(struct dataplane *dp, struct xf_error *err)
{
	return dp_local_addrs_refresh(dp, err) || dp_bans_refresh(dp, err) ? -1 : dp_expiry_refresh(dp, err);
}

static int renew_instance(struct dataplane *dp, const struct dp_load_options *options, struct xf_error *err)
{
	struct dp_object *object;
	int rc;

	if (dp_config_update(options, &dp->config, err) || dp_ifaces_prune(dp, err) || dp_object_open(dp, &object, err))
		return -1;
	rc = renew_pinned(dp, object, err);
	dp_object_close(object);
	if (rc)
		return -1;
	/* These programs are in the place of those of a newer version that has not come to its end. */
	if (dp_upgrade_interrupted(dp))
		dp_upgrade_drop(dp);
	return refresh(dp, err);
}

/* ---- interfaces */

/* What was done to an interface, and so what there is to undo. */
struct change {
	struct nd_link link;
	bool was_attached;
	struct dp_iface_record before;
};

static bool has_tier(const struct change *change, const struct dp_load_options *options)
{
	const struct dp_iface_record *record = &change->before;
	static const enum xf_tier tiers[] = {
		[DP_MODE_NATIVE] = XF_TIER_NATIVE,
		[DP_MODE_GENERIC] = XF_TIER_GENERIC,
		[DP_MODE_TC] = XF_TIER_TC,
	};
	bool dispatcher = record->iface.flags & XF_IFACE_DISPATCHER;

	if (options->dispatcher && !dispatcher)
		return false;
	if (record->iface.tier != XF_TIER_TC && dp_xdp_loses_tags(&change->link))
		return false;
	return options->mode == DP_MODE_AUTO || record->iface.tier == tiers[options->mode];
}

static int attach_one(struct dataplane *dp, const struct dp_load_options *options, struct change *change,
		      struct xf_error *err)
{
	struct dp_attach request = {.link = change->link, .mode = options->mode, .dispatcher = options->dispatcher};
	struct dp_iface_record record;

	change->was_attached = dp_iface_get(dp, change->link.ifindex, &change->before);
	if (!change->was_attached)
		return dp_attach(dp, &request, err);
	if (!has_tier(change, options) && dp_attach_switch(dp, &request, err))
		return -1;
	/* Asked for by name, it is no longer there just for a rule's sake. */
	dp_iface_get(dp, change->link.ifindex, &record);
	record.iface.flags &= ~XF_IFACE_AUTO;
	return dp_iface_put(dp, &record, err);
}

static void undo_one(struct dataplane *dp, const struct change *change)
{
	struct dp_attach back = {.link = change->link};
	struct dp_iface_record now;
	struct xf_error ignored;

	if (!dp_iface_get(dp, change->link.ifindex, &now))
		return;
	if (!change->was_attached) {
		dp_detach(dp, &now, &ignored);
		return;
	}
	if (now.iface.tier != change->before.iface.tier) {
		back.mode = change->before.iface.tier == XF_TIER_TC	 ? DP_MODE_TC :
			    change->before.iface.tier == XF_TIER_GENERIC ? DP_MODE_GENERIC :
									   DP_MODE_NATIVE;
		back.dispatcher = change->before.iface.flags & XF_IFACE_DISPATCHER;
		nd_link_by_index(change->link.ifindex, &back.link, &ignored);
		dp_attach_switch(dp, &back, &ignored);
	}
	dp_iface_put(dp, &change->before, &ignored);
}

static int attach_all(struct dataplane *dp, const struct dp_load_options *options, struct change *changes,
		      struct xf_error *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < options->n_ifnames && !rc; i++)
		rc = attach_one(dp, options, &changes[i], err);
	if (!rc)
		rc = dp_follow(dp, err);
	if (!rc)
		rc = dp_egress_refresh(dp, err) || dp_local_refresh(dp, err) ? -1 : 0;
	/* The one that failed has put itself back already; to do it again is harmless. */
	while (rc && i-- > 0)
		undo_one(dp, &changes[i]);
	return rc;
}

/* ---- both */

static unsigned int families_in_use(struct dataplane *dp)
{
	unsigned int families = DP_WARN_IPV4;
	struct xf_error ignored;
	struct dp_ruleset set;
	size_t i;

	if (dp_ruleset_read(dp, &set, &ignored))
		return families;
	for (i = 0; i < set.n_entries; i++)
		if (set.rules[set.entries[i].id].family == XF_IPV6)
			families |= DP_WARN_IPV6;
	dp_ruleset_free(&set);
	return families;
}

/* Of another ABI: taken over where there is a way to, else thrown away if one may. */
static int take_over(struct dataplane *dp, const struct dp_load_options *options, struct xf_error *err)
{
	if (dp->config.abi < XF_ABI_VERSION && dp_abi_step(dp->config.abi))
		return dp_upgrade(dp, options, err) || dp_set_settle(dp, err) || refresh(dp, err) ? -1 : 0;
	/* The error is there already, and names the option. */
	return options->discard_state ? 1 : -1;
}

/* 1: there is none, and one is to be made. */
static int renew_what_is_there(struct dataplane *dp, const struct dp_load_options *options, struct xf_error *err)
{
	if (!dp_instance_open(dp, true, err))
		return dp_set_settle(dp, err) || renew_instance(dp, options, err) ? -1 : 0;
	if (errno == EPROTO)
		return take_over(dp, options, err);
	return errno == ENOENT ? 1 : -1;
}

static int load_locked(struct dataplane *dp, const struct dp_load_options *options, struct change *changes,
		       struct xf_error *err)
{
	int rc = renew_what_is_there(dp, options, err);
	char foreign[NAME_MAX + 1];
	struct xf_error ignored;

	if (rc <= 0)
		return rc ? -1 : attach_all(dp, options, changes, err);
	if (!make_instance(dp, options, err) && !attach_all(dp, options, changes, err))
		return 0;
	dp_state_clean(dp->dir, foreign, &ignored);
	dp_state_remove(dp->dir);
	return -1;
}

int dp_load(const char *state, const struct dp_load_options *options, struct xf_error *err)
{
	struct change *changes = calloc(options->n_ifnames + 1, sizeof(*changes));
	struct dataplane *dp = dp_new(state, err);
	int rc = dp && changes ? 0 : -1;
	size_t i;

	if (dp && !changes)
		xf_fail(err, "out of memory");
	/* Names first: a mistyped one shall not leave an instance behind. */
	for (i = 0; i < options->n_ifnames && !rc; i++)
		rc = nd_link_by_name(options->ifnames[i], &changes[i].link, err);
	if (!rc)
		rc = caps_check(CAPS_BPF | CAPS_NET_ADMIN | CAPS_PERFMON, "load", err);
	if (!rc)
		rc = state_lock(dp->dir, true, &dp->dir_fd, err);
	if (!rc)
		rc = load_locked(dp, options, changes, err);
	if (!rc)
		dp_forwarding_warn(dp, families_in_use(dp));
	dp_close(dp);
	free(changes);
	return rc;
}
