/* SPDX-License-Identifier: GPL-2.0-only */
/* Gives away what a process that stays does not need. */
#ifndef XDPFWD_USER_PRIVILEGES_H
#define XDPFWD_USER_PRIVILEGES_H

#include "addr.h"

/* So that a set of capabilities is a number: 1 << CAP_*. */
#define PRIVILEGE(capability) (1ull << (capability))

/*
 * Keeps those that are both held and named, for this thread and those that it
 * starts, and lets no program that it runs gain others. 0, or -1 with err.
 */
int privileges_keep(uint64_t capabilities, struct xf_error *err);

#endif
