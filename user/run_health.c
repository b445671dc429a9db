// SPDX-License-Identifier: GPL-2.0-only
/* Whether targets answer: noted where other commands see it, and told when it changes. */
#include <stdio.h>

#include "log.h"
#include "run.h"

static void told(const struct health_news *news, void *arg)
{
	struct run *run = arg;
	char target[XF_ENDPOINT_STRLEN], others[32] = "";
	size_t i;

	for (i = 0; run->dp && i < news->n; i++)
		dp_health_note(run->dp, &news->target[i], news->up, news->good_ms);
	if (!news->changed)
		return;
	if (news->n > 1)
		snprintf(others, sizeof(others), " and %zu more", news->n - 1);
	xf_target_format(&news->target->target, target, sizeof(target));
	if (news->up)
		log_info("%s, the target of rule \"%s\"%s, is up", target, news->target->name, others);
	else
		log_error("%s, the target of rule \"%s\"%s, is down: %s", target, news->target->name, others,
			  news->why ? news->why : "it does not answer");
}

int run_health_start(struct run *run, const struct run_health_options *options, struct xf_error *err)
{
	const struct health_options health = {
		.period_ms = options->period * 1000,
		.threshold = options->threshold,
		.told = told,
		.arg = run,
	};

	return options->period ? health_new(&run->health, run->loop, &health, err) : 0;
}

/* Nobody looks any more, and so nobody knows. */
void run_health_end(struct run *run)
{
	if (run->health && run->dp)
		dp_health_forget(run->dp);
	health_free(run->health);
	run->health = NULL;
}
