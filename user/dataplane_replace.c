/* SPDX-License-Identifier: GPL-2.0-only */
/* Other programs in the place of the attached ones: no packet meets an interface without. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane_iface_int.h"

/* The programs to put in place, by enum dp_prog; -1: not to be had. */
struct programs {
	int fd[DP_PROG_COUNT];
};

static int replace_fast(struct dataplane *dp, const struct dp_iface_record *record, int prog_fd)
{
	enum xf_tier tier = (enum xf_tier)record->iface.tier;
	int rc = dp_xdp_replace(dp, record->ifindex, tier, prog_fd);

	if (rc != -ENOLINK)
		return rc;
	/* Somebody detached the link by force. */
	dp_xdp_detach(dp, record->ifindex);
	rc = dp_xdp_attach(dp, record->ifindex, tier);
	return rc ? rc : dp_xdp_replace(dp, record->ifindex, tier, prog_fd);
}

/* libxdp replaces nothing: it makes another dispatcher, and puts that in the place of the first. */
static int replace_shared(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err)
{
	struct dp_attach request = {.dispatcher = true, .mode = DP_MODE_AUTO};
	struct dp_iface_record copy = *record;

	if (nd_link_by_index(record->ifindex, &request.link, err) || dp_dispatcher_detach(record->ifindex, err) ||
	    dp_dispatcher_attach(dp, &request, &copy.iface, err))
		return -1;
	return dp_iface_put(dp, &copy, err);
}

static int replace_one(struct dataplane *dp, const struct dp_iface_record *record, const struct programs *to,
		       struct xf_error *err)
{
	int rc = dp_tc_replace(dp, record, DP_TC_IN, to->fd[dp_tc_prog(&record->iface, DP_TC_IN)]);

	if (!rc && record->iface.flags & XF_IFACE_OUT)
		rc = dp_tc_replace(dp, record, DP_TC_OUT, to->fd[dp_tc_prog(&record->iface, DP_TC_OUT)]);
	if (!rc && record->iface.flags & XF_IFACE_DISPATCHER)
		return replace_shared(dp, record, err);
	if (!rc && record->iface.tier != XF_TIER_TC)
		rc = replace_fast(dp, record, to->fd[DP_PROG_XDP]);
	if (rc)
		return xf_fail(err, "%s: cannot replace the programs: %s", record->iface.name, strerror(-rc));
	return 0;
}

static int replace_all(struct dataplane *dp, const struct programs *to, const struct programs *from,
		       struct xf_error *err)
{
	struct dp_iface_record *records;
	struct xf_error ignored;
	size_t n, i;
	int rc = 0;

	if (dp_ifaces_read(dp, &records, &n, err))
		return -1;
	for (i = 0; i < n && !rc; i++)
		rc = replace_one(dp, &records[i], to, err);
	while (rc && i-- > 0)
		replace_one(dp, &records[i], from, &ignored);
	free(records);
	return rc;
}

int dp_attach_replace(struct dataplane *dp, struct dp_object *object, struct xf_error *err)
{
	struct programs to, from;
	struct xf_error ignored;
	int i;

	for (i = 0; i < DP_PROG_COUNT; i++) {
		to.fd[i] = dp_object_prog_fd(object, (enum dp_prog)i);
		from.fd[i] = dp_prog_open(dp, (enum dp_prog)i, &ignored);
	}
	return replace_all(dp, &to, &from, err);
}
