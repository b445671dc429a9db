/* SPDX-License-Identifier: GPL-2.0-only */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

bool log_is_verbose;

/* The line goes out in one piece, so that those of two commands do not mix. */
static void __attribute__((format(printf, 2, 0))) emit(const char *kind, const char *fmt, va_list ap)
{
	char text[4096];
	int n;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		return;
	fprintf(stderr, "xdpfwd: %s%s\n", kind, text);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("", fmt, ap);
	va_end(ap);
}

void log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("warning: ", fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!log_is_verbose)
		return;
	va_start(ap, fmt);
	emit("", fmt, ap);
	va_end(ap);
}

/* A library's message may be many lines (the verifier's log is) and ends with a newline of its own. */
static void __attribute__((format(printf, 2, 0))) relay(const char *library, const char *fmt, va_list ap)
{
	char *text, *line, *rest;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_debug("%s: %s", library, line);
	free(text);
}

static int libbpf_line(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (log_is_verbose && level != LIBBPF_DEBUG)
		relay("libbpf", fmt, ap);
	return 0;
}

static int libxdp_line(enum libxdp_print_level level, const char *fmt, va_list ap)
{
	if (log_is_verbose && level != LIBXDP_DEBUG)
		relay("libxdp", fmt, ap);
	return 0;
}

void log_capture_libbpf(void)
{
	libbpf_set_print(libbpf_line);
	libxdp_set_print(libxdp_line);
}
