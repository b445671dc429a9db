/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks targets again and again whether they are there: those of TCP rules by a
 * connection, those of UDP rules by ICMP echo, each at its own moment of the
 * period, and what several rules share only once.
 */
#ifndef XDPFWD_USER_HEALTH_H
#define XDPFWD_USER_HEALTH_H

#include "dataplane.h"
#include "loop.h"

struct health;

struct health_news {
	const struct dp_target *target; /* all rules that have it */
	size_t n;
	bool up, changed; /* changed: or known for the first time */
	const char *why;  /* not up: why not */
	uint32_t good_ms; /* for which this can be relied on */
};

struct health_options {
	uint32_t period_ms;
	uint32_t threshold; /* so many answers in a row that say otherwise */
	void (*told)(const struct health_news *news, void *arg);
	void *arg;
};

int health_new(struct health **health, struct loop *loop, const struct health_options *options, struct xf_error *err);
/* Which targets there are now; takes the array. What is known of those that stay is kept. */
int health_targets(struct health *health, struct dp_target *targets, size_t n, struct xf_error *err);
void health_free(struct health *health);

#endif
