/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network that the packets of the tests come from and go to: a namespace
 * with veth devices, addresses, routes and permanent neighbours, so that every
 * route lookup has one known answer. No packet ever travels on it.
 */
#ifndef XDPFWD_TESTS_PACKET_WORLD_H
#define XDPFWD_TESTS_PACKET_WORLD_H

#include <stdint.h>

#include "xdpfwd/abi.h"

enum dev {
	WAN0,
	WAN1,
	LAN0,
	LAN1, /* MTU 1280 */
	DMZ0, /* does not take XDP frames: not in "egress" */
	DEVS
};

enum host {
	CLIENT,	  /* on wan0 */
	CLIENT2,  /* on wan0 */
	STRANGER, /* comes in by wan1 through a router, and no route leads back to it */
	TARGET,	  /* on lan0 */
	TARGET2,  /* on lan0 */
	FAR,	  /* behind a router on lan0 */
	NARROW,	  /* on lan1 */
	SLOW,	  /* on dmz0 */
	SILENT,	  /* on lan0; its neighbour is not known */
	NOWHERE,  /* there is no route to it */
	BANNED,	  /* the route to it is "unreachable" */
	ROUTER,	  /* this machine on wan0 */
	ROUTER_WAN1,
	ROUTER_LAN,
	ROUTER_LAN1,
	ROUTER_DMZ,
	VIRTUAL,  /* routed to this machine, but none of its addresses */
	LOOPBACK, /* this machine, to itself */
	HOSTS
};

/* Leaves the present network namespace for one of its own and fills it; exits the process on failure. */
void world_make(void);

uint32_t dev_ifindex(enum dev dev);
const uint8_t *dev_mac(enum dev dev);
enum dev host_dev(enum host host);
/* Of its next hop, for a host behind a router. */
const uint8_t *host_mac(enum host host);
union xf_addr host_addr(enum host host, uint8_t family);

/* net.ipv4.conf.DEV.forwarding and its IPv6 twin. */
void world_set_forwarding(enum dev dev, int on);

#endif
