// SPDX-License-Identifier: GPL-2.0-only
#include "config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "config_doc.h"
#include "prefix_file.h"

/* One octet more than the parser takes tells it that the rest is missing. */
static int read_text(FILE *from, struct buf *text)
{
	char chunk[65536];
	size_t n;

	while (text->len <= DOC_TEXT_MAX && (n = fread(chunk, 1, sizeof(chunk), from)) > 0) {
		buf_add(text, chunk, n);
		if (buf_failed(text))
			return ENOMEM;
	}
	return ferror(from) ? errno : 0;
}

static int parse(const struct buf *text, struct config *config, struct config_errors *errors, struct xf_error *err)
{
	struct config_source source = {
		.text = text->data ? text->data : "", .len = text->len, .read = prefix_file_read};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	/* Up to the next whole second: what expires shall not close too early. */
	source.now = now.tv_sec + (now.tv_nsec > 0);
	return config_parse(&source, config, errors) ? xf_fail(err, "the config has mistakes") : 0;
}

int config_file_read(const char *path, struct config *config, struct config_errors *errors, struct xf_error *err)
{
	FILE *from = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct buf text = {0};
	int error, rc = -1;

	memset(config, 0, sizeof(*config));
	memset(errors, 0, sizeof(*errors));
	if (!from)
		return xf_fail(err, "cannot read %.200s: %s", *path ? path : "\"\"", strerror(errno));
	error = read_text(from, &text);
	if (from != stdin)
		fclose(from);
	if (error)
		xf_fail(err, "cannot read %.200s: %s", path, strerror(error));
	else
		rc = parse(&text, config, errors, err);
	buf_free(&text);
	return rc;
}

int config_file_fail(const char *path, const struct config_errors *errors, const struct xf_error *err)
{
	struct buf lines = {0};
	json_t *record;

	if (!config_errors_any(errors))
		return out_fail(CMD_FAILED, err);
	config_errors_write(errors, path, &lines);
	if (buf_failed(&lines) || !lines.len) {
		buf_free(&lines);
		return out_fail(CMD_FAILED, err);
	}
	fwrite(lines.data, 1, lines.len, stderr);
	if (out_is_json) {
		lines.data[lines.len - 1] = '\0';
		record = json_pack("{s:s}", "error", lines.data);
		if (record)
			out_json_line(record);
		json_decref(record);
	}
	buf_free(&lines);
	return CMD_FAILED;
}
