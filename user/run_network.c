// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces, addresses and routes, as they are now. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "run.h"

/* What is under way at once is followed at once; a network that never rests must leave time for the rest. */
#define QUIET_MS 100
#define RETRY_MS 2000

static bool is_news(const struct dp_followed *before, const struct dp_followed *after)
{
	return before->state != after->state || before->ifindex != after->ifindex ||
	       (after->state == DP_FOLLOWED_REFUSED && strcmp(before->why.text, after->why.text));
}

static void tell(const struct dp_followed *wanted)
{
	switch (wanted->state) {
	case DP_FOLLOWED_ATTACHED:
		log_info("%s: attached", wanted->name);
		break;
	case DP_FOLLOWED_ABSENT:
		log_warning("%s is not there; it will be attached when it comes", wanted->name);
		break;
	case DP_FOLLOWED_REFUSED:
		log_error("%s", wanted->why.text);
		break;
	case DP_FOLLOWED_NEW:
		break;
	}
}

static int sync_locked(struct run *run, struct dataplane *dp, struct xf_error *err)
{
	struct dp_followed *before = calloc(run->n_wanted + 1, sizeof(*before));
	size_t i;
	int rc;

	if (!before)
		return xf_fail(err, "out of memory");
	memcpy(before, run->wanted, run->n_wanted * sizeof(*before));
	rc = dp_resync(dp, run->wanted, run->n_wanted, err);
	for (i = 0; i < run->n_wanted; i++)
		if (is_news(&before[i], &run->wanted[i]))
			tell(&run->wanted[i]);
	free(before);
	return rc;
}

static int sync_now(struct run *run, struct xf_error *err)
{
	struct dataplane *dp;
	int rc;

	if (dp_open(&dp, run->state, true, err))
		return -1;
	rc = sync_locked(run, dp, err);
	dp_close(dp);
	return rc;
}

static void follow(struct run *run)
{
	struct xf_error err;

	if (!sync_now(run, &err))
		return;
	/* Told as a warning, so that what goes on is told once. */
	log_warning("cannot follow the network: %s", err.text);
	loop_timer_set(run->loop, &run->resync, RETRY_MS);
}

static void changed(void *arg)
{
	follow(arg);
}

static void retry(struct loop_timer *timer)
{
	follow(timer->arg);
}

int run_network_start(struct run *run, struct xf_error *err)
{
	const struct monitor_options options = {.changed = changed, .arg = run, .quiet_ms = QUIET_MS};

	run->resync = (struct loop_timer){.due = retry, .arg = run};
	return monitor_new(&run->monitor, run->loop, &options, err);
}

/* What is known of those that stay is kept. */
static struct dp_followed wanted_as(const struct run *run, const struct config_iface *iface)
{
	struct dp_followed wanted = {.mode = iface->mode};
	size_t i;

	memcpy(wanted.name, iface->name, sizeof(wanted.name));
	for (i = 0; i < run->n_wanted; i++)
		if (run->wanted[i].mode == iface->mode && !strcmp(run->wanted[i].name, iface->name))
			return run->wanted[i];
	return wanted;
}

int run_network_wanted(struct run *run, const struct config *config, struct xf_error *err)
{
	struct dp_followed *wanted = calloc(config->n_ifaces + 1, sizeof(*wanted));
	size_t i;

	if (!wanted)
		return xf_fail(err, "out of memory");
	for (i = 0; i < config->n_ifaces; i++)
		wanted[i] = wanted_as(run, &config->ifaces[i]);
	free(run->wanted);
	run->wanted = wanted;
	run->n_wanted = config->n_ifaces;
	return sync_now(run, err);
}
