/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the frames that is the same for all flows. */
#ifndef XDPFWD_BENCH_BLANK_H
#define XDPFWD_BENCH_BLANK_H

#include "frame.h"
#include "wire.h"

struct bench_blank blank_make(const struct bench_kind *kind, const struct port *from, const struct port *to);

#endif
