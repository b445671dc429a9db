/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses, ports and endpoints back to text, and what can be asked of them. */
#include "addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool xf_address_equal(const struct xf_address *a, const struct xf_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == XF_IPV4)
		return a->addr.v4 == b->addr.v4;
	if (a->family == XF_IPV6)
		return !memcmp(a->addr.v6, b->addr.v6, sizeof(a->addr.v6));
	return true;
}

bool xf_address_is_loopback(const struct xf_address *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == XF_IPV4)
		return a->addr.v6[0] == 127;
	return a->family == XF_IPV6 && !memcmp(a->addr.v6, one, 16);
}

static const char *unusable4(const union xf_addr *addr)
{
	uint32_t a = ntohl(addr->v4);

	if (a == 0)
		return "stands for any address";
	if (a >> 24 == 0)
		return "is in 0.0.0.0/8, which no machine has";
	if (a >> 24 == 127)
		return "is a loopback address";
	if (a >> 28 == 14)
		return "is a multicast address";
	if (a == 0xffffffff)
		return "is the broadcast address";
	if (a >> 28 == 15)
		return "is in 240.0.0.0/4, which is reserved";
	return NULL;
}

static const char *unusable6(const union xf_addr *addr)
{
	static const uint8_t zero[15];

	if (!memcmp(addr->v6, zero, 15) && addr->v6[15] == 0)
		return "stands for any address";
	if (!memcmp(addr->v6, zero, 15) && addr->v6[15] == 1)
		return "is a loopback address";
	if (addr->v6[0] == 0xff)
		return "is a multicast address";
	/* RFC 4291 2.5.6: routers must not forward it to other links. */
	if (addr->v6[0] == 0xfe && (addr->v6[1] & 0xc0) == 0x80)
		return "is a link-local address";
	return NULL;
}

const char *xf_address_unusable_why(const struct xf_address *a)
{
	if (a->family == XF_IPV4)
		return unusable4(&a->addr);
	if (a->family == XF_IPV6)
		return unusable6(&a->addr);
	return "is no address";
}

bool xf_address_is_unusable(const struct xf_address *a)
{
	return xf_address_unusable_why(a) != NULL;
}

bool xf_ports_overlap(struct xf_port_range a, struct xf_port_range b)
{
	return a.lo <= b.hi && b.lo <= a.hi;
}

uint32_t xf_ports_count(struct xf_port_range r)
{
	return r.lo <= r.hi ? (uint32_t)r.hi - r.lo + 1 : 0;
}

const char *xf_address_format(const struct xf_address *a, char *buf, size_t len)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (a->family == XF_IPV4)
		inet_ntop(AF_INET, &a->addr.v4, text, sizeof(text));
	else if (a->family == XF_IPV6)
		inet_ntop(AF_INET6, a->addr.v6, text, sizeof(text));
	snprintf(buf, len, "%s", text);
	return buf;
}

/* As it stands in an endpoint: IPv6 in brackets. */
static const char *host_format(const struct xf_address *a, char *buf, size_t len)
{
	char text[INET6_ADDRSTRLEN];

	xf_address_format(a, text, sizeof(text));
	snprintf(buf, len, a->family == XF_IPV6 ? "[%s]" : "%s", text);
	return buf;
}

const char *xf_ports_format(struct xf_port_range r, char *buf, size_t len)
{
	if (r.lo == r.hi)
		snprintf(buf, len, "%u", r.lo);
	else
		snprintf(buf, len, "%u-%u", r.lo, r.hi);
	return buf;
}

const char *xf_listen_format(const struct xf_listen *l, char *buf, size_t len)
{
	char host[XF_ENDPOINT_STRLEN] = "", ports[12];

	if (l->kind == XF_LISTEN_ADDR)
		host_format(&l->addr, host, sizeof(host));
	else if (l->kind == XF_LISTEN_IFACE)
		snprintf(host, sizeof(host), "%.*s", XF_IFNAME_LEN - 1, l->ifname);
	snprintf(buf, len, "%s:%s", host, xf_ports_format(l->ports, ports, sizeof(ports)));
	return buf;
}

const char *xf_target_format(const struct xf_target *t, char *buf, size_t len)
{
	if (t->host[0])
		snprintf(buf, len, t->port ? "%.*s:%u" : "%.*s", XF_HOST_LEN - 1, t->host, t->port);
	else if (t->port)
		return xf_endpoint_format(&t->addr, t->port, buf, len);
	else
		return host_format(&t->addr, buf, len);
	return buf;
}

const char *xf_endpoint_format(const struct xf_address *a, uint16_t port, char *buf, size_t len)
{
	char host[XF_ENDPOINT_STRLEN];

	snprintf(buf, len, "%s:%u", host_format(a, host, sizeof(host)), port);
	return buf;
}

const char *xf_protos_format(uint8_t protos)
{
	switch (protos) {
	case XF_PROTO_TCP:
		return "tcp";
	case XF_PROTO_UDP:
		return "udp";
	case XF_PROTO_TCP | XF_PROTO_UDP:
		return "tcp+udp";
	default:
		return "none";
	}
}
