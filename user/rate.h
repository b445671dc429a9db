/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many in which time, as users state it: "20/s", "100/min,burst=20". Pure.
 *
 * Without a burst, as many as the rate allows in one unit may come at once:
 * then whoever stays within N in each unit is never refused.
 */
#ifndef XDPFWD_USER_RATE_H
#define XDPFWD_USER_RATE_H

#include "addr.h"

#define XF_RATE_MAX    1000000u /* of N and of the burst: more, a bucket's clock is too coarse for */
#define XF_RATE_STRLEN 48

int xf_rate_parse(const char *text, struct xf_rate *rate, struct xf_error *err);
/* What xf_rate_parse takes; empty for no rate. Returns buf. */
const char *xf_rate_format(const struct xf_rate *rate, char *buf, size_t len);
/* The rate as a bucket: ticks that one costs, and that can be saved up; 0 and 0 for no rate. */
void xf_rate_bucket(const struct xf_rate *rate, uint32_t hz, __u64 *cost, __u64 *burst);

#endif
