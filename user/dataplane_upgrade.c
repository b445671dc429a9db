/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An upgrade across a change of layout, under traffic. Maps whose layout is the
 * same stay; the others are made anew and pinned aside, as NAME_next. Then:
 *
 *	copy      old entries to the new maps
 *	switch    hook by hook the new programs, which know the new maps only
 *	settle    what happened in the old flow tables between the two
 *	commit    config_next becomes config, in one step
 *	finish    the other NAME_next become NAME
 *
 * Killed before the commit, it is done again from the start by the next load,
 * over the same new maps: no step minds being done twice. Killed after it, the
 * next command finishes it. While config_next is there, it has not come so far.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "dataplane_upgrade_int.h"
#include "log.h"

/* ---- pins */

static const char *aside(enum dp_map map, char pin[XF_NAME_LEN])
{
	snprintf(pin, XF_NAME_LEN, "%.50s_next", dp_map_specs[map].name);
	return pin;
}

bool dp_upgrade_interrupted(const struct dataplane *dp)
{
	char path[PATH_MAX], pin[XF_NAME_LEN];

	return !access(dp_path(dp, aside(DP_MAP_CONFIG, pin), path), F_OK);
}

void dp_upgrade_finish(struct dataplane *dp)
{
	char from[PATH_MAX], to[PATH_MAX], pin[XF_NAME_LEN];
	int i;

	if (dp_upgrade_interrupted(dp))
		return;
	for (i = 0; i < DP_MAP_COUNT; i++) {
		dp_path(dp, aside((enum dp_map)i, pin), from);
		if (rename(from, dp_path(dp, dp_map_specs[i].name, to)) && errno != ENOENT)
			log_warning("cannot rename %s: %s", from, strerror(errno));
	}
}

/* The config first: without it, what else is aside would be taken for that of one that is over. */
void dp_upgrade_drop(struct dataplane *dp)
{
	char path[PATH_MAX], pin[XF_NAME_LEN];
	int i;

	for (i = DP_MAP_COUNT - 1; i >= 0; i--)
		unlink(dp_path(dp, aside((enum dp_map)i, pin), path));
}

/* ---- the maps */

static __u32 read_abi(int config_fd)
{
	struct xf_config config;
	__u32 zero = 0;

	return bpf_map_lookup_elem(config_fd, &zero, &config) ? 0 : config.abi;
}

/* What a former attempt of this version has put aside is used again; anything else is in the way. */
static void open_aside(struct dataplane *dp)
{
	char pin[XF_NAME_LEN];
	struct xf_error ignored;
	int i;

	if (dp_map_open_pin(dp, DP_MAP_CONFIG, aside(DP_MAP_CONFIG, pin), &ignored) ||
	    read_abi(dp->map[DP_MAP_CONFIG]) != XF_ABI_VERSION) {
		if (dp->map[DP_MAP_CONFIG] >= 0)
			close(dp->map[DP_MAP_CONFIG]);
		dp->map[DP_MAP_CONFIG] = -1;
		dp_upgrade_drop(dp);
		return;
	}
	for (i = 0; i < DP_MAP_COUNT; i++)
		if (i != DP_MAP_CONFIG)
			dp_map_open_pin(dp, (enum dp_map)i, aside((enum dp_map)i, pin), &ignored);
}

static int open_changed(struct upgrade *u, const struct dp_abi_change *change, struct xf_error *err)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	char path[PATH_MAX];
	int fd = bpf_obj_get(dp_path(u->dp, dp_map_specs[change->map].name, path));

	if (fd < 0)
		return xf_fail(err, "cannot open %s: %s", path, strerror(errno));
	u->old[change->map] = fd;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.key_size == change->key_size &&
	    info.value_size == change->value_size)
		return 0;
	return xf_fail(err,
		       "%s is not what xdpfwd %.31s pins there: throw rules and flows away with `xdpfwd load "
		       "--discard-state IFACE`",
		       path, u->dp->config.version);
}

