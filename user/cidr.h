/* SPDX-License-Identifier: GPL-2.0-only */
/* Networks as text: "198.51.100.0/24", "2001:db8::/32", or one address. Pure. */
#ifndef XDPFWD_USER_CIDR_H
#define XDPFWD_USER_CIDR_H

#include "addr.h"

struct cidr {
	struct xf_address addr;
	uint8_t bits;
};

#define CIDR_STRLEN 56

int cidr_parse(const char *text, struct cidr *out, struct xf_error *err);
/* The same, but an address in a network is no network: "198.51.100.7/24" is refused. */
int cidr_parse_network(const char *text, struct cidr *out, struct xf_error *err);
/* What both take; an address alone without a length. Returns buf. */
const char *cidr_format(const struct cidr *net, char *buf, size_t len);
/* False also for an address of the other family. */
bool cidr_contains(const struct cidr *net, const struct xf_address *addr);
/* A network before those in it, IPv4 before IPv6: for qsort. */
int cidr_compare(const void *a, const void *b);

#endif
