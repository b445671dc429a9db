/* SPDX-License-Identifier: GPL-2.0-only */
/* What the netdev_*.c files share: one netlink exchange, and addresses in attributes. */
#ifndef XDPFWD_USER_NETDEV_INT_H
#define XDPFWD_USER_NETDEV_INT_H

#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "netdev.h"

/* A request under construction; none of ours comes near the size. */
struct nd_request {
	union {
		struct nlmsghdr nlh;
		char room[256];
	};
};

/* Starts a request; returns its zeroed family header of `size` octets. */
void *nd_request_init(struct nd_request *req, uint16_t type, uint16_t flags, size_t size);
void nd_request_put_address(struct nd_request *req, uint16_t attr, const struct xf_address *addr);

/*
 * Sends the request and gives each answer to fn (may be NULL) until the kernel
 * says that it is done or fn returns MNL_CB_STOP. 0, or -1 with errno: what the
 * kernel answered, or EINTR where a dump was overtaken by a change.
 */
int nd_talk(int bus, struct nd_request *req, mnl_cb_t fn, void *arg);

/* XF_IPV4/XF_IPV6 and AF_INET/AF_INET6; 0 (AF_UNSPEC) for any other. */
uint8_t nd_family_from_af(int af);
int nd_family_to_af(uint8_t family);
size_t nd_family_octets(uint8_t family);

/* Fills *out from raw octets in network order, or from an attribute if its length is right. */
void nd_address_set(struct xf_address *out, uint8_t family, const void *octets);
bool nd_address_get(struct xf_address *out, uint8_t family, const struct nlattr *attr);

#endif
