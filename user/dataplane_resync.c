// SPDX-License-Identifier: GPL-2.0-only
/*
 * For a process that follows the network: brings the instance to how interfaces,
 * addresses and routes are now. It looks at all of that, so it does not matter
 * what has changed, nor how often, nor whether anybody was there to see it.
 */
#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "log.h"

static bool has_mode(const struct dp_iface_record *record, enum dp_mode mode)
{
	return mode == DP_MODE_AUTO || record->iface.tier == (mode == DP_MODE_TC      ? XF_TIER_TC :
							      mode == DP_MODE_GENERIC ? XF_TIER_GENERIC :
											XF_TIER_NATIVE);
}

/* Asked for by name, it is no longer there just for a rule's sake. */
static int adopt(struct dataplane *dp, struct dp_followed *wanted, struct dp_iface_record *record)
{
	if (!(record->iface.flags & XF_IFACE_AUTO))
		return 0;
	record->iface.flags &= ~XF_IFACE_AUTO;
	return dp_iface_put(dp, record, &wanted->why);
}

static int attach_wanted(struct dataplane *dp, struct dp_followed *wanted, const struct nd_link *link)
{
	struct dp_attach request = {.link = *link, .mode = wanted->mode};
	struct dp_iface_record record;

	if (!dp_iface_get(dp, link->ifindex, &record))
		return dp_attach(dp, &request, &wanted->why);
	if (!has_mode(&record, wanted->mode)) {
		if (dp_attach_switch(dp, &request, &wanted->why))
			return -1;
		dp_iface_get(dp, link->ifindex, &record);
	}
	return adopt(dp, wanted, &record);
}

static void follow_wanted(struct dataplane *dp, struct dp_followed *wanted)
{
	struct nd_link link;

	wanted->ifindex = 0;
	if (nd_link_by_name(wanted->name, &link, &wanted->why)) {
		wanted->state = DP_FOLLOWED_ABSENT;
	} else if (attach_wanted(dp, wanted, &link)) {
		wanted->state = DP_FOLLOWED_REFUSED;
	} else {
		wanted->state = DP_FOLLOWED_ATTACHED;
		wanted->ifindex = link.ifindex;
	}
}

int dp_resync(struct dataplane *dp, struct dp_followed *wanted, size_t n, struct xf_error *err)
{
	size_t i;

	if (dp_ifaces_prune(dp, err))
		return -1;
	/* Before anything else: until the programs know an address, they take its packets for somebody else's. */
	if (dp_local_addrs_refresh(dp, err))
		return -1;
	for (i = 0; i < n; i++)
		follow_wanted(dp, &wanted[i]);
	if (dp_follow(dp, err) || dp_egress_refresh(dp, err) || dp_local_refresh(dp, err))
		return -1;
	return dp_expiry_refresh(dp, err);
}
