/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules and status as Prometheus' text format, as OpenMetrics or as JSON. Pure. */
#ifndef XDPFWD_USER_METRICS_H
#define XDPFWD_USER_METRICS_H

#include "buf.h"
#include "dataplane.h"

enum metrics_format {
	METRICS_TEXT, /* text format 0.0.4: what every scraper takes */
	METRICS_OPENMETRICS,
	METRICS_JSON, /* [{"name","type","help","samples":[{"labels":{},"value"}]}] */
};

struct metrics_input {
	const struct dp_status *status;
	const struct dp_rule *rules;
	size_t n_rules;
	const char *(*tier_name)(enum xf_tier tier);
	const char *version; /* of this tool */
	const char *kernel;  /* release */
	double seconds;	     /* that reading all this took */
};

void metrics_write(struct buf *b, const struct metrics_input *in, enum metrics_format format);

/* What an Accept header asks for; NULL: there was none. */
enum metrics_format metrics_accepted(const char *accept);
const char *metrics_content_type(enum metrics_format format);

#endif
