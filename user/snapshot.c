// SPDX-License-Identifier: GPL-2.0-only
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cmd.h"

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int snapshot_take(struct snapshot *s, const char *state, struct xf_error *err)
{
	double begin = monotonic();
	struct dataplane *dp;
	struct utsname name;
	int ret = -1;

	memset(s, 0, sizeof(*s));
	if (dp_open(&dp, state, false, err) < 0)
		return -1;
	if (dp_status(dp, &s->status, err) < 0)
		goto close;
	if (dp_rules(dp, &s->rules, &s->n_rules, err) < 0) {
		dp_status_free(&s->status);
		goto close;
	}
	snprintf(s->kernel, sizeof(s->kernel), "%s", uname(&name) ? "" : name.release);
	s->seconds = monotonic() - begin;
	ret = 0;
close:
	dp_close(dp);
	return ret;
}

void snapshot_free(struct snapshot *s)
{
	dp_status_free(&s->status);
	free(s->rules);
	memset(s, 0, sizeof(*s));
}

struct metrics_input snapshot_input(const struct snapshot *s)
{
	return (struct metrics_input){
		.status = &s->status,
		.rules = s->rules,
		.n_rules = s->n_rules,
		.tier_name = dp_tier_name,
		.version = XF_VERSION,
		.kernel = s->kernel,
		.seconds = s->seconds,
	};
}

int snapshot_metrics(struct buf *b, const char *state, enum metrics_format format, struct xf_error *err)
{
	struct metrics_input in;
	struct snapshot s;

	if (snapshot_take(&s, state, err) < 0)
		return -1;
	in = snapshot_input(&s);
	metrics_write(b, &in, format);
	snapshot_free(&s);
	return buf_failed(b) ? xf_fail(err, "not enough memory") : 0;
}
