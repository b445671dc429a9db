/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzers share: properties that end the run when they do not hold. */
#ifndef XDPFWD_TESTS_FUZZ_PROPERTY_H
#define XDPFWD_TESTS_FUZZ_PROPERTY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"

#define PROPERTY(cond)                                                                            \
	do {                                                                                      \
		if (!(cond)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

/* The input with a NUL at the very end of its allocation, so that ASan sees a read past it. */
static inline char *property_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	PROPERTY(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Not empty, ended, and printable UTF-8: then also one line, and fit for JSON. */
static inline void property_error(const struct xf_error *err)
{
	size_t at = 0, n;

	PROPERTY(memchr(err->text, '\0', sizeof(err->text)));
	PROPERTY(*err->text);
	for (; err->text[at]; at += n) {
		n = xf_utf8_printable(err->text + at);
		PROPERTY(n);
	}
}

#endif
