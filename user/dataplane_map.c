/* SPDX-License-Identifier: GPL-2.0-only */
/* The pinned maps: opened only if they are what this version pins, and read in batches. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dataplane_int.h"

#define BATCH 4096
/* Octets that another version's configuration may have: what all have in common, and much more. */
#define CONFIG_MIN (__builtin_offsetof(struct xf_config, version) + sizeof(((struct xf_config *)NULL)->version))
#define CONFIG_MAX 4096

const struct dp_map_spec dp_map_specs[DP_MAP_COUNT] = {
#define X(id, pin, maptype, key, value) [DP_MAP_##id] = {#pin, BPF_MAP_TYPE_##maptype, key, value},
	DP_MAPS(X)
#undef X
};

static int map_info(int fd, struct bpf_map_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len);
}

/* Pins can also be programs and links: bpf_obj_get opens any, and only a map has a map's info. */
static bool is_named(const struct bpf_map_info *info, const char *name)
{
	return info->type && !strncmp(info->name, name, sizeof(info->name) - 1);
}

static bool is_as_specified(const struct bpf_map_info *info, const struct dp_map_spec *spec)
{
	return is_named(info, spec->name) && info->type == spec->type && info->key_size == spec->key_size &&
	       info->value_size == spec->value_size;
}

bool dp_map_pin_is_ours(const struct dataplane *dp, const char *pin, enum dp_map map)
{
	const struct dp_map_spec *spec = &dp_map_specs[map];
	bool other_version = dp->config.abi && dp->config.abi != XF_ABI_VERSION;
	struct bpf_map_info info;
	char path[PATH_MAX];
	bool ours;
	int fd = bpf_obj_get(dp_path(dp, pin, path));

	if (fd < 0)
		return false;
	ours = !map_info(fd, &info) &&
	       (other_version ? is_named(&info, spec->name) && info.type == spec->type : is_as_specified(&info, spec));
	close(fd);
	return ours;
}

bool dp_map_pin_is_named(const struct dataplane *dp, const char *pin, const char *name)
{
	struct bpf_map_info info;
	char path[PATH_MAX];
	bool named;
	int fd = bpf_obj_get(dp_path(dp, pin, path));

	if (fd < 0)
		return false;
	named = !map_info(fd, &info) && is_named(&info, name);
	close(fd);
	return named;
}

int dp_map_open_pin(struct dataplane *dp, enum dp_map map, const char *pin, struct xf_error *err)
{
	const struct dp_map_spec *spec = &dp_map_specs[map];
	struct bpf_map_info info;
	char path[PATH_MAX];
	int fd = bpf_obj_get(dp_path(dp, pin, path));

	if (fd < 0) {
		int error = errno;

		xf_fail(err, "cannot open %s: %s%s", path, strerror(error), error == EPERM ? "; run as root" : "");
		errno = error; /* ENOENT tells the caller that nothing is loaded */
		return -1;
	}
	if (map_info(fd, &info) || !is_as_specified(&info, spec)) {
		close(fd);
		xf_fail(err, "%s is not a map that this version of xdpfwd pinned; foreign pins are refused", path);
		errno = EINVAL;
		return -1;
	}
	dp->map[map] = fd;
	return 0;
}

int dp_map_open(struct dataplane *dp, enum dp_map map, struct xf_error *err)
{
	return dp_map_open_pin(dp, map, dp_map_specs[map].name, err);
}

static bool is_config(const struct bpf_map_info *info)
{
	const struct dp_map_spec *spec = &dp_map_specs[DP_MAP_CONFIG];

	return is_named(info, spec->name) && info->type == spec->type && info->key_size == spec->key_size &&
	       info->value_size >= CONFIG_MIN && info->value_size <= CONFIG_MAX;
}

/* Of another ABI only what is at the same place in all of them is right. */
int dp_config_open(struct dataplane *dp, struct xf_error *err)
{
	char path[PATH_MAX], value[CONFIG_MAX] = {0};
	struct bpf_map_info info;
	__u32 zero = 0;
	int fd = bpf_obj_get(dp_path(dp, dp_map_specs[DP_MAP_CONFIG].name, path));

	if (fd < 0)
		return dp_map_open(dp, DP_MAP_CONFIG, err);
	if (map_info(fd, &info) || !is_config(&info) || bpf_map_lookup_elem(fd, &zero, value)) {
		close(fd);
		/* It says what is wrong with it. */
		return dp_map_open(dp, DP_MAP_CONFIG, err);
	}
	memcpy(&dp->config, value, sizeof(dp->config));
	close(fd);
	dp->config.version[sizeof(dp->config.version) - 1] = '\0';
	return dp->config.abi == XF_ABI_VERSION ? dp_map_open(dp, DP_MAP_CONFIG, err) : 0;
}

/* A map that an upgrade has made lies beside the pin until it has got its name. */
static int open_renewed(struct dataplane *dp, enum dp_map map)
{
	char pin[XF_NAME_LEN];
	struct xf_error ignored;

	snprintf(pin, sizeof(pin), "%.50s_next", dp_map_specs[map].name);
	return dp_map_open_pin(dp, map, pin, &ignored);
}

int dp_maps_open(struct dataplane *dp, struct xf_error *err)
{
	bool interrupted = dp_upgrade_interrupted(dp);
	int i;

	for (i = 0; i < DP_MAP_COUNT; i++)
		if (dp->map[i] < 0 && (interrupted || open_renewed(dp, (enum dp_map)i)) &&
		    dp_map_open(dp, (enum dp_map)i, err)) {
			if (errno == ENOENT)
				xf_fail(err, "%s/%s is missing; run `xdpfwd unload --all` and load again", dp->dir,
					dp_map_specs[i].name);
			return -1;
		}
	return 0;
}

