/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the files that lists of networks name. */
#ifndef XDPFWD_USER_PREFIX_FILE_H
#define XDPFWD_USER_PREFIX_FILE_H

#include "prefixes.h"

/* An xf_prefix_reader: the name is remembered from the root on, since others will read it from elsewhere. */
int prefix_file_read(const char *path, struct xf_prefix_file *file, struct xf_error *err);

#endif
