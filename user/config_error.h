/* SPDX-License-Identifier: GPL-2.0-only */
/* All that is wrong with a config, each with its place. Pure. */
#ifndef XDPFWD_USER_CONFIG_ERROR_H
#define XDPFWD_USER_CONFIG_ERROR_H

#include "addr.h"
#include "buf.h"

/* From 1 on; columns are characters, not octets. */
struct config_place {
	uint32_t line, column;
};

/* More than anybody reads, and few enough to be kept: what comes after that is left out, which the last line says. */
#define CONFIG_ERRORS_MAX 100000

struct config_error {
	struct config_place at;
	char *text;
};

/* All zero is none. */
struct config_errors {
	struct config_error *error;
	size_t n, room;
	bool more;   /* than CONFIG_ERRORS_MAX */
	bool failed; /* memory ran out */
};

void config_errors_add(struct config_errors *errors, struct config_place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool config_errors_any(const struct config_errors *errors);
/* In the order of their places, none twice: what is stated once may be used many times. */
void config_errors_settle(struct config_errors *errors);
/* "FILE:LINE:COLUMN: what", one a line, each with its newline; file as it was given. */
void config_errors_write(const struct config_errors *errors, const char *file, struct buf *to);
void config_errors_free(struct config_errors *errors);

#endif
