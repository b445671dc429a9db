/* SPDX-License-Identifier: GPL-2.0-only */
/* What the dataplane_upgrade*.c files share, and nobody else includes. */
#ifndef XDPFWD_USER_DATAPLANE_UPGRADE_INT_H
#define XDPFWD_USER_DATAPLANE_UPGRADE_INT_H

#include "dataplane_int.h"

#define KEY_MAX	  64
#define VALUE_MAX 512

struct upgrade {
	struct dataplane *dp; /* of the new maps */
	const struct dp_abi_step *step;
	int old[DP_MAP_COUNT]; /* those whose layout has changed; else -1 */
	int adopt;	       /* the new program that puts halves of flows in place */
	__u32 switched_at;     /* jiffies */
};

/* Old entries to the new maps; again, too. 0, or -1 with err. */
int upgrade_copy(struct upgrade *u, struct xf_error *err);
/* After the switch: what happened in the old flow table since. 0, or -1 with err. */
int upgrade_settle(struct upgrade *u, struct xf_error *err);

#endif
