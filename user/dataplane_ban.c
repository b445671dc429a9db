/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is banned: the set XF_SET_BANS of "prefixes4" and "prefixes6". The programs
 * judge by its own what is over; the tool removes it when it next bans, lifts or loads.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"

union ban_key {
	struct xf_prefix4 v4;
	struct xf_prefix6 v6;
};

static int map_of(const struct dataplane *dp, __u8 family)
{
	return dp->map[family == XF_IPV4 ? DP_MAP_PREFIXES4 : DP_MAP_PREFIXES6];
}

static union ban_key key_of(const struct cidr *net)
{
	union ban_key key;

	memset(&key, 0, sizeof(key));
	if (net->addr.family == XF_IPV4) {
		key.v4.prefixlen = XF_PREFIX4_BITS(net->bits);
		key.v4.set = XF_SET_BANS;
		key.v4.addr = net->addr.addr.v4;
	} else {
		key.v6.prefixlen = XF_PREFIX6_BITS(net->bits);
		key.v6.set = XF_SET_BANS;
		memcpy(key.v6.addr, net->addr.addr.v6, sizeof(key.v6.addr));
	}
	return key;
}

/* ---- all bans */

struct ban_walk {
	struct dp_ban *bans;
	size_t n, room;
	__u8 family;
	__u64 jiffies; /* now */
	double unix_now;
	__u32 hz;
};

static struct cidr net_of(const void *key, __u8 family)
{
	struct cidr net = {.addr.family = family};
	union ban_key k;

	memcpy(&k, key, family == XF_IPV4 ? sizeof(k.v4) : sizeof(k.v6));
	if (family == XF_IPV4) {
		net.bits = (__u8)(k.v4.prefixlen - XF_PREFIX4_BITS(0));
		net.addr.addr.v4 = k.v4.addr;
	} else {
		net.bits = (__u8)(k.v6.prefixlen - XF_PREFIX6_BITS(0));
		memcpy(net.addr.addr.v6, k.v6.addr, sizeof(k.v6.addr));
	}
	return net;
}

static int note_ban(const void *key, const void *value, void *arg)
{
	struct ban_walk *w = arg;
	struct xf_prefix prefix;
	struct dp_ban *ban;
	__u32 set;

	/* In both kinds of keys the set comes after the length. */
	memcpy(&set, (const char *)key + sizeof(__u32), sizeof(set));
	if (set != XF_SET_BANS)
		return 0;
	if (w->n == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct dp_ban *bans = reallocarray(w->bans, room, sizeof(*bans));

		if (!bans)
			return -ENOMEM;
		w->bans = bans;
		w->room = room;
	}
	memcpy(&prefix, value, sizeof(prefix));
	ban = &w->bans[w->n++];
	*ban = (struct dp_ban){.net = net_of(key, w->family), .packets = prefix.hits};
	if (prefix.until) {
		ban->over = prefix.until <= w->jiffies;
		ban->until_unix = (__s64)floor(w->unix_now + (double)(__s64)(prefix.until - w->jiffies) / w->hz);
	}
	return 0;
}

static int by_network(const void *a, const void *b)
{
	return cidr_compare(&((const struct dp_ban *)a)->net, &((const struct dp_ban *)b)->net);
}

/* Those that are over, too. */
static int read_bans(struct dataplane *dp, struct ban_walk *w, struct xf_error *err)
{
	struct xf_clock clock;
	struct timespec now;
	int rc;

	if (dp_clock_read(dp, &clock, err) || dp_refusals_settle(dp, err))
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	*w = (struct ban_walk){.jiffies = clock.jiffies, .hz = dp->config.hz};
	w->unix_now = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	w->family = XF_IPV4;
	rc = dp_map_walk(map_of(dp, w->family), note_ban, w);
	w->family = XF_IPV6;
	if (!rc)
		rc = dp_map_walk(map_of(dp, w->family), note_ban, w);
	if (rc) {
		free(w->bans);
		*w = (struct ban_walk){0};
		return xf_fail(err, "cannot read the bans: %s", strerror(-rc));
	}
	if (w->n)
		qsort(w->bans, w->n, sizeof(*w->bans), by_network);
	return 0;
}

