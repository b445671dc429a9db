// SPDX-License-Identifier: GPL-2.0-only
#include "metrics_writer.h"

#include <inttypes.h>

/* A label's value: backslash, double quote and line feed escaped, alike in all formats. */
static void write_value(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			buf_puts(b, "\\\\");
		else if (*text == '"')
			buf_puts(b, "\\\"");
		else if (*text == '\n')
			buf_puts(b, "\\n");
		else
			buf_add(b, text, 1);
	}
}

void metrics_labels(struct metrics_writer *w, const struct metrics_label *labels)
{
	bool json = w->format == METRICS_JSON;
	const struct metrics_label *l;

	if (json)
		buf_puts(w->b, w->n_samples ? ",{\"labels\":" : "{\"labels\":");
	else
		buf_puts(w->b, w->name);
	for (l = labels; l->name; l++) {
		buf_printf(w->b, json ? "%s\"%s\":\"" : "%s%s=\"", l == labels ? "{" : ",", l->name);
		write_value(w->b, l->value);
		buf_puts(w->b, "\"");
	}
	if (json)
		buf_puts(w->b, l == labels ? "{},\"value\":" : "},\"value\":");
	else
		buf_puts(w->b, l == labels ? " " : "} ");
	w->n_samples++;
}

void metrics_end(struct metrics_writer *w)
{
	buf_puts(w->b, w->format == METRICS_JSON ? "}" : "\n");
}

void metrics_sample(struct metrics_writer *w, const struct metrics_label *labels, uint64_t value)
{
	metrics_labels(w, labels);
	buf_printf(w->b, "%" PRIu64, value);
	metrics_end(w);
}
