/* SPDX-License-Identifier: GPL-2.0-only */
/* The status page of "serve": one HTML document that loads nothing else. Pure. */
#ifndef XDPFWD_USER_PAGE_H
#define XDPFWD_USER_PAGE_H

#include "buf.h"
#include "metrics.h"

/* `now` in seconds since 1970. */
void page_write(struct buf *b, const struct metrics_input *in, double now);
/* The page while there is nothing to show: says why. */
void page_write_error(struct buf *b, const char *why);

#endif
