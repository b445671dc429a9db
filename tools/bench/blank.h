/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the frames that is the same for all flows. */
#ifndef XDPFWD_BENCH_BLANK_H
#define XDPFWD_BENCH_BLANK_H

#include "frame.h"
#include "wire.h"

struct bench_blank blank_ipv4(const struct port *from, const struct port *to);
struct bench_blank blank_ipv6(const struct port *from, const struct port *to);

#endif
