/* SPDX-License-Identifier: GPL-2.0-only */
/* Networks as text: "198.51.100.0/24", "2001:db8::/32", or one address. Pure. */
#ifndef XDPFWD_USER_CIDR_H
#define XDPFWD_USER_CIDR_H

#include "addr.h"

struct cidr {
	struct xf_address addr;
	uint8_t bits;
};

int cidr_parse(const char *text, struct cidr *out, struct xf_error *err);
/* False also for an address of the other family. */
bool cidr_contains(const struct cidr *net, const struct xf_address *addr);

#endif
