/* SPDX-License-Identifier: GPL-2.0-only */
/* Text to numbers, addresses and ports. Every error says how to write it right. */
#include "addr.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* So much of a user's text goes into an error, so that the remedy after it still fits. */
#define SHOWN "%.80s"

static const char *shown(const char *text)
{
	return *text ? text : "\"\"";
}

size_t xf_utf8_printable(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	uint32_t least, point;
	size_t n, i;

	if (c[0] < 0x80)
		return c[0] >= 0x20 && c[0] != 0x7f;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;

	n = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	least = n == 2 ? 0xa0 : n == 3 ? 0x800 : 0x10000; /* 0x80 to 0x9f are control characters too */
	point = c[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (c[i] & 0x3f);
	}
	if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	/* The line and paragraph separators and the marks that turn the reading direction round. */
	if (point == 0x2028 || point == 0x2029 || (point >= 0x202a && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069))
		return 0;
	return n;
}

/* An error goes to terminals, logs and JSON: whatever a user's text may hold, it stays one line of UTF-8. */
static void make_printable(char *text)
{
	while (*text) {
		size_t n = xf_utf8_printable(text);

		if (!n)
			*text = '?';
		text += n ? n : 1;
	}
}

int xf_fail(struct xf_error *err, const char *fmt, ...)
{
	char line[sizeof(err->text)]; /* apart, so that err->text itself may be among the arguments */
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	make_printable(line);
	memcpy(err->text, line, sizeof(line));
	return -1;
}

/* Decimal digits and nothing else, no leading zero: what strtoul would also take is refused. */
static bool number_parse(const char *text, uint64_t *out)
{
	uint64_t value = 0;
	size_t n;

	for (n = 0; text[n] >= '0' && text[n] <= '9' && n < 11; n++)
		value = value * 10 + (uint64_t)(text[n] - '0');
	if (n == 0 || text[n] || (text[0] == '0' && n > 1))
		return false;
	*out = value;
	return true;
}

int xf_u32_parse(const char *text, uint32_t min, uint32_t max, uint32_t *out, struct xf_error *err)
{
	uint64_t value;

	if (!number_parse(text, &value) || value < min || value > max)
		return xf_fail(err, SHOWN " is not a number from %u to %u", shown(text), min, max);
	*out = (uint32_t)value;
	return 0;
}

static int address4_parse(const char *text, struct xf_address *out, struct xf_error *err)
{
	struct xf_address a = {.family = XF_IPV4};

	if (inet_pton(AF_INET, text, &a.addr.v4) == 1) {
		*out = a;
		return 0;
	}
	return xf_fail(err, SHOWN " is not an address: write it as in 192.0.2.1 or 2001:db8::1", shown(text));
}

static int address6_parse(const char *text, struct xf_address *out, struct xf_error *err)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct xf_address a = {.family = XF_IPV6};
	char v4[INET_ADDRSTRLEN];

	if (strchr(text, '%'))
		return xf_fail(err, SHOWN ": addresses with a zone (%%IFACE) are not supported; use a global address",
			       text);
	if (inet_pton(AF_INET6, text, a.addr.v6) != 1)
		return xf_fail(err, SHOWN " is not an address: write it as in 192.0.2.1 or 2001:db8::1", text);
	if (!memcmp(a.addr.v6, mapped, sizeof(mapped))) {
		inet_ntop(AF_INET, &a.addr.w[3], v4, sizeof(v4));
		return xf_fail(err, SHOWN " is an IPv4 address in IPv6 spelling: write %s", text, v4);
	}
	*out = a;
	return 0;
}

int xf_address_parse(const char *text, struct xf_address *out, struct xf_error *err)
{
	if (text[0] == '[')
		return xf_fail(err, SHOWN ": an address alone is written without brackets", text);
	if (strchr(text, ':'))
		return address6_parse(text, out, err);
	return address4_parse(text, out, err);
}

static bool port_parse(const char *text, uint16_t *out)
{
	uint64_t value;

	if (!number_parse(text, &value) || value < 1 || value > 65535)
		return false;
	*out = (uint16_t)value;
	return true;
}

int xf_ports_parse(const char *text, struct xf_port_range *out, struct xf_error *err)
{
	const char *dash = strchr(text, '-');
	struct xf_port_range r;
	char first[8];
	size_t n = dash ? (size_t)(dash - text) : strlen(text);

	if (n >= sizeof(first))
		goto refuse;
	memcpy(first, text, n);
	first[n] = '\0';
	if (!port_parse(first, &r.lo))
		goto refuse;
	r.hi = r.lo;
	if (dash && !port_parse(dash + 1, &r.hi))
		goto refuse;
	if (r.lo > r.hi)
		return xf_fail(err, SHOWN ": the range runs backwards: write %u-%u", text, r.hi, r.lo);
	*out = r;
	return 0;
refuse:
	return xf_fail(err, SHOWN " is not a port: write a number from 1 to 65535, or a range such as 8000-8099",
		       shown(text));
}

int xf_protos_parse(const char *text, uint8_t *out, struct xf_error *err)
{
	if (!strcmp(text, "tcp"))
		*out = XF_PROTO_TCP;
	else if (!strcmp(text, "udp"))
		*out = XF_PROTO_UDP;
	else if (!strcmp(text, "tcp+udp"))
		*out = XF_PROTO_TCP | XF_PROTO_UDP;
	else
		return xf_fail(err, SHOWN " is not a protocol: write tcp, udp or tcp+udp", shown(text));
	return 0;
}
