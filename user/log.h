/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines to stderr: one an event, each starting with "xdpfwd: ". */
#ifndef XDPFWD_USER_LOG_H
#define XDPFWD_USER_LOG_H

#include <stdbool.h>

extern bool log_is_verbose; /* --verbose */

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "xdpfwd: warning: ..." */
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Only under --verbose. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Sends libbpf's and libxdp's own messages to log_debug. */
void log_capture_libbpf(void);

#endif
