// SPDX-License-Identifier: GPL-2.0-only
/* A forward as another tool states it: so many places to listen at, so many ports, each a rule of ours. */
#include <string.h>

#include "import.h"

/* Of a range whose ports all go to one port, each needs a rule. */
#define SPREAD_MAX 64

/* All ports of a range to a single one. */
static void add_spread(struct import *im, const struct import_forward *f, const struct xf_listen *listen)
{
	struct xf_listen one = *listen;
	uint32_t port;

	if (xf_ports_count(listen->ports) > SPREAD_MAX) {
		import_lost(im, "%u ports that all go to port %u: a range needs as many", xf_ports_count(listen->ports),
			    f->target.ports.lo);
		return;
	}
	for (port = listen->ports.lo; port <= listen->ports.hi; port++) {
		one.ports.lo = one.ports.hi = (uint16_t)port;
		import_add(im, f, &one, f->target.ports.lo);
	}
}

static void add_range(struct import *im, const struct import_forward *f, const struct xf_listen *listen)
{
	struct xf_port_range from = listen->ports, to = f->target.ports;
	uint32_t base = f->target.base ? f->target.base : from.lo;
	uint32_t port = to.lo + from.lo - base;
	bool any_of = f->target.shift == IMPORT_ANY_OF;

	if (!to.lo || (any_of && from.lo >= to.lo && from.hi <= to.hi)) {
		import_add(im, f, listen, from.lo);
	} else if (to.lo == to.hi && (any_of || !f->target.base)) {
		if (from.lo == from.hi)
			import_add(im, f, listen, to.lo);
		else
			add_spread(im, f, listen);
	} else if (any_of ? xf_ports_count(from) != xf_ports_count(to) :
			    from.lo < base || port + xf_ports_count(from) - 1 > to.hi) {
		import_lost(im, "its ports (%u) go to others (%u): as many are needed", xf_ports_count(from),
			    xf_ports_count(to));
	} else {
		if (any_of)
			import_note(im, "carried over, but ports go one to one, from %u on: there, to any of them",
				    to.lo);
		import_add(im, f, listen, (uint16_t)port);
	}
}

static void add_listen(struct import *im, const struct import_forward *f, struct xf_listen *listen)
{
	size_t i;

	for (i = 0; i < f->cond->ports.n; i++) {
		listen->ports = f->cond->ports.range[i];
		add_range(im, f, listen);
	}
}

static void add_places(struct import *im, const struct import_forward *f)
{
	const struct import_cond *cond = f->cond;
	struct xf_listen listen = {.kind = XF_LISTEN_ADDR};
	size_t i;

	for (i = 0; i < cond->to.n; i++) {
		const struct cidr *net = &cond->to.net[i];
		char text[CIDR_STRLEN];

		listen.addr = net->addr;
		if (xf_address_is_loopback(&net->addr))
			import_lost(im, "it listens on %s, for this machine itself",
				    cidr_format(net, text, sizeof(text)));
		else if (net->bits == (net->addr.family == XF_IPV4 ? 32 : 128))
			add_listen(im, f, &listen);
		else
			import_lost(im, "%s is a network: a rule listens on an address, an interface or all of them",
				    cidr_format(net, text, sizeof(text)));
	}
	if (cond->to.n) {
		if (cond->in.n)
			import_note(im, "carried over, but from every interface, not from %s alone", cond->in.name[0]);
		return;
	}
	listen = (struct xf_listen){.kind = cond->in.n ? XF_LISTEN_IFACE : XF_LISTEN_ANY};
	for (i = 0; i < cond->in.n; i++) {
		memcpy(listen.ifname, cond->in.name[i], XF_IFNAME_LEN);
		add_listen(im, f, &listen);
	}
	if (!cond->in.n)
		add_listen(im, f, &listen);
}

/* To this machine itself: the other tools mean an address of the interface, which no one here knows. */
static void add_local(struct import *im, const struct import_forward *f)
{
	struct import_forward to = *f;

	import_note(im, "carried over, but to this machine's loopback address, and only packets for this machine: "
			"its service has to listen there");
	if (f->cond->family != XF_IPV6) {
		xf_address_parse("127.0.0.1", &to.target.addr, NULL);
		add_places(im, &to);
	}
	if (f->cond->family != XF_IPV4) {
		xf_address_parse("::1", &to.target.addr, NULL);
		add_places(im, &to);
	}
}

void import_forward(struct import *im, const struct import_forward *f)
{
	const struct import_cond *cond = f->cond;
	uint8_t family = f->target.addr.family;

	if (*cond->lost)
		import_lost(im, "%s", cond->lost);
	else if (cond->never)
		import_lost(im, "its conditions exclude each other");
	else if (family && cond->family && family != cond->family)
		import_lost(im, "its conditions and its target are not of one family");
	else if (!cond->protos)
		import_lost(im, "it names neither tcp nor udp");
	else if (!cond->ports.n)
		import_lost(im, "it forwards every port: write which ports it is about");
	else {
		if (*cond->but)
			import_note(im, "carried over, but %s", cond->but);
		if (family)
			add_places(im, f);
		else
			add_local(im, f);
	}
}
