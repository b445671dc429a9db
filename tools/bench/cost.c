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

/* The rules that tools/bench/programs.py makes, by their distance from the listen port. */
enum rule_at {
	AT_PRESERVE,
	AT_MASQUERADE,
	AT_STATELESS,
	AT_REFUSED,
};

struct path {
	const char *name;
	uint16_t port_move;
	uint32_t verdict; /* what the program must say */
	bool ipv6, reply, bare;
	uint32_t fresh; /* packets in a round, each of a new flow; 0: of known flows */
};

static const struct path paths[] = {
	{.name = "bare redirect", .port_move = AT_PRESERVE, .verdict = XDP_REDIRECT, .bare = true},
	{.name = "not ours, IPv4", .port_move = FAR_PORT, .verdict = XDP_PASS},
	{.name = "not ours, IPv6", .port_move = FAR_PORT, .verdict = XDP_PASS, .ipv6 = true},
	{.name = "refused, IPv4", .port_move = AT_REFUSED, .verdict = XDP_DROP},
	{.name = "refused, IPv6", .port_move = AT_REFUSED, .verdict = XDP_DROP, .ipv6 = true},
	{.name = "stateless, IPv4", .port_move = AT_STATELESS, .verdict = XDP_REDIRECT},
	{.name = "stateless, IPv4 reply", .port_move = AT_STATELESS, .verdict = XDP_REDIRECT, .reply = true},
	{.name = "stateless, IPv6", .port_move = AT_STATELESS, .verdict = XDP_REDIRECT, .ipv6 = true},
	{.name = "flow hit, IPv4", .port_move = AT_PRESERVE, .verdict = XDP_REDIRECT},
	{.name = "flow hit, IPv4 reply", .port_move = AT_PRESERVE, .verdict = XDP_REDIRECT, .reply = true},
	{.name = "flow hit, IPv6", .port_move = AT_PRESERVE, .verdict = XDP_REDIRECT, .ipv6 = true},
	{.name = "flow hit, IPv6 reply",
	 .port_move = AT_PRESERVE,
	 .verdict = XDP_REDIRECT,
	 .ipv6 = true,
	 .reply = true},
	{.name = "new flow, IPv4", .port_move = AT_PRESERVE, .verdict = XDP_REDIRECT, .fresh = REPEAT / 2},
	{.name = "new flow, IPv6",
	 .port_move = AT_PRESERVE,
	 .verdict = XDP_REDIRECT,
	 .ipv6 = true,
	 .fresh = REPEAT / 2},
	/* As many as there are ports. */
	{.name = "new flow, masquerade, IPv4", .port_move = AT_MASQUERADE, .verdict = XDP_REDIRECT, .fresh = 1200},
	{.name = "new flow, masquerade, IPv6",
	 .port_move = AT_MASQUERADE,
	 .verdict = XDP_REDIRECT,
	 .ipv6 = true,
	 .fresh = 1200},
};

struct bench {
	struct bench_cost *skel;
	struct port wan, lan;
	int program, bare, empty;
	uint32_t known;	    /* flows */
	const char *wanted; /* the one path; empty: all */
	uint32_t base;
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
	uint32_t flows = bench->known, exceptions = 0;

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

static void measure(struct bench *bench, const struct path *path)
{
	const int program = path->bare ? bench->bare : bench->program;
	const uint32_t packets = path->fresh ? path->fresh : REPEAT;
	int cost[ROUNDS];

	bench->skel->data->flows = path->fresh ? BENCH_FLOWS_LIMIT / 2 : bench->known;
	if (!path->fresh)
		make_flows(bench, path);
	for (int i = 0; i < ROUNDS; i++) {
		int empty = run(bench, path, bench->empty, packets).ns;
		struct outcome outcome;

		bench->skel->bss->in_order = path->fresh > 0;
		outcome = run(bench, path, program, packets);
		if (path->fresh && outcome.verdict != path->verdict)
			die("%s: the program says %u and not %u", path->name, outcome.verdict, path->verdict);
		bench->skel->bss->in_order = 0;
		cost[i] = outcome.ns - empty;
	}
	qsort(cost, ROUNDS, sizeof(cost[0]), ascending);
	printf("%s\t%u\t%d\t%d\t%d\n", path->name, path->fresh ? 0 : bench->known, cost[ROUNDS / 2], cost[0],
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

static void stay_on(const char *number)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(atoi(number), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		die("CPU %s: %s", number, strerror(errno));
}

static void set(struct bench *bench, int option, char *value)
{
	switch (option) {
	case 'w':
		return port_find(&bench->wan, value);
	case 'l':
		return port_find(&bench->lan, value);
	case 'c':
		return stay_on(value);
	case 'p':
		bench->wanted = value;
		return;
	case 'b':
		bench->base = (uint32_t)strtoul(value, NULL, 10);
		return;
	default:
		die("see the source for the options");
	}
}

/* cost --wan NETNS:IFACE --lan NETNS:IFACE [--cpu N] [--path NAME] [--base FLOW] FLOWS... */
int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"wan", 1, NULL, 'w'},	{"lan", 1, NULL, 'l'},	{"cpu", 1, NULL, 'c'},
		{"path", 1, NULL, 'p'}, {"base", 1, NULL, 'b'}, {NULL, 0, NULL, 0},
	};
	struct bench bench = {.wanted = ""};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		set(&bench, option, optarg);
	if (!bench.wan.netns || !bench.lan.netns || optind == argc)
		die("--wan, --lan and numbers of flows are needed");
	open_bench(&bench);
	bench.skel->bss->base = bench.base;
	port_enter(&bench.wan);
	for (int i = optind; i < argc; i++) {
		bench.known = (uint32_t)strtoul(argv[i], NULL, 10);
		/* Paths of known flows for each number of them, of new flows once. */
		for (size_t path = 0; path < sizeof(paths) / sizeof(paths[0]); path++)
			if ((!*bench.wanted || !strcmp(paths[path].name, bench.wanted)) &&
			    (!paths[path].fresh || i == argc - 1))
				measure(&bench, &paths[path]);
	}
	return 0;
}
