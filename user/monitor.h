/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells when interfaces, addresses or routes of this network namespace change. */
#ifndef XDPFWD_USER_MONITOR_H
#define XDPFWD_USER_MONITOR_H

#include "loop.h"

struct monitor;

/*
 * Calls changed() a moment after the first change, so that one call tells of all
 * that come with it; what changed is for the callee to see. When the kernel had
 * more to tell than there was room for, that is a change like any other.
 */
struct monitor_options {
	void (*changed)(void *arg);
	void *arg;
	uint32_t quiet_ms;    /* from the first change to the call */
	uint32_t buffer_size; /* 0: as the system has it */
};

int monitor_new(struct monitor **monitor, struct loop *loop, const struct monitor_options *options,
		struct xf_error *err);
void monitor_free(struct monitor *monitor);

#endif
