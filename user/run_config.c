// SPDX-License-Identifier: GPL-2.0-only
/*
 * The config file, from text to what is in force. A file that is wrong changes
 * nothing. One that is right waits for the addresses of its names, but not long:
 * what has none by then is left out, and comes in when it has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "log.h"
#include "notify.h"
#include "run.h"

#define PATIENCE_MS 5000 /* with name servers */
#define QUIET_MS    200	 /* since the file was written last */

/* ---- reading */

void run_config_tell(const struct run *run, const struct config_errors *errors)
{
	struct buf text = {0};
	char *line, *rest;

	config_errors_write(errors, run->path, &text);
	for (rest = text.data; rest && (line = strsep(&rest, "\n"));)
		if (*line)
			log_error_line(line);
	buf_free(&text);
}

int run_config_read(const struct run *run, struct config *config)
{
	struct config_errors errors;
	struct xf_error err;
	int rc = config_file_read(run->path, config, &errors, &err);

	if (rc && !config_errors_any(&errors))
		log_error("%s", err.text);
	run_config_tell(run, &errors);
	config_errors_free(&errors);
	return rc;
}

/* ---- bringing it into force */

/* What can be in force of a config: the rules whose addresses are known. */
static int known_part(const struct run *run, const struct config *config, struct config *known, struct xf_error *err)
{
	size_t i;

	*known = *config;
	known->n_rules = 0;
	/* Interfaces are the network's matter, which knows how to wait for them. */
	known->n_ifaces = 0;
	known->rules = calloc(config->n_rules + 1, sizeof(*known->rules));
	known->places = calloc(config->n_rules + 1, sizeof(*known->places));
	if (!known->rules || !known->places)
		return xf_fail(err, "out of memory");
	for (i = 0; i < config->n_rules; i++) {
		known->rules[known->n_rules] = config->rules[i];
		known->places[known->n_rules] = config->places[i];
		if (run_hosts_fill(run, &known->rules[known->n_rules]))
			known->n_rules++;
		else
			log_warning("rule \"%s\" waits until %s has an address", config->rules[i].name,
				    config->rules[i].target.host);
	}
	return 0;
}

/* -1: err, or it was told where in the file the mistakes are, and err is empty. */
static int apply(struct run *run, const struct config *config, struct xf_error *err)
{
	struct config known;
	int rc;

	err->text[0] = '\0';
	rc = known_part(run, config, &known, err);
	if (!rc)
		rc = run_network_wanted(run, config, err) || run_apply(run, &known, err) ? -1 : 0;
	if (!rc)
		run->left_out = config->n_rules - known.n_rules;
	free(known.rules);
	free(known.places);
	return rc;
}

static void tell_ready(struct run *run)
{
	char status[320];

	snprintf(status, sizeof(status), "%zu rules of %.200s in force%s", run->config.n_rules - run->left_out,
		 run->path, run->left_out ? ", others wait for their names" : "");
	notify_ready(status);
	run->ready = true;
}

/* The manager waits for an end of what was begun, good or bad; but that it never began well is for it to see. */
static void fail(struct run *run, const struct xf_error *err)
{
	if (err && err->text[0])
		log_error("%s", err->text);
	if (run->ready) {
		log_error("%s is not in force; the rules are as they were", run->path);
		tell_ready(run);
		return;
	}
	run->failed = true;
	loop_stop(run->loop);
}

static void commit(struct run *run)
{
	struct xf_error err;

	run->has_next = false;
	loop_timer_stop(run->loop, &run->patience);
	if (apply(run, &run->next, &err) || run_serve(run, &run->next, &err)) {
		config_free(&run->next);
		fail(run, &err);
		return;
	}
	config_free(&run->config);
	run->config = run->next;
	memset(&run->next, 0, sizeof(run->next));
	tell_ready(run);
	loop_timer_set(run->loop, &run->look, 0);
}

/* A name that had no address has one now, and with it its rules. */
static void let_in(struct run *run)
{
	struct xf_error err;

	if (apply(run, &run->config, &err) && err.text[0])
		log_warning("%s", err.text);
	tell_ready(run);
}

void run_config_names(struct run *run)
{
	if (run->has_next && (run->out_of_patience || run_hosts_settled(run, &run->next)))
		commit(run);
	else if (!run->has_next && run->left_out && run_hosts_unknown(run, &run->config) < run->left_out)
		let_in(run);
}

static void lose_patience(struct loop_timer *timer)
{
	struct run *run = timer->arg;

	run->out_of_patience = true;
	run_config_names(run);
}

void run_config_take(struct run *run, struct config *config)
{
	config_free(&run->next);
	run->next = *config;
	memset(config, 0, sizeof(*config));
	run->has_next = true;
	run->out_of_patience = false;
	run->patience = (struct loop_timer){.due = lose_patience, .arg = run};
	loop_timer_set(run->loop, &run->patience, PATIENCE_MS);
	run_hosts_want(run, &run->next);
	run_config_names(run);
}

/* ---- again */

void run_config_reload(struct run *run)
{
	struct config config = {0};

	notify_reloading();
	filewatch_seen(run->watch);
	log_info("reading %s again", run->path);
	if (run_config_read(run, &config))
		fail(run, NULL);
	else
		run_config_take(run, &config);
}

static void changed(void *arg)
{
	run_config_reload(arg);
}

int run_config_watch(struct run *run, struct xf_error *err)
{
	const struct filewatch_options options = {
		.path = run->path,
		.quiet_ms = QUIET_MS,
		.changed = changed,
		.arg = run,
	};

	return filewatch_new(&run->watch, run->loop, &options, err);
}
