/* SPDX-License-Identifier: GPL-2.0-only */
/* The handle on a loaded instance: opened, checked, locked, closed; and what all other parts need of it. */
#include "dataplane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "caps.h"
#include "dataplane_rule_int.h"
#include "log.h"

const struct dp_prog_spec dp_prog_specs[DP_PROG_COUNT] = {
	[DP_PROG_XDP] = {"xf_xdp", "prog_xdp"},
	[DP_PROG_TC_L2] = {"xf_tc_l2", "prog_tc_l2"},
	[DP_PROG_TC_L3] = {"xf_tc_l3", "prog_tc_l3"},
	[DP_PROG_TC_OUT_L2] = {"xf_tc_out_l2", "prog_tc_out_l2"},
	[DP_PROG_TC_OUT_L3] = {"xf_tc_out_l3", "prog_tc_out_l3"},
	[DP_PROG_CLOCK] = {"xf_clock", "prog_clock"},
	[DP_PROG_SWEEP] = {"xf_sweep", "prog_sweep"},
	[DP_PROG_ADOPT] = {"xf_adopt", "prog_adopt"},
};

struct dataplane *dp_new(const char *state, struct xf_error *err)
{
	struct dataplane *dp = calloc(1, sizeof(*dp));
	size_t len = strlen(state);
	int i;

	if (!dp) {
		xf_fail(err, "out of memory");
		return NULL;
	}
	dp->dir_fd = -1;
	for (i = 0; i < DP_MAP_COUNT; i++)
		dp->map[i] = -1;
	for (i = 0; i < DP_PROG_COUNT; i++)
		dp->prog[i] = -1;
	while (len > 1 && state[len - 1] == '/')
		len--;
	/* Room for the longest name that we put below it. */
	if (!len || len + XF_NAME_LEN > sizeof(dp->dir)) {
		xf_fail(err, "%.60s%s: the name of the state directory is %s", len ? state : "\"\"", len ? "..." : "",
			len ? "too long" : "empty");
		free(dp);
		return NULL;
	}
	memcpy(dp->dir, state, len);
	return dp;
}

void dp_close(struct dataplane *dp)
{
	int i;

	if (!dp)
		return;
	/* Whatever a writer has changed, a refusal may have rested on it. */
	if (dp->writes)
		dp_refusals_end(dp);
	for (i = 0; i < DP_MAP_COUNT; i++)
		if (dp->map[i] >= 0)
			close(dp->map[i]);
	for (i = 0; i < DP_PROG_COUNT; i++)
		if (dp->prog[i] >= 0)
			close(dp->prog[i]);
	if (dp->dir_fd >= 0)
		close(dp->dir_fd);
	free(dp);
}

const char *dp_path(const struct dataplane *dp, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - XF_NAME_LEN - 1, dp->dir, name);
	return path;
}

__u64 dp_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

/* Of another ABI: whose it is, and what to do about it. */
static int refuse_abi(const struct dataplane *dp, struct xf_error *err)
{
	const struct xf_config *config = &dp->config;

	if (config->abi > XF_ABI_VERSION)
		return xf_fail(
			err,
			"%.80s was loaded by xdpfwd %.31s, which is newer than this one (ABI %u, not %u): use that "
			"version, or throw its rules and flows away with `xdpfwd load --discard-state IFACE`",
			dp->dir, config->version, config->abi, XF_ABI_VERSION);
	if (!dp_abi_step(config->abi))
		return xf_fail(
			err,
			"%.80s was loaded by xdpfwd %.31s, whose state this version cannot take over (ABI %u, not "
			"%u): throw its rules and flows away with `xdpfwd load --discard-state IFACE`",
			dp->dir, config->version, config->abi, XF_ABI_VERSION);
	return xf_fail(
		err,
		"%.80s was loaded by xdpfwd %.31s, which is older (ABI %u, not %u): run `xdpfwd load IFACE` with "
		"this version, which takes it over",
		dp->dir, config->version, config->abi, XF_ABI_VERSION);
}

/* To write takes the instance's own network namespace. */
static int check_netns(const struct dataplane *dp, struct xf_error *err)
{
	if (dp->config.netns == dp_netns())
		return 0;
	return xf_fail(err,
		       "the data plane in %s belongs to another network namespace; run this in that one, or give "
		       "--state another directory",
		       dp->dir);
}

int dp_instance_open(struct dataplane *dp, bool write, struct xf_error *err)
{
	int rc;

	/* Made last and removed first: without the config there is nothing, or the rest of something. */
	if (dp_config_open(dp, err))
		return -1;
	errno = EINVAL; /* not "nothing is loaded" */
	if (write && check_netns(dp, err))
		return -1;
	dp->writes = write;
	if (dp->config.abi != XF_ABI_VERSION) {
		refuse_abi(dp, err);
		errno = EPROTO;
		return -1;
	}
	if (write)
		dp_upgrade_finish(dp);
	rc = dp_maps_open(dp, err);
	errno = EINVAL;
	return rc;
}

static int open_permitted(struct dataplane *dp, bool write, struct xf_error *err)
{
	if (!caps_check(write ? CAPS_BPF | CAPS_NET_ADMIN : CAPS_BPF, dp->dir, err))
		return dp_instance_open(dp, write, err);
	errno = EPERM;
	return -1;
}

