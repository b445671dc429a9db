// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the program attached to a port costs a packet, in ns over an empty
 * program: BPF_PROG_RUN, many packets a run, no driver and no network around it.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "blank.h"
#include "wire.h"

#include "cost.skel.h"

#define ROUNDS	 9
#define REPEAT	 200000
#define FAR_PORT 30000 /* from the listen port to one that no rule has */

struct path {
	const char *name;
	bool bare, ipv6, reply;
	uint16_t port_move;
	uint32_t verdict; /* what the program must say */
};

static const struct path paths[] = {
	{"bare redirect", true, false, false, 0, XDP_REDIRECT},
	{"not ours, IPv4", false, false, false, FAR_PORT, XDP_PASS},
	{"not ours, IPv6", false, true, false, FAR_PORT, XDP_PASS},
	{"flow hit, IPv4", false, false, false, 0, XDP_REDIRECT},
	{"flow hit, IPv4 reply", false, false, true, 0, XDP_REDIRECT},
	{"flow hit, IPv6", false, true, false, 0, XDP_REDIRECT},
	{"flow hit, IPv6 reply", false, true, true, 0, XDP_REDIRECT},
};

struct bench {
	struct bench_cost *skel;
	struct port wan, lan;
	int program, bare, empty;
};

struct outcome {
	int ns;		  /* a packet */
	uint32_t verdict; /* on the last one */
};

/* Runs the given program on that many packets of the path. */
static struct outcome run(const struct bench *bench, const struct path *path, int program, uint32_t packets)
{
	struct bench_cost *skel = bench->skel;
	const size_t size = BENCH_SIZE(path->ipv6, false);
	struct xdp_md ctx = {
		.data_end = (__u32)size,
		.ingress_ifindex = path->reply ? bench->lan.ifindex : bench->wan.ifindex,
	};
	uint8_t frame[BENCH_MAX_SIZE] = {0};
	uint32_t key = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (__u32)size, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = (int)packets);

	skel->bss->reply = path->reply;
	skel->bss->port_move = path->port_move;
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.subject), &key, &program, BPF_ANY))
		die("cannot call the program: %s", strerror(errno));
	if (bpf_prog_test_run_opts(bpf_program__fd(path->ipv6 ? skel->progs.bench_cost6 : skel->progs.bench_cost4),
				   &opts))
		die("cannot run the program: %s", strerror(errno));
	return (struct outcome){.ns = (int)opts.duration, .verdict = opts.retval};
}

/*
 * Each flow's first packet, one by one, and a look at what the program says to
 * it. One in 65,536 has by chance a checksum that looks like the pseudo header's
 * alone: the fast tier leaves that one, and rightly so, to the full tier.
 */
static void make_flows(const struct bench *bench, const struct path *path)
{
	const int program = path->bare ? bench->bare : bench->program;
	uint32_t flows = bench->skel->data->flows, exceptions = 0;

	bench->skel->bss->in_order = 1;
	bench->skel->bss->next = 0;
	for (uint32_t i = 0; i < flows; i++)
		exceptions += run(bench, path, program, 1).verdict != path->verdict;
	bench->skel->bss->in_order = 0;
	if (exceptions > 3 + flows / 10000)
		die("%s: the program does not say %u to %u of %u packets", path->name, path->verdict, exceptions,
		    flows);
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void measure(const struct bench *bench, const struct path *path)
{
	const int program = path->bare ? bench->bare : bench->program;
	int cost[ROUNDS];

	make_flows(bench, path);
	for (int i = 0; i < ROUNDS; i++) {
		int empty = run(bench, path, bench->empty, REPEAT).ns;

		cost[i] = run(bench, path, program, REPEAT).ns - empty;
	}
	qsort(cost, ROUNDS, sizeof(cost[0]), ascending);
	printf("%s\t%u\t%d\t%d\t%d\n", path->name, bench->skel->data->flows, cost[ROUNDS / 2], cost[0],
	       cost[ROUNDS - 1]);
	fflush(stdout);
}

static void open_bench(struct bench *bench)
{
	static const struct bench_kind udp4 = {0}, udp6 = {.ipv6 = 1};
	struct bench_cost *skel = bench_cost__open();

	if (!skel)
		die("cannot open the programs: %s", strerror(errno));
	/* The sender's address does not matter here; the router's is what a frame must be addressed to. */
	*(struct bench_blank *)&skel->rodata->blank4 = blank_make(&udp4, &bench->wan, &bench->wan);
	*(struct bench_blank *)&skel->rodata->blank6 = blank_make(&udp6, &bench->wan, &bench->wan);
	if (bench_cost__load(skel))
		die("cannot load the programs: %s", strerror(errno));
	bench->skel = skel;
	bench->empty = bpf_program__fd(skel->progs.bench_empty);
	bench->bare = bare_load(BARE_REDIRECT, &udp4, &bench->lan, &bench->lan);
	bench->program = port_program(&bench->wan);
}

/* cost CPU NETNS:WAN NETNS:LAN FLOWS... */
int main(int argc, char **argv)
{
	struct bench bench = {0};
	cpu_set_t cpu;

	if (argc < 5)
		die("CPU, NETNS:WAN, NETNS:LAN and numbers of flows are needed");
	CPU_ZERO(&cpu);
	CPU_SET(atoi(argv[1]), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		die("CPU %s: %s", argv[1], strerror(errno));
	port_find(&bench.wan, argv[2]);
	port_find(&bench.lan, argv[3]);
	open_bench(&bench);
	port_enter(&bench.wan);
	for (int i = 4; i < argc; i++) {
		bench.skel->data->flows = (uint32_t)strtoul(argv[i], NULL, 10);
		for (size_t path = 0; path < sizeof(paths) / sizeof(paths[0]); path++)
			measure(&bench, &paths[path]);
	}
	return 0;
}
