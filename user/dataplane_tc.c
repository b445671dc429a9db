/* SPDX-License-Identifier: GPL-2.0-only */
/* The full tier of one interface: a TCX link, or where the kernel has none (before 6.6) a clsact filter. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane_int.h"

/* From linux/bpf.h of 6.6; Debian 12 has that of 6.1. */
#define TCX_INGRESS 46
#define F_BEFORE    (1u << 3)

/* Ours is tried first; then the next ones, where others have their filters already. */
#define FIRST_PRIORITY 1
#define LAST_PRIORITY  32
#define HANDLE	       1

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

static enum dp_prog prog_for(const struct xf_iface *iface)
{
	return iface->flags & XF_IFACE_L3 ? DP_PROG_TC_L3 : DP_PROG_TC_L2;
}

/*
 * In front of those that are there: a program of somebody's that ends with
 * TC_ACT_OK would keep every packet from us, while ours lets all others pass on.
 */
static int tcx_attach(struct dataplane *dp, __u32 ifindex, int prog_fd)
{
	struct tcx_link_create attr = {
		.prog_fd = (__u32)prog_fd,
		.target_ifindex = ifindex,
		.attach_type = TCX_INGRESS,
		.flags = F_BEFORE,
	};
	int fd, rc;

	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	rc = dp_link_pin(dp, fd, "tcx", ifindex);
	if (rc)
		bpf_link_detach(fd);
	close(fd);
	return rc;
}

/* libbpf looks at the padding too, so neither of the two structs may be copied or set up by hand. */
#define INGRESS_HOOK(hook, of) LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)(of), .attach_point = BPF_TC_INGRESS)

static bool is_full_tier(__u32 prog_id)
{
	char name[BPF_OBJ_NAME_LEN];

	dp_prog_name(prog_id, name);
	return !strcmp(name, dp_prog_specs[DP_PROG_TC_L2].name) || !strcmp(name, dp_prog_specs[DP_PROG_TC_L3].name);
}

/* The priority of our filter; 0: there is none. */
static __u32 clsact_find(__u32 ifindex)
{
	INGRESS_HOOK(hook, ifindex);
	__u32 priority;

	for (priority = FIRST_PRIORITY; priority <= LAST_PRIORITY; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = priority);

		if (!bpf_tc_query(&hook, &opts) && is_full_tier(opts.prog_id))
			return priority;
	}
	return 0;
}

/* With BPF_TC_F_REPLACE in place of ours, else where there is none yet: -EEXIST or -EINVAL if somebody's is. */
static int clsact_put(__u32 ifindex, int prog_fd, __u32 priority, __u32 flags)
{
	INGRESS_HOOK(hook, ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .handle = HANDLE, .priority = priority, .flags = flags);

	return bpf_tc_attach(&hook, &opts);
}

static int clsact_replace(__u32 ifindex, int prog_fd)
{
	__u32 priority = clsact_find(ifindex);

	return priority ? clsact_put(ifindex, prog_fd, priority, BPF_TC_F_REPLACE) : -ENOLINK;
}

static int clsact_attach(struct dp_iface_record *record, int prog_fd)
{
	INGRESS_HOOK(hook, record->ifindex);
	bool had = nd_clsact_exists(record->ifindex) == 1;
	__u32 priority;
	int rc = bpf_tc_hook_create(&hook);

	if (rc && rc != -EEXIST)
		return rc;
	if (!had && !rc)
		record->iface.flags |= XF_IFACE_MADE_CLSACT;
	/* One of ours that is there already is what a killed command left. */
	rc = clsact_replace(record->ifindex, prog_fd);
	for (priority = FIRST_PRIORITY; rc && priority <= LAST_PRIORITY; priority++) {
		rc = clsact_put(record->ifindex, prog_fd, priority, 0);
		if (rc && rc != -EEXIST && rc != -EINVAL)
			break;
	}
	return rc;
}

static int clsact_detach(const struct dp_iface_record *record)
{
	INGRESS_HOOK(hook, record->ifindex);
	__u32 priority = clsact_find(record->ifindex);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = priority);
	int rc = 0;

	if (priority)
		rc = bpf_tc_detach(&hook, &opts);
	if (!rc && record->iface.flags & XF_IFACE_MADE_CLSACT && nd_clsact_filters(record->ifindex) == 0) {
		/* Both sides at once: that is how libbpf is told to remove the qdisc itself. */
		hook.attach_point = (enum bpf_tc_attach_point)(BPF_TC_INGRESS | BPF_TC_EGRESS);
		rc = bpf_tc_hook_destroy(&hook);
	}
	return rc == -ENOENT || rc == -ENODEV ? 0 : rc;
}

int dp_tc_attach(struct dataplane *dp, struct dp_iface_record *record, struct xf_error *err)
{
	int prog_fd = dp_prog_open(dp, prog_for(&record->iface), err);
	int rc;

	if (prog_fd < 0)
		return -1;
	record->iface.tc_attach = XF_TC_TCX;
	rc = tcx_attach(dp, record->ifindex, prog_fd);
	if (rc == -EINVAL) {
		record->iface.tc_attach = XF_TC_CLSACT;
		rc = clsact_attach(record, prog_fd);
	}
	if (rc)
		return xf_fail(err, "%s: cannot attach to TC ingress: %s", record->iface.name, strerror(-rc));
	return 0;
}

int dp_tc_detach(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err)
{
	char pin[32];
	int rc = 0;

	if (record->iface.tc_attach == XF_TC_CLSACT)
		rc = clsact_detach(record);
	dp_link_pin_name(pin, "tcx", record->ifindex);
	dp_link_remove(dp, pin);
	if (rc)
		return xf_fail(err, "%s: cannot remove the TC filter: %s", record->iface.name, strerror(-rc));
	return 0;
}

int dp_tc_replace(struct dataplane *dp, const struct dp_iface_record *record, int prog_fd)
{
	if (record->iface.tc_attach == XF_TC_CLSACT)
		return clsact_replace(record->ifindex, prog_fd);
	return dp_link_replace(dp, "tcx", record->ifindex, prog_fd);
}
