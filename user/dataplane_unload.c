/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way back: what load made is removed, whatever state it is in, and nothing
 * else. A bpffs that load mounted stays: others may have pinned there meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "caps.h"
#include "dataplane_iface_int.h"
#include "log.h"

/* ---- pins */

static bool prog_pin_is_ours(const struct dataplane *dp, const char *pin, const char *name)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	char path[PATH_MAX];
	int fd = bpf_obj_get(dp_path(dp, pin, path));
	bool ours;

	if (fd < 0)
		return false;
	ours = !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, name);
	close(fd);
	return ours;
}

static bool is_link_pin(const char *name)
{
	unsigned int ifindex;
	int end = 0;

	return (sscanf(name, "link_xdp_%u%n", &ifindex, &end) == 1 ||
		sscanf(name, "link_tcx_%u%n", &ifindex, &end) == 1 ||
		sscanf(name, "link_out_%u%n", &ifindex, &end) == 1) &&
	       !name[end];
}

/* Of another version, which may have maps and programs that this one does not know. */
static bool is_of_other_version(const struct dataplane *dp, const char *pin)
{
	char name[NAME_MAX + 4];

	if (!dp->config.abi || dp->config.abi == XF_ABI_VERSION)
		return false;
	snprintf(name, sizeof(name), "xf_%s", pin + (strncmp(pin, "prog_", 5) ? 0 : 5));
	return dp_map_pin_is_named(dp, pin, pin) || (!strncmp(pin, "prog_", 5) && prog_pin_is_ours(dp, pin, name));
}

static bool is_ours(const struct dataplane *dp, const char *pin)
{
	char name[NAME_MAX + 1];
	bool aside;
	char *next;
	int i;

	snprintf(name, sizeof(name), "%s", pin);
	next = strstr(name, "_next"); /* a pin that was about to be moved over another, perhaps by another version */
	aside = next && !next[5];
	if (aside)
		*next = '\0';
	for (i = 0; i < DP_MAP_COUNT; i++)
		if (!strcmp(name, dp_map_specs[i].name))
			return aside ? dp_map_pin_is_named(dp, pin, name) : dp_map_pin_is_ours(dp, pin, (enum dp_map)i);
	for (i = 0; i < DP_PROG_COUNT; i++)
		if (!strcmp(name, dp_prog_specs[i].pin))
			return prog_pin_is_ours(dp, pin, dp_prog_specs[i].name);
	return is_link_pin(name) || is_of_other_version(dp, name);
}

typedef void (*pin_fn)(struct dataplane *dp, const char *name, void *arg);

static int for_each_pin(struct dataplane *dp, pin_fn fn, void *arg, struct xf_error *err)
{
	DIR *dir = opendir(dp->dir);
	struct dirent *entry;

	if (!dir)
		return xf_fail(err, "cannot read %s: %s", dp->dir, strerror(errno));
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			fn(dp, entry->d_name, arg);
	closedir(dir);
	return 0;
}

static void remove_pin(struct dataplane *dp, const char *name, void *arg)
{
	char *foreign = arg, path[PATH_MAX];

	if (!is_ours(dp, name))
		snprintf(foreign, NAME_MAX + 1, "%s", name);
	else if (is_link_pin(name))
		dp_link_remove(dp, name);
	else if (unlink(dp_path(dp, name, path)))
		log_debug("cannot remove %s: %s", path, strerror(errno));
}

void dp_state_remove(const char *state)
{
	if (rmdir(state))
		log_debug("%s stays: %s", state, strerror(errno));
}

/* ---- some interfaces */

static const struct dp_iface_record *find_record(const struct dp_iface_record *records, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(records[i].iface.name, name))
			return &records[i];
	return NULL;
}

static int detach_named(struct dataplane *dp, const char *const *ifnames, size_t n, struct xf_error *err)
{
	struct dp_iface_record *records;
	size_t n_records, i;
	int rc = 0;

	if (dp_ifaces_read(dp, &records, &n_records, err))
		return -1;
	/* By the names that they have now; what is gone keeps its last one. */
	for (i = 0; i < n_records; i++)
		dp_iface_look(dp, &records[i]);
	for (i = 0; i < n && !rc; i++)
		if (!find_record(records, n_records, ifnames[i]))
			rc = xf_fail(err, "%s is not loaded; `xdpfwd status` shows what is", ifnames[i]);
	for (i = 0; i < n && !rc; i++)
		rc = dp_detach(dp, find_record(records, n_records, ifnames[i]), err);
	free(records);
	return rc;
}

