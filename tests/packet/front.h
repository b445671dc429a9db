/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program of a few steps in front of one of ours, for what BPF_PROG_RUN does not let one
 * say of a socket buffer.
 */
#ifndef XDPFWD_TESTS_PACKET_FRONT_H
#define XDPFWD_TESTS_PACKET_FRONT_H

#include <linux/bpf.h>

#include "harness.h"

#define FRONT_STEPS 16

struct front {
	const char *prog; /* that it leads to */
	enum dev dev;	  /* that the packet came by */
	struct bpf_insn steps[FRONT_STEPS];
	unsigned int n; /* steps there are; in r6 each has the context, which its helpers want in r1 */
};

/* Three steps: helper(context, a, b). */
void front_call(struct front *front, int helper, int a, int b);
/* What is in t->sent, through the steps and the program; leaves t->retval and t->got. */
void front_run(struct test *t, const struct front *front);

#endif
