// SPDX-License-Identifier: GPL-2.0-only
/* The options of one rule, as iptables-save spells them. */
#include <stdio.h>
#include <string.h>

#include "import_iptables.h"

#define LIST_LEN 1024

/* ---- conditions: what each option does with its value */

static void take_proto(struct ipt_rule *r, const char *value, bool negated)
{
	if (!negated && (!strcmp(value, "tcp") || !strcmp(value, "6")))
		import_cond_protos(&r->cond, XF_PROTO_TCP);
	else if (!negated && (!strcmp(value, "udp") || !strcmp(value, "17")))
		import_cond_protos(&r->cond, XF_PROTO_UDP);
	else
		import_cond_lose(&r->cond, "the protocol is %s%.40s: only tcp and udp are forwarded",
				 negated ? "not " : "", value);
}

static void take_source(struct ipt_rule *r, const char *value, bool negated)
{
	struct import_nets nets = {.n = 0};
	struct xf_error err;

	if (import_nets_add(&nets, value, &err))
		import_cond_lose(&r->cond, "%.150s", err.text);
	else
		import_cond_from(&r->cond, &nets, negated);
}

static bool is_loopback(const struct cidr *net)
{
	return net->addr.family == XF_IPV4 && xf_address_is_loopback(&net->addr);
}

static void take_destination(struct ipt_rule *r, const char *value, bool negated)
{
	struct import_nets nets = {.n = 0};
	struct xf_error err;

	if (import_nets_add(&nets, value, &err))
		import_cond_lose(&r->cond, "%.150s", err.text);
	else if (!negated)
		import_cond_to(&r->cond, &nets);
	else if (!is_loopback(&nets.net[0])) /* where no packet from outside goes anyway */
		import_cond_lose(&r->cond, "every address but %.60s: a rule listens on one, or on all", value);
}

static void take_in(struct ipt_rule *r, const char *value, bool negated)
{
	struct import_ifs ifs = {.n = 0};
	struct xf_error err;

	if (negated)
		import_cond_leave(&r->cond, "for packets from %.20s as well", value);
	else if (import_ifs_add(&ifs, value, &err))
		import_cond_lose(&r->cond, "%.150s", err.text);
	else
		import_cond_in(&r->cond, &ifs);
}

static void take_ports(struct ipt_rule *r, const char *value, bool negated)
{
	struct import_ports ports = {.n = 0};
	char list[LIST_LEN], *rest = list, *one, *colon;
	struct xf_error err;

	if (negated) {
		import_cond_lose(&r->cond, "every port but %.60s: write which", value);
		return;
	}
	snprintf(list, sizeof(list), "%s", value);
	while ((one = strsep(&rest, ","))) {
		colon = strchr(one, ':');
		if (colon)
			*colon = '-';
		if (import_ports_add(&ports, one, &err)) {
			import_cond_lose(&r->cond, "%.150s", err.text);
			return;
		}
	}
	import_cond_ports(&r->cond, &ports);
}

static void take_state(struct ipt_rule *r, const char *value, bool negated)
{
	char list[LIST_LEN], *rest = list, *one;
	bool is_new = false;

	snprintf(list, sizeof(list), "%s", value);
	while ((one = strsep(&rest, ",")))
		is_new |= !strcmp(one, "NEW");
	if (is_new == negated)
		import_cond_lose(&r->cond, "it is not about new connections");
}

/* That is what listening on every address means. */
static void take_type(struct ipt_rule *r, const char *value, bool negated)
{
	if (negated || strcmp(value, "LOCAL"))
		import_cond_lose(&r->cond, "destinations of the type %s%.30s", negated ? "not " : "", value);
}

static void take_comment(struct ipt_rule *r, const char *value, bool negated)
{
	(void)negated;
	r->comment = value;
}

/* -m: what it loads speaks for itself. */
static void take_module(struct ipt_rule *r, const char *value, bool negated)
{
	(void)r, (void)value, (void)negated;
}

