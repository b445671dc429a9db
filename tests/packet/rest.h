/* SPDX-License-Identifier: GPL-2.0-only */
/* What must be true of the flow table whenever no program is at work. */
#ifndef XDPFWD_TESTS_PACKET_REST_H
#define XDPFWD_TESTS_PACKET_REST_H

#include "harness.h"

/*
 * Each half has its twin and each flow its slot; what is counted of rules,
 * sources and ports is what there is; each free slot is there once.
 */
void check_at_rest(const struct test *t);

#endif
