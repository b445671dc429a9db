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
#include "log.h"

#define KEY_MAX	  64
#define VALUE_MAX 512

struct upgrade {
	struct dataplane *dp; /* of the new maps */
	const struct dp_abi_step *step;
	int old[DP_MAP_COUNT]; /* those whose layout has changed; else -1 */
	__u32 switched_at;     /* jiffies */
};

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

/* ---- copying */

struct copy {
	struct upgrade *u;
	const struct dp_abi_change *change;
	__u32 halves; /* of "flows": no more than these were ever used */
};

/* The map of a half's tuple, and the tuple as it is a key there. */
static int tuple_map(const struct dataplane *dp, const struct xf_flow *f, void *key)
{
	struct xf_key6 k = dp_flow_key(f);
	struct xf_key4 k4 = {
		.saddr = k.saddr.v4, .daddr = k.daddr.v4, .sport = k.sport, .dport = k.dport, .proto = k.proto};

	if (f->family == XF_IPV6) {
		memcpy(key, &k, sizeof(k));
		return dp->map[DP_MAP_FLOW6];
	}
	memcpy(key, &k4, sizeof(k4));
	return dp->map[DP_MAP_FLOW4];
}

/* One that is there is what a former attempt has copied, and programs use by now. */
static int put_half(struct dataplane *dp, __u32 index, const struct xf_flow *f)
{
	char key[KEY_MAX];
	int map = tuple_map(dp, f, key);
	__u32 there;

	if (!bpf_map_lookup_elem(map, key, &there))
		return 0;
	if (bpf_map_update_elem(dp->map[DP_MAP_FLOWS], &index, f, BPF_ANY))
		return -errno;
	return bpf_map_update_elem(map, key, &index, BPF_NOEXIST) && errno != EEXIST ? -errno : 0;
}

static int copy_one(const void *key, const void *value, void *arg)
{
	char new_key[KEY_MAX] = {0}, new_value[VALUE_MAX] = {0};
	const struct copy *copy = arg;

	copy->change->convert(key, value, new_key, new_value);
	return bpf_map_update_elem(copy->u->dp->map[copy->change->map], new_key, new_value, BPF_ANY) ? -errno : 0;
}

/* A half of the old table, in the new layout. Returns 1 where there are no more. */
static int old_half(const struct copy *copy, const void *key, const void *value, __u32 *index, struct xf_flow *half)
{
	memcpy(index, key, sizeof(*index));
	if (*index >= copy->halves)
		return 1;
	memset(half, 0, sizeof(*half));
	copy->change->convert(key, value, index, half);
	return 0;
}

static int copy_half(const void *key, const void *value, void *arg)
{
	const struct copy *copy = arg;
	struct xf_flow half;
	__u32 index;

	if (old_half(copy, key, value, &index, &half))
		return 1;
	return half.family ? put_half(copy->u->dp, index, &half) : 0;
}

static __u32 used_halves(const struct dataplane *dp)
{
	struct xf_cursor cursor = {0};
	__u32 zero = 0;

	bpf_map_lookup_elem(dp->map[DP_MAP_CURSOR], &zero, &cursor);
	return 2 * (cursor.fresh < dp->config.max_flows ? cursor.fresh : dp->config.max_flows);
}

static int copy_maps(struct upgrade *u, struct xf_error *err)
{
	struct copy copy = {.u = u, .change = u->step->changes, .halves = used_halves(u->dp)};
	int rc = 0;

	for (; copy.change->key_size || copy.change->value_size; copy.change++) {
		if (copy.change->how == DP_CARRY_FLOWS)
			rc = dp_map_walk(u->old[copy.change->map], copy_half, &copy);
		else if (copy.change->how == DP_CARRY_COPY)
			rc = dp_map_walk(u->old[copy.change->map], copy_one, &copy);
		if (rc)
			return xf_fail(err, "cannot copy \"%s\" to its new layout: %s",
				       dp_map_specs[copy.change->map].name, strerror(-rc));
	}
	return 0;
}

/* ---- settling: what became of flows in the old tables while they were copied, and until nobody used them */

/* The client's tuple: this half's own key, or what the answers get, turned round. */
static struct xf_key6 client_key(const struct xf_flow *f)
{
	struct xf_key6 key = {.sport = f->dport, .dport = f->sport, .proto = f->proto};