static const struct {
	const char *name;
	void (*take)(struct ipt_rule *r, const char *value, bool negated);
} options[] = {
	{"-p", take_proto},	 {"-s", take_source},	    {"-d", take_destination},  {"-i", take_in},
	{"-o", take_module},	 {"-m", take_module},	    {"--dport", take_ports},   {"--dports", take_ports},
	{"--state", take_state}, {"--ctstate", take_state}, {"--dst-type", take_type}, {"--comment", take_comment},
	{"-c", take_module},
};

/* Options whose value is of no matter here; returns how many words were used, 0: none of them. */
static int take_option(struct ipt_rule *r, char *const *word, int n, bool negated)
{
	size_t i;

	if (!strcmp(word[0], "--syn") && !negated)
		return 1;
	if (!strcmp(word[0], "--tcp-flags") && n > 2 && !negated) {
		if (strcmp(word[1], "FIN,SYN,RST,ACK") || strcmp(word[2], "SYN"))
			import_cond_lose(&r->cond, "the TCP flags %.40s %.40s", word[1], word[2]);
		return 3;
	}
	for (i = 0; i < sizeof(options) / sizeof(options[0]) && n > 1; i++) {
		if (strcmp(word[0], options[i].name))
			continue;
		options[i].take(r, word[1], negated);
		return 2;
	}
	return 0;
}

static bool is_destination(const char *word)
{
	return !strcmp(word, "--to-destination") || !strcmp(word, "--to-source") || !strcmp(word, "--to-ports") ||
	       !strcmp(word, "--to");
}

void ipt_rule_read(const struct import_words *words, int first, struct ipt_rule *r)
{
	int i = first, used, left;
	bool negated = false;

	memset(r, 0, sizeof(*r));
	r->verdict = "";
	while (i < words->n) {
		char *const *word = &words->word[i];

		left = words->n - i;
		used = 1;
		if (left > 1 && (!strcmp(word[0], "-j") || !strcmp(word[0], "-g"))) {
			r->verdict = word[1];
			r->goes = word[0][1] == 'g';
			used = 2;
		} else if (left > 1 && *r->verdict && is_destination(word[0])) {
			r->several |= r->destination != NULL;
			r->destination = word[1];
			used = 2;
		} else if (!strcmp(word[0], "!")) {
			negated = true;
			i++;
			continue;
		} else if (!*r->verdict) { /* what follows the verdict is its own */
			used = take_option(r, word, left, negated);
			if (!used)
				import_cond_lose(&r->cond, "the condition %s%.40s%s%.60s", negated ? "! " : "", word[0],
						 left > 1 ? " " : "", left > 1 ? word[1] : "");
			used += !used;
		}
		negated = false;
		i += used;
	}
}

/* ---- where to */

int ipt_ports(const char *text, struct import_target *target, struct xf_error *err)
{
	char ports[16];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	uint32_t base;

	if (n >= sizeof(ports))
		return xf_fail(err, "%.80s is not a port", text);
	memcpy(ports, text, n);
	ports[n] = '\0';
	if (xf_ports_parse(ports, &target->ports, err))
		return -1;
	if (!slash)
		return 0;
	if (xf_u32_parse(slash + 1, 1, 65535, &base, err))
		return -1;
	target->base = (uint16_t)base;
	target->shift = IMPORT_SHIFT;
	return 0;
}

int ipt_destination(const char *text, struct import_target *target, struct xf_error *err)
{
	const char *ports = NULL, *end = text + strlen(text), *host = text;
	char addr[64];

	if (*text == '[') {
		host = text + 1;
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return xf_fail(err, "%.80s is not a destination", text);
		ports = end[1] ? end + 2 : NULL;
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		end = strchr(text, ':');
		ports = end + 1;
	}
	if ((size_t)(end - host) >= sizeof(addr))
		return xf_fail(err, "%.80s is not a destination", text);
	memcpy(addr, host, (size_t)(end - host));
	addr[end - host] = '\0';
	if (strchr(addr, '-'))
		return xf_fail(err, "it spreads over several targets, %.80s: a rule has one", addr);
	if (*addr && xf_address_parse(addr, &target->addr, err))
		return -1;
	return ports ? ipt_ports(ports, target, err) : 0;
}
