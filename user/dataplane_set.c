/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rule sets. The one in force has a number, in the config, and half of the maps
 * that say what rules are. The next one is built aside, under the next number
 * and in the other half, and comes into force by one store. Until that is
 * confirmed, the programs themselves go back to the one before when its time is
 * over, whether any process lives then or not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "log.h"

/* ---- which one is in force */

/* How many jiffies are left until the set before is back; 0: it is. */
static int time_left(struct dataplane *dp, __u64 *left, struct xf_error *err)
{
	struct xf_clock clock;

	if (dp_clock_read(dp, &clock, err))
		return -1;
	*left = clock.jiffies < dp->config.set_until ? dp->config.set_until - clock.jiffies : 0;
	return 0;
}

int dp_set_look(struct dataplane *dp, struct xf_error *err)
{
	__u64 left = 1;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_CONFIG], &zero, &dp->config))
		return xf_fail(err, "cannot read the configuration in %s: %s", dp->dir, strerror(errno));
	if (dp->config.set_until && time_left(dp, &left, err))
		return -1;
	dp->set = left ? dp->config.set : dp->config.set_before;
	return 0;
}

/* ---- from one to the next */

/*
 * Until no packet is under way any more that has met the set before: the kernel
 * waits for all running programs before it lets a change of a map of maps return.
 */
static int wait_for_packets(struct xf_error *err)
{
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "xf_inner", sizeof(__u32), sizeof(__u32), 1, NULL), rc = -1;
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = (__u32)inner);
	int outer = inner < 0 ? -1 :
				bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "xf_outer", sizeof(__u32), sizeof(__u32), 1,
					       &opts);
	__u32 zero = 0;

	if (outer >= 0)
		rc = bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
	if (rc)
		xf_fail(err, "cannot wait for packets under way: %s", strerror(errno));
	if (outer >= 0)
		close(outer);
	if (inner >= 0)
		close(inner);
	return rc ? -1 : 0;
}

int dp_set_begin(struct dataplane *dp, __u32 *next, struct xf_error *err)
{
	*next = dp->config.set + 1;
	dp->config.flags |= XF_CONFIG_UNSETTLED;
	return dp_config_write(dp, err);
}

int dp_set_switch(struct dataplane *dp, __u32 next, __u32 seconds, struct xf_error *err)
{
	struct xf_clock clock = {0};

	if (seconds && dp_clock_read(dp, &clock, err))
		return -1;
	/* First what is of no account while both numbers are the same; then the one store. */
	dp->config.set_before = dp->config.set;
	dp->config.set_until = seconds ? clock.jiffies + (__u64)seconds * dp->config.hz : 0;
	if (dp_config_write(dp, err))
		return -1;
	dp->config.set = next;
	if (dp_config_write(dp, err))
		return -1;
	dp->set = next;
	return 0;
}

/* ---- what is of no set in force */

struct sweep {
	struct dataplane *dp;
	const struct dp_ruleset *rules; /* of the set in force */
	struct dp_batch batch;
};

static int drop_other_listen(const void *key, const void *value, void *arg)
{
	struct sweep *s = arg;
	struct xf_listen_key k;

	(void)value;
	memcpy(&k, key, sizeof(k));
	return k.set == s->dp->set ? 0 : dp_batch_add(&s->batch, key, NULL);
}

static int drop_other_range(const void *key, const void *value, void *arg)
{
	struct sweep *s = arg;
	struct xf_range_key k;

	(void)value;
	memcpy(&k, key, sizeof(k));
	return k.listen.set == s->dp->set ? 0 : dp_batch_add(&s->batch, key, NULL);
}

static int drop_other_meta(const void *key, const void *value, void *arg)
{
	struct sweep *s = arg;
	__u32 place, second;

	(void)value;
	memcpy(&place, key, sizeof(place));
	second = place >= s->dp->config.max_rules;
	return second == XF_SET_HALF(s->dp->set) ? 0 : dp_batch_add(&s->batch, key, NULL);
}

static int drop_other_host(const void *key, const void *value, void *arg)
{
	struct sweep *s = arg;
	__u32 tag, id;

	(void)value;
	memcpy(&tag, key, sizeof(tag));
	id = tag & XF_RULE_ID_MASK;
	return id < s->rules->max_rules && s->rules->rules[id].tag == tag ? 0 : dp_batch_add(&s->batch, key, NULL);
}

/* What was refused on account of rules that are gone. */
static int sweep_drops(const struct sweep *s)
{
	const struct dp_ruleset *rules = s->rules;
	bool *gone = calloc(rules->max_rules, sizeof(*gone));
	__u32 id;
	int rc;

	for (id = 0; gone && id < rules->max_rules; id++)
		gone[id] = !dp_rule_is_there(&rules->rules[id]);
	rc = gone ? dp_drops_forget(s->dp, gone) : -ENOMEM;
	free(gone);
	return rc;
}

