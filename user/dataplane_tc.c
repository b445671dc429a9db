/* SPDX-License-Identifier: GPL-2.0-only */
/* The full tier of one interface, at both ends of TC: TCX links, or where the kernel has none (before 6.6) filters. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane_iface_int.h"

/* From linux/bpf.h of 6.6; Debian 12 has that of 6.1. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47
#define F_BEFORE    (1u << 3)

/* Ours is tried first; then the next ones, where others have their filters already. */
#define FIRST_PRIORITY 1
#define LAST_PRIORITY  32
#define HANDLE	       1

#define PROG_MAPS_MAX 64 /* BPF_MAX_USED_MAPS of the kernel: no program has more */

/* The front of union bpf_attr for BPF_LINK_CREATE with a TCX attach type. */
struct tcx_link_create {
	__u32 prog_fd;
	__u32 target_ifindex;
	__u32 attach_type;
	__u32 flags;
	__u32 relative_fd;
	__u32 pad;
	__u64 expected_revision;
};

/* What differs between the two sides. */
static const struct side {
	const char *word; /* for the user */
	const char *link; /* kind of the pinned link */
	__u32 tcx;
	enum bpf_tc_attach_point clsact;
	enum dp_prog l2, l3;
} sides[] = {
	[DP_TC_IN] = {"ingress", "tcx", TCX_INGRESS, BPF_TC_INGRESS, DP_PROG_TC_L2, DP_PROG_TC_L3},
	[DP_TC_OUT] = {"egress", "out", TCX_EGRESS, BPF_TC_EGRESS, DP_PROG_TC_OUT_L2, DP_PROG_TC_OUT_L3},
};

enum dp_prog dp_tc_prog(const struct xf_iface *iface, enum dp_tc_side side)
{
	return iface->flags & XF_IFACE_L3 ? sides[side].l3 : sides[side].l2;
}

/*
 * In front of those that are there: a program of somebody's that ends with
 * TC_ACT_OK would keep every packet from us, while ours lets all others pass on.
 */
static int tcx_attach(struct dataplane *dp, __u32 ifindex, enum dp_tc_side side, int prog_fd)
{
	struct tcx_link_create attr = {
		.prog_fd = (__u32)prog_fd,
		.target_ifindex = ifindex,
		.attach_type = sides[side].tcx,
		.flags = F_BEFORE,
	};
	int fd, rc;

	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	rc = dp_link_pin(dp, fd, sides[side].link, ifindex);
	if (rc)
		bpf_link_detach(fd);
	close(fd);
	return rc;
}

/* One side of one interface, for clsact. */
struct place {
	struct dataplane *dp;
	__u32 ifindex;
	enum dp_tc_side side;
};

/* libbpf looks at the padding too, so neither of the two structs may be copied or set up by hand. */
#define HOOK(hook, of) \
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)(of).ifindex, .attach_point = sides[(of).side].clsact)

static bool is_pinned(struct dataplane *dp, __u32 prog_id, enum dp_prog prog)
{
	struct xf_error ignored;

	return prog_id == dp_prog_id(dp_prog_open(dp, prog, &ignored));
}

/* Of another instance, or of somebody else, it may have the same name, but not our maps. */
static bool uses_our_maps(const struct dataplane *dp, __u32 prog_id)
{
	struct bpf_map_info map = {0};
	__u32 ids[PROG_MAPS_MAX], len = sizeof(map), i;
	struct bpf_prog_info info = {.nr_map_ids = PROG_MAPS_MAX, .map_ids = (__u64)(unsigned long)ids};
	bool uses = false;
	int fd;

	if (bpf_obj_get_info_by_fd(dp->map[DP_MAP_SLOTS], &map, &len))
		return false;
	fd = bpf_prog_get_fd_by_id(prog_id);
	if (fd < 0)
		return false;
	len = sizeof(info);
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		for (i = 0; i < info.nr_map_ids && i < PROG_MAPS_MAX; i++)
			uses |= ids[i] == map.id;
	close(fd);
	return uses;
}

/*
 * What is pinned can be told without CAP_SYS_ADMIN. A command that was killed
 * may have left a program in place that is not pinned yet.
 */
static bool is_full_tier(struct place at, __u32 prog_id)
{
	if (!prog_id)
		return false;
	return is_pinned(at.dp, prog_id, sides[at.side].l2) || is_pinned(at.dp, prog_id, sides[at.side].l3) ||
	       uses_our_maps(at.dp, prog_id);
}

/* The priority of our filter; 0: there is none. */
static __u32 clsact_find(struct place at)
{
	HOOK(hook, at);
	__u32 priority;

	for (priority = FIRST_PRIORITY; priority <= LAST_PRIORITY; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = priority);

		if (!bpf_tc_query(&hook, &opts) && is_full_tier(at, opts.prog_id))
			return priority;
	}
	return 0;
}

