/* SPDX-License-Identifier: GPL-2.0-only */
/* The interfaces that a set of rules needs: attached before the set is in force. */
#include <stdlib.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"

static int note(struct dp_attachments *attached, __u32 ifindex, struct xf_error *err)
{
	__u32 *grown;

	if (attached->n == attached->room) {
		attached->room = attached->room ? 2 * attached->room : 8;
		grown = realloc(attached->ifindex, attached->room * sizeof(*grown));
		if (!grown)
			return xf_fail(err, "out of memory");
		attached->ifindex = grown;
	}
	attached->ifindex[attached->n++] = ifindex;
	return 0;
}

static int attach_named(struct dataplane *dp, const struct dp_iface_wanted *iface, struct dp_attachments *attached,
			struct xf_error *err)
{
	struct dp_attach request = {.mode = iface->mode};
	struct dp_iface_record record;

	if (nd_link_by_name(iface->name, &request.link, err))
		return -1;
	if (dp_iface_get(dp, request.link.ifindex, &record)) {
		/* Asked for by name, it is no longer there just for a rule's sake. */
		record.iface.flags &= ~XF_IFACE_AUTO;
		return dp_iface_put(dp, &record, err);
	}
	return dp_attach(dp, &request, err) || note(attached, request.link.ifindex, err) ? -1 : 0;
}

int dp_attach_wanted(struct dataplane *dp, const struct dp_apply_options *options, struct dp_attachments *attached,
		     struct xf_error *err)
{
	size_t i;

	for (i = 0; i < options->n_ifaces; i++)
		if (attach_named(dp, &options->ifaces[i], attached, err))
			return -1;
	return 0;
}

int dp_attach_for(struct dataplane *dp, const struct nd_route *route, struct dp_attachments *attached,
		  struct xf_error *err)
{
	int now;

	if (route->ifindex == attached->seen)
		return 0;
	now = dp_attach_way_out(dp, route, err);
	if (now < 0 || (now && note(attached, route->ifindex, err)))
		return -1;
	if (!attached->seen && dp_attach_loopback(dp) && note(attached, LOOPBACK_IFINDEX, err))
		return -1;
	attached->seen = route->ifindex;
	return 0;
}

void dp_attachments_undo(struct dataplane *dp, const struct dp_attachments *attached)
{
	struct dp_iface_record record;
	struct xf_error ignored;
	size_t i;

	for (i = attached->n; i-- > 0;)
		if (dp_iface_get(dp, attached->ifindex[i], &record))
			dp_detach(dp, &record, &ignored);
}
