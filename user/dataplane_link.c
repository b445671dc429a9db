/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF links, pinned as link_KIND_IFINDEX: what keeps a program attached when no process runs. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"

void dp_link_pin_name(char name[32], const char *kind, __u32 ifindex)
{
	snprintf(name, 32, "link_%.8s_%u", kind, ifindex);
}

int dp_link_pin(struct dataplane *dp, int link_fd, const char *kind, __u32 ifindex)
{
	char path[PATH_MAX], name[32];

	dp_link_pin_name(name, kind, ifindex);
	return bpf_obj_pin(link_fd, dp_path(dp, name, path)) ? -errno : 0;
}

static int link_open(struct dataplane *dp, const char *pin)
{
	char path[PATH_MAX];
	int fd = bpf_obj_get(dp_path(dp, pin, path));

	return fd < 0 ? -errno : fd;
}

int dp_link_replace(struct dataplane *dp, const char *kind, __u32 ifindex, int prog_fd)
{
	char name[32];
	int fd, rc;

	dp_link_pin_name(name, kind, ifindex);
	fd = link_open(dp, name);
	if (fd < 0)
		return fd == -ENOENT ? -ENOLINK : fd;
	rc = bpf_link_update(fd, prog_fd, NULL) ? -errno : 0;
	close(fd);
	return rc;
}

void dp_link_remove(struct dataplane *dp, const char *pin)
{
	char path[PATH_MAX];
	int fd = link_open(dp, pin);

	/* Unpinned only, the link would go some time later, from a work queue of the kernel. */
	if (fd >= 0) {
		bpf_link_detach(fd);
		close(fd);
	}
	unlink(dp_path(dp, pin, path));
}

/* TCX links say their ifindex in the same place as XDP links do. */
bool dp_link_is_alive(struct dataplane *dp, const char *pin)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);
	int fd = link_open(dp, pin);
	bool alive;

	if (fd < 0)
		return false;
	alive = !bpf_obj_get_info_by_fd(fd, &info, &len) && info.xdp.ifindex;
	close(fd);
	return alive;
}
