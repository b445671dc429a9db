// SPDX-License-Identifier: GPL-2.0-only
/* Loads the skeleton with small maps and brings them back to the beginning for each case. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "buckets.h"
#include "maps.h"
#include "xdpfwd.skel.h"
#include "xdpfwd/policy.h"
#include "xdpfwd/refusal.h"

#define TIMEOUT_JIFFIES 100000

static struct xdpfwd_bpf *skel;

static const struct {
	const char *map;
	uint32_t entries;
} sizes[] = {
	{"rules", 2 * MAX_RULES},
	{"rule_meta", MAX_RULES},
	{"rule_counters", MAX_RULES},
	{"rule_drops", 1024},
	{"listen", 256},
	{"listen_ranges", 1024},
	{"flows", 2 * MAX_FLOWS},
	{"buckets", XF_BUCKETS(MAX_FLOWS) + XF_BUCKETS_NEAR - 1},
	{"slots", MAX_FLOWS},
	{"free_slots", MAX_FLOWS},
	{"evictable", MAX_FLOWS},
	{"udp_ports", MAX_FLOWS},
	{"policies", 2 * MAX_RULES},
	{"rule_states", MAX_RULES},
	{"source_buckets", MAX_FLOWS / 2},
	{"sketches", 512},
	{"sources", 1024},
};

static bool changed; /* since packets came last */

static void die(const char *what)
{
	fprintf(stderr, "packet_test: %s: %s\n", what, strerror(errno));
	exit(1);
}

void maps_open(void)
{
	skel = xdpfwd_bpf__open();
	if (!skel)
		die("opening the skeleton");
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, sizes[i].map);

		if (!map || bpf_map__set_max_entries(map, sizes[i].entries))
			die(sizes[i].map);
	}
	if (bpf_map__set_max_entries(skel->maps.refusals, libbpf_num_possible_cpus() * XF_REFUSALS))
		die("refusals");
	skel->rodata->cfg_conntrack = true;
	skel->rodata->cfg_buckets = XF_BUCKETS(MAX_FLOWS);
	skel->rodata->cfg_entry_index = xf_entry_index(MAX_FLOWS);
	if (xdpfwd_bpf__load(skel))
		die("loading the skeleton");
}

void maps_close(void)
{
	xdpfwd_bpf__destroy(skel);
}

int map_fd(const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(skel->obj, name);

	if (fd < 0)
		die(name);
	return fd;
}

int prog_fd(const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, name);

	if (!prog)
		die(name);
	return bpf_program__fd(prog);
}

static void sweep(uint32_t flags)
{
	struct xf_sweep_request request = {.flags = flags};
	uint8_t packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	memcpy(packet, &request, sizeof(request));
	if (bpf_prog_test_run_opts(prog_fd("xf_sweep"), &opts))
		die("xf_sweep");
}

void maps_change(void)
{
	changed = true;
}

void maps_tell_changes(void)
{
	if (changed)
		sweep(XF_SWEEP_CHANGE);
	changed = false;
}

void refusals_settle(void)
{
	sweep(XF_SWEEP_SETTLE);
}

void map_put(const char *name, const void *key, const void *value)
{
	if (bpf_map_update_elem(map_fd(name), key, value, BPF_ANY))
		die(name);
	maps_change();
}

void map_sum(const char *name, const void *key, uint64_t *sum, unsigned int words)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc(cpus * words, sizeof(*values));

	memset(sum, 0, words * sizeof(*sum));
	if (!values || (bpf_map_lookup_elem(map_fd(name), key, values) && errno != ENOENT))
		die(name);
	for (unsigned int i = 0; i < cpus * words; i++)
		sum[i % words] += values[i];
	free(values);
}

static void zero_percpu(const char *name, uint32_t entries, unsigned int words)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc(cpus * words, sizeof(*values));

	if (!values)
		die(name);
	for (uint32_t i = 0; i < entries; i++)
		map_put(name, &i, values);
	free(values);
}

static void clear(const char *name)
{
	uint8_t key[64];

	while (!bpf_map_get_next_key(map_fd(name), NULL, key))
		if (bpf_map_delete_elem(map_fd(name), key))
			die(name);
}

