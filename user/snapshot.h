/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a loaded instance at one moment: what every command that reads begins with. */
#ifndef XDPFWD_USER_SNAPSHOT_H
#define XDPFWD_USER_SNAPSHOT_H

#include "buf.h"
#include "dataplane.h"
#include "metrics.h"

struct snapshot {
	struct dp_status status;
	struct dp_rule *rules;
	size_t n_rules;
	char kernel[65]; /* release */
	double seconds;	 /* that reading took */
};

/* Opens the instance, reads, and closes it again. 0, or -1 with err. */
int snapshot_take(struct snapshot *s, const char *state, struct xf_error *err);
void snapshot_free(struct snapshot *s);

/* For metrics_write and page_write; points into *s. */
struct metrics_input snapshot_input(const struct snapshot *s);
/* snapshot_take and metrics_write. 0, or -1 with err. */
int snapshot_metrics(struct buf *b, const char *state, enum metrics_format format, struct xf_error *err);

#endif
