/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of rules' targets besides their addresses. Only the tool and
 * `run` look here, no program.
 */
#ifndef XDPFWD_FOLLOW_H
#define XDPFWD_FOLLOW_H

#include "xdpfwd/abi.h"

#define XF_HOST_LEN 256 /* a host name, at most 253 characters, with its NUL */

/* The target was given as a name: hash "rule_hosts", by the rule's tag. A rule that gets another target gets another. */
struct xf_rule_host {
	char name[XF_HOST_LEN];
};

/* Does the target answer: hash "target_health", by rule id. */
struct xf_target_health {
	__u32 tag; /* xf_rule.tag: of any other rule in that place it says nothing */
	__u8 up;
	__u8 pad[3];
	__u64 until_ns; /* of CLOCK_BOOTTIME; after that nobody has looked any more, and it is not known */
};

#ifndef __cplusplus
XF_SIZE(struct xf_rule_host, 256);
XF_SIZE(struct xf_target_health, 16);
#endif

#endif