static int open_instance(struct dataplane **out, const char *state, bool write, struct xf_error *err)
{
	struct dataplane *dp = dp_new(state, err);
	int rc;

	*out = NULL;
	if (!dp)
		return -1;
	rc = write ? state_lock(dp->dir, false, &dp->dir_fd, err) : state_open(dp->dir, &dp->dir_fd, err);
	if (!rc) {
		errno = ENOENT;
		rc = dp->dir_fd < 0 ? -1 : open_permitted(dp, write, err);
		if (rc && errno == ENOENT)
			xf_fail(err, "no data plane is loaded in %s; run `xdpfwd load IFACE` first", dp->dir);
	}
	if (!rc && write && dp_upgrade_interrupted(dp))
		rc = xf_fail(
			err,
			"an upgrade of %s by a newer xdpfwd was interrupted: run `xdpfwd load IFACE` again, with that "
			"version to finish it or with this one to take it back",
			dp->dir);
	if (rc) {
		dp_close(dp);
		return -1;
	}
	*out = dp;
	return 0;
}

int dp_open(struct dataplane **out, const char *state, bool write, struct xf_error *err)
{
	if (open_instance(out, state, write, err))
		return -1;
	if (!(write ? dp_set_settle(*out, err) : dp_set_look(*out, err)))
		return 0;
	dp_close(*out);
	*out = NULL;
	return -1;
}

int dp_open_locked(struct dataplane **out, const char *state, struct xf_error *err)
{
	return open_instance(out, state, true, err);
}

int dp_prog_open(struct dataplane *dp, enum dp_prog prog, struct xf_error *err)
{
	char path[PATH_MAX];

	if (dp->prog[prog] < 0)
		dp->prog[prog] = bpf_obj_get(dp_path(dp, dp_prog_specs[prog].pin, path));
	if (dp->prog[prog] < 0)
		return xf_fail(err, "cannot open %s: %s; run `xdpfwd load` again", path, strerror(errno));
	return dp->prog[prog];
}

int dp_pin(struct dataplane *dp, int fd, const char *name, struct xf_error *err)
{
	char path[PATH_MAX], temporary[PATH_MAX], next[XF_NAME_LEN];

	dp_path(dp, name, path);
	if (!bpf_obj_pin(fd, path))
		return 0;
	if (errno != EEXIST)
		return xf_fail(err, "cannot pin %s: %s", path, strerror(errno));
	/* A pin cannot be overwritten, but another can be moved over it. */
	snprintf(next, sizeof(next), "%.50s_next", name);
	dp_path(dp, next, temporary);
	unlink(temporary);
	if (bpf_obj_pin(fd, temporary) || rename(temporary, path)) {
		xf_fail(err, "cannot pin %s: %s", path, strerror(errno));
		unlink(temporary);
		return -1;
	}
	return 0;
}

/* As long as the shortest frame that a test run takes on every kernel. */
#define RUN_LEN 64

/* Runs a program that is never attached; what it is asked, and what it answers, is the packet. */
static int prog_run(struct dataplane *dp, enum dp_prog prog, unsigned char packet[RUN_LEN], struct xf_error *err)
{
	unsigned char out[RUN_LEN] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = RUN_LEN, .data_out = out,
		    .data_size_out = RUN_LEN, .repeat = 1);
	int fd = dp_prog_open(dp, prog, err);

	if (fd < 0)
		return -1;
	if (bpf_prog_test_run_opts(fd, &opts))
		return xf_fail(err, "cannot run %s: %s", dp_prog_specs[prog].name, strerror(errno));
	if (opts.retval != XDP_PASS)
		return xf_fail(err, "the kernel refused what %s asked for", dp_prog_specs[prog].name);
	memcpy(packet, out, RUN_LEN);
	return 0;
}

int dp_clock_read(struct dataplane *dp, struct xf_clock *clock, struct xf_error *err)
{
	unsigned char packet[RUN_LEN] = {0};

	if (prog_run(dp, DP_PROG_CLOCK, packet, err))
		return -1;
	memcpy(clock, packet, sizeof(*clock));
	return 0;
}

int dp_sweep(struct dataplane *dp, __u32 flags, __u32 *ended, struct xf_error *err)
{
	struct xf_sweep_request request = {.flags = flags};
	unsigned char packet[RUN_LEN] = {0};

	memcpy(packet, &request, sizeof(request));
	if (prog_run(dp, DP_PROG_SWEEP, packet, err))
		return -1;
	memcpy(&request, packet, sizeof(request));
	if (ended)
		*ended = request.ended;
	return 0;
}

int dp_refusals_settle(struct dataplane *dp, struct xf_error *err)
{
	return dp_sweep(dp, XF_SWEEP_SETTLE, NULL, err);
}

void dp_refusals_end(struct dataplane *dp)
{
	struct xf_error ignored;

	if (dp_sweep(dp, XF_SWEEP_CHANGE | XF_SWEEP_SETTLE, NULL, &ignored))
		log_debug("%s", ignored.text);
}

__u32 dp_prog_id(int prog_fd)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	return prog_fd < 0 || bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

void dp_prog_name(__u32 id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	snprintf(name, BPF_OBJ_NAME_LEN, "?");
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(name, BPF_OBJ_NAME_LEN, "%.*s", BPF_OBJ_NAME_LEN - 1, info.name);
	close(fd);
}
