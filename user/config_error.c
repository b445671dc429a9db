// SPDX-License-Identifier: GPL-2.0-only
#include "config_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static bool make_room(struct config_errors *errors)
{
	size_t room = errors->room ? 2 * errors->room : 16;
	struct config_error *grown;

	if (errors->n < errors->room)
		return true;
	grown = realloc(errors->error, room * sizeof(*grown));
	if (!grown)
		return false;
	errors->error = grown;
	errors->room = room;
	return true;
}

static void add(struct config_errors *errors, struct config_place at, const char *text)
{
	char *copy;

	/* Half of the room is for what is found twice, and taken out then. */
	if (errors->n >= 2 * CONFIG_ERRORS_MAX)
		config_errors_settle(errors);
	if (errors->n >= CONFIG_ERRORS_MAX && errors->more)
		return;
	copy = strdup(text);
	if (!copy || !make_room(errors)) {
		free(copy);
		errors->failed = true;
		return;
	}
	errors->error[errors->n++] = (struct config_error){.at = at, .text = copy};
}

void config_errors_add(struct config_errors *errors, struct config_place at, const char *fmt, ...)
{
	char line[sizeof(((struct xf_error *)0)->text)];
	struct xf_error err;
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	xf_fail(&err, "%s", line);
	add(errors, at, err.text);
}

bool config_errors_any(const struct config_errors *errors)
{
	return errors->n || errors->failed;
}

static int compare(const void *a, const void *b)
{
	const struct config_error *x = a, *y = b;

	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.column != y->at.column)
		return x->at.column < y->at.column ? -1 : 1;
	return strcmp(x->text, y->text);
}

void config_errors_settle(struct config_errors *errors)
{
	size_t i, kept = 0;

	if (errors->n)
		qsort(errors->error, errors->n, sizeof(*errors->error), compare);
	for (i = 0; i < errors->n; i++) {
		if (kept == CONFIG_ERRORS_MAX)
			errors->more = true;
		if (kept == CONFIG_ERRORS_MAX || (kept && !compare(&errors->error[kept - 1], &errors->error[i])))
			free(errors->error[i].text);
		else
			errors->error[kept++] = errors->error[i];
	}
	errors->n = kept;
}

void config_errors_write(const struct config_errors *errors, const char *file, struct buf *to)
{
	char clean[4096];
	size_t i;

	text_scrub(file, clean, sizeof(clean));
	for (i = 0; i < errors->n; i++)
		buf_printf(to, "%s:%u:%u: %s\n", clean, errors->error[i].at.line, errors->error[i].at.column,
			   errors->error[i].text);
	if (errors->more)
		buf_printf(to, "%s:%u:%u: there are more errors after these %u\n", clean,
			   errors->error[errors->n - 1].at.line, errors->error[errors->n - 1].at.column,
			   CONFIG_ERRORS_MAX);
	if (errors->failed)
		buf_printf(to, "%s:1:1: not enough memory\n", clean);
}

void config_errors_free(struct config_errors *errors)
{
	size_t i;

	for (i = 0; i < errors->n; i++)
		free(errors->error[i].text);
	free(errors->error);
	memset(errors, 0, sizeof(*errors));
}
