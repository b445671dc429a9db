/* SPDX-License-Identifier: GPL-2.0-only */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "log_repeat.h"

bool log_is_verbose;

/* As in sd-daemon(3). */
enum level {
	LEVEL_ERROR = 3,
	LEVEL_WARNING = 4,
	LEVEL_INFO = 6,
	LEVEL_DEBUG = 7,
};

static bool is_service, has_levels;

/* The line goes out in one piece, so that those of two commands do not mix. */
static void emit(enum level level, const char *text)
{
	const char *kind = level == LEVEL_WARNING ? "warning: " : "";

	/* The journal notes who says it. */
	if (has_levels)
		fprintf(stderr, "<%d>%s%s\n", level, kind, text);
	else
		fprintf(stderr, "xdpfwd: %s%s\n", kind, text);
}

static void __attribute__((format(printf, 2, 0))) emit_formatted(enum level level, const char *fmt, va_list ap)
{
	char text[4096];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	if (level == LEVEL_WARNING && is_service && log_repeat(text, time(NULL)))
		return;
	emit(level, text);
}

void log_as_service(void)
{
	const char *journal = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	is_service = true;
	has_levels = journal && sscanf(journal, "%llu:%llu", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) &&
		     st.st_dev == device && st.st_ino == inode;
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit_formatted(LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void log_error_line(const char *line)
{
	if (has_levels)
		fprintf(stderr, "<%d>%s\n", LEVEL_ERROR, line);
	else
		fprintf(stderr, "%s\n", line);
}

void log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit_formatted(LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit_formatted(LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!log_is_verbose)
		return;
	va_start(ap, fmt);
	emit_formatted(LEVEL_DEBUG, fmt, ap);
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
