// SPDX-License-Identifier: GPL-2.0-only
/* From a config whose names are known to rules in force. */
#include "apply.h"
#include "log.h"
#include "run.h"

#define LINES_MAX 50 /* of changes that are told one by one */

static void tell_changes(const struct plan *plan)
{
	struct buf line = {0};
	size_t i;

	for (i = 0; i < plan->n && plan->n <= LINES_MAX; i++) {
		line.len = 0;
		plan_write_change(&plan->change[i], &line);
		if (!buf_failed(&line))
			log_info("%s", line.data);
	}
	buf_free(&line);
	log_info("rules: %zu added, %zu changed, %zu removed, %zu as before", plan->added, plan->changed, plan->removed,
		 plan->unchanged);
}

int run_apply(struct run *run, const struct config *config, struct xf_error *err)
{
	const struct apply_options options = {.state = run->state};
	struct apply_result result = {0};
	int rc = apply_config(config, &options, &result, err);

	if (!rc) {
		tell_changes(&result.plan);
	} else if (config_errors_any(&result.errors)) {
		run_config_tell(run, &result.errors);
		err->text[0] = '\0';
	}
	apply_result_free(&result);
	return rc;
}
