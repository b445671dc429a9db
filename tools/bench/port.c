// SPDX-License-Identifier: GPL-2.0-only
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

void die(const char *format, ...)
{
	va_list args;

	fputs("drive: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void port_enter(const struct port *port)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", port->netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("namespace %s: %s", port->netns, strerror(errno));
	close(fd);
}

void port_find(struct port *port, char *spec)
{
	struct ifreq request = {0};
	char *colon = strchr(spec, ':');
	int fd;

	if (!colon)
		die("%s: not NETNS:IFACE", spec);
	*colon = '\0';
	port->netns = spec;
	port->ifname = colon + 1;
	port_enter(port);
	port->ifindex = if_nametoindex(port->ifname);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", port->ifname);
	if (!port->ifindex || fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		die("%s in namespace %s: %s", port->ifname, port->netns, strerror(errno));
	memcpy(port->mac, request.ifr_hwaddr.sa_data, sizeof(port->mac));
	close(fd);
}

void port_attach(const struct port *port, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

	port_enter(port);
	if (bpf_link_create(program, (int)port->ifindex, BPF_XDP, &opts) < 0)
		die("cannot attach to %s in namespace %s: %s", port->ifname, port->netns, strerror(errno));
}

void port_lead(const struct port *port, int wire)
{
	uint32_t key = 0, ifindex = port->ifindex;

	port_enter(port);
	if (bpf_map_update_elem(wire, &key, &ifindex, BPF_ANY))
		die("cannot send through %s: %s", port->ifname, strerror(errno));
}

/* For whoever ends up with the packets that no XDP program takes. */
void port_attach_tc(const struct port *port, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)port->ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = 1, .priority = 1, .flags = BPF_TC_F_REPLACE);
	int err;

	port_enter(port);
	err = bpf_tc_hook_create(&hook);
	if ((err && err != -EEXIST) || bpf_tc_attach(&hook, &opts))
		die("cannot attach to TC of %s in namespace %s", port->ifname, port->netns);
}

__u64 port_received(const struct port *port)
{
	const size_t length = strlen(port->ifname);
	unsigned long long packets = 0;
	char line[512], *name;
	FILE *file;

	port_enter(port);
	file = fopen("/proc/thread-self/net/dev", "r");
	if (!file)
		die("/proc/thread-self/net/dev: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		name = line + strspn(line, " ");
		if (!strncmp(name, port->ifname, length) && name[length] == ':' &&
		    sscanf(name + length + 1, "%*u %llu", &packets) != 1)
			die("/proc/thread-self/net/dev: %s", line);
	}
	fclose(file);
	return packets;
}

int port_program(const struct port *port)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int fd;

	port_enter(port);
	if (bpf_xdp_query((int)port->ifindex, 0, &query) || !query.prog_id)
		die("no XDP program on %s", port->ifname);
	fd = bpf_prog_get_fd_by_id(query.prog_id);
	if (fd < 0)
		die("program of %s: %s", port->ifname, strerror(errno));
	return fd;
}
