/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes what runs equal to a config: for the commands, and for whoever stays and follows it. */
#ifndef XDPFWD_USER_APPLY_H
#define XDPFWD_USER_APPLY_H

#include "config.h"
#include "plan.h"

struct apply_options {
	const char *state;
	bool dry_run;
	bool keep_flows;	  /* flows of rules that go live out */
	bool force;		  /* even if rules shadow local sockets */
	uint32_t confirm_seconds; /* 0: for good */
};

/* Begins all zero. */
struct apply_result {
	struct plan plan;
	const char **attached; /* interfaces of the config that were not attached before; they are the config's */
	size_t n_attached;
	struct config_errors errors; /* rules that this machine cannot have, by their places in the config */
	/* What the plan points to. */
	struct dp_rule *rules;
	struct plan_rule *running, *wanted;
};

/*
 * Opens the instance, compares, and applies: all or nothing, in one step for the
 * traffic. What differs is in the result, which points into the config; what
 * does not prevent it is told through log.h. -1: err, and if rules of the config
 * are at fault, result->errors has all of them.
 */
int apply_config(const struct config *config, const struct apply_options *options, struct apply_result *result,
		 struct xf_error *err);
void apply_result_free(struct apply_result *result);

#endif
