/* SPDX-License-Identifier: GPL-2.0-only */
/* LISTEN and TARGET: which of the contract's spellings a text is, and what was meant if it is none. */
#include "addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Room for the longest host name; a longer one is no address anyway. */
#define HOST_LEN	   XF_HOST_LEN
#define HOST_NAME_MAX_LEN  253 /* RFC 1035, 2.3.4, without the dot at the end */
#define HOST_LABEL_MAX_LEN 63

/* So much of a user's text goes into an error, so that the remedy after it still fits. */
#define SHOWN "%.80s"

static const char *shown(const char *text)
{
	return *text ? text : "\"\"";
}

static bool is_digits_and_dots(const char *text)
{
	return *text && !text[strspn(text, "0123456789.")];
}

static bool is_address6(const char *text)
{
	struct xf_address a;

	return !xf_address_parse(text, &a, NULL) && a.family == XF_IPV6;
}

/* Also what xf_address_parse refuses: IPv4-mapped, or with a zone. */
static bool is_spelled6(const char *text)
{
	struct in6_addr a;

	return strchr(text, '%') || inet_pton(AF_INET6, text, &a) == 1;
}

/* HOST:PORT taken apart, nothing of it understood yet. */
struct endpoint_text {
	char host[HOST_LEN];
	const char *port; /* NULL: there was no colon */
	bool bracketed;
};

/*
 * Two colons or more and no bracket. 2001:db8::1:443 may be an address, or one
 * with a port: it is refused, and the error spells out what was meant.
 */
static int fail_unbracketed(const char *text, bool port_optional, struct xf_error *err)
{
	const char *last = strrchr(text, ':');
	bool whole = is_address6(text);
	struct xf_address a;
	struct xf_port_range ports;
	char head[HOST_LEN];
	int n = last - text < HOST_LEN ? (int)(last - text) : 0;

	snprintf(head, sizeof(head), "%.*s", n, text);
	if (is_address6(head) && !xf_ports_parse(last + 1, &ports, NULL)) {
		if (whole && port_optional)
			return xf_fail(err,
				       "%s: an IPv6 address goes in brackets: write [%s]:%s, or [%s] for the same port",
				       text, head, last + 1, text);
		return xf_fail(err, "%s: an IPv6 address goes in brackets: write [%s]:%s", text, head, last + 1);
	}
	if (whole)
		return xf_fail(err, "%s: an IPv6 address goes in brackets: write [%s]%s", text, text,
			       port_optional ? "" : ":PORT");
	/* A spelling that is refused for a reason of its own, which the parser tells. */
	if ((is_spelled6(text) && xf_address_parse(text, &a, err)) ||
	    (is_spelled6(head) && xf_address_parse(head, &a, err)))
		return -1;
	return xf_fail(err, SHOWN ": too many colons: write ADDR:PORT, or [ADDR6]:PORT for IPv6", text);
}

static int endpoint_split(const char *text, bool port_optional, struct endpoint_text *out, struct xf_error *err)
{
	const char *host = text, *end;

	out->bracketed = text[0] == '[';
	if (out->bracketed) {
		host = text + 1;
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return xf_fail(err, SHOWN ": write IPv6 as [ADDR6]:PORT", text);
		out->port = end[1] ? end + 2 : NULL;
	} else {
		end = text + strcspn(text, ":");
		out->port = *end ? end + 1 : NULL;
		if (out->port && strchr(out->port, ':'))
			return fail_unbracketed(text, port_optional, err);
	}
	if (end - host >= HOST_LEN)
		return xf_fail(err, SHOWN ": too long for an address, an interface or a host name", text);
	memcpy(out->host, host, (size_t)(end - host));
	out->host[end - host] = '\0';
	return 0;
}

static int bracketed_parse(const char *text, const char *host, struct xf_address *out, struct xf_error *err)
{
	struct xf_address a;

	if (xf_address_parse(host, &a, err))
		return -1;
	if (a.family != XF_IPV6)
		return xf_fail(err, SHOWN ": brackets are for IPv6: write %s" SHOWN, text, host, strchr(text, ']') + 1);
	*out = a;
	return 0;
}

