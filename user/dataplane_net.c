/* SPDX-License-Identifier: GPL-2.0-only */
/* What the maps mirror of the network around: ways out, own addresses, next hops. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "log.h"

/*
 * Generic XDP can send through any device; native XDP only where the driver
 * takes XDP frames. The map does not know who asks, so with native interfaces
 * about, only such devices are in it. EINVAL is how the map says that a device
 * is gone.
 */
static bool takes_xdp_frames(const struct dp_iface_record *record, bool any_native)
{
	struct xf_error ignored;
	struct nd_link link;
	uint64_t features;

	if (record->iface.flags & XF_IFACE_L3)
		return false;
	if (record->iface.tier == XF_TIER_GENERIC && !any_native)
		return true;
	if (!nd_xdp_features(record->ifindex, &features))
		return features & ND_XDP_NDO_XMIT;
	/* Before 6.3: a driver with native XDP has this too; with veth it depends on the peer, which is not to be seen. */
	return record->iface.tier == XF_TIER_NATIVE && !nd_link_by_index(record->ifindex, &link, &ignored) &&
	       strcmp(link.kind, "veth");
}

/* The programs tell by it which frames are for this machine. */
static void refresh_mac(struct dataplane *dp, struct dp_iface_record *record)
{
	struct xf_error ignored;
	struct nd_link link;

	if (nd_link_by_index(record->ifindex, &link, &ignored) ||
	    !memcmp(record->iface.mac, link.mac, sizeof(record->iface.mac)))
		return;
	memcpy(record->iface.mac, link.mac, sizeof(record->iface.mac));
	dp_iface_put(dp, record, &ignored);
}

int dp_egress_refresh(struct dataplane *dp, struct xf_error *err)
{
	int map = dp->map[DP_MAP_EGRESS], rc = 0;
	struct dp_iface_record *records;
	bool any_native = false;
	size_t n, i;

	if (dp_ifaces_read(dp, &records, &n, err))
		return -1;
	for (i = 0; i < n; i++)
		any_native |= records[i].iface.tier == XF_TIER_NATIVE;
	for (i = 0; i < n && !rc; i++) {
		__u32 ifindex = records[i].ifindex;

		refresh_mac(dp, &records[i]);
		if (!takes_xdp_frames(&records[i], any_native))
			bpf_map_delete_elem(map, &ifindex);
		else if (bpf_map_update_elem(map, &ifindex, &ifindex, BPF_ANY) && errno != EINVAL)
			rc = xf_fail(err, "%s: cannot note that it takes XDP frames: %s", records[i].iface.name,
				     strerror(errno));
	}
	free(records);
	return rc;
}

/* ---- own addresses */

struct addr_list {
	struct xf_local_key *keys;
	size_t n;
};

static int addr_list_add(struct addr_list *list, const struct xf_local_key *key)
{
	struct xf_local_key *grown = realloc(list->keys, (list->n + 1) * sizeof(*grown));

	if (!grown)
		return -1;
	list->keys = grown;
	list->keys[list->n++] = *key;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct xf_local_key));
}

struct addr_sync {
	int map;
	struct addr_list now; /* what the machine has */
	struct addr_list gone;
	int error;
};

static int addr_present(const struct nd_addr *addr, void *arg)
{
	struct addr_sync *sync = arg;
	struct xf_local_key key = {.addr = addr->addr.addr, .family = addr->addr.family};
	struct xf_local value = {.ifindex = addr->ifindex};

	if (addr_list_add(&sync->now, &key))
		sync->error = ENOMEM;
	else if (bpf_map_update_elem(sync->map, &key, &value, BPF_ANY))
		sync->error = errno;
	return sync->error;
}

static int addr_known(const void *key, const void *value, void *arg)
{
	struct addr_sync *sync = arg;

	(void)value;
	if (sync->now.n && bsearch(key, sync->now.keys, sync->now.n, sizeof(struct xf_local_key), compare_keys))
		return 0;
	return addr_list_add(&sync->gone, key) ? -ENOMEM : 0;
}

/* New ones first, then those that are gone: an address that stays is never missing. */
int dp_local_addrs_refresh(struct dataplane *dp, struct xf_error *err)
{
	struct addr_sync sync = {.map = dp->map[DP_MAP_LOCAL_ADDRS]};
	int rc = nd_addresses(addr_present, &sync, err);
	size_t i;

	if (!rc && !sync.error) {
		if (sync.now.n)
			qsort(sync.now.keys, sync.now.n, sizeof(*sync.now.keys), compare_keys);
		sync.error = -dp_map_walk(sync.map, addr_known, &sync);
	}
	for (i = 0; i < sync.gone.n; i++)
		bpf_map_delete_elem(sync.map, &sync.gone.keys[i]);
	if (!rc && sync.error)
		rc = xf_fail(err, "cannot note this machine's addresses: %s", strerror(sync.error));
	free(sync.now.keys);
	free(sync.gone.keys);
	return rc;
}

/* ---- forwarding sysctls */

static void warn_one(const char *ifname, uint8_t family)
{
	const char *ip = family == XF_IPV4 ? "ipv4" : "ipv6";

	if (nd_forwarding(ifname, family) == 0)
		log_warning("net.%s.conf.%s.forwarding is 0: forwarded packets will be dropped (%s); remedy: "
			    "sysctl -w net.%s.conf.%s.forwarding=1",
			    ip, ifname, dp_reason_label(XF_REASON_FORWARDING_DISABLED), ip, ifname);
}

void dp_forwarding_warn(struct dataplane *dp, unsigned int families)
{
	struct dp_iface_record *records;
	struct xf_error ignored;
	size_t n, i;

	if (dp_ifaces_read(dp, &records, &n, &ignored))
		return;
	for (i = 0; i < n; i++) {
		if (families & DP_WARN_IPV4)
			warn_one(records[i].iface.name, XF_IPV4);
		if (families & DP_WARN_IPV6)
			warn_one(records[i].iface.name, XF_IPV6);
	}
	free(records);
}
