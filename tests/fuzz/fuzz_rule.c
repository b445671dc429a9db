/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules, a word a line: protocol (after "stateless " for such a one), listen,
 * target, source, name, comment; six more lines are a second rule. What passes the checks goes to the maps' form
 * and back without a change, and how two rules stand to each other does not
 * depend on which is asked first.
 */
#include "property.h"

#include "rule.h"

/* Cuts the next line off *rest; an empty one when there are no more. */
static const char *next_line(char **rest)
{
	const char *line = strsep(rest, "\n");

	return line ? line : "";
}

static int rule_read(struct xf_rule_spec *rule, char **rest, struct xf_error *err)
{
	static const char stateless[] = "stateless ";
	const char *protos = next_line(rest), *listen = next_line(rest), *target = next_line(rest);
	const char *source = next_line(rest), *name = next_line(rest), *comment = next_line(rest);

	memset(rule, 0, sizeof(*rule));
	rule->stateless = !strncmp(protos, stateless, strlen(stateless));
	if (rule->stateless)
		protos += strlen(stateless);
	if (xf_protos_parse(protos, &rule->protos, err) || xf_listen_parse(listen, &rule->listen, err) ||
	    xf_target_parse(target, &rule->target, err) ||
	    xf_source_parse(source, &rule->source, &rule->masquerade, err) || (*name && xf_name_check(name, err)) ||
	    xf_comment_check(comment, err))
		return -1;
	PROPERTY(strlen(name) < sizeof(rule->name) && strlen(comment) < sizeof(rule->comment));
	strcpy(rule->name, name);
	strcpy(rule->comment, comment);
	/* A name's place is another map; what the rule is made of is an address. */
	if (rule->target.host[0])
		return xf_fail(err, "%.80s: a name", rule->target.host);
	return 0;
}

static void same_text(const struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	char x[XF_ENDPOINT_STRLEN], y[XF_ENDPOINT_STRLEN];

	PROPERTY(!strcmp(xf_listen_format(&a->listen, x, sizeof(x)), xf_listen_format(&b->listen, y, sizeof(y))));
	PROPERTY(!strcmp(xf_target_format(&a->target, x, sizeof(x)), xf_target_format(&b->target, y, sizeof(y))));
	PROPERTY(!strcmp(xf_source_format(a->source, &a->masquerade, x, sizeof(x)),
			 xf_source_format(b->source, &b->masquerade, y, sizeof(y))));
	PROPERTY(!strcmp(a->name, b->name) && !strcmp(a->comment, b->comment));
	PROPERTY(a->protos == b->protos && a->disabled == b->disabled && a->stateless == b->stateless);
}

static void prefixes_cover(struct xf_port_range r)
{
	uint16_t port[XF_RANGE_PREFIXES_MAX];
	uint8_t bits[XF_RANGE_PREFIXES_MAX];
	unsigned int n = xf_range_prefixes(r, port, bits), i;
	uint32_t at = r.lo;

	PROPERTY(n >= 1 && n <= XF_RANGE_PREFIXES_MAX);
	for (i = 0; i < n; i++) {
		PROPERTY(port[i] == at && bits[i] <= 16);
		PROPERTY(at % (65536u >> bits[i]) == 0);
		at += 65536u >> bits[i];
	}
	PROPERTY(at == r.hi + 1u);
}

static bool is_first_name(const char *name, void *arg)
{
	return !strcmp(name, arg);
}

/* Unnamed rules get a name that may be given by hand as well, also when the first choice is taken. */
static void names(const struct xf_rule_spec *rule)
{
	struct xf_rule_spec first = *rule, second = *rule;
	char none[] = "";

	xf_rule_default_name(&first, is_first_name, none);
	xf_rule_default_name(&second, is_first_name, first.name);
	PROPERTY(!xf_name_check(first.name, NULL) && !xf_name_check(second.name, NULL));
	PROPERTY(strcmp(first.name, second.name));
}

/* Whatever addresses this machine has, it is one of them and of the target's family, or none. */
static void listens_on_one(const struct xf_rule_spec *rule)
{
	struct xf_address own[] = {rule->target.addr, rule->masquerade.first, rule->listen.addr}, addr = {0};
	const struct xf_addresses all = {.addr = own, .n = 3};
	struct xf_error err;

	memset(&err, 0xff, sizeof(err));
	if (xf_stateless_address(rule, &all, &addr, &err)) {
		property_error(&err);
		return;
	}
	PROPERTY(addr.family == rule->target.addr.family);
	PROPERTY(rule->listen.kind != XF_LISTEN_ADDR || xf_address_equal(&addr, &rule->listen.addr));
}

static bool passes(struct xf_rule_spec *rule, char **rest)
{
	struct xf_rule_spec back;
	struct xf_rule_meta meta;
	struct xf_error err;
	struct xf_rule map;

	memset(&err, 0xff, sizeof(err));
	if (rule_read(rule, rest, &err) || xf_rule_check(rule, &err)) {
		property_error(&err);
		return false;
	}
	xf_rule_encode(rule, &map, &meta);
	PROPERTY(map.target_lo + (map.listen_hi - map.listen_lo) <= 65535);
	PROPERTY(map.family == rule->target.addr.family && map.tag == 0);
	xf_rule_decode(&map, &meta, &back);
	same_text(rule, &back);
	PROPERTY(xf_rule_conflicts(rule, &back));
	PROPERTY(!xf_rule_feeds(rule, rule, false));
	PROPERTY(xf_rule_shares_target(rule, &back));
	PROPERTY(!rule->stateless || rule->source != XF_SOURCE_MASQUERADE);
	listens_on_one(rule);
	prefixes_cover(rule->listen.ports);
	names(rule);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = property_text(data, size), *rest = text;
	struct xf_rule_spec a, b;

	if (passes(&a, &rest) && passes(&b, &rest)) {
		PROPERTY(xf_rule_conflicts(&a, &b) == xf_rule_conflicts(&b, &a));
		PROPERTY(xf_rule_shares_target(&a, &b) == xf_rule_shares_target(&b, &a));
		PROPERTY(!xf_rule_feeds(&a, &b, false) || xf_rule_feeds(&a, &b, true));
	}
	free(text);
	return 0;
}
