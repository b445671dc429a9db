// SPDX-License-Identifier: GPL-2.0-only
#include "cidr.h"

#include <stdio.h>
#include <string.h>

static unsigned int family_bits(const struct cidr *net)
{
	return net->addr.family == XF_IPV4 ? 32 : 128;
}

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
	bits = family_bits(&net);
	if (slash && xf_u32_parse(slash + 1, 0, bits, &bits, err) < 0)
		return xf_fail(err, "%.80s: the prefix length is a number from 0 to %u", text, bits);
	net.bits = (uint8_t)bits;
	*out = net;
	return 0;
}

/* The network that the address is in. */
static struct cidr network_of(const struct cidr *net)
{
	unsigned int whole = net->bits / 8, octets = family_bits(net) / 8;
	struct cidr out = *net;

	if (whole < octets) {
		out.addr.addr.v6[whole] &= (uint8_t)(0xff00 >> net->bits % 8);
		memset(out.addr.addr.v6 + whole + 1, 0, octets - whole - 1);
	}
	return out;
}

int cidr_parse_network(const char *text, struct cidr *out, struct xf_error *err)
{
	char meant[CIDR_STRLEN], alone[CIDR_STRLEN];
	struct cidr net, network;

	if (cidr_parse(text, &net, err))
		return -1;
	network = network_of(&net);
	if (!xf_address_equal(&network.addr, &net.addr))
		return xf_fail(err, "%.80s is an address in a network: write %s for the network, or %s for the address",
			       text, cidr_format(&network, meant, sizeof(meant)),
			       xf_address_format(&net.addr, alone, sizeof(alone)));
	*out = net;
	return 0;
}

const char *cidr_format(const struct cidr *net, char *buf, size_t len)
{
	char addr[XF_ENDPOINT_STRLEN];

	xf_address_format(&net->addr, addr, sizeof(addr));
	if (net->bits == family_bits(net))
		snprintf(buf, len, "%s", addr);
	else
		snprintf(buf, len, "%s/%u", addr, net->bits);
	return buf;
}

bool cidr_contains(const struct cidr *net, const struct xf_address *addr)
{
	unsigned int whole = net->bits / 8, rest = net->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (net->addr.family != addr->family || memcmp(net->addr.addr.v6, addr->addr.v6, whole))
		return false;
	return !rest || !((net->addr.addr.v6[whole] ^ addr->addr.v6[whole]) & mask);
}

int cidr_compare(const void *a, const void *b)
{
	const struct cidr *x = a, *y = b;
	int order = (int)x->addr.family - (int)y->addr.family;

	if (!order)
		order = memcmp(&x->addr.addr, &y->addr.addr, sizeof(x->addr.addr));
	return order ? order : (int)x->bits - (int)y->bits;
}
