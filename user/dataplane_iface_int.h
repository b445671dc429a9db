/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces and the network around them: what those dataplane*.c files share. As to results, see dataplane_int.h. */
#ifndef XDPFWD_USER_DATAPLANE_IFACE_INT_H
#define XDPFWD_USER_DATAPLANE_IFACE_INT_H

#include "dataplane_int.h"

/* ---- attachments (dataplane_attach.c) */

struct dp_attach {
	struct nd_link link;
	enum dp_mode mode;
	bool dispatcher;
	bool automatic; /* for a rule's target: falls back to TC instead of failing */
};

/* One record of "interfaces". */
struct dp_iface_record {
	__u32 ifindex;
	struct xf_iface iface;
};

int dp_attach(struct dataplane *dp, const struct dp_attach *request, struct xf_error *err);
/* As far as it goes: what is gone already is no error. The first other failure is told. */
int dp_detach(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err);
/* Moves an attached interface to the tier that is asked for; on failure it is where it was. */
int dp_attach_switch(struct dataplane *dp, const struct dp_attach *request, struct xf_error *err);
/* Puts the loaded programs in the place of those attached; on failure the old ones are back. */
int dp_attach_replace(struct dataplane *dp, struct dp_object *object, struct xf_error *err);

/* ---- pins (dataplane_unload.c) */

/* Detaches and removes what xdpfwd left there. *foreign: the name of something that is not ours, or empty. */
int dp_state_clean(const char *state, char foreign[NAME_MAX + 1], struct xf_error *err);
/* Removes the state directory, if nothing is in it. */
void dp_state_remove(const char *state);

/* ---- "interfaces" (dataplane_iface.c) */

int dp_ifaces_read(struct dataplane *dp, struct dp_iface_record **records, size_t *n, struct xf_error *err);
bool dp_iface_get(struct dataplane *dp, __u32 ifindex, struct dp_iface_record *record);
int dp_iface_put(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err);
void dp_iface_forget(struct dataplane *dp, __u32 ifindex);
/* Is it still attached? Then the record gets the name that it has now. */
bool dp_iface_look(struct dataplane *dp, struct dp_iface_record *record);
/* Drops the records of interfaces that are gone, and what is pinned for them. */
int dp_ifaces_prune(struct dataplane *dp, struct xf_error *err);

/* ---- fast tier of one interface (dataplane_xdp.c, dataplane_dispatcher.c) */

/* Why this interface does not get native XDP by itself; NULL: it may. */
const char *dp_xdp_unfit(const struct nd_link *link, char *buf, size_t len);
/* Are there VLAN devices on it whose tags XDP would not see? */
bool dp_xdp_loses_tags(const struct nd_link *link);
/* 0 or a negative errno. */
int dp_xdp_attach(struct dataplane *dp, __u32 ifindex, enum xf_tier tier);
void dp_xdp_detach(struct dataplane *dp, __u32 ifindex);
/* Negative errno; -ENOLINK: the interface, or the link with it, is gone. */
int dp_xdp_replace(struct dataplane *dp, __u32 ifindex, enum xf_tier tier, int prog_fd);
/* What a failed attachment means to the user. */
void dp_xdp_explain(const char *ifname, bool native, int error, struct xf_error *err);

int dp_dispatcher_attach(struct dataplane *dp, const struct dp_attach *request, struct xf_iface *iface,
			 struct xf_error *err);
int dp_dispatcher_detach(__u32 ifindex, struct xf_error *err);

/* ---- full tier of one interface (dataplane_tc.c) */

enum dp_tc_side {
	DP_TC_IN,
	DP_TC_OUT,
};

/* The program of that side. */
enum dp_prog dp_tc_prog(const struct xf_iface *iface, enum dp_tc_side side);
int dp_tc_attach(struct dataplane *dp, struct dp_iface_record *record, enum dp_tc_side side, struct xf_error *err);
/* Ingress last: with it goes a clsact qdisc of ours. */
int dp_tc_detach(struct dataplane *dp, const struct dp_iface_record *record, enum dp_tc_side side,
		 struct xf_error *err);
int dp_tc_replace(struct dataplane *dp, const struct dp_iface_record *record, enum dp_tc_side side, int prog_fd);

/* ---- targets and clients on this machine (dataplane_local.c) */

struct dp_ruleset;
#define LOOPBACK_IFINDEX  1	    /* in every network namespace */
#define DP_LOCAL_OUT	  (1u << 0) /* a target is this machine */
#define DP_LOCAL_LOOPBACK (1u << 1) /* and that in 127/8 */
unsigned int dp_local_needs(const struct dp_ruleset *set, const struct xf_rule *more);
/* Brings all attached interfaces to it; or to what the rules need that are there. */
int dp_local_apply(struct dataplane *dp, unsigned int needs, struct xf_error *err);
int dp_local_refresh(struct dataplane *dp, struct xf_error *err);
/* Puts the settings of an interface back that is to be detached. */
void dp_local_restore(const struct dataplane *dp, struct dp_iface_record *record);

/* ---- links (dataplane_link.c) */

void dp_link_pin_name(char name[32], const char *kind, __u32 ifindex);
int dp_link_pin(struct dataplane *dp, int link_fd, const char *kind, __u32 ifindex);
int dp_link_replace(struct dataplane *dp, const char *kind, __u32 ifindex, int prog_fd);
/* Detaches now, not when the last descriptor is gone, and unpins. */
void dp_link_remove(struct dataplane *dp, const char *pin);
/* Is it attached to a device that is still there? */
bool dp_link_is_alive(struct dataplane *dp, const char *pin);

/* ---- the network as the programs see it (dataplane_net.c) */

/* Which interfaces take XDP frames now. */
int dp_egress_refresh(struct dataplane *dp, struct xf_error *err);
int dp_local_addrs_refresh(struct dataplane *dp, struct xf_error *err);
/* (dataplane_neigh.c) Counts one more, one less user of the next hop on a rule's way to its target. */
void dp_neighbour_take(struct dataplane *dp, const struct xf_address *target, const struct nd_route *route);
void dp_neighbour_release(struct dataplane *dp, const struct xf_address *target);
void dp_neighbours_forget(struct dataplane *dp);
/* All users at once: forgets their numbers; counts; forgets the next hops that nobody uses any more. */
void dp_neighbours_recount(struct dataplane *dp);
void dp_neighbour_add(struct dataplane *dp, const struct xf_address *target, const struct nd_route *route, __u32 users);
void dp_neighbours_forget_unused(struct dataplane *dp);
/* Says which attached interfaces do not forward packets of these families (bit 0: IPv4, bit 1: IPv6). */
#define DP_WARN_IPV4 (1u << 0)
#define DP_WARN_IPV6 (1u << 1)
void dp_forwarding_warn(struct dataplane *dp, unsigned int families);

#endif
