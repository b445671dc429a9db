/* SPDX-License-Identifier: GPL-2.0-only */
/* What one measurement is told on its command line. */
#ifndef XDPFWD_BENCH_OPTIONS_H
#define XDPFWD_BENCH_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "wire.h"

#define PLAN_MAX_THREADS 8

struct plan {
	struct port client, router_in, router_out, target;
	struct traffic traffic;
	pid_t threads[PLAN_MAX_THREADS]; /* the router's NAPI threads */
	int n_threads;
	double seconds, warm_up;
	int cpu; /* where the generator runs */
	enum bare bare;
	bool direct;  /* packets are sent to the target itself */
	bool answer;  /* the target answers while flows are made */
	bool dropped; /* nothing must arrive */
	bool always;  /* packets are checked also while they are counted */
};

void plan_parse(struct plan *plan, int argc, char **argv);

#endif
