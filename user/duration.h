/* SPDX-License-Identifier: GPL-2.0-only */
/* Lengths of time as text: "30s", "1h30m", "7d", and the units that rates have, too. Pure. */
#ifndef XDPFWD_USER_DURATION_H
#define XDPFWD_USER_DURATION_H

#include "addr.h"

/* Longer ones mean "never", and are written by leaving the option out. */
#define XF_DURATION_MAX (100 * 365 * (uint64_t)86400)

/* Seconds of a unit: s, m, h, d, w or the names in full; 0: there is none of that name. */
uint32_t xf_unit_parse(const char *word, size_t len);
/* "s", "min", "h", "d" or "w", as rates are written. */
const char *xf_unit_name(uint32_t seconds);

/* Numbers with units, the larger before the smaller; 0 seconds are refused. */
int xf_duration_parse(const char *text, uint64_t *seconds, struct xf_error *err);
/* What xf_duration_parse takes; returns buf. */
const char *xf_duration_format(uint64_t seconds, char *buf, size_t len);

#endif
