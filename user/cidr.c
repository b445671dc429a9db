// SPDX-License-Identifier: GPL-2.0-only
#include "cidr.h"

#include <string.h>

int cidr_parse(const char *text, struct cidr *out, struct xf_error *err)
{
	const char *slash = strchr(text, '/');
	char addr[64];
	struct cidr net;
	uint32_t bits;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(addr))
		return xf_fail(err, "%.80s is not a network: write it as in 198.51.100.0/24", text);
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (xf_address_parse(addr, &net.addr, err) < 0)
		return -1;
	bits = net.addr.family == XF_IPV4 ? 32 : 128;
	if (slash && xf_u32_parse(slash + 1, 0, bits, &bits, err) < 0)
		return xf_fail(err, "%.80s: the prefix length is a number from 0 to %u", text, bits);
	net.bits = (uint8_t)bits;
	*out = net;
	return 0;
}

bool cidr_contains(const struct cidr *net, const struct xf_address *addr)
{
	unsigned int whole = net->bits / 8, rest = net->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (net->addr.family != addr->family || memcmp(net->addr.addr.v6, addr->addr.v6, whole))
		return false;
	return !rest || !((net->addr.addr.v6[whole] ^ addr->addr.v6[whole]) & mask);
}
