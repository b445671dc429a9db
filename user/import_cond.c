// SPDX-License-Identifier: GPL-2.0-only
/* Conditions: each one more makes what is left narrower. */
#include "import.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int import_ports_add(struct import_ports *ports, const char *text, struct xf_error *err)
{
	if (ports->n == IMPORT_PORTS_MAX)
		return xf_fail(err, "more than %d ports in one condition", IMPORT_PORTS_MAX);
	if (xf_ports_parse(text, &ports->range[ports->n], err))
		return -1;
	ports->n++;
	return 0;
}

int import_nets_add(struct import_nets *nets, const char *text, struct xf_error *err)
{
	if (nets->n == IMPORT_NETS_MAX)
		return xf_fail(err, "more than %d addresses in one condition; put them in a file: allow: [\"@FILE\"]",
			       IMPORT_NETS_MAX);
	if (cidr_parse_network(text, &nets->net[nets->n], err))
		return -1;
	nets->n++;
	return 0;
}

int import_nets_add_range(struct import_nets *nets, const char *first, const char *last, struct xf_error *err)
{
	struct xf_address a, b;
	uint32_t lo, hi, size;
	uint8_t bits;

	if (xf_address_parse(first, &a, err) || xf_address_parse(last, &b, err))
		return -1;
	lo = ntohl(a.addr.v4);
	hi = ntohl(b.addr.v4);
	if (a.family != XF_IPV4 || b.family != XF_IPV4 || lo > hi)
		return xf_fail(err, "the range of addresses %.45s-%.45s: write it as networks", first, last);
	for (;;) {
		/* The largest network that begins here and does not go past the end. */
		for (bits = 0; bits < 32; bits++) {
			size = UINT32_MAX >> bits;
			if (!(lo & size) && hi - lo >= size)
				break;
		}
		size = bits < 32 ? UINT32_MAX >> bits : 0;
		if (nets->n == IMPORT_NETS_MAX)
			return xf_fail(err, "more than %d addresses in one condition", IMPORT_NETS_MAX);
		a.addr.v4 = htonl(lo);
		nets->net[nets->n++] = (struct cidr){.addr = a, .bits = bits};
		if (hi - lo <= size)
			return 0;
		lo += size + 1;
	}
}

int import_ifs_add(struct import_ifs *ifs, const char *text, struct xf_error *err)
{
	char listen[80];
	struct xf_listen l;
	size_t len = strlen(text);

	if (ifs->n == IMPORT_IFS_MAX)
		return xf_fail(err, "more than %d interfaces in one condition", IMPORT_IFS_MAX);
	if (len && strchr("*+", text[len - 1]))
		return xf_fail(err, "%.40s stands for several interfaces; write one rule for each", text);
	snprintf(listen, sizeof(listen), "%.60s:1", text);
	if (xf_listen_parse(listen, &l, NULL) || l.kind != XF_LISTEN_IFACE)
		return xf_fail(err, "%.40s is no interface's name", *text ? text : "\"\"");
	memcpy(ifs->name[ifs->n++], l.ifname, sizeof(l.ifname));
	return 0;
}

void import_cond_lose(struct import_cond *cond, const char *fmt, ...)
{
	va_list args;

	if (*cond->lost)
		return;
	va_start(args, fmt);
	vsnprintf(cond->lost, sizeof(cond->lost), fmt, args);
	va_end(args);
}

void import_cond_leave(struct import_cond *cond, const char *fmt, ...)
{
	va_list args;

	if (*cond->but)
		return;
	va_start(args, fmt);
	vsnprintf(cond->but, sizeof(cond->but), fmt, args);
	va_end(args);
}

void import_cond_family(struct import_cond *cond, uint8_t family)
{
	if (cond->family && cond->family != family)
		cond->never = true;
	cond->family = family;
}

void import_cond_protos(struct import_cond *cond, uint8_t protos)
{
	cond->protos = cond->protos ? cond->protos & protos : protos;
	if (!cond->protos)
		cond->never = true;
}