/* Kept, changed, or not yet known to the older version. */
static int open_maps(struct upgrade *u, struct xf_error *err)
{
	struct dataplane *dp = u->dp;
	int i;

	for (i = 0; i < DP_MAP_COUNT; i++) {
		const struct dp_abi_change *change = dp_abi_change(u->step, (enum dp_map)i);

		if (change && open_changed(u, change, err))
			return -1;
		if (!change && dp->map[i] < 0 && i != DP_MAP_CONFIG && dp_map_open(dp, (enum dp_map)i, err) &&
		    errno != ENOENT)
			return -1;
	}
	return 0;
}

static int convert_config(struct upgrade *u, const struct dp_load_options *options, struct xf_error *err)
{
	struct dataplane *dp = u->dp;
	char path[PATH_MAX], value[VALUE_MAX];
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info), zero = 0;
	int fd = bpf_obj_get(dp_path(dp, dp_map_specs[DP_MAP_CONFIG].name, path));
	int rc = -1;

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.value_size == u->step->config_size)
		rc = bpf_map_lookup_elem(fd, &zero, value);
	if (fd >= 0)
		close(fd);
	if (rc)
		return xf_fail(err, "cannot read %s", path);
	u->step->config(value, &dp->config);
	dp->config.abi = XF_ABI_VERSION;
	return dp_config_update(options, &dp->config, err);
}

/* The config first, since it says that the others belong to an upgrade that is not over. */
static int put_aside(struct dataplane *dp, struct dp_object *object, struct xf_error *err)
{
	char pin[XF_NAME_LEN];
	int i;

	for (i = 0; i < DP_MAP_COUNT; i++)
		if (dp->map[i] < 0 && (dp_object_take_map(dp, object, (enum dp_map)i, err) ||
				       (i == DP_MAP_CONFIG && dp_config_write(dp, err)) ||
				       dp_pin(dp, dp->map[i], aside((enum dp_map)i, pin), err)))
			return -1;
	return dp_config_write(dp, err);
}

/* ---- all of it */

static int commit(struct dataplane *dp, struct xf_error *err)
{
	char from[PATH_MAX], to[PATH_MAX], pin[XF_NAME_LEN];

	dp_path(dp, aside(DP_MAP_CONFIG, pin), from);
	if (rename(from, dp_path(dp, dp_map_specs[DP_MAP_CONFIG].name, to)))
		return xf_fail(err, "cannot rename %s: %s", from, strerror(errno));
	dp_upgrade_finish(dp);
	return 0;
}

/* From the switch on the new programs and maps are those in use, and the way back is closed. */
static int finish_switched(struct upgrade *u, struct dp_object *object, struct xf_error *err)
{
	if (dp_object_pin_progs(u->dp, object, err) || dp_sweep(u->dp, XF_SWEEP_START, NULL, err) ||
	    upgrade_settle(u, err))
		return -1;
	return commit(u->dp, err);
}

static int upgrade_loaded(struct upgrade *u, struct dp_object *object, struct xf_error *err)
{
	struct dataplane *dp = u->dp;
	struct xf_clock clock;

	u->adopt = dp_object_prog_fd(object, DP_PROG_ADOPT);
	if (!put_aside(dp, object, err) && !upgrade_copy(u, err) && !dp_attach_replace(dp, object, err)) {
		if (dp_clock_read(dp, &clock, err))
			return -1;
		u->switched_at = (__u32)clock.jiffies;
		return finish_switched(u, object, err);
	}
	dp_upgrade_drop(dp);
	return -1;
}

int dp_upgrade(struct dataplane *dp, const struct dp_load_options *options, struct xf_error *err)
{
	struct upgrade u = {.dp = dp, .step = dp_abi_step(dp->config.abi)};
	struct dp_object *object = NULL;
	int i, rc;

	for (i = 0; i < DP_MAP_COUNT; i++)
		u.old[i] = -1;
	open_aside(dp);
	rc = open_maps(&u, err) || convert_config(&u, options, err) || dp_object_open(dp, &object, err) ? -1 : 0;
	if (!rc)
		rc = dp_object_load(object, err) || upgrade_loaded(&u, object, err) ? -1 : 0;
	dp_object_close(object);
	for (i = 0; i < DP_MAP_COUNT; i++)
		if (u.old[i] >= 0)
			close(u.old[i]);
	return rc;
}
