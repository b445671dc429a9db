/* SPDX-License-Identifier: GPL-2.0-only */
/* How long a flow may be idle, by name: "udp=60s,tcp=1h". Pure. */
#ifndef XDPFWD_USER_TIMEOUTS_H
#define XDPFWD_USER_TIMEOUTS_H

#include "addr.h"

/* The 32 bits of jiffies that flows remember time in reach 24 days, at 1000 a second. */
#define XF_TIMEOUT_MAX_DAYS 20

/* Sets those that the text names, in seconds, and leaves the others alone; on failure all. */
int xf_timeouts_parse(const char *text, uint32_t seconds[XF_TIMEOUT_COUNT], struct xf_error *err);
const char *xf_timeout_name(enum xf_timeout timeout);
/* XF_PROTO_* that it is about. */
uint8_t xf_timeout_proto(enum xf_timeout timeout);

#endif