void import_cond_ports(struct import_cond *cond, const struct import_ports *ports)
{
	struct import_ports both = {.n = 0};
	size_t i, j;

	if (!cond->ports.n) {
		cond->ports = *ports;
		return;
	}
	for (i = 0; i < cond->ports.n; i++) {
		for (j = 0; j < ports->n; j++) {
			struct xf_port_range a = cond->ports.range[i], b = ports->range[j];

			if (!xf_ports_overlap(a, b))
				continue;
			if (both.n == IMPORT_PORTS_MAX) {
				import_cond_lose(cond, "more than %d ports in one condition", IMPORT_PORTS_MAX);
				return;
			}
			both.range[both.n++] = (struct xf_port_range){.lo = a.lo > b.lo ? a.lo : b.lo,
								      .hi = a.hi < b.hi ? a.hi : b.hi};
		}
	}
	cond->never |= !both.n;
	cond->ports = both;
}

/* What is in both. */
static void nets_narrow(struct import_cond *cond, struct import_nets *have, const struct import_nets *more)
{
	struct import_nets both = {.n = 0};
	size_t i, j;

	if (!have->n) {
		*have = *more;
		return;
	}
	for (i = 0; i < have->n; i++) {
		for (j = 0; j < more->n; j++) {
			const struct cidr *a = &have->net[i], *b = &more->net[j];
			const struct cidr *narrow = a->bits > b->bits ? a : b, *wide = narrow == a ? b : a;

			if (!cidr_contains(wide, &narrow->addr))
				continue;
			if (both.n == IMPORT_NETS_MAX) {
				import_cond_lose(cond, "more than %d addresses in one condition", IMPORT_NETS_MAX);
				return;
			}
			both.net[both.n++] = *narrow;
		}
	}
	cond->never |= !both.n;
	*have = both;
}

void import_cond_to(struct import_cond *cond, const struct import_nets *nets)
{
	nets_narrow(cond, &cond->to, nets);
}

void import_cond_from(struct import_cond *cond, const struct import_nets *nets, bool negated)
{
	size_t i;

	if (!negated) {
		nets_narrow(cond, &cond->from, nets);
		return;
	}
	for (i = 0; i < nets->n; i++) {
		if (cond->not_from.n == IMPORT_NETS_MAX) {
			import_cond_lose(cond, "more than %d addresses in one condition", IMPORT_NETS_MAX);
			return;
		}
		cond->not_from.net[cond->not_from.n++] = nets->net[i];
	}
}

void import_cond_in(struct import_cond *cond, const struct import_ifs *ifs)
{
	struct import_ifs both = {.n = 0};
	size_t i, j;

	if (!cond->in.n) {
		cond->in = *ifs;
		return;
	}
	for (i = 0; i < cond->in.n; i++)
		for (j = 0; j < ifs->n; j++)
			if (!strcmp(cond->in.name[i], ifs->name[j]) && both.n < IMPORT_IFS_MAX)
				memcpy(both.name[both.n++], ifs->name[j], XF_IFNAME_LEN);
	cond->never |= !both.n;
	cond->in = both;
}

bool import_cond_is_empty(const struct import_cond *cond)
{
	return !cond->protos && !cond->ports.n && !cond->to.n && !cond->from.n && !cond->not_from.n && !cond->in.n &&
	       !cond->never && !*cond->lost && !*cond->but;
}

void import_cond_narrow(struct import_cond *cond, const struct import_cond *more)
{
	if (more->family)
		import_cond_family(cond, more->family);
	if (more->protos)
		import_cond_protos(cond, more->protos);
	if (more->ports.n)
		import_cond_ports(cond, &more->ports);
	if (more->to.n)
		import_cond_to(cond, &more->to);
	if (more->from.n)
		import_cond_from(cond, &more->from, false);
	if (more->not_from.n)
		import_cond_from(cond, &more->not_from, true);
	if (more->in.n)
		import_cond_in(cond, &more->in);
	if (*more->lost)
		import_cond_lose(cond, "%s", more->lost);
	if (*more->but)
		import_cond_leave(cond, "%s", more->but);
	cond->never |= more->never;
}
