// SPDX-License-Identifier: GPL-2.0-only
/*
 * forge CPU NETNS:WAN PORT drop|redirect WARM PACKETS
 *
 * What a forged SYN costs the program attached to a port, in ns over an empty
 * program: BPF_PROG_RUN, each packet from another source. WARM packets first,
 * not measured, whatever is said to them. Prints median, least and most of the rounds, one line.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "wire.h"

#include "forge.skel.h"

#define ROUNDS 9
#define FRAME  60
#define ANY    UINT32_MAX

static int attached_program(const struct port *port)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int fd;

	if (bpf_xdp_query((int)port->ifindex, 0, &query) || !query.prog_id)
		die("no XDP program on %s", port->ifname);
	fd = bpf_prog_get_fd_by_id(query.prog_id);
	if (fd < 0)
		die("program of %s: %s", port->ifname, strerror(errno));
	return fd;
}

struct bench {
	struct bench_forge *skel;
	struct port wan;
};

/* ns a packet; `verdict` is what the program must say to the last of them. */
static int run(struct bench *b, int program, uint32_t verdict, uint32_t packets)
{
	struct xdp_md ctx = {.data_end = FRAME, .ingress_ifindex = b->wan.ifindex};
	uint8_t frame[FRAME] = {0};
	uint32_t key = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = (int)packets);

	if (bpf_map_update_elem(bpf_map__fd(b->skel->maps.subject), &key, &program, BPF_ANY))
		die("cannot call the program: %s", strerror(errno));
	if (bpf_prog_test_run_opts(bpf_program__fd(b->skel->progs.bench_forge), &opts))
		die("cannot run the program: %s", strerror(errno));
	if (verdict != ANY && opts.retval != verdict)
		die("the program says %u and not %u", opts.retval, verdict);
	return (int)opts.duration;
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void measure(struct bench *b, int program, uint32_t verdict, uint32_t packets)
{
	int cost[ROUNDS], empty = bpf_program__fd(b->skel->progs.bench_forge_empty);

	for (int i = 0; i < ROUNDS; i++) {
		int nothing = run(b, empty, XDP_PASS, packets / ROUNDS);

		cost[i] = run(b, program, verdict, packets / ROUNDS) - nothing;
	}
	qsort(cost, ROUNDS, sizeof(cost[0]), ascending);
	printf("%d %d %d\n", cost[ROUNDS / 2], cost[0], cost[ROUNDS - 1]);
}

int main(int argc, char **argv)
{
	struct bench b = {.skel = bench_forge__open()};
	uint32_t verdict, warm;
	cpu_set_t cpu;

	if (argc != 7 || !b.skel)
		die("CPU, NETNS:WAN, PORT, verdict, WARM and PACKETS are needed");
	CPU_ZERO(&cpu);
	CPU_SET(atoi(argv[1]), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		die("CPU %s: %s", argv[1], strerror(errno));
	port_find(&b.wan, argv[2]);
	memcpy((void *)b.skel->rodata->router_mac, b.wan.mac, sizeof(b.wan.mac));
	if (bench_forge__load(b.skel))
		die("cannot load the programs: %s", strerror(errno));
	b.skel->bss->listen_port = (uint16_t)atoi(argv[3]);
	verdict = strcmp(argv[4], "drop") ? XDP_REDIRECT : XDP_DROP;
	warm = (uint32_t)strtoul(argv[5], NULL, 10);
	if (warm)
		run(&b, attached_program(&b.wan), ANY, warm);
	measure(&b, attached_program(&b.wan), verdict, (uint32_t)strtoul(argv[6], NULL, 10));
	return 0;
}
