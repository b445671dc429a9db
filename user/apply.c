// SPDX-License-Identifier: GPL-2.0-only
#include "apply.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "names.h"
#include "resolve.h"

struct work {
	const struct config *config;
	const struct apply_options *options;
	struct apply_result *result;
	struct dataplane *dp;
	struct dp_status status; /* interfaces and limits */
	size_t n_running;
	struct dp_wanted *wanted;
	struct dp_iface_wanted *ifaces;
};

/* ---- interfaces and limits */

static const struct dp_iface *find_attached(const struct dp_status *status, const char *name)
{
	size_t i;

	for (i = 0; i < status->n_ifaces; i++)
		if (!strcmp(status->ifaces[i].name, name))
			return &status->ifaces[i];
	return NULL;
}

static bool is_named(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->n_ifaces; i++)
		if (!strcmp(config->ifaces[i].name, name))
			return true;
	return false;
}

/* Another tier than the config wants is not changed under the traffic that it has. */
static void tell_mode(const struct config_iface *wanted, const struct dp_iface *is)
{
	static const enum xf_tier tiers[] = {
		[DP_MODE_NATIVE] = XF_TIER_NATIVE,
		[DP_MODE_GENERIC] = XF_TIER_GENERIC,
		[DP_MODE_TC] = XF_TIER_TC,
	};

	if (wanted->mode != DP_MODE_AUTO && tiers[wanted->mode] != is->tier)
		log_warning("%s is loaded as %s, and the config says %s; remedy: xdpfwd load %s --mode %s", is->name,
			    dp_tier_name(is->tier), config_mode_name(wanted->mode), is->name,
			    config_mode_name(wanted->mode));
}

static int compare_interfaces(struct work *w, struct xf_error *err)
{
	const struct config *config = w->config;
	size_t i;

	w->ifaces = calloc(config->n_ifaces + 1, sizeof(*w->ifaces));
	w->result->attached = calloc(config->n_ifaces + 1, sizeof(*w->result->attached));
	if (!w->ifaces || !w->result->attached)
		return xf_fail(err, "not enough memory");
	for (i = 0; i < config->n_ifaces; i++) {
		const struct dp_iface *is = find_attached(&w->status, config->ifaces[i].name);

		w->ifaces[i] = (struct dp_iface_wanted){config->ifaces[i].name, config->ifaces[i].mode};
		if (is)
			tell_mode(&config->ifaces[i], is);
		else
			w->result->attached[w->result->n_attached++] = config->ifaces[i].name;
	}
	for (i = 0; i < w->status.n_ifaces && config->n_ifaces; i++)
		if (!w->status.ifaces[i].automatic && !is_named(config, w->status.ifaces[i].name))
			log_warning("%s is loaded, and the config does not name it: it stays; to detach it, run "
				    "`xdpfwd unload %s`",
				    w->status.ifaces[i].name, w->status.ifaces[i].name);
	return 0;
}

static void tell_limit(const char *what, uint32_t wanted, uint32_t is)
{
	if (wanted && wanted != is)
		log_warning("limits: the config says %u %s, and the data plane has room for %u; to change that, run "
			    "`xdpfwd unload --all`, and load with the config again",
			    wanted, what, is);
}

/* ---- rules */

static int read_running(struct work *w, struct xf_error *err)
{
	struct apply_result *r = w->result;
	size_t i;

	if (dp_rule_specs(w->dp, &r->rules, &w->n_running, err))
		return -1;
	r->running = calloc(w->n_running + 1, sizeof(*r->running));
	if (!r->running)
		return xf_fail(err, "not enough memory");
	for (i = 0; i < w->n_running; i++)
		r->running[i] = (struct plan_rule){
			.spec = &r->rules[i].spec,
			.allow = {r->rules[i].allow, r->rules[i].allow_hash},
			.deny = {r->rules[i].deny, r->rules[i].deny_hash},
		};
	return 0;
}

static int compare_rules(struct work *w, struct xf_error *err)
{
	struct apply_result *r = w->result;
	struct plan_set running = {.n = w->n_running}, wanted = {.n = w->config->n_rules};

	r->wanted = calloc(wanted.n + 1, sizeof(*r->wanted));
	if (!r->wanted)
		return xf_fail(err, "not enough memory");
	plan_rules(w->config->rules, wanted.n, r->wanted);
	running.rule = r->running;
	wanted.rule = r->wanted;
	return plan_make(&running, &wanted, &r->plan, err);
}