	if (!(f->flags & XF_FLOW_REPLY))
		return dp_flow_key(f);
	if (f->family == XF_IPV4) {
		key.saddr.v4 = f->daddr4;
		key.daddr.v4 = f->saddr4;
	} else {
		key.saddr = f->daddr6;
		key.daddr = f->saddr6;
	}
	return key;
}

/* Is the flow's place still its own? The slots are the same before and after. */
static bool has_slot(const struct upgrade *u, const struct xf_flow *half)
{
	struct xf_key6 client = client_key(half);
	struct xf_slot slot;

	return !bpf_map_lookup_elem(u->dp->map[DP_MAP_SLOTS], &half->slot, &slot) && slot.state != XF_SLOT_FREE &&
	       !memcmp(&slot.key, &client, sizeof(client));
}

/* Has the new programs make up for what the half has seen meanwhile; or, if it is over, take it away. */
static int adopt(struct upgrade *u, __u32 index, const struct xf_flow *half, bool prune, bool *found)
{
	struct xf_adopt_request request = {
		.key = dp_flow_key(half),
		.packets = half->packets,
		.bytes = half->bytes,
		.last_seen = half->last_seen,
		.timeout = half->timeout,
		.family = half->family,
		.state = half->state,
		.flags = half->flags,
		.index = index,
		.prune = prune,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &request, .data_size_in = sizeof(request), .data_out = &request,
		    .data_size_out = sizeof(request), .repeat = 1);

	if (bpf_prog_test_run_opts(u->dp->prog[DP_PROG_ADOPT], &opts) || opts.retval != XDP_PASS)
		return errno ? -errno : -EINVAL;
	*found = request.found;
	return 0;
}

static int adopt_half(const void *key, const void *value, void *arg)
{
	const struct copy *copy = arg;
	struct xf_flow half;
	__u32 index;
	bool found;
	int rc;

	if (old_half(copy, key, value, &index, &half))
		return 1;
	if (!half.family)
		return 0;
	rc = adopt(copy->u, index, &half, false, &found);
	/* Opened after it could be copied. */
	if (!rc && !found && has_slot(copy->u, &half))
		rc = put_half(copy->u->dp, index, &half);
	return rc;
}

/*
 * One that ended after it was copied. Newer ones are the new programs', and may be in
 * the making. If its place has another flow by now, only its tuple is left of it.
 */
static int prune_tuple(const void *key, const void *value, void *arg)
{
	const struct copy *copy = arg;
	const struct upgrade *u = copy->u;
	char own[KEY_MAX] = {0};
	struct xf_flow half;
	bool ignored;
	int map;

	if (bpf_map_lookup_elem(u->dp->map[DP_MAP_FLOWS], value, &half) || !half.family)
		return 0;
	map = tuple_map(u->dp, &half, own);
	if (map != u->dp->map[copy->change->map] || memcmp(own, key, dp_map_specs[copy->change->map].key_size)) {
		bpf_map_delete_elem(u->dp->map[copy->change->map], key);
		return 0;
	}
	if ((__s32)(half.created - u->switched_at) >= 0 || has_slot(u, &half))
		return 0;
	return adopt(copy->u, *(const __u32 *)value, &half, true, &ignored);
}

static int settle(struct upgrade *u, struct xf_error *err)
{
	struct copy copy = {.u = u, .change = u->step->changes, .halves = used_halves(u->dp)};
	int rc = 0;

	/* The flows come before their tuples in the list. */
	for (; !rc && (copy.change->key_size || copy.change->value_size); copy.change++) {
		if (copy.change->how == DP_CARRY_FLOWS)
			rc = dp_map_walk(u->old[copy.change->map], adopt_half, &copy);
		else if (copy.change->how == DP_CARRY_TUPLES)
			rc = dp_map_walk(u->dp->map[copy.change->map], prune_tuple, &copy);
	}
	return rc ? xf_fail(err, "cannot take over flows: %s; run `xdpfwd load` again", strerror(-rc)) : 0;
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
	if (dp_object_pin_progs(u->dp, object, err) || dp_sweep(u->dp, XF_SWEEP_START, NULL, err) || settle(u, err))
		return -1;
	return commit(u->dp, err);
}

static int upgrade_loaded(struct upgrade *u, struct dp_object *object, struct xf_error *err)
{
	struct dataplane *dp = u->dp;
	struct xf_clock clock;

	if (!put_aside(dp, object, err) && !copy_maps(u, err) && !dp_attach_replace(dp, object, err)) {
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
