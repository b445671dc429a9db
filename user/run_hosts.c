// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of targets. Those of the config are asked for before it comes into force;
 * and those of all rules that run, whoever made them, for as long as they do.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "run.h"

#define LOOK_MS	  5000 /* how soon a rule is found that somebody else has made */
#define AT_A_TIME 64   /* questions, so that a name server is not flooded */

/* ---- asking */

struct asked {
	struct run *run;
	struct host *host;
};

static size_t n_asking(const struct run *run)
{
	size_t i, n = 0;

	for (i = 0; i < run->hosts.n; i++)
		n += run->hosts.host[i]->asking;
	return n;
}

static void tell(const struct host *host, const struct resolve_answer *answer, enum host_news news)
{
	char addr[XF_ENDPOINT_STRLEN];

	if (news == HOST_MOVED)
		log_info("%s is %s", host->name, xf_address_format(&host->addr, addr, sizeof(addr)));
	else if (news == HOST_FAILED && host->addr.family)
		log_warning("%s cannot be resolved: %s; it stays %s", host->name, answer->why,
			    xf_address_format(&host->addr, addr, sizeof(addr)));
	else if (news == HOST_FAILED)
		log_warning("%s cannot be resolved: %s", host->name, answer->why);
}

static void answered(const struct resolve_answer *answer, void *arg)
{
	struct asked asked = *(struct asked *)arg;
	enum host_news news = host_take(asked.host, answer, loop_now());

	free(arg);
	asked.host->asking = false;
	tell(asked.host, answer, news);
	if (news == HOST_MOVED)
		loop_timer_set(asked.run->loop, &asked.run->look, 0);
	loop_timer_set(asked.run->loop, &asked.run->ask, 0);
	run_config_names(asked.run);
}

static void ask(struct run *run, struct host *host)
{
	struct asked *asked = malloc(sizeof(*asked));

	if (!asked) {
		host->next = loop_now() + HOST_TTL_MIN * 1000;
		return;
	}
	host->asking = true;
	*asked = (struct asked){run, host};
	resolver_ask(run->resolver, host->name, host->family, answered, asked);
}

static void ask_due(struct loop_timer *timer)
{
	struct run *run = timer->arg;
	size_t asking = n_asking(run);
	int64_t now = loop_now(), next;
	struct host *host;

	while ((host = hosts_due(&run->hosts, now, &next))) {
		if (asking++ >= AT_A_TIME)
			return; /* the next answer comes by here */
		ask(run, host);
	}
	if (next != INT64_MAX)
		loop_timer_set(run->loop, timer, next - now);
}

/* ---- the names of a config */

static struct host *host_of(const struct run *run, const struct xf_target *target)
{
	return target->host[0] ? hosts_find(&run->hosts, target->host, target->addr.family) : NULL;
}

static void want_names(struct run *run, const struct config *config)
{
	size_t i;

	for (i = 0; i < config->n_rules; i++)
		if (config->rules[i].target.host[0])
			hosts_want(&run->hosts, config->rules[i].target.host, config->rules[i].target.addr.family);
}

void run_hosts_want(struct run *run, const struct config *config)
{
	want_names(run, config);
	loop_timer_set(run->loop, &run->ask, 0);
}

bool run_hosts_settled(const struct run *run, const struct config *config)
{
	const struct host *host;
	size_t i;

	for (i = 0; i < config->n_rules; i++) {
		host = host_of(run, &config->rules[i].target);
		if (host && !host->addr.family && !host->failures)
			return false;
	}
	return true;
}

size_t run_hosts_unknown(const struct run *run, const struct config *config)
{
	const struct host *host;
	size_t i, n = 0;

	for (i = 0; i < config->n_rules; i++) {
		host = host_of(run, &config->rules[i].target);
		n += config->rules[i].target.host[0] && (!host || !host->addr.family);
	}
	return n;
}

bool run_hosts_fill(const struct run *run, struct xf_rule_spec *rule)
{
	const struct host *host = host_of(run, &rule->target);

	if (!rule->target.host[0])
		return true;
	if (!host || !host->addr.family)
		return false;
	rule->target.addr = host->addr;
	return true;
}

/* ---- the names of rules that run */

static void move(struct run *run, const struct dp_target *target, const struct host *host)
{
	char from[XF_ENDPOINT_STRLEN], to[XF_ENDPOINT_STRLEN];
	struct dataplane *dp;
	struct xf_error err;

	xf_address_format(&target->target.addr, from, sizeof(from));
	xf_address_format(&host->addr, to, sizeof(to));
	if (dp_open(&dp, run->state, true, &err)) {
		log_warning("rule \"%s\" stays at %s: %s", target->name, from, err.text);
		return;
	}
	if (dp_target_move(dp, target, &host->addr, &err))
		log_warning("rule \"%s\" stays at %s, though %s is %s: %s", target->name, from, host->name, to,
			    err.text);
	else
		log_info("rule \"%s\": new connections go to %s, which is %s now", target->name, host->name, to);
	dp_close(dp);
}

/* The address that a rule has is good until its name says otherwise: a restart without name servers changes nothing. */
static void follow_name(struct run *run, struct dp_target *target)
{
	struct host *host = hosts_want(&run->hosts, target->target.host, target->target.addr.family);

	if (!host)
		return;
	if (!host->addr.family)
		host->addr = target->target.addr;
	else if (!xf_address_equal(&host->addr, &target->target.addr))
		move(run, target, host);
}

static void look(struct run *run)
{
	struct dp_target *targets;
	struct xf_error err;
	size_t n, i;

	dp_close(run->dp);
	run->dp = NULL;
	if (dp_open(&run->dp, run->state, false, &err) || dp_targets(run->dp, &targets, &n, &err)) {
		log_warning("cannot see which rules there are: %s", err.text);
		return;
	}
	for (i = 0; i < n; i++)
		if (targets[i].target.host[0])
			follow_name(run, &targets[i]);
	want_names(run, &run->config);
	want_names(run, &run->next);
	hosts_sweep(&run->hosts);
	if (!run->health)
		free(targets);
	else if (health_targets(run->health, targets, n, &err))
		log_warning("cannot look after targets: %s", err.text);
	loop_timer_set(run->loop, &run->ask, 0);
}

static void look_due(struct loop_timer *timer)
{
	struct run *run = timer->arg;

	look(run);
	loop_timer_set(run->loop, timer, LOOK_MS);
}

void run_targets_look(struct run *run)
{
	look_due(&run->look);
}

int run_hosts_start(struct run *run, struct xf_error *err)
{
	run->ask = (struct loop_timer){.due = ask_due, .arg = run};
	run->look = (struct loop_timer){.due = look_due, .arg = run};
	return resolver_new(&run->resolver, run->loop, err);
}
