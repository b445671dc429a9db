/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XDPFWD_USER_TEXTFILE_H
#define XDPFWD_USER_TEXTFILE_H

#include "addr.h"
#include "buf.h"

/*
 * Replaces the file in one step: a reader sees the old text or the new one,
 * also after a crash. 0, or -1 with err and the old file in place.
 */
int textfile_replace(const char *path, const struct buf *text, struct xf_error *err);

#endif
