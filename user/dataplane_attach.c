/* SPDX-License-Identifier: GPL-2.0-only */
/* One interface and its two tiers: which it gets, how it gets them, and how it is rid of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane_iface_int.h"
#include "log.h"

#define DISPATCHER_NAME "xdp_dispatcher"

static void reason(struct xf_iface *iface, enum xf_tier tier, const char *why)
{
	iface->tier = (__u8)tier;
	memset(iface->reason, 0, sizeof(iface->reason));
	snprintf(iface->reason, sizeof(iface->reason), "%s", why);
}

/* The name of the state directory, beside our own, of the instance whose fast tier the interface has. */
static bool other_instance(const struct dataplane *dp, __u32 ifindex, char name[NAME_MAX + 1])
{
	int fd = openat(dp->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *parent = fd < 0 ? NULL : fdopendir(fd);
	char link[NAME_MAX + 40], pin[32];
	struct dirent *entry;
	bool found = false;

	dp_link_pin_name(pin, "xdp", ifindex);
	while (parent && !found && (entry = readdir(parent))) {
		snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
		snprintf(link, sizeof(link), "%s/%s", name, pin);
		found = !faccessat(fd, link, F_OK, 0);
	}
	if (parent)
		closedir(parent);
	else if (fd >= 0)
		close(fd);
	return found;
}

/* Whose it is, and what one can do. */
static int refuse_beside(const struct dataplane *dp, const struct dp_attach *request, const char *name,
			 struct xf_error *err)
{
	char other[NAME_MAX + 1];

	if (other_instance(dp, request->link.ifindex, other))
		return xf_fail(err,
			       "%s: the fast tier of another instance of xdpfwd, with the state directory \"%.60s\" "
			       "beside this one, is there; use --mode tc",
			       request->link.name, other);
	return xf_fail(err, "%s: another XDP program, \"%s\" (id %u), is there without a dispatcher; use --mode tc",
		       request->link.name, name, request->link.xdp_prog_id);
}

/* An XDP program that is not ours: share with it, leave it the place, or say so. */
static int plan_beside(const struct dataplane *dp, struct dp_attach *request, struct xf_iface *iface,
		       struct xf_error *err)
{
	char name[BPF_OBJ_NAME_LEN], why[80];
	__u32 id = request->link.xdp_prog_id;

	iface->tier = XF_TIER_NATIVE;
	if (!id)
		return 0;
	dp_prog_name(id, name);
	if (!strcmp(name, DISPATCHER_NAME)) {
		request->dispatcher = true;
		return 0;
	}
	if (!request->automatic)
		return refuse_beside(dp, request, name, err);
	snprintf(why, sizeof(why), "another XDP program, \"%s\" (id %u), is there", name, id);
	reason(iface, XF_TIER_TC, why);
	return 0;
}

/* The frames of VLAN devices must not be taken for those of the device below. */
static int plan_below_vlans(const struct dp_attach *request, struct xf_iface *iface, struct xf_error *err)
{
	const struct nd_link *link = &request->link;

	if (request->mode == DP_MODE_AUTO) {
		reason(iface, XF_TIER_TC, "VLAN devices are on it, and XDP would not see their tags");
		return 0;
	}
	if (!strcmp(link->kind, "veth"))
		return xf_fail(err, "%s: VLAN devices are on it, and XDP would not see their tags; use --mode tc",
			       link->name);
	return xf_fail(err,
		       "%s: VLAN devices are on it, and the driver takes their tags off before XDP; "
		       "run `ethtool -K %s rxvlan off`, or use --mode tc",
		       link->name, link->name);
}

/* Chooses the tier, before anything is changed. */
static int plan(const struct dataplane *dp, struct dp_attach *request, struct xf_iface *iface, struct xf_error *err)
{
	bool l3 = request->link.l3 && !request->link.loopback;
	const char *unfit;
	char buf[80];

	if (request->mode == DP_MODE_TC) {
		reason(iface, XF_TIER_TC, "asked for with --mode tc");
		return 0;
	}
	if (l3 && request->mode != DP_MODE_AUTO)
		return xf_fail(err, "%s: its frames have no Ethernet header, XDP cannot run there; use --mode tc",
			       request->link.name);
	if (plan_beside(dp, request, iface, err))
		return -1;
	if (iface->tier == XF_TIER_TC)
		return 0;
	if (dp_xdp_loses_tags(&request->link))
		return plan_below_vlans(request, iface, err);
	unfit = request->mode == DP_MODE_AUTO && !request->dispatcher ? dp_xdp_unfit(&request->link, buf, sizeof(buf)) :
									NULL;
	if (unfit)
		reason(iface, XF_TIER_TC, unfit);
	else if (request->mode == DP_MODE_GENERIC)
		reason(iface, XF_TIER_GENERIC, "asked for with --mode generic");
	else if (request->mode == DP_MODE_NATIVE)
		reason(iface, XF_TIER_NATIVE, "asked for with --mode native");
	else
		reason(iface, XF_TIER_NATIVE, "the driver has native XDP");
	return 0;
}

static int fast_attach_as_planned(struct dataplane *dp, const struct dp_attach *request, struct xf_iface *iface,
				  struct xf_error *err)
{
	bool native = iface->tier == XF_TIER_NATIVE;
	int rc;

	if (request->dispatcher)
		return dp_dispatcher_attach(dp, request, iface, err);
	rc = dp_xdp_attach(dp, request->link.ifindex, (enum xf_tier)iface->tier);
	if (!rc)
		return 0;
	dp_xdp_explain(request->link.name, native, -rc, err);
	return -1;
}

static int fast_attach(struct dataplane *dp, const struct dp_attach *request, struct xf_iface *iface,
		       struct xf_error *err)
{
	if (iface->tier == XF_TIER_TC || !fast_attach_as_planned(dp, request, iface, err))
		return 0;
	/* Nobody asked for more than what works: the full tier alone does all, only slower. */
	if (request->automatic || (request->mode == DP_MODE_AUTO && !request->dispatcher)) {
		log_debug("%s", err->text);
		reason(iface, XF_TIER_TC,
		       request->dispatcher ? "libxdp's dispatcher is there and could not take our program" :
					     "the driver refused native XDP");
		return 0;
	}
	return -1;
}

static int fast_detach(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err)
{
	dp_xdp_detach(dp, record->ifindex);
	return record->iface.flags & XF_IFACE_DISPATCHER ? dp_dispatcher_detach(record->ifindex, err) : 0;
}

int dp_detach(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err)
{
	struct dp_iface_record copy = *record;
	struct xf_error second;
	int rc;

	dp_local_restore(dp, &copy);
	rc = fast_detach(dp, record, err);
	if (dp_tc_detach(dp, record, DP_TC_OUT, rc ? &second : err))
		rc = -1;
	if (dp_tc_detach(dp, record, DP_TC_IN, rc ? &second : err))
		rc = -1;
	dp_iface_forget(dp, record->ifindex);
	return rc;
}

/*
 * The record is written first: a command that is killed half way leaves nothing
 * that a later one would not find. TC goes before XDP, so that what the fast
 * tier leaves to the full tier meets it from the first packet on.
 */
int dp_attach(struct dataplane *dp, const struct dp_attach *asked, struct xf_error *err)
{
	struct dp_attach request = *asked;
	struct dp_iface_record record = {.ifindex = asked->link.ifindex};
	struct xf_error ignored;

	/* Links without a record are what such a command left. */
	record.iface.tc_attach = XF_TC_TCX;
	dp_detach(dp, &record, &ignored);
	if (nd_link_by_index(record.ifindex, &request.link, err))
		return -1;

	memcpy(record.iface.name, request.link.name, sizeof(record.iface.name));
	record.iface.flags =
		(request.link.l3 && !request.link.loopback ? XF_IFACE_L3 : 0) | (request.automatic ? XF_IFACE_AUTO : 0);
	if (plan(dp, &request, &record.iface, err) || dp_iface_put(dp, &record, err))
		return -1;
	if (!dp_tc_attach(dp, &record, DP_TC_IN, err) && !fast_attach(dp, &request, &record.iface, err) &&
	    !dp_iface_put(dp, &record, err))
		return 0;
	dp_detach(dp, &record, &ignored);
	return -1;
}

/* Native and generic XDP exclude each other, so the old goes before the new comes; the full tier works meanwhile. */
int dp_attach_switch(struct dataplane *dp, const struct dp_attach *asked, struct xf_error *err)
{
	struct dp_attach request = *asked, back = *asked;
	struct dp_iface_record old, record;
	struct xf_error ignored;

	if (!dp_iface_get(dp, asked->link.ifindex, &old))
		return xf_fail(err, "%s is not attached", asked->link.name);
	record = old;
	record.iface.flags &= ~XF_IFACE_DISPATCHER;
	if (old.iface.tier != XF_TIER_TC && !(old.iface.flags & XF_IFACE_DISPATCHER))
		request.link.xdp_prog_id = 0; /* that is ours */
	if (plan(dp, &request, &record.iface, err))
		return -1;
	if (fast_detach(dp, &old, err))
		return -1;
	if (!fast_attach(dp, &request, &record.iface, err) && !dp_iface_put(dp, &record, err))
		return 0;
	fast_detach(dp, &record, &ignored);
	back.mode = old.iface.tier == XF_TIER_GENERIC ? DP_MODE_GENERIC : DP_MODE_NATIVE;
	back.dispatcher = old.iface.flags & XF_IFACE_DISPATCHER;
	fast_attach(dp, &back, &old.iface, &ignored);
	dp_iface_put(dp, &old, &ignored);
	return -1;
}