int dp_unload(const char *state, const char *const *ifnames, size_t n, struct xf_error *err)
{
	struct dataplane *dp;
	int rc;

	if (dp_open(&dp, state, true, err))
		return -1;
	rc = detach_named(dp, ifnames, n, err);
	if (!rc)
		rc = dp_egress_refresh(dp, err);
	dp_close(dp);
	return rc;
}

/* ---- everything */

static void note_alive(struct dataplane *dp, const char *name, void *arg)
{
	if (is_link_pin(name) && dp_link_is_alive(dp, name))
		*(bool *)arg = true;
}

/*
 * Filters and neighbours can be removed only from within their network
 * namespace. If that is gone, so are they; then its links are dead.
 */
static int check_netns(struct dataplane *dp, const struct dp_iface_record *records, size_t n, struct xf_error *err)
{
	bool alive = false;
	size_t i;

	if (!dp->config.netns || dp->config.netns == dp_netns())
		return 0;
	if (for_each_pin(dp, note_alive, &alive, err))
		return -1;
	for (i = 0; i < n; i++)
		alive |= records[i].iface.tc_attach == XF_TC_CLSACT;
	if (alive)
		return xf_fail(err, "the data plane in %s belongs to another network namespace; unload it from there",
			       dp->dir);
	return 0;
}

/* What can be opened is; what is missing or of another version is no obstacle here. */
static void open_what_is_there(struct dataplane *dp)
{
	struct xf_error ignored;
	int i;

	if (dp_config_open(dp, &ignored))
		log_debug("%s", ignored.text);
	for (i = 0; i < DP_MAP_COUNT; i++)
		if (dp->map[i] < 0 && dp_map_open(dp, (enum dp_map)i, &ignored))
			log_debug("%s", ignored.text);
}

static int detach_everything(struct dataplane *dp, struct xf_error *err)
{
	struct dp_iface_record *records = NULL;
	bool known = dp->map[DP_MAP_INTERFACES] >= 0;
	size_t n = 0, i;
	int rc = 0;

	if (known && dp_ifaces_read(dp, &records, &n, err))
		return -1;
	if (check_netns(dp, records, n, err)) {
		free(records);
		return -1;
	}
	for (i = 0; i < n; i++)
		if (dp_detach(dp, &records[i], err))
			rc = -1;
	if (dp->map[DP_MAP_NEIGHBOURS] >= 0 && dp->config.netns == dp_netns())
		dp_neighbours_forget(dp);
	free(records);
	return rc;
}

/*
 * With a handle of its own: what is opened here is only good for being removed.
 * Without its config there is no instance any more, only leftovers.
 */
int dp_state_clean(const char *state, char foreign[NAME_MAX + 1], struct xf_error *err)
{
	struct dataplane *dp = dp_new(state, err);
	char path[PATH_MAX];
	int rc;

	foreign[0] = '\0';
	if (!dp)
		return -1;
	open_what_is_there(dp);
	rc = detach_everything(dp, err);
	if (!rc && dp_map_pin_is_ours(dp, dp_map_specs[DP_MAP_CONFIG].name, DP_MAP_CONFIG))
		unlink(dp_path(dp, dp_map_specs[DP_MAP_CONFIG].name, path));
	if (!rc)
		rc = for_each_pin(dp, remove_pin, foreign, err);
	dp_close(dp);
	return rc;
}

int dp_unload_all(const char *state, struct xf_error *err)
{
	struct dataplane *dp = dp_new(state, err);
	char foreign[NAME_MAX + 1] = "";
	int rc;

	if (!dp)
		return -1;
	rc = state_lock(dp->dir, false, &dp->dir_fd, err);
	if (!rc && dp->dir_fd >= 0)
		rc = caps_check(CAPS_BPF | CAPS_NET_ADMIN, "unload", err);
	if (!rc && dp->dir_fd >= 0) {
		rc = dp_state_clean(dp->dir, foreign, err);
		if (foreign[0])
			log_warning("%s/%s is not xdpfwd's and stays", dp->dir, foreign);
		else if (!rc)
			dp_state_remove(dp->dir);
	}
	dp_close(dp);
	return rc;
}
