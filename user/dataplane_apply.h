/* SPDX-License-Identifier: GPL-2.0-only */
/* What the dataplane_apply*.c files share, and nobody else includes. */
#ifndef XDPFWD_USER_DATAPLANE_APPLY_H
#define XDPFWD_USER_DATAPLANE_APPLY_H

#include "dataplane_rule_int.h"

/* What the machine said of one of the wanted rules. */
struct judged {
	struct nd_route route;
	bool local;
	__u32 listen_ifindex;
	struct xf_address source;
};

struct apply {
	struct dataplane *dp;
	const struct dp_apply_set *set;
	const struct dp_apply_options *options;
	struct dp_ruleset before, next;
	const struct dp_entry **at; /* by id, the rule that is there before; NULL: none */
	bool *taken;		    /* by id: by a rule before, or by one that stays or is new */
	struct dp_addition add;	    /* of the rule at hand; what it asked the machine is kept */
	struct judged *judged;	    /* by place in the set */
	__u32 free_id;		    /* below it all are taken */
	size_t blamed;
	struct xf_error first; /* of those that were blamed */
	struct dp_attachments attached;
};

/* Takes the rule in that place of the set at hand, with what is known of it. */
void dp_apply_take(struct apply *a, size_t i);
/* Takes a rule over as it is; 0 or a negative errno. */
int dp_apply_carry(struct apply *a, const struct dp_entry *from);
/* (dataplane_apply_build.c) The next set, in memory, of rules that were judged. */
int dp_apply_build(struct apply *a, struct xf_error *err);
/* (dataplane_apply_write.c) And in the maps, under that number, where no packet looks. */
int dp_apply_write(struct apply *a, __u32 next, struct xf_error *err);

#endif
