/* SPDX-License-Identifier: GPL-2.0-only */
/* A text that grows. Running out of memory is remembered, not reported at each step: ask buf_failed() at the end. */
#ifndef XDPFWD_USER_BUF_H
#define XDPFWD_USER_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty buffer. */
struct buf {
	char *data; /* NUL-terminated; NULL while nothing was added */
	size_t len; /* without the NUL */
	size_t size;
	bool failed;
};

void buf_add(struct buf *b, const char *text, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text escaped for HTML, in element content and in quoted attributes. */
void buf_html(struct buf *b, const char *text);
/* Memory ran out: part of the text is missing. */
bool buf_failed(const struct buf *b);
void buf_free(struct buf *b);

#endif