/* The kernel's own check is its dev_valid_name. */
bool xf_ifname_is_valid(const char *name)
{
	size_t n;

	if (!*name || strlen(name) >= XF_IFNAME_LEN || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	while (*name) {
		/* The kernel's isspace() is Latin-1's: it refuses the octet 0xa0 wherever it stands. */
		if (*name == '/' || *name == ':' || *name == ' ' || *name == '\xa0')
			return false;
		n = xf_utf8_printable(name);
		if (!n || memchr(name, '\xa0', n))
			return false;
		name += n;
	}
	return true;
}

/* Fills in kind, address and interface. */
static int listen_host_parse(const char *text, const struct endpoint_text *e, struct xf_listen *l, struct xf_error *err)
{
	if (e->bracketed) {
		l->kind = XF_LISTEN_ADDR;
		return bracketed_parse(text, e->host, &l->addr, err);
	}
	if (!*e->host) {
		l->kind = XF_LISTEN_ANY;
		return 0;
	}
	if (is_digits_and_dots(e->host)) {
		l->kind = XF_LISTEN_ADDR;
		return xf_address_parse(e->host, &l->addr, err);
	}
	if (!xf_ifname_is_valid(e->host))
		return xf_fail(err, SHOWN " is neither an address nor an interface name", e->host);
	l->kind = XF_LISTEN_IFACE;
	memcpy(l->ifname, e->host, strlen(e->host));
	return 0;
}

int xf_listen_parse(const char *text, struct xf_listen *out, struct xf_error *err)
{
	struct xf_listen l = {0};
	struct endpoint_text e;
	struct xf_error why;

	if (endpoint_split(text, false, &e, err))
		return -1;
	if (!e.port && !xf_ports_parse(text, &l.ports, NULL))
		return xf_fail(err, "%s is a port alone: write :%s to listen on every address", text, text);
	if (!e.port)
		return xf_fail(err, SHOWN " has no port: write ADDR:PORT, [ADDR6]:PORT, IFACE:PORT or :PORT",
			       shown(text));
	if (listen_host_parse(text, &e, &l, err))
		return -1;
	if (xf_ports_parse(e.port, &l.ports, &why))
		return xf_fail(err, SHOWN ": %s", text, why.text);
	*out = l;
	return 0;
}

static bool is_label(const char *label, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	return len && len <= HOST_LABEL_MAX_LEN && strspn(label, allowed) >= len && label[0] != '-' &&
	       label[len - 1] != '-';
}

int xf_host_check(const char *name, struct xf_error *err)
{
	const char *label = name, *last = name;
	size_t len = 0;

	for (; *label; label += len + (label[len] == '.')) {
		len = strcspn(label, ".");
		if (!is_label(label, len))
			return xf_fail(err, SHOWN " is neither an address nor a host name", name);
		last = label;
	}
	if (label == name || label - name > HOST_NAME_MAX_LEN)
		return xf_fail(err, SHOWN " is %s for a host name", shown(name), *name ? "too long" : "too short");
	/* No top-level domain is a number, but 192.0.2.1000 is a mistake. */
	if (strspn(last, "0123456789.") == strlen(last))
		return xf_fail(err, SHOWN " is neither an address nor a host name", name);
	return 0;
}

static int target_host_parse(const char *text, const struct endpoint_text *e, struct xf_target *t, struct xf_error *err)
{
	if (e->bracketed)
		return bracketed_parse(text, e->host, &t->addr, err);
	if (!*e->host)
		return xf_fail(err, SHOWN " has no address: write ADDR[:PORT], [ADDR6][:PORT] or HOST[:PORT]",
			       shown(text));
	if (is_digits_and_dots(e->host))
		return xf_address_parse(e->host, &t->addr, err);
	if (xf_host_check(e->host, err))
		return -1;
	memcpy(t->host, e->host, strlen(e->host));
	return 0;
}

int xf_target_parse(const char *text, struct xf_target *out, struct xf_error *err)
{
	struct xf_target t = {0};
	struct xf_port_range ports;
	struct endpoint_text e;
	struct xf_error why;
	uint32_t port = 0;

	if (strchr(text, ','))
		return xf_fail(err, SHOWN ": several targets are not supported by this version", text);
	if (endpoint_split(text, true, &e, err) || target_host_parse(text, &e, &t, err))
		return -1;
	if (e.port && strchr(e.port, '-') && !xf_ports_parse(e.port, &ports, NULL))
		return xf_fail(err, SHOWN ": the target of a range is written with its first port alone: write %.*s%u",
			       text, (int)(e.port - text), text, ports.lo);
	if (e.port && xf_u32_parse(e.port, 1, 65535, &port, &why))
		return xf_fail(err, SHOWN ": %s", text, why.text);
	t.port = (uint16_t)port;
	*out = t;
	return 0;
}