int dp_bans(struct dataplane *dp, struct dp_ban **bans, size_t *n, struct xf_error *err)
{
	struct ban_walk w;
	size_t i;

	if (read_bans(dp, &w, err))
		return -1;
	for (*n = i = 0; i < w.n; i++)
		if (!w.bans[i].over)
			w.bans[(*n)++] = w.bans[i];
	*bans = w.bans;
	return 0;
}

/* ---- banning */

/* *left: how many hold now. */
static int forget_over(struct dataplane *dp, size_t *left, struct xf_error *err)
{
	struct ban_walk w;
	union ban_key key;
	size_t i;

	if (read_bans(dp, &w, err))
		return -1;
	for (*left = i = 0; i < w.n; i++) {
		key = key_of(&w.bans[i].net);
		if (!w.bans[i].over || bpf_map_delete_elem(map_of(dp, w.bans[i].net.addr.family), &key))
			++*left;
	}
	free(w.bans);
	return 0;
}

/*
 * Tells the programs whether to ask who is banned: before the first ban is written,
 * and after the last is gone. A tool that is killed between makes them ask in vain.
 */
static int set_asked(struct dataplane *dp, bool asked, struct xf_error *err)
{
	__u32 before = dp->config.flags;

	dp->config.flags = asked ? before & ~XF_CONFIG_NO_BANS : before | XF_CONFIG_NO_BANS;
	return dp->config.flags == before ? 0 : dp_config_write(dp, err);
}

int dp_bans_refresh(struct dataplane *dp, struct xf_error *err)
{
	size_t left;

	return forget_over(dp, &left, err) ? -1 : set_asked(dp, left, err);
}

/* The ban on just this network, not on a wider one; false: there is none. */
static bool find_ban(struct dataplane *dp, const struct cidr *net, struct xf_prefix *ban)
{
	union ban_key key = key_of(net);

	return !bpf_map_lookup_elem(map_of(dp, net->addr.family), &key, ban) && ban->bits == net->bits;
}

static int write_ban(struct dataplane *dp, const struct cidr *net, __u64 until, struct xf_error *err)
{
	struct xf_prefix ban = {.bits = net->bits}, before;
	union ban_key key = key_of(net);

	/* Banned anew, its count goes on. */
	if (find_ban(dp, net, &before))
		ban.hits = before.hits;
	ban.until = until;
	if (bpf_map_update_elem(map_of(dp, net->addr.family), &key, &ban, BPF_ANY))
		return xf_fail(err, "cannot ban: %s",
			       errno == ENOSPC ? "there is no room for more networks" : strerror(errno));
	return 0;
}

/* As it was before: banned until some other time, or not at all. */
static void restore_ban(struct dataplane *dp, const struct cidr *net, const struct xf_prefix *before)
{
	union ban_key key = key_of(net);

	if (before->bits || before->until || before->hits)
		bpf_map_update_elem(map_of(dp, net->addr.family), &key, before, BPF_ANY);
	else
		bpf_map_delete_elem(map_of(dp, net->addr.family), &key);
}

int dp_ban(struct dataplane *dp, const struct dp_ban_request *r, uint32_t *ended, struct xf_error *err)
{
	struct xf_prefix *before = calloc(r->n + 1, sizeof(*before));
	struct xf_error ignored;
	struct xf_clock clock;
	__u64 until = 0;
	size_t i, left;
	int rc;

	if (!before)
		return xf_fail(err, "out of memory");
	rc = forget_over(dp, &left, err) || dp_clock_read(dp, &clock, err) || set_asked(dp, true, err) ? -1 : 0;
	if (!rc && r->seconds)
		until = clock.jiffies + r->seconds * dp->config.hz;
	for (i = 0; i < r->n && !rc; i++) {
		if (!find_ban(dp, &r->nets[i], &before[i]))
			before[i] = (struct xf_prefix){0};
		rc = write_ban(dp, &r->nets[i], until, err);
	}
	if (!rc)
		rc = dp_sweep(dp, XF_SWEEP_BANNED, ended, err);
	while (rc && i-- > 0)
		restore_ban(dp, &r->nets[i], &before[i]);
	if (rc)
		dp_bans_refresh(dp, &ignored);
	free(before);
	return rc;
}

int dp_ban_lift(struct dataplane *dp, const struct cidr *net, struct xf_error *err)
{
	union ban_key key = key_of(net);

	if (!bpf_map_delete_elem(map_of(dp, net->addr.family), &key))
		return dp_bans_refresh(dp, err);
	return xf_fail(err, "cannot lift a ban: %s", strerror(errno));
}
