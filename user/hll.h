/* SPDX-License-Identifier: GPL-2.0-only */
/* How many sources a sketch has seen. Pure. */
#ifndef XDPFWD_USER_HLL_H
#define XDPFWD_USER_HLL_H

#include <stdint.h>

#include "xdpfwd/watch.h"

/* Distinct sources in this period and the one before. */
uint64_t hll_estimate(const struct xf_sketch *sketch, uint32_t period);

#endif
