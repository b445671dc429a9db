/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the doctor makes of an instance: each thing that is well, looks odd or is
 * wrong, with the remedy. Pure: the caller has looked at the machine.
 */
#ifndef XDPFWD_USER_CHECK_H
#define XDPFWD_USER_CHECK_H

#include <jansson.h>

#include "dataplane.h"

/* An attached interface's forwarding settings: 1 on, 0 off, -1 cannot be told. */
struct check_forwarding {
	int ipv4, ipv6;
};

struct check_input {
	const struct dp_status *status;
	const struct check_forwarding *forwarding; /* of status->ifaces, in their order */
	const struct dp_rule *const *rules;	   /* those to judge */
	size_t n_rules;
};

/*
 * The contract's array of {"id", "subject", "result", "message", "remedy"}, a new
 * reference; remedy is null where nothing is to be done. NULL: memory ran out.
 */
json_t *check_judge(const struct check_input *in);
/* Does any of them say "failure"? */
bool check_failed(const json_t *checks);

#endif
