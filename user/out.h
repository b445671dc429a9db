/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a command tells: one record (a JSON object) feeds both --json and the
 * table for people, so that the two cannot disagree.
 */
#ifndef XDPFWD_USER_OUT_H
#define XDPFWD_USER_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "addr.h"

extern bool out_is_json; /* --json */

/* The line on stderr, and under --json the object on stdout as well; returns `code`. */
int out_fail(int code, const struct xf_error *err);

enum out_kind {
	OUT_TEXT,    /* a string */
	OUT_COUNT,   /* a number, shortened: "12.3k" */
	OUT_BYTES,   /* "4.5 MiB" */
	OUT_SECONDS, /* a duration: "3m10s" */
	OUT_UNIX,    /* seconds since 1970: "12s ago", null: "never" */
	OUT_PERCENT, /* 0.25: "25%" */
	OUT_STATE,   /* of a whole rule: "enabled", "disabled", "expired", "expires in 2h00m" */
	OUT_SUM,     /* the sum of an object's values */
};

/* A column of a table. null is printed as "-". */
struct out_column {
	const char *header;
	const char *path; /* "counters.packets_in"; "targets.0.target" steps into an array, "" is the record itself */
	const char *plus; /* a second number to add, or NULL */
	enum out_kind kind;
};

#define OUT_CELL_LEN 256
/* One cell as text; returns buf. `record` may lack the path. */
const char *out_cell(const json_t *record, const struct out_column *column, char buf[OUT_CELL_LEN]);

/* An array of records: the table for people. `columns` ends with an empty one. */
void out_table(const json_t *records, const struct out_column *columns);
/* Indented, and a newline. */
void out_json(const json_t *value);
/* On one line, at once: for one record an interval. */
void out_json_line(const json_t *value);
/* out_json or out_table, as asked for; takes the reference. NULL: memory ran out. Returns the exit code. */
int out_records(json_t *records, const struct out_column *columns);

/* As it is; a failure is remembered for out_flush. */
void out_text(const char *text, size_t len);
/* Writes out what is still buffered; returns -1 with err if any of the output was lost. */
int out_flush(struct xf_error *err);

#endif
