/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast tier beside other XDP programs, through libxdp's dispatcher.
 *
 * libxdp loads the program itself, as a replacement of one of the dispatcher's
 * functions; and where the kernel does not let it, it attaches the program alone
 * and reports success. So what is attached in the end is looked at, not believed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "dataplane_iface_int.h"
#include "log.h"

/* Programs that came first keep their place; the fast tier is tried last, since it ends a packet's way. */
#define RUN_PRIORITY 90

static int refuse(const char *ifname, struct xf_error *err)
{
	return xf_fail(err,
		       "%s: this kernel does not let programs share an interface through libxdp's dispatcher; "
		       "use --mode tc",
		       ifname);
}

/* Of the object, libxdp shall load the one program that it attaches. */
static struct xdp_program *take_program(struct dp_object *object)
{
	struct bpf_program *fast = dp_object_fast_only(object);

	return xdp_program__from_bpf_obj(dp_object_bpf(object), fast ? bpf_program__section_name(fast) : NULL);
}

static struct xdp_program *find_ours(struct xdp_multiprog *mp)
{
	struct xdp_program *p = NULL;

	while ((p = xdp_multiprog__next_prog(p, mp)))
		if (!strcmp(xdp_program__name(p), dp_prog_specs[DP_PROG_XDP].name))
			break;
	return p;
}

/* Is the program there, and not alone? */
static bool is_shared(int ifindex, enum xdp_attach_mode *mode)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	bool shared;

	if (libxdp_get_error(mp))
		return false;
	shared = !xdp_multiprog__is_legacy(mp) && find_ours(mp);
	*mode = xdp_multiprog__attach_mode(mp);
	xdp_multiprog__close(mp);
	return shared;
}

/* A dispatcher that is there decides on the mode; an interface has but one. */
static enum xdp_attach_mode mode_for(int ifindex, enum dp_mode asked)
{
	enum xdp_attach_mode mode = asked == DP_MODE_GENERIC ? XDP_MODE_SKB : XDP_MODE_NATIVE;
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);

	if (libxdp_get_error(mp))
		return mode;
	if (xdp_multiprog__attach_mode(mp) != XDP_MODE_UNSPEC)
		mode = xdp_multiprog__attach_mode(mp);
	xdp_multiprog__close(mp);
	return mode;
}

static int share(struct xdp_program *program, const struct nd_link *link, enum xdp_attach_mode *mode,
		 struct xf_error *err)
{
	int rc;

	xdp_program__set_run_prio(program, RUN_PRIORITY);
	rc = xdp_program__attach(program, (int)link->ifindex, *mode, 0);
	if (rc == -EPERM || rc == -EOPNOTSUPP || rc == -EBUSY || rc == -EINVAL)
		return refuse(link->name, err);
	if (rc) {
		dp_xdp_explain(link->name, *mode == XDP_MODE_NATIVE, -rc, err);
		return -1;
	}
	if (is_shared((int)link->ifindex, mode))
		return 0;
	xdp_program__detach(program, (int)link->ifindex, *mode, 0);
	return refuse(link->name, err);
}

/* libxdp makes it when it is first asked; rmdir() spares it as long as anybody's dispatcher is in it. */
static void tidy_up(void)
{
	if (rmdir("/sys/fs/bpf/xdp") && errno != ENOENT && errno != ENOTEMPTY)
		log_debug("cannot remove /sys/fs/bpf/xdp: %s", strerror(errno));
}

int dp_dispatcher_attach(struct dataplane *dp, const struct dp_attach *request, struct xf_iface *iface,
			 struct xf_error *err)
{
	const struct nd_link *link = &request->link;
	enum xdp_attach_mode attached = mode_for((int)link->ifindex, request->mode);
	struct xdp_program *program;
	struct dp_object *object;
	int rc = -1;

	if (dp_object_open(dp, &object, err))
		return -1;
	program = take_program(object);
	if (libxdp_get_error(program)) {
		xf_fail(err, "%s: libxdp does not take the program: %s", link->name,
			strerror((int)-libxdp_get_error(program)));
	} else {
		rc = share(program, link, &attached, err);
		xdp_program__close(program);
	}
	dp_object_close(object);
	if (rc) {
		tidy_up();
		return -1;
	}
	iface->flags |= XF_IFACE_DISPATCHER;
	iface->tier = attached == XDP_MODE_SKB ? XF_TIER_GENERIC : XF_TIER_NATIVE;
	memset(iface->reason, 0, sizeof(iface->reason));
	snprintf(iface->reason, sizeof(iface->reason), "through libxdp's dispatcher");
	return 0;
}

int dp_dispatcher_detach(__u32 ifindex, struct xf_error *err)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex((int)ifindex);
	struct xdp_program *ours;
	int rc = 0;

	if (libxdp_get_error(mp))
		return 0;
	ours = find_ours(mp);
	if (ours)
		rc = xdp_program__detach(ours, (int)ifindex, xdp_multiprog__attach_mode(mp), 0);
	xdp_multiprog__close(mp);
	tidy_up();
	if (rc)
		return xf_fail(err, "cannot take the program out of libxdp's dispatcher: %s", strerror(-rc));
	return 0;
}