/* What a CPU remembers of the last flow that it has made. */
static void clear_drafts(void)
{
	uint32_t zero = 0;
	void *drafts = calloc(libbpf_num_possible_cpus(), bpf_map__value_size(skel->maps.draft));

	if (!drafts)
		die("draft");
	map_put("draft", &zero, drafts);
	free(drafts);
}

static void clear_flows(void)
{
	static const struct xf_slot no_slot;
	static const struct xf_flow no_flow;
	static const struct xf_cursor start;
	uint32_t slot, half, zero = 0;

	buckets_clear();
	clear_drafts();
	clear("fragments");
	clear("frag_hosts");
	clear("udp_ports");
	clear("source_flows");
	while (!bpf_map_lookup_and_delete_elem(map_fd("free_slots"), NULL, &slot))
		;
	for (slot = 0; slot < MAX_FLOWS; slot++)
		map_put("slots", &slot, &no_slot);
	for (half = 0; half < 2 * MAX_FLOWS; half++)
		map_put("flows", &half, &no_flow);
	map_put("cursor", &zero, &start);
}

static void clear_rules(void)
{
	static const struct xf_rule_state no_state;
	static const struct xf_rule no_rule;

	clear("listen");
	clear("listen_ranges");
	clear("rule_drops");
	clear("sketches");
	clear("sources");
	for (uint32_t i = 0; i < 2 * MAX_RULES; i++)
		map_put("rules", &i, &no_rule);
	for (uint32_t i = 0; i < MAX_RULES; i++)
		map_put("rule_states", &i, &no_state);
	zero_percpu("rule_counters", MAX_RULES, sizeof(struct xf_rule_counters) / 8);
	clear("syn_proofs");
	zero_percpu("drops", XF_REASON_COUNT, 1);
}

static void clear_policies(void)
{
	static const struct xf_policy no_policy;
	static const struct xf_rule_state no_state;

	clear("prefixes4");
	clear("prefixes6");
	clear("source_buckets");
	clear("source_flows");
	for (uint32_t i = 0; i < MAX_RULES; i++) {
		map_put("policies", &i, &no_policy);
		map_put("rule_states", &i, &no_state);
	}
}

/* ICMP errors are limited by the second, and a case takes no second. */
static void refill_error_tokens(void)
{
	struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, "error_draft");

	if (!map)
		die("error_draft");
	zero_percpu("error_draft", 1, (bpf_map__value_size(map) + 7) / 8);
}

static void fill_addresses(void)
{
	for (enum host h = ROUTER; h <= ROUTER_DMZ; h++) {
		struct xf_local local = {.ifindex = dev_ifindex(host_dev(h))};

		for (uint32_t family = XF_IPV4; family <= XF_IPV6; family += XF_IPV6 - XF_IPV4) {
			struct xf_local_key key = {.addr = host_addr(h, family), .family = family};

			map_put("local_addrs", &key, &local);
		}
	}
}

static void fill_egress(void)
{
	for (enum dev d = 0; d < DEVS; d++) {
		uint32_t ifindex = dev_ifindex(d);

		if (d != DMZ0)
			map_put("egress", &ifindex, &ifindex);
	}
}

static void fill_config(struct test *t)
{
	t->config = (struct xf_config){
		.abi = XF_ABI_VERSION,
		.set = RULE_SET,
		.hz = 1000,
		.max_rules = MAX_RULES,
		.max_flows = MAX_FLOWS,
		.route_ttl = TIMEOUT_JIFFIES,
		.port_lo = PORT_LO,
		.port_hi = PORT_HI,
		.secret = {0x0706050403020100, 0x0f0e0d0c0b0a0908},
	};
	for (int i = 0; i < XF_TIMEOUT_COUNT; i++)
		t->config.timeout[i] = TIMEOUT_JIFFIES * (i + 1);
	config_put(t);
}

void maps_reset(struct test *t)
{
	uint32_t zero = 0;

	refusals_settle();
	clear_flows();
	clear_rules();
	clear_policies();
	refill_error_tokens();
	fill_addresses();
	fill_egress();
	fill_config(t);
	map_put("ports", &zero, &t->ports);
}
