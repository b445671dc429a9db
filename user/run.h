/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the run*.c files share: the one process that stays. All that traffic needs
 * is in the kernel; this keeps it true while the world around changes, and may
 * die at any moment.
 */
#ifndef XDPFWD_USER_RUN_H
#define XDPFWD_USER_RUN_H

#include "config.h"
#include "dataplane.h"
#include "filewatch.h"
#include "health.h"
#include "hosts.h"
#include "httpd.h"
#include "loop.h"
#include "monitor.h"
#include "resolve.h"

struct run {
	const char *state, *path; /* of the instance; of the config file */
	struct loop *loop;
	bool ready; /* the manager has been told */

	/* The config (run_config.c): that in force, and a newer one that waits for its names. */
	struct config config, next;
	bool has_next, out_of_patience;
	size_t left_out; /* rules of that in force whose names nobody knows */
	struct loop_timer patience;
	struct filewatch *watch;
	bool failed; /* the first one could not be brought into force, which was told */

	/* The network (run_network.c). */
	struct monitor *monitor;
	struct loop_timer resync;
	struct dp_followed *wanted;
	size_t n_wanted;

	/* Targets: their names (run_hosts.c), and whether they answer (run_health.c). */
	struct resolver *resolver;
	struct hosts hosts;
	struct loop_timer ask, look;
	struct health *health; /* NULL: nobody asked for it */
	struct dataplane *dp;  /* where health notes it; anew at each look */

	struct httpd *http; /* (run_serve.c) */
	struct xf_address http_addr;
	uint16_t http_port;
};

/* ---- run_config.c */

/* Reads the file; what is wrong is told, line by line. 0, or -1. */
int run_config_read(const struct run *run, struct config *config);
/* "FILE:LINE:COLUMN: what is wrong", each. */
void run_config_tell(const struct run *run, const struct config_errors *errors);
/* Brings it into force, now or as soon as its names are known; takes it. */
void run_config_take(struct run *run, struct config *config);
/* A name was answered: is it time? */
void run_config_names(struct run *run);
/* Reads the file again whenever it changes, or at once. */
int run_config_watch(struct run *run, struct xf_error *err);
void run_config_reload(struct run *run);

/* ---- run_apply.c */

/* Makes the rules those of the config; says what that changes. On failure err is empty if all was told. */
int run_apply(struct run *run, const struct config *config, struct xf_error *err);

/* ---- run_network.c */

int run_network_start(struct run *run, struct xf_error *err);
/* Which interfaces the config names; brings everything to how the network is now. */
int run_network_wanted(struct run *run, const struct config *config, struct xf_error *err);

/* ---- run_hosts.c */

int run_hosts_start(struct run *run, struct xf_error *err);
/* Has the names of a config asked for, of which no address is known. */
void run_hosts_want(struct run *run, const struct config *config);
/* Are all of them answered, one way or the other? */
bool run_hosts_settled(const struct run *run, const struct config *config);
/* How many of its rules have a name whose address is not known. */
size_t run_hosts_unknown(const struct run *run, const struct config *config);
/* Gives the rule the address that its name has; false: it has none yet. */
bool run_hosts_fill(const struct run *run, struct xf_rule_spec *rule);
/* Looks which targets there are now, in the maps; whoever made them. */
void run_targets_look(struct run *run);

/* ---- run_health.c */

struct run_health_options {
	uint32_t period; /* seconds; 0: not at all */
	uint32_t threshold;
};
int run_health_start(struct run *run, const struct run_health_options *options, struct xf_error *err);
void run_health_end(struct run *run);

/* ---- run_serve.c */

/* Answers scrapers where the config says, or no more. */
int run_serve(struct run *run, const struct config *config, struct xf_error *err);

#endif
