/* SPDX-License-Identifier: GPL-2.0-only */
/* What the metrics*.c files share: samples, in each of the formats. */
#ifndef XDPFWD_USER_METRICS_WRITER_H
#define XDPFWD_USER_METRICS_WRITER_H

#include "metrics.h"

/* A sample's labels, in pairs of name and value; at most four. An empty one ends them. */
struct metrics_label {
	const char *name;
	const char *value;
};

struct metrics_writer {
	struct buf *b;
	const struct metrics_input *in;
	enum metrics_format format;
	const char *name; /* of the samples being written */
	size_t n_samples; /* of this family so far */
};

/* The sample up to its value; and behind it. */
void metrics_labels(struct metrics_writer *w, const struct metrics_label *labels);
void metrics_end(struct metrics_writer *w);
void metrics_sample(struct metrics_writer *w, const struct metrics_label *labels, uint64_t value);

/* (metrics_rule.c) The families that have a sample or more for each rule. */
void metrics_rule_info(struct metrics_writer *w);
void metrics_rule_packets(struct metrics_writer *w);
void metrics_rule_bytes(struct metrics_writer *w);
void metrics_rule_flows_created(struct metrics_writer *w);
void metrics_rule_fast_packets(struct metrics_writer *w);
void metrics_rule_sources(struct metrics_writer *w);
void metrics_rule_flows(struct metrics_writer *w);
void metrics_rule_last_hit(struct metrics_writer *w);
void metrics_target_up(struct metrics_writer *w);
void metrics_rule_expires(struct metrics_writer *w);
void metrics_rule_drops(struct metrics_writer *w);

#endif