/* With BPF_TC_F_REPLACE in place of ours, else where there is none yet: -EEXIST or -EINVAL if somebody's is. */
static int clsact_put(struct place at, int prog_fd, __u32 priority, __u32 flags)
{
	HOOK(hook, at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .handle = HANDLE, .priority = priority, .flags = flags);

	return bpf_tc_attach(&hook, &opts);
}

static int clsact_replace(struct place at, int prog_fd)
{
	__u32 priority = clsact_find(at);

	return priority ? clsact_put(at, prog_fd, priority, BPF_TC_F_REPLACE) : -ENOLINK;
}

static int clsact_attach(struct dataplane *dp, struct dp_iface_record *record, enum dp_tc_side side, int prog_fd)
{
	struct place at = {.dp = dp, .ifindex = record->ifindex, .side = side};
	HOOK(hook, at);
	bool had = nd_clsact_exists(record->ifindex) == 1;
	__u32 priority;
	int rc = bpf_tc_hook_create(&hook);

	if (rc && rc != -EEXIST)
		return rc;
	if (!had && !rc)
		record->iface.flags |= XF_IFACE_MADE_CLSACT;
	/* One of ours that is there already is what a killed command left. */
	rc = clsact_replace(at, prog_fd);
	for (priority = FIRST_PRIORITY; rc && priority <= LAST_PRIORITY; priority++) {
		rc = clsact_put(at, prog_fd, priority, 0);
		if (rc && rc != -EEXIST && rc != -EINVAL)
			break;
	}
	return rc;
}

static int clsact_remove(struct place at)
{
	HOOK(hook, at);
	__u32 priority = clsact_find(at);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = priority);

	return priority ? bpf_tc_detach(&hook, &opts) : 0;
}

static int clsact_detach(struct dataplane *dp, const struct dp_iface_record *record, enum dp_tc_side side)
{
	struct place at = {.dp = dp, .ifindex = record->ifindex, .side = side};
	HOOK(hook, at);
	int rc = clsact_remove(at);

	if (!rc && side == DP_TC_IN && record->iface.flags & XF_IFACE_MADE_CLSACT &&
	    nd_clsact_filters(record->ifindex) == 0) {
		/* Both sides at once: that is how libbpf is told to remove the qdisc itself. */
		hook.attach_point = (enum bpf_tc_attach_point)(BPF_TC_INGRESS | BPF_TC_EGRESS);
		rc = bpf_tc_hook_destroy(&hook);
	}
	return rc == -ENOENT || rc == -ENODEV ? 0 : rc;
}

/* Ingress goes first, and decides whether the kernel has TCX. */
int dp_tc_attach(struct dataplane *dp, struct dp_iface_record *record, enum dp_tc_side side, struct xf_error *err)
{
	int prog_fd = dp_prog_open(dp, dp_tc_prog(&record->iface, side), err);
	int rc = -EINVAL;

	if (prog_fd < 0)
		return -1;
	if (side == DP_TC_IN)
		record->iface.tc_attach = XF_TC_TCX;
	if (record->iface.tc_attach == XF_TC_TCX)
		rc = tcx_attach(dp, record->ifindex, side, prog_fd);
	if (rc == -EINVAL && (side == DP_TC_IN || record->iface.tc_attach == XF_TC_CLSACT)) {
		record->iface.tc_attach = XF_TC_CLSACT;
		rc = clsact_attach(dp, record, side, prog_fd);
	}
	if (rc)
		return xf_fail(err, "%s: cannot attach to TC %s: %s", record->iface.name, sides[side].word,
			       strerror(-rc));
	return 0;
}

int dp_tc_detach(struct dataplane *dp, const struct dp_iface_record *record, enum dp_tc_side side, struct xf_error *err)
{
	char pin[32];
	int rc = 0;

	if (record->iface.tc_attach == XF_TC_CLSACT)
		rc = clsact_detach(dp, record, side);
	dp_link_pin_name(pin, sides[side].link, record->ifindex);
	dp_link_remove(dp, pin);
	if (rc)
		return xf_fail(err, "%s: cannot remove the TC filter: %s", record->iface.name, strerror(-rc));
	return 0;
}

int dp_tc_replace(struct dataplane *dp, const struct dp_iface_record *record, enum dp_tc_side side, int prog_fd)
{
	struct place at = {.dp = dp, .ifindex = record->ifindex, .side = side};

	if (record->iface.tc_attach == XF_TC_CLSACT)
		return clsact_replace(at, prog_fd);
	return dp_link_replace(dp, sides[side].link, record->ifindex, prog_fd);
}