/* All wanted rules as if nothing changed; those of which there are none yet are among the changes. */
static int name_running(struct work *w, struct xf_error *err)
{
	struct names names = {0};
	struct name *name;
	size_t i;

	w->wanted = calloc(w->config->n_rules + 1, sizeof(*w->wanted));
	for (i = 0; i < w->n_running && w->wanted; i++) {
		name = names_add(&names, w->result->rules[i].spec.name);
		if (name)
			name->at = w->result->rules[i].id;
		if (!name)
			break;
	}
	if (i < w->n_running || !w->wanted) {
		names_free(&names);
		return xf_fail(err, "not enough memory");
	}
	for (i = 0; i < w->config->n_rules; i++) {
		name = names_find(&names, w->config->rules[i].name);
		w->wanted[i] = (struct dp_wanted){&w->config->rules[i], name ? name->at : 0, DP_FATE_SAME};
	}
	names_free(&names);
	return 0;
}

static void decide_fates(struct work *w)
{
	const struct plan *plan = &w->result->plan;
	size_t i;

	for (i = 0; i < plan->n; i++) {
		const struct plan_change *change = &plan->change[i];

		if (change->wanted)
			w->wanted[change->wanted - w->result->wanted].fate =
				change->kind == PLAN_ADDED ? DP_FATE_NEW :
				plan_keeps_flows(change)   ? DP_FATE_CONDITIONS :
							     DP_FATE_OTHER;
	}
}

/* ---- both */

static void blame(size_t rule, const struct xf_error *why, void *arg)
{
	struct work *w = arg;

	if (w->config->places)
		config_errors_add(&w->result->errors, w->config->places[rule], "rule %s: %s",
				  w->config->rules[rule].name, why->text);
}

/* Names of targets that nobody has asked for yet; those of rules that stay mean what they mean now. */
static int resolve_names(struct work *w, struct xf_error *err)
{
	const struct plan *plan = &w->result->plan;
	struct xf_error first;
	size_t i, wrong = 0;

	for (i = 0; i < plan->n; i++) {
		const struct plan_change *change = &plan->change[i];
		/* The config's rules are its owner's to change, and so they are ours. */
		struct xf_rule_spec *rule = change->wanted ? (struct xf_rule_spec *)change->wanted->spec : NULL;
		struct xf_error why;

		if (!rule || plan_keeps_flows(change) || !xf_target_is_unresolved(&rule->target) ||
		    !resolve_once(rule->target.host, &rule->target.addr, &why))
			continue;
		blame((size_t)(change->wanted - w->result->wanted), &why, w);
		if (!wrong++)
			first = why;
	}
	config_errors_settle(&w->result->errors);
	return wrong ? xf_fail(err, "%s", first.text) : 0;
}

static int apply_compared(struct work *w, struct xf_error *err)
{
	const struct dp_apply_set set = {.wanted = w->wanted, .n = w->config->n_rules};
	const struct dp_apply_options options = {
		.ifaces = w->ifaces,
		.n_ifaces = w->config->n_ifaces,
		.force = w->options->force,
		.keep_flows = w->options->keep_flows,
		.dry_run = w->options->dry_run,
		.confirm_seconds = w->options->confirm_seconds,
		.blame = blame,
		.arg = w,
	};
	int rc = dp_apply(w->dp, &set, &options, err);

	config_errors_settle(&w->result->errors);
	return rc;
}

static int apply_opened(struct work *w, struct xf_error *err)
{
	int rc = dp_settings(w->dp, &w->status, err);

	if (rc)
		return rc;
	rc = compare_interfaces(w, err) || read_running(w, err) || compare_rules(w, err) || name_running(w, err);
	if (!rc) {
		tell_limit("rules", w->config->max_rules, w->status.max_rules);
		tell_limit("flows", w->config->max_flows, w->status.max_flows);
		decide_fates(w);
		rc = resolve_names(w, err) || apply_compared(w, err) ? -1 : 0;
	}
	dp_status_free(&w->status);
	return rc ? -1 : 0;
}

int apply_config(const struct config *config, const struct apply_options *options, struct apply_result *result,
		 struct xf_error *err)
{
	struct work w = {.config = config, .options = options, .result = result};
	int rc;

	memset(result, 0, sizeof(*result));
	if (dp_open(&w.dp, options->state, !options->dry_run, err))
		return -1;
	rc = apply_opened(&w, err);
	dp_close(w.dp);
	free(w.wanted);
	free(w.ifaces);
	return rc;
}

void apply_result_free(struct apply_result *result)
{
	plan_free(&result->plan);
	config_errors_free(&result->errors);
	free(result->attached);
	free(result->running);
	free(result->wanted);
	free(result->rules);
	memset(result, 0, sizeof(*result));
}
