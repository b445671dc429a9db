/* SPDX-License-Identifier: GPL-2.0-only */
/* What this process may do to the kernel. */
#ifndef XDPFWD_USER_CAPS_H
#define XDPFWD_USER_CAPS_H

#include "addr.h"

#define CAPS_BPF       (1u << 0) /* maps and programs */
#define CAPS_NET_ADMIN (1u << 1) /* attaching, neighbours, settings */
#define CAPS_PERFMON   (1u << 2) /* the verifier asks for it: the programs compare and keep packet pointers */

/* May it do what takes these? Else err says which of them `what` lacks. */
int caps_check(unsigned int needed, const char *what, struct xf_error *err);

/* Why the kernel may refuse a process that has them. */
const char *caps_remedy(void);

#endif
