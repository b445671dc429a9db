/* SPDX-License-Identifier: GPL-2.0-only */
/* A config in a file. */
#ifndef XDPFWD_USER_CONFIG_FILE_H
#define XDPFWD_USER_CONFIG_FILE_H

#include "config.h"

/*
 * Reads it, and the files that it names; "-" is standard input. 0; or -1 and an
 * empty config, with all that is wrong in `errors`, or, if there is none there, err.
 */
int config_file_read(const char *path, struct config *config, struct config_errors *errors, struct xf_error *err);
/* Tells what such a failure left: a line for each mistake, or the one error. Returns the exit code. */
int config_file_fail(const char *path, const struct config_errors *errors, const struct xf_error *err);

#endif
