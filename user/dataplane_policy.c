/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules ask of newcomers, and until when they are open. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"

/* ---- until when */

/* How a time of day becomes one of the programs' clock. */
struct clocks {
	__u64 jiffies;
	__s64 nanoseconds; /* since 1970 */
	__u32 hz;
};

static int read_clocks(struct dataplane *dp, struct clocks *clocks, struct xf_error *err)
{
	struct xf_clock clock;
	struct timespec now;

	if (dp_clock_read(dp, &clock, err))
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	clocks->jiffies = clock.jiffies;
	clocks->nanoseconds = now.tv_sec * 1000000000LL + now.tv_nsec;
	clocks->hz = dp->config.hz;
	return 0;
}

/* Never before that time; one that has passed is now. */
static __u64 jiffies_of(const struct clocks *clocks, __s64 seconds)
{
	__s64 tick = 1000000000LL / clocks->hz, whole = seconds - clocks->nanoseconds / 1000000000LL;
	__s64 rest = clocks->nanoseconds % 1000000000LL;

	if (whole <= 0)
		return clocks->jiffies;
	return clocks->jiffies + (__u64)whole * clocks->hz - (__u64)(rest / tick);
}

static int refresh_one(struct dataplane *dp, const struct clocks *clocks, const struct dp_entry *entry,
		       const struct xf_rule *rule)
{
	__u64 expires = jiffies_of(clocks, (__s64)entry->meta.expires_unix), before = rule->expires;
	struct xf_rule changed = *rule;

	/* Both clocks are read one after the other: less than a second is no difference. */
	if (expires - before < clocks->hz || before - expires < clocks->hz)
		return 0;
	/* A door that has closed stays closed. */
	if (before <= clocks->jiffies)
		return 0;
	changed.expires = expires;
	return dp_rule_write(dp, entry->id, &changed);
}

int dp_expiry_refresh(struct dataplane *dp, struct xf_error *err)
{
	struct dp_ruleset set;
	struct clocks clocks;
	size_t i;
	int rc = 0;

	if (dp_ruleset_read(dp, &set, err))
		return -1;
	if (read_clocks(dp, &clocks, err)) {
		dp_ruleset_free(&set);
		return -1;
	}
	for (i = 0; i < set.n_entries && !rc; i++)
		if (set.rules[set.entries[i].id].expires && set.entries[i].meta.expires_by_date)
			rc = refresh_one(dp, &clocks, &set.entries[i], &set.rules[set.entries[i].id]);
	dp_ruleset_free(&set);
	return rc ? xf_fail(err, "cannot tell the rules when to expire: %s", strerror(-rc)) : 0;
}

/* ---- a new rule's */

int dp_policy_make(struct dataplane *dp, struct dp_addition *add, struct xf_rule *rule, struct xf_error *err)
{
	const struct xf_rule_spec *spec = add->spec;
	struct clocks clocks;

	if (xf_policy_encode(spec, dp->config.hz, &add->policy))
		rule->flags |= XF_RULE_POLICY;
	if (spec->expires) {
		if (read_clocks(dp, &clocks, err))
			return -1;
		rule->expires = jiffies_of(&clocks, spec->expires);
	}
	if (dp_prefixes_intern(dp, spec->allow, &add->policy.allow, err))
		return -1;
	return dp_prefixes_intern(dp, spec->deny, &add->policy.deny, err);
}

/*
 * A new rule does not owe what the last one in its place has spent. The rest of
 * its state is of flows in the table, and the programs' own: so not the whole
 * element is written, but one word, in place.
 */
static int fill_bucket(struct dataplane *dp, __u32 id)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), at = (size_t)id * sizeof(struct xf_rule_state);
	char *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, dp->map[DP_MAP_RULE_STATES],
		       (off_t)(at / page * page));

	if (p == MAP_FAILED)
		return -errno;
	((struct xf_rule_state *)(p + at % page))->bucket = 0;
	munmap(p, page);
	return 0;
}

int dp_policy_write(struct dataplane *dp, __u32 id, const struct xf_policy *policy, struct xf_error *err)
{
	__u32 place = dp_rule_place(dp, id);
	int rc = bpf_map_update_elem(dp->map[DP_MAP_POLICIES], &place, policy, BPF_ANY) ? -errno : fill_bucket(dp, id);

	return rc ? xf_fail(err, "cannot write the rule's conditions: %s", strerror(-rc)) : 0;
}
