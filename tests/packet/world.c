// SPDX-License-Identifier: GPL-2.0-only
/* The namespace that the packet tests live in. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

struct device {
	const char *name;
	int mtu;
	enum host router; /* this machine's address on it */
	uint8_t mac[6];
};

static const struct device devices[DEVS] = {
	[WAN0] = {"wan0", 9000, ROUTER, {2, 0, 0, 0, 0xd, 0}},
	[WAN1] = {"wan1", 1500, ROUTER_WAN1, {2, 0, 0, 0, 0xd, 1}},
	[LAN0] = {"lan0", 9000, ROUTER_LAN, {2, 0, 0, 0, 0xd, 2}},
	[LAN1] = {"lan1", 1280, ROUTER_LAN1, {2, 0, 0, 0, 0xd, 3}},
	[DMZ0] = {"dmz0", 1500, ROUTER_DMZ, {2, 0, 0, 0, 0xd, 4}},
};

static const struct {
	enum dev dev;
	const char *v4, *v6;
	uint8_t mac[6];
} hosts[HOSTS] = {
	[CLIENT] = {WAN0, "198.51.100.10", "2001:db8:1::10", {2, 0, 0, 0, 1, 0x10}},
	[CLIENT2] = {WAN0, "198.51.100.11", "2001:db8:1::11", {2, 0, 0, 0, 1, 0x11}},
	[STRANGER] = {WAN1, "198.18.77.7", "2001:db8:77::7", {2, 0, 0, 0, 5, 0xfe}},
	[TARGET] = {LAN0, "192.0.2.10", "2001:db8:2::10", {2, 0, 0, 0, 2, 0x10}},
	[TARGET2] = {LAN0, "192.0.2.11", "2001:db8:2::11", {2, 0, 0, 0, 2, 0x11}},
	[FAR] = {LAN0, "198.18.3.10", "2001:db8:33::10", {2, 0, 0, 0, 2, 0xfe}},
	[NARROW] = {LAN1, "198.18.2.10", "2001:db8:4::10", {2, 0, 0, 0, 4, 0x10}},
	[SLOW] = {DMZ0, "203.0.113.10", "2001:db8:3::10", {2, 0, 0, 0, 3, 0x10}},
	[SILENT] = {LAN0, "192.0.2.99", "2001:db8:2::99", {0}},
	[NOWHERE] = {LAN0, "198.18.99.9", "2001:db8:99::9", {0}},
	[BANNED] = {LAN0, "198.18.98.8", "2001:db8:98::8", {0}},
	[ROUTER] = {WAN0, "198.51.100.1", "2001:db8:1::1", {0}},
	[ROUTER_WAN1] = {WAN1, "198.18.1.1", "2001:db8:5::1", {0}},
	[ROUTER_LAN] = {LAN0, "192.0.2.1", "2001:db8:2::1", {0}},
	[ROUTER_LAN1] = {LAN1, "198.18.2.1", "2001:db8:4::1", {0}},
	[ROUTER_DMZ] = {DMZ0, "203.0.113.1", "2001:db8:3::1", {0}},
	[LOOPBACK] = {WAN0, "127.0.0.1", "::1", {0}},
	[VIRTUAL] = {WAN0, "198.18.50.50", "2001:db8:50::50", {0}},
};

#define LAN_GATEWAY4 "192.0.2.254"
#define LAN_GATEWAY6 "2001:db8:2::fe"

static void fail(const char *what)
{
	fprintf(stderr, "packet_test: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *mac_text(const uint8_t *mac, char buf[18])
{
	snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return buf;
}

static void write_devices(FILE *ip)
{
	char mac[18];

	fprintf(ip, "link set lo up\n");
	for (int i = 0; i < DEVS; i++) {
		const struct device *d = &devices[i];

		fprintf(ip, "link add %s address %s mtu %d type veth peer name %s-peer\n", d->name,
			mac_text(d->mac, mac), d->mtu, d->name);
		fprintf(ip, "link set %s up\nlink set %s-peer up\n", d->name, d->name);
		fprintf(ip, "addr add %s/24 dev %s\n", hosts[d->router].v4, d->name);
		fprintf(ip, "addr add %s/64 dev %s nodad\n", hosts[d->router].v6, d->name);
	}
}

static void write_neighbour(FILE *ip, const char *addr, enum host host)
{
	char mac[18];

	fprintf(ip, "neigh add %s lladdr %s nud permanent dev %s\n", addr, mac_text(hosts[host].mac, mac),
		devices[hosts[host].dev].name);
}

static void write_routes(FILE *ip)
{
	static const enum host on_link[] = {CLIENT, CLIENT2, TARGET, TARGET2, NARROW, SLOW};

	for (unsigned int i = 0; i < sizeof(on_link) / sizeof(on_link[0]); i++) {
		write_neighbour(ip, hosts[on_link[i]].v4, on_link[i]);
		write_neighbour(ip, hosts[on_link[i]].v6, on_link[i]);
	}
	write_neighbour(ip, LAN_GATEWAY4, FAR);
	write_neighbour(ip, LAN_GATEWAY6, FAR);
	fprintf(ip, "route add 198.18.3.0/24 via %s\n", LAN_GATEWAY4);
	fprintf(ip, "route add 2001:db8:33::/64 via %s\n", LAN_GATEWAY6);
	fprintf(ip, "route add unreachable 198.18.98.0/24\n");
	fprintf(ip, "route add unreachable 2001:db8:98::/64\n");
}

static void set_sysctl(const char *path, int value)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%d\n", value) < 0 || fclose(f))
		fail(path);
}

void world_set_forwarding(enum dev dev, int on)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", devices[dev].name);
	set_sysctl(path, on);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/forwarding", devices[dev].name);
	set_sysctl(path, on);
}

void world_make(void)
{
	FILE *ip;

	if (unshare(CLONE_NEWNET))
		fail("unshare(CLONE_NEWNET)");
	set_sysctl("/proc/sys/net/ipv4/ip_forward", 1);
	set_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", 1);
	ip = popen("ip -batch -", "w");
	if (!ip)
		fail("ip");
	write_devices(ip);
	write_routes(ip);
	errno = 0;
	if (pclose(ip))
		fail("ip -batch");
}

uint32_t dev_ifindex(enum dev dev)
{
	return if_nametoindex(devices[dev].name);
}

const uint8_t *dev_mac(enum dev dev)
{
	return devices[dev].mac;
}

enum dev host_dev(enum host host)
{
	return hosts[host].dev;
}

const uint8_t *host_mac(enum host host)
{
	return hosts[host].mac;
}

union xf_addr host_addr(enum host host, uint8_t family)
{
	union xf_addr addr = {0};
	int ok;

	if (family == XF_IPV4)
		ok = inet_pton(AF_INET, hosts[host].v4, &addr.v4);
	else
		ok = inet_pton(AF_INET6, hosts[host].v6, addr.v6);
	if (ok != 1)
		fail("an address of the world");
	return addr;
}
