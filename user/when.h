/* SPDX-License-Identifier: GPL-2.0-only */
/* Moments as text: so long from now, or a date, "2030-12-31 18:00". Local time unless it says another. Pure. */
#ifndef XDPFWD_USER_WHEN_H
#define XDPFWD_USER_WHEN_H

#include "addr.h"

#define XF_WHEN_STRLEN 32

struct xf_when {
	int64_t at;   /* seconds since 1970 */
	bool by_date; /* stated as a date, not as so long from now */
};

/* What is not after `now`, in seconds since 1970, is refused. */
int xf_when_parse(const char *text, int64_t now, struct xf_when *when, struct xf_error *err);
/* RFC 3339 in UTC, "2030-12-31T17:00:00Z", which xf_when_parse takes; returns buf. */
const char *xf_when_format(int64_t when, char *buf, size_t len);
/* Back from what xf_when_format wrote; -1: it is something else. */
int64_t xf_when_read(const char *text);

#endif