int dp_config_write(struct dataplane *dp, struct xf_error *err)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(dp->map[DP_MAP_CONFIG], &zero, &dp->config, BPF_ANY))
		return xf_fail(err, "cannot write the configuration in %s: %s", dp->dir, strerror(errno));
	return 0;
}

void *dp_map_mmap(struct dataplane *dp, enum dp_map map, size_t *len, struct xf_error *err)
{
	struct bpf_map_info info;
	void *p = MAP_FAILED;

	*len = 0;
	if (!map_info(dp->map[map], &info)) {
		*len = (size_t)info.max_entries * info.value_size;
		p = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_SHARED, dp->map[map], 0);
	}
	if (p != MAP_FAILED)
		return p;
	xf_fail(err, "cannot map %s: %s", dp_map_specs[map].name, strerror(errno));
	return NULL;
}

/* ---- written or removed many at a time */

#define BATCH_ROOM     1024
#define ERRNO_NO_BATCH 524 /* ENOTSUPP, which only the kernel has a name for */

int dp_batch_begin(struct dp_batch *b, int map_fd, bool remove)
{
	struct bpf_map_info info;

	*b = (struct dp_batch){.map = map_fd, .remove = remove};
	if (map_info(map_fd, &info))
		return -errno;
	b->key_size = info.key_size;
	b->value_size = info.value_size;
	b->keys = calloc(BATCH_ROOM, b->key_size);
	b->values = remove ? NULL : calloc(BATCH_ROOM, b->value_size);
	return b->keys && (remove || b->values) ? 0 : -ENOMEM;
}

/* How many were done at once. Not every kernel does that with every kind of map. */
static __u32 batch_at_once(struct dp_batch *b)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = b->remove ? 0 : BPF_NOEXIST);
	__u32 done = b->n;
	int rc;

	rc = b->remove ? bpf_map_delete_batch(b->map, b->keys, &done, &opts) :
			 bpf_map_update_batch(b->map, b->keys, b->values, &done, &opts);
	if (!rc)
		return b->n;
	return errno == ERRNO_NO_BATCH || done >= b->n ? 0 : done;
}

static int batch_flush(struct dp_batch *b)
{
	__u32 i = b->n ? batch_at_once(b) : 0;

	for (; i < b->n; i++) {
		const unsigned char *key = b->keys + (size_t)i * b->key_size;

		if (b->remove)
			bpf_map_delete_elem(b->map, key);
		else if (bpf_map_update_elem(b->map, key, b->values + (size_t)i * b->value_size, BPF_NOEXIST))
			return -errno;
	}
	b->n = 0;
	return 0;
}

int dp_batch_add(struct dp_batch *b, const void *key, const void *value)
{
	memcpy(b->keys + (size_t)b->n * b->key_size, key, b->key_size);
	if (!b->remove)
		memcpy(b->values + (size_t)b->n * b->value_size, value, b->value_size);
	return ++b->n < BATCH_ROOM ? 0 : batch_flush(b);
}

int dp_batch_end(struct dp_batch *b, int rc)
{
	if (!rc)
		rc = batch_flush(b);
	free(b->keys);
	free(b->values);
	return rc;
}

/* ---- read */

struct batch {
	__u32 key_size, value_size, room;
	void *keys, *values;
};

static int batch_grow(struct batch *b, __u32 room)
{
	void *keys = realloc(b->keys, (size_t)room * b->key_size);
	void *values = keys ? realloc(b->values, (size_t)room * b->value_size) : NULL;

	if (keys)
		b->keys = keys;
	if (values)
		b->values = values;
	if (!keys || !values)
		return -ENOMEM;
	b->room = room;
	return 0;
}

static int batch_visit(const struct batch *b, __u32 n, dp_walk_fn fn, void *arg)
{
	__u32 i;
	int rc;

	for (i = 0; i < n; i++) {
		rc = fn((const char *)b->keys + (size_t)i * b->key_size,
			(const char *)b->values + (size_t)i * b->value_size, arg);
		if (rc)
			return rc;
	}
	return 0;
}

static int walk_batches(int map_fd, struct batch *b, dp_walk_fn fn, void *arg)
{
	char at[2][sizeof(struct xf_key6)];
	void *from = NULL;
	int next = 0, rc, stop;
	__u32 n;

	for (;;) {
		n = b->room;
		rc = bpf_map_lookup_batch(map_fd, from, at[next], b->keys, b->values, &n, NULL) ? -errno : 0;
		if (rc == -ENOSPC) { /* one bucket of the hash holds more than there is room for */
			rc = batch_grow(b, b->room * 2);
			if (rc)
				return rc;
			continue;
		}
		if (rc && rc != -ENOENT)
			return rc;
		stop = batch_visit(b, n, fn, arg);
		if (stop || rc == -ENOENT)
			return stop < 0 ? stop : 0;
		from = at[next];
		next = !next;
	}
}

int dp_map_walk(int map_fd, dp_walk_fn fn, void *arg)
{
	struct bpf_map_info info;
	struct batch b = {0};
	int rc;

	if (map_info(map_fd, &info))
		return -errno;
	b.key_size = info.key_size;
	b.value_size = info.value_size;
	rc = batch_grow(&b, info.max_entries < BATCH ? info.max_entries : BATCH);
	if (!rc)
		rc = walk_batches(map_fd, &b, fn, arg);
	free(b.keys);
	free(b.values);
	return rc;
}
