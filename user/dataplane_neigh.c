/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Next hops that the kernel keeps resolved for us, each with the number of rules
 * that go through it. A kernel without managed neighbours (before 5.16) still
 * forwards: the first packet to an unknown next hop goes through its stack.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "log.h"

static struct xf_address next_hop(const struct xf_address *target, const struct nd_route *route)
{
	return route->gateway.family ? route->gateway : *target;
}

static struct xf_neigh_key neigh_key(const struct xf_address *target, const struct nd_route *route)
{
	struct xf_address hop = next_hop(target, route);

	return (struct xf_neigh_key){.addr = hop.addr, .family = hop.family, .ifindex = route->ifindex};
}

static bool has_neighbours(const struct nd_route *route)
{
	struct xf_error ignored;
	struct nd_link link;

	return !route->local && !nd_link_by_index(route->ifindex, &link, &ignored) && !link.l3 && !link.loopback;
}

void dp_neighbour_add(struct dataplane *dp, const struct xf_address *target, const struct nd_route *route, __u32 more)
{
	struct xf_neigh_key key = neigh_key(target, route);
	struct xf_address hop = next_hop(target, route);
	int map = dp->map[DP_MAP_NEIGHBOURS];
	struct xf_error why;
	__u32 users = 0;

	if (!has_neighbours(route))
		return;
	bpf_map_lookup_elem(map, &key, &users);
	/* Asked for each time: something else may have deleted it meanwhile. */
	if (nd_neigh_manage(route->ifindex, &hop, &why)) {
		log_debug("%s", why.text);
		return;
	}
	users += more;
	if (bpf_map_update_elem(map, &key, &users, BPF_ANY) && users == more) {
		log_debug("cannot note a neighbour: %s", strerror(errno));
		nd_neigh_forget(route->ifindex, &hop, &why);
	}
}

void dp_neighbour_take(struct dataplane *dp, const struct xf_address *target, const struct nd_route *route)
{
	dp_neighbour_add(dp, target, route, 1);
}

void dp_neighbour_release(struct dataplane *dp, const struct xf_address *target)
{
	int map = dp->map[DP_MAP_NEIGHBOURS];
	struct xf_neigh_key key;
	struct nd_route route;
	struct xf_address hop;
	struct xf_error why;
	__u32 users;

	if (nd_route_get(target, &route, &why))
		return;
	key = neigh_key(target, &route);
	hop = next_hop(target, &route);
	if (bpf_map_lookup_elem(map, &key, &users))
		return;
	if (users > 1) {
		users--;
		bpf_map_update_elem(map, &key, &users, BPF_EXIST);
		return;
	}
	if (nd_neigh_forget(route.ifindex, &hop, &why))
		log_debug("%s", why.text);
	bpf_map_delete_elem(map, &key);
}

static int forget_one(const void *key, const void *value, void *arg)
{
	const struct xf_neigh_key *k = key;
	struct xf_address hop = {.family = k->family, .addr = k->addr};
	struct dataplane *dp = arg;
	struct xf_error why;

	(void)value;
	if (nd_neigh_forget(k->ifindex, &hop, &why))
		log_debug("%s", why.text);
	bpf_map_delete_elem(dp->map[DP_MAP_NEIGHBOURS], key);
	return 0;
}

void dp_neighbours_forget(struct dataplane *dp)
{
	dp_map_walk(dp->map[DP_MAP_NEIGHBOURS], forget_one, dp);
}

static int zero_one(const void *key, const void *value, void *arg)
{
	struct dataplane *dp = arg;
	const __u32 none = 0;

	(void)value;
	bpf_map_update_elem(dp->map[DP_MAP_NEIGHBOURS], key, &none, BPF_EXIST);
	return 0;
}

void dp_neighbours_recount(struct dataplane *dp)
{
	dp_map_walk(dp->map[DP_MAP_NEIGHBOURS], zero_one, dp);
}

static int forget_unused(const void *key, const void *value, void *arg)
{
	__u32 users;

	memcpy(&users, value, sizeof(users));
	return users ? 0 : forget_one(key, value, arg);
}

void dp_neighbours_forget_unused(struct dataplane *dp)
{
	dp_map_walk(dp->map[DP_MAP_NEIGHBOURS], forget_unused, dp);
}
