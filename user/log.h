/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines to stderr: one an event, each starting with "xdpfwd: ". */
#ifndef XDPFWD_USER_LOG_H
#define XDPFWD_USER_LOG_H

#include <stdbool.h>

extern bool log_is_verbose; /* --verbose */

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "xdpfwd: warning: ..." */
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line that says by itself whose it is, as "FILE:LINE:COLUMN: ..." does. */
void log_error_line(const char *line);
/* What a service reports of its work; commands have their output for that. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * For a process that stays: under journald each line starts with its level as
 * "<4>", and a warning that was told in the last hour is not told again.
 */
void log_as_service(void);
/* Only under --verbose. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Sends libbpf's and libxdp's own messages to log_debug. */
void log_capture_libbpf(void);

#endif
