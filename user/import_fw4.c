// SPDX-License-Identifier: GPL-2.0-only
/* OpenWrt's /etc/config/firewall: its redirects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_fw4.h"

#define ZONES_MAX 64

struct zone {
	char name[64];
	struct import_ifs ifs;
};

struct fw4 {
	struct import *im;
	struct zone zone[ZONES_MAX];
	size_t n_zones;
	const struct import_zone *given;
	bool disabled; /* which of them are looked at */
	unsigned int rules;
};

/* ---- zones, and the interfaces that they have */

static bool add_device(const char *word, void *arg)
{
	return !import_ifs_add(arg, word, NULL);
}

static void take_zone(const struct uci_section *s, void *arg)
{
	struct fw4 *fw = arg;
	struct zone *zone = &fw->zone[fw->n_zones];

	if (strcmp(s->kind, "zone") || fw->n_zones == ZONES_MAX)
		return;
	memset(zone, 0, sizeof(*zone));
	snprintf(zone->name, sizeof(zone->name), "%.63s", uci_get(s, "name"));
	if (uci_words(s, "device", add_device, &zone->ifs))
		fw->n_zones++;
}

/* What the user says of a zone goes before what the file says. */
static void find_interfaces(const struct fw4 *fw, const char *zone, struct import_cond *cond)
{
	const struct import_zone *given = fw->given;
	struct import_ifs ifs = {.n = 0};
	size_t i;

	for (; given && given->name; given++)
		if (strlen(zone) == given->name_len && !memcmp(zone, given->name, given->name_len) &&
		    import_ifs_add(&ifs, given->ifname, NULL))
			import_cond_lose(cond, "%.40s is no interface's name", given->ifname);
	for (i = 0; i < fw->n_zones && !ifs.n; i++)
		if (!strcmp(fw->zone[i].name, zone))
			ifs = fw->zone[i].ifs;
	if (ifs.n)
		import_cond_in(cond, &ifs);
	else if (!cond->to.n)
		import_cond_leave(cond,
				  "on every address of this machine: which interfaces the zone %.30s has stands in "
				  "/etc/config/network: say --zone %.30s=IFACE",
				  zone, zone);
}

/* ---- the options of a redirect */

struct redirect {
	struct import_cond *cond;
	struct import_nets from, not_from;
};

static bool add_proto(const char *word, void *arg)
{
	struct redirect *r = arg;

	if (!strcmp(word, "tcp") || !strcmp(word, "6"))
		r->cond->protos |= XF_PROTO_TCP;
	else if (!strcmp(word, "udp") || !strcmp(word, "17"))
		r->cond->protos |= XF_PROTO_UDP;
	else if (!strcmp(word, "tcpudp"))
		r->cond->protos |= XF_PROTO_TCP | XF_PROTO_UDP;
	else if (!strcmp(word, "all") || !strcmp(word, "any") || !strcmp(word, "*")) {
		r->cond->protos |= XF_PROTO_TCP | XF_PROTO_UDP;
		import_cond_leave(r->cond, "for tcp and udp, not for %s protocols", word);
	} else {
		import_cond_lose(r->cond, "the protocol is %.40s: only tcp and udp are forwarded", word);
	}
	return true;
}

static bool add_source(const char *word, void *arg)
{
	struct redirect *r = arg;
	bool negated = *word == '!';
	struct xf_error err;

	if (import_nets_add(negated ? &r->not_from : &r->from, word + negated, &err))
		import_cond_lose(r->cond, "%.150s", err.text);
	return true;
}

static bool add_to(const char *word, void *arg)
{
	struct import_cond *cond = arg;
	struct xf_error err;

	if (import_nets_add(&cond->to, word, &err))
		import_cond_lose(cond, "%.150s", err.text);
	return true;
}

/* Ranges may be spelled with a colon. */
static void spell_ports(const char *word, char text[24])
{
	char *colon;

	snprintf(text, 24, "%.23s", word);
	colon = strchr(text, ':');
	if (colon)
		*colon = '-';
}

static bool add_ports(const char *word, void *arg)
{
	struct import_cond *cond = arg;
	struct xf_error err;
	char text[24];

	spell_ports(word, text);
	if (import_ports_add(&cond->ports, text, &err))
		import_cond_lose(cond, "%.150s", err.text);
	return true;
}

static void read_family(const struct uci_section *s, struct import_cond *cond)
{
	const char *family = uci_get(s, "family");

	if (!strcmp(family, "ipv4"))
		import_cond_family(cond, XF_IPV4);
	else if (!strcmp(family, "ipv6"))
		import_cond_family(cond, XF_IPV6);
	else if (*family && strcmp(family, "any"))
		import_cond_lose(cond, "the family %.40s", family);
}

