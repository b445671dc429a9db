// SPDX-License-Identifier: GPL-2.0-only
#include "out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "log.h"
#include "text.h"
#include "when.h"

/* Times are given in milliseconds: 13 digits show seconds since 1970 so far and no further. */
#define OUT_JSON_FLAGS (JSON_ENCODE_ANY | JSON_REAL_PRECISION(13))

bool out_is_json;

int out_fail(int code, const struct xf_error *err)
{
	log_error("%s", err->text);
	if (out_is_json) {
		json_t *record = json_pack("{s:s}", "error", err->text);

		if (record)
			out_json_line(record);
		json_decref(record);
	}
	return code;
}

/* The value at "a.b.0.c", or NULL. */
static const json_t *out_find(const json_t *at, const char *path)
{
	char step[64];
	size_t n;

	for (; at && *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		if (n >= sizeof(step))
			return NULL;
		memcpy(step, path, n);
		step[n] = '\0';
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
	}
	return at;
}

static json_int_t out_sum(const json_t *object)
{
	json_int_t sum = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
		sum += json_integer_value(value);
	return sum;
}

static const char *out_ago(const json_t *value, char *buf, size_t len)
{
	char number[TEXT_NUMBER_LEN];
	struct timespec now;

	if (!json_is_number(value))
		return "never";
	clock_gettime(CLOCK_REALTIME, &now);
	text_duration((double)now.tv_sec + (double)now.tv_nsec / 1e9 - json_number_value(value), number,
		      sizeof(number));
	snprintf(buf, len, "%s ago", number);
	return buf;
}

static const char *out_door(const json_t *rule, char buf[OUT_CELL_LEN])
{
	const char *expires = json_string_value(json_object_get(rule, "expires"));
	bool enabled = json_is_true(json_object_get(rule, "enabled"));
	char left[TEXT_NUMBER_LEN];
	struct timespec now;

	if (json_is_true(json_object_get(rule, "expired")))
		return enabled ? "expired" : "disabled, expired";
	if (!expires)
		return enabled ? "enabled" : "disabled";
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(buf, OUT_CELL_LEN, "%sexpires in %s", enabled ? "" : "disabled, ",
		 text_duration((double)(xf_when_read(expires) - now.tv_sec), left, sizeof(left)));
	return buf;
}

static const char *out_state(const json_t *rule, char buf[OUT_CELL_LEN])
{
	char door[OUT_CELL_LEN];

	if (!json_is_true(json_object_get(rule, "stateless")))
		return out_door(rule, buf);
	snprintf(buf, OUT_CELL_LEN, "%.64s, stateless", out_door(rule, door));
	return buf;
}

const char *out_cell(const json_t *record, const struct out_column *column, char buf[OUT_CELL_LEN])
{
	const json_t *value = out_find(record, column->path);
	json_int_t n = json_integer_value(value);

	if (column->plus)
		n += json_integer_value(out_find(record, column->plus));
	if (column->kind == OUT_UNIX)
		return out_ago(value, buf, OUT_CELL_LEN);
	if (!value || json_is_null(value))
		return "-";

	switch (column->kind) {
	case OUT_TEXT:
		return json_string_value(value) ? json_string_value(value) : "-";
	case OUT_COUNT:
		return text_count((uint64_t)n, buf, OUT_CELL_LEN);
	case OUT_BYTES:
		return text_bytes((uint64_t)n, buf, OUT_CELL_LEN);
	case OUT_SECONDS:
		return text_duration(json_number_value(value), buf, OUT_CELL_LEN);
	case OUT_PERCENT:
		snprintf(buf, OUT_CELL_LEN, "%.0f%%", json_number_value(value) * 100);
		return buf;
	case OUT_STATE:
		return out_state(value, buf);
	case OUT_SUM:
		return text_count((uint64_t)out_sum(value), buf, OUT_CELL_LEN);
	case OUT_UNIX:
		break;
	}
	return "-";
}

static bool out_is_number(enum out_kind kind)
{
	return kind == OUT_COUNT || kind == OUT_BYTES || kind == OUT_SECONDS || kind == OUT_PERCENT || kind == OUT_SUM;
}

/* Characters on the screen: octets but for those that continue a UTF-8 character. */
static int out_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void out_row(const json_t *record, const struct out_column *columns, const int *width)
{
	char buf[OUT_CELL_LEN];
	size_t c;

	for (c = 0; columns[c].header; c++) {
		const char *cell = record ? out_cell(record, &columns[c], buf) : columns[c].header;
		int pad = width[c] - out_width(cell);

		if (c)
			fputs("  ", stdout);
		if (out_is_number(columns[c].kind))
			printf("%*s%s", pad, "", cell);
		else if (columns[c + 1].header)
			printf("%s%*s", cell, pad, "");
		else
			fputs(cell, stdout);
	}
	putchar('\n');
}

#define OUT_COLUMNS_MAX 16

void out_table(const json_t *records, const struct out_column *columns)
{
	int width[OUT_COLUMNS_MAX] = {0}, cell;
	char buf[OUT_CELL_LEN];
	const json_t *record;
	size_t i, c;

	for (c = 0; c < OUT_COLUMNS_MAX && columns[c].header; c++)
		width[c] = out_width(columns[c].header);
	json_array_foreach((json_t *)records, i, record) {
		for (c = 0; c < OUT_COLUMNS_MAX && columns[c].header; c++) {
			cell = out_width(out_cell(record, &columns[c], buf));
			if (cell > width[c])
				width[c] = cell;
		}
	}
	out_row(NULL, columns, width);
	json_array_foreach((json_t *)records, i, record)
		out_row(record, columns, width);
}

void out_json(const json_t *value)
{
	json_dumpf(value, stdout, OUT_JSON_FLAGS | JSON_INDENT(2));
	putchar('\n');
}

void out_json_line(const json_t *value)
{
	json_dumpf(value, stdout, OUT_JSON_FLAGS | JSON_COMPACT);
	putchar('\n');
	out_flush(NULL); /* a failure is remembered */
}

int out_records(json_t *records, const struct out_column *columns)
{
	struct xf_error err;

	if (!records) {
		xf_fail(&err, "not enough memory");
		return out_fail(CMD_FAILED, &err);
	}
	if (out_is_json)
		out_json(records);
	else
		out_table(records, columns);
	json_decref(records);
	return CMD_DONE;
}

/* Why standard output failed first: stdio itself forgets it. */
static int out_cause;

void out_text(const char *text, size_t len)
{
	errno = 0;
	if (fwrite(text, 1, len, stdout) != len && !out_cause)
		out_cause = errno;
}

int out_flush(struct xf_error *err)
{
	errno = 0;
	if (fflush(stdout) == EOF && !out_cause)
		out_cause = errno;
	if (!ferror(stdout) && !out_cause)
		return 0;
	return xf_fail(err, "cannot write to standard output%s%s", out_cause ? ": " : "",
		       out_cause ? strerror(out_cause) : "");
}