static int sweep_map(struct sweep *s, enum dp_map map, dp_walk_fn fn)
{
	int rc = dp_batch_begin(&s->batch, s->dp->map[map], true);

	if (!rc)
		rc = dp_map_walk(s->dp->map[map], fn, s);
	return dp_batch_end(&s->batch, rc);
}

static int sweep_maps(struct dataplane *dp, const struct dp_ruleset *rules, struct xf_error *err)
{
	struct sweep s = {.dp = dp, .rules = rules};
	int rc = sweep_map(&s, DP_MAP_LISTEN, drop_other_listen);

	if (!rc)
		rc = sweep_map(&s, DP_MAP_LISTEN_RANGES, drop_other_range);
	if (!rc)
		rc = sweep_map(&s, DP_MAP_RULE_META, drop_other_meta);
	if (!rc)
		rc = sweep_map(&s, DP_MAP_RULE_HOSTS, drop_other_host);
	if (!rc)
		rc = sweep_drops(&s);
	return rc ? xf_fail(err, "cannot clear former rules away: %s", strerror(-rc)) : 0;
}

/* From here on nothing but the set in force is left, and what it needs of the machine. */
static int keep_only(struct dataplane *dp, const struct dp_ruleset *rules, struct xf_error *err)
{
	if (wait_for_packets(err) || sweep_maps(dp, rules, err) || dp_ports_rebuild(dp, rules, err) ||
	    dp_local_apply(dp, dp_local_needs(rules, NULL), err))
		return -1;
	dp_prefixes_clean(dp, rules);
	dp->config.flags &= ~XF_CONFIG_UNSETTLED;
	return dp_config_write(dp, err);
}

int dp_set_clear(struct dataplane *dp, struct xf_error *err)
{
	struct dp_ruleset rules;
	int rc;

	if (dp_ruleset_read(dp, &rules, err))
		return -1;
	rc = keep_only(dp, &rules, err);
	dp_ruleset_free(&rules);
	return rc ? -1 : dp_follow(dp, err);
}

/* The programs have gone back already; so that they need not look at the clock any more. */
static int go_back(struct dataplane *dp, struct xf_error *err)
{
	dp->config.set = dp->config.set_before;
	dp->config.flags |= XF_CONFIG_UNSETTLED;
	if (dp_config_write(dp, err))
		return -1;
	dp->config.set_until = 0;
	if (dp_config_write(dp, err))
		return -1;
	/* Flows of the set that was not confirmed: before a rule gets a tag that they have. */
	return dp_sweep(dp, XF_SWEEP_ALL, NULL, err);
}

static int check_confirmed(struct dataplane *dp, struct xf_error *err)
{
	__u64 left = 0;

	if (!dp->config.set_until)
		return 0;
	/* Killed just before the store that would have brought another set into force. */
	if (dp->config.set == dp->config.set_before) {
		dp->config.set_until = 0;
		return dp_config_write(dp, err);
	}
	if (time_left(dp, &left, err))
		return -1;
	if (!left)
		return go_back(dp, err);
	return xf_fail(err,
		       "rules were applied that wait to be confirmed: run `xdpfwd confirm` first, or wait %llu s until "
		       "the former ones are back",
		       (unsigned long long)left / dp->config.hz + 1);
}

int dp_set_settle(struct dataplane *dp, struct xf_error *err)
{
	if (dp_set_look(dp, err) || check_confirmed(dp, err))
		return -1;
	return dp->config.flags & XF_CONFIG_UNSETTLED ? dp_set_clear(dp, err) : 0;
}

/* ---- confirming */

static int confirm(struct dataplane *dp, struct xf_error *err)
{
	__u64 left = 0;

	if (dp_set_look(dp, err) || (dp->config.set_until && time_left(dp, &left, err)))
		return -1;
	if (!dp->config.set_until)
		return xf_fail(err, "nothing waits to be confirmed");
	if (!left) {
		if (dp_set_settle(dp, err))
			return -1;
		return xf_fail(err, "too late: the time was over, and the former rules are back");
	}
	dp->config.set_until = 0;
	dp->config.flags |= XF_CONFIG_UNSETTLED;
	return dp_config_write(dp, err) ? -1 : dp_set_clear(dp, err);
}

int dp_confirm(const char *state, struct xf_error *err)
{
	struct dataplane *dp;
	int rc;

	if (dp_open_locked(&dp, state, err))
		return -1;
	rc = confirm(dp, err);
	dp_close(dp);
	return rc;
}