/* Options that nobody here knows narrow it in ways that nobody here knows. */
static void read_others(const struct uci_section *s, struct import_cond *cond)
{
	static const char *const known[] = {
		"name",	   "src",	 "src_ip",	   "src_dip",	      "src_dport",	 "proto",   "dest",
		"dest_ip", "dest_port",	 "target",	   "family",	      "enabled",	 "comment", "counter",
		"log",	   "reflection", "reflection_src", "reflection_zone", "reflection_port",
	};
	size_t k;
	int i;

	for (i = 0; i < s->n; i++) {
		for (k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			if (!strcmp(known[k], s->option[i].key))
				break;
		if (k == sizeof(known) / sizeof(known[0]))
			import_cond_lose(cond, "the option %s", s->option[i].key);
	}
}

static void read_cond(const struct fw4 *fw, const struct uci_section *s, struct import_cond *cond)
{
	struct redirect r = {.cond = cond};
	const char *zone = uci_get(s, "src");

	uci_words(s, "proto", add_proto, &r);
	if (!*uci_get(s, "proto"))
		cond->protos = XF_PROTO_TCP | XF_PROTO_UDP;
	uci_words(s, "src_ip", add_source, &r);
	if (r.from.n)
		import_cond_from(cond, &r.from, false);
	import_cond_from(cond, &r.not_from, true);
	uci_words(s, "src_dip", add_to, cond);
	uci_words(s, "src_dport", add_ports, cond);
	read_family(s, cond);
	read_others(s, cond);
	if (*zone && strcmp(zone, "*"))
		find_interfaces(fw, zone, cond);
}

static int read_target(const struct uci_section *s, struct import_target *target, struct xf_error *err)
{
	const char *addr = uci_get(s, "dest_ip"), *ports = uci_get(s, "dest_port");
	char text[24];

	if (*addr && xf_address_parse(addr, &target->addr, err))
		return -1;
	spell_ports(ports, text);
	/* A range means the one beside it, port by port. */
	target->shift = IMPORT_SHIFT;
	return *ports ? xf_ports_parse(text, &target->ports, err) : 0;
}

static void redirect(struct fw4 *fw, const struct uci_section *s, struct import_cond *cond)
{
	const char *name = uci_get(s, "name"), *target = uci_get(s, "target");
	struct import_forward f = {.cond = cond, .name = *name ? name : s->name, .disabled = fw->disabled};
	struct xf_error err;

	if (strpbrk(f.name, " \t"))
		f.comment = name;
	if (*target && strcmp(target, "DNAT")) {
		import_lost(fw->im, "its target is %.40s, not DNAT", target);
		return;
	}
	read_cond(fw, s, cond);
	if (read_target(s, &f.target, &err))
		import_lost(fw->im, "%s", err.text);
	else
		import_forward(fw->im, &f);
}

static bool is_disabled(const struct uci_section *s)
{
	static const char *const no[] = {"0", "no", "off", "false", "disabled"};
	const char *enabled = uci_get(s, "enabled");
	size_t i;

	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (!strcmp(no[i], enabled))
			return true;
	return false;
}

static void take_redirect(const struct uci_section *s, void *arg)
{
	struct import_cond *cond;
	struct fw4 *fw = arg;

	if (!strcmp(s->kind, "rule") && !fw->disabled)
		fw->rules++;
	if (!strcmp(s->kind, "nat") && !fw->disabled)
		import_lost(fw->im, "a translation of what goes out is no port forward: leave it where it is");
	if (strcmp(s->kind, "redirect") || is_disabled(s) != fw->disabled || !import_step(fw->im))
		return;
	cond = calloc(1, sizeof(*cond));
	if (cond)
		redirect(fw, s, cond);
	fw->im->failed |= !cond;
	free(cond);
}

int import_fw4(struct import *im, const char *text, size_t len, struct xf_error *err)
{
	struct uci_text uci = {.im = im, .whole = {text, len}};
	struct fw4 *fw = calloc(1, sizeof(*fw));
	size_t sections;

	if (!fw)
		return xf_fail(err, "not enough memory");
	fw->im = im;
	fw->given = im->zones;
	sections = uci_read(&uci, take_zone, fw);
	uci.quiet = true;
	uci_read(&uci, take_redirect, fw);
	/* One that is switched off must not take the place of one that is not. */
	fw->disabled = true;
	uci_read(&uci, take_redirect, fw);
	import_at(im, "%s", "");
	if (fw->rules)
		import_note(
			im,
			"sections \"rule\" (%u): what is forwarded here passes none of them; say with allow and deny "
			"who may",
			fw->rules);
	free(fw);
	return sections ? 0 : xf_fail(err, "%.80s: no section in it: give /etc/config/firewall", im->input);
}
