/* SPDX-License-Identifier: GPL-2.0-only */
/* The instance as a whole. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"

static int add_ifaces(struct dataplane *dp, struct dp_status *status, struct xf_error *err)
{
	struct dp_iface_record *records;
	size_t n, i;

	if (dp_ifaces_read(dp, &records, &n, err))
		return -1;
	status->ifaces = calloc(n + 1, sizeof(*status->ifaces));
	for (i = 0; i < n && status->ifaces; i++) {
		struct dp_iface *out = &status->ifaces[status->n_ifaces];

		/* That this machine's own connections are served needs nobody's attention: no packet of others comes by lo. */
		if (records[i].ifindex == LOOPBACK_IFINDEX && records[i].iface.flags & XF_IFACE_AUTO)
			continue;
		/* What is gone is not attached, though its record stays until a command that may write. */
		if (!dp_iface_look(dp, &records[i]))
			continue;
		out->ifindex = records[i].ifindex;
		out->tier = (enum xf_tier)records[i].iface.tier;
		out->dispatcher = records[i].iface.flags & XF_IFACE_DISPATCHER;
		out->automatic = records[i].iface.flags & XF_IFACE_AUTO;
		memcpy(out->name, records[i].iface.name, sizeof(out->name));
		memcpy(out->reason, records[i].iface.reason, sizeof(out->reason));
		status->n_ifaces++;
	}
	free(records);
	return status->ifaces ? 0 : xf_fail(err, "out of memory");
}

static int count_flow(const struct dp_flow *flow, void *arg)
{
	struct dp_status *status = arg;

	/* A connection that is closing or closed was established; the contract knows two states. */
	if (flow->state == XF_FLOW_PENDING)
		status->flows_pending++;
	else
		status->flows_established++;
	return 0;
}

static int add_drops(struct dataplane *dp, struct dp_status *status, struct xf_error *err)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	__u64 *counts = cpus > 0 ? calloc((size_t)cpus, sizeof(*counts)) : NULL;
	__u32 reason;

	if (!counts)
		return xf_fail(err, "out of memory");
	for (reason = 0; reason < XF_REASON_COUNT; reason++)
		if (!bpf_map_lookup_elem(dp->map[DP_MAP_DROPS], &reason, counts))
			for (cpu = 0; cpu < cpus; cpu++)
				status->drops[reason] += counts[cpu];
	free(counts);
	return 0;
}

/* What the kernel charges for a map: told in the descriptor's file in /proc. */
static __u64 map_memory(int fd)
{
	unsigned long long octets = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &octets) == 1)
			break;
	fclose(f);
	return octets;
}

int dp_settings(struct dataplane *dp, struct dp_status *status, struct xf_error *err)
{
	int i;

	*status = (struct dp_status){
		.max_rules = dp->config.max_rules,
		.max_flows = dp->config.max_flows,
		.masquerade_ports = {.lo = dp->config.port_lo, .hi = dp->config.port_hi},
	};
	snprintf(status->version, sizeof(status->version), "%.31s", dp->config.version);
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		status->timeout[i] = dp->config.timeout[i] / dp->config.hz;
	if (!add_ifaces(dp, status, err))
		return 0;
	dp_status_free(status);
	return -1;
}

int dp_status(struct dataplane *dp, struct dp_status *status, struct xf_error *err)
{
	struct dp_ruleset set;
	int i;

	if (dp_settings(dp, status, err))
		return -1;
	for (i = 0; i < DP_MAP_COUNT; i++)
		status->memory_bytes += map_memory(dp->map[i]);
	if (dp_ruleset_read(dp, &set, err)) {
		dp_status_free(status);
		return -1;
	}
	status->rules = set.live;
	dp_ruleset_free(&set);
	if (!add_drops(dp, status, err) && !dp_flows(dp, count_flow, status, err))
		return 0;
	dp_status_free(status);
	return -1;
}

void dp_status_free(struct dp_status *status)
{
	free(status->ifaces);
	status->ifaces = NULL;
	status->n_ifaces = 0;
}
