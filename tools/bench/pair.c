// SPDX-License-Identifier: GPL-2.0-only
/*
 * pair xdp|tc NETNS:WAN NETNS:LAN NETNS:CLIENT NETNS:TARGET
 *
 * Attaches the bare programs for both directions to the router's two devices, says
 * "ready", and stays until it is killed, which detaches the XDP programs.
 */
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>

#include <bpf/bpf.h>

#include "pair.skel.h"

enum {
	WAN,
	LAN,
	CLIENT,
	TARGET,
	PORTS
};

static void set_macs(const volatile __u32 *macs, const struct port *to, const struct port *from)
{
	memcpy((uint8_t *)macs, to->mac, ETH_ALEN);
	memcpy((uint8_t *)macs + ETH_ALEN, from->mac, ETH_ALEN);
}

static struct bench_pair *load(const struct port ports[PORTS])
{
	struct bench_pair *skel = bench_pair__open();

	if (!skel)
		die("bare pair: %s", strerror(errno));
	set_macs(skel->rodata->macs_target, &ports[TARGET], &ports[LAN]);
	set_macs(skel->rodata->macs_client, &ports[CLIENT], &ports[WAN]);
	skel->rodata->out_target = ports[LAN].ifindex;
	skel->rodata->out_client = ports[WAN].ifindex;
	if (bench_pair__load(skel))
		die("cannot load the bare pair: %s", strerror(errno));
	port_lead(&ports[LAN], bpf_map__fd(skel->maps.wire_target));
	port_lead(&ports[WAN], bpf_map__fd(skel->maps.wire_client));
	return skel;
}

int main(int argc, char **argv)
{
	struct port ports[PORTS] = {0};
	struct bench_pair *skel;

	if (argc != 2 + PORTS || (strcmp(argv[1], "xdp") && strcmp(argv[1], "tc"))) {
		fprintf(stderr, "usage: pair xdp|tc NETNS:WAN NETNS:LAN NETNS:CLIENT NETNS:TARGET\n");
		return 2;
	}
	for (int i = 0; i < PORTS; i++)
		port_find(&ports[i], argv[2 + i]);
	skel = load(ports);
	if (!strcmp(argv[1], "tc")) {
		port_attach_tc(&ports[WAN], bpf_program__fd(skel->progs.pair_tc_there));
		port_attach_tc(&ports[LAN], bpf_program__fd(skel->progs.pair_tc_back));
	} else {
		port_attach(&ports[WAN], bpf_program__fd(skel->progs.pair_there));
		port_attach(&ports[LAN], bpf_program__fd(skel->progs.pair_back));
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
