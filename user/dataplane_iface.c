/* SPDX-License-Identifier: GPL-2.0-only */
/* The records of what is attached where. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "log.h"

struct collected {
	struct dp_iface_record *records;
	size_t n;
};

static int collect(const void *key, const void *value, void *arg)
{
	struct collected *c = arg;
	struct dp_iface_record *grown;

	grown = realloc(c->records, (c->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->records = grown;
	memcpy(&grown[c->n].ifindex, key, sizeof(__u32));
	memcpy(&grown[c->n].iface, value, sizeof(struct xf_iface));
	grown[c->n].iface.name[XF_IFNAME_LEN - 1] = '\0';
	grown[c->n].iface.reason[sizeof(grown->iface.reason) - 1] = '\0';
	c->n++;
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct dp_iface_record *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

int dp_ifaces_read(struct dataplane *dp, struct dp_iface_record **records, size_t *n, struct xf_error *err)
{
	struct collected c = {0};
	int rc = dp_map_walk(dp->map[DP_MAP_INTERFACES], collect, &c);

	if (rc) {
		free(c.records);
		return xf_fail(err, "cannot read the attached interfaces: %s", strerror(-rc));
	}
	if (c.n)
		qsort(c.records, c.n, sizeof(*c.records), by_ifindex);
	*records = c.records;
	*n = c.n;
	return 0;
}

bool dp_iface_get(struct dataplane *dp, __u32 ifindex, struct dp_iface_record *record)
{
	record->ifindex = ifindex;
	return !bpf_map_lookup_elem(dp->map[DP_MAP_INTERFACES], &ifindex, &record->iface);
}

int dp_iface_put(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err)
{
	if (bpf_map_update_elem(dp->map[DP_MAP_INTERFACES], &record->ifindex, &record->iface, BPF_ANY))
		return xf_fail(err, "%s: cannot note that it is attached: %s", record->iface.name, strerror(errno));
	return 0;
}

void dp_iface_forget(struct dataplane *dp, __u32 ifindex)
{
	bpf_map_delete_elem(dp->map[DP_MAP_EGRESS], &ifindex);
	bpf_map_delete_elem(dp->map[DP_MAP_INTERFACES], &ifindex);
}

/*
 * Same index, but is it the same interface? Of a link one can tell: it dies with
 * the interface it was made on. From another network namespace, nothing else.
 */
bool dp_iface_look(struct dataplane *dp, struct dp_iface_record *record)
{
	struct xf_error ignored;
	struct nd_link link;
	char pin[32];

	dp_link_pin_name(pin, "tcx", record->ifindex);
	if (record->iface.tc_attach == XF_TC_TCX && !dp_link_is_alive(dp, pin))
		return false;
	if (dp->config.netns != dp_netns())
		return true;
	if (nd_link_by_index(record->ifindex, &link, &ignored))
		return false;
	memcpy(record->iface.name, link.name, sizeof(record->iface.name));
	return true;
}

int dp_ifaces_prune(struct dataplane *dp, struct xf_error *err)
{
	struct dp_iface_record *records;
	struct xf_error ignored;
	char before[XF_IFNAME_LEN];
	size_t n, i;

	if (dp_ifaces_read(dp, &records, &n, err))
		return -1;
	for (i = 0; i < n; i++) {
		memcpy(before, records[i].iface.name, sizeof(before));
		if (!dp_iface_look(dp, &records[i])) {
			log_debug("%s is gone, or was detached by others", before);
			dp_detach(dp, &records[i], &ignored);
		} else if (strcmp(before, records[i].iface.name)) {
			log_debug("%s is called %s now", before, records[i].iface.name);
			dp_iface_put(dp, &records[i], &ignored);
		}
	}
	free(records);
	return 0;
}
