// SPDX-License-Identifier: GPL-2.0-only
/* map add: makes a rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "dataplane.h"
#include "log.h"
#include "prefix_file.h"
#include "rate.h"
#include "record.h"
#include "resolve.h"
#include "timeouts.h"
#include "when.h"

static const char *name, *source, *comment, *rate, *source_rate, *expires;
static struct opt_list allow, deny, timeouts;
static uint32_t max_flows, max_flows_per_source, syn_threshold;
static bool stateless, disabled, force, syn_protect;

static const struct opt options[] = {
	{"name", "TEXT", "what to call it; default as in tcp-443", OPT_TEXT, &name, 0, 0},
	{"source", "auto|preserve|masquerade[=ADDR[-ADDR]]", "default auto", OPT_TEXT, &source, 0, 0},
	{"allow", "NET,...", "only these clients may connect", OPT_LIST, &allow, 0, 0},
	{"deny", "NET,...", "these clients may not, not even if --allow names them", OPT_LIST, &deny, 0, 0},
	{"rate", "N/UNIT[,burst=N]", "so many new flows: 20/s, 100/min, 5/h, 10/d", OPT_TEXT, &rate, 0, 0},
	{"rate-per-source", "N/UNIT", "so many of each client, of IPv6 each /64", OPT_TEXT, &source_rate, 0, 0},
	{"max-flows", "N", "so many answered flows at a time", OPT_U32, &max_flows, 1, DP_MAX_FLOWS_LIMIT},
	{"max-flows-per-source", "N", "so many of each client, of IPv6 each /64", OPT_U32, &max_flows_per_source, 1,
	 DP_MAX_FLOWS_LIMIT},
	{"expires", "DURATION|DATE", "closes by itself: 30s, 2h, 7d, 2030-12-31T18:00[Z]", OPT_TEXT, &expires, 0, 0},
	{"timeout", "NAME=DURATION,...", "udp, udp-pending, tcp, tcp-transitory; see load", OPT_LIST, &timeouts, 0, 0},
	{"syn-protect", NULL, "TCP clients must prove themselves during a flood of SYNs", OPT_FLAG, &syn_protect, 0, 0},
	{"syn-threshold", "N", "half-open connections that are a flood; default 1000", OPT_U32, &syn_threshold, 1,
	 DP_MAX_FLOWS_LIMIT},
	{"stateless", NULL, "keep no flows; see below", OPT_FLAG, &stateless, 0, 0},
	{"comment", "TEXT", "a note, shown by map show", OPT_TEXT, &comment, 0, 0},
	{"disabled", NULL, "make it, but let it refuse every packet for now", OPT_FLAG, &disabled, 0, 0},
	{"force", NULL, "even if it takes packets away from a local socket", OPT_FLAG, &force, 0, 0},
	CMD_OPT_JSON,
	{0},
};

static const struct opt_command command = {
	.name = "map add",
	.operands = "PROTO LISTEN TARGET",
	.about = "Forwards what arrives at LISTEN to TARGET.\n\n"
		 "  PROTO   tcp, udp or tcp+udp\n"
		 "  LISTEN  ADDR:PORT, [ADDR6]:PORT, IFACE:PORT (its addresses) or :PORT (every address);\n"
		 "          PORT may be a range, A-B\n"
		 "  TARGET  ADDR[:PORT], [ADDR6][:PORT] or HOST[:PORT]; without PORT the same port; of a\n"
		 "          range, the first port. HOST is asked for once, and followed by `xdpfwd run`;\n"
		 "          of its addresses the IPv4 ones count unless LISTEN is an IPv6 address\n"
		 "  NET     a network as in 198.51.100.0/24, an address, or @FILE: one of them a line\n\n"
		 "Source auto and preserve: the target sees the client's address, and its replies must\n"
		 "come back through this machine; auto masquerades where client and target are behind\n"
		 "the same interface. Masquerade: the target sees this machine's address, or of\n"
		 "ADDR-ADDR (at most 256 addresses) one that stays the same for each client.\n\n"
		 "With --stateless both directions are read from the rule alone: no flood can fill\n"
		 "anything, and another machine with the same rule can take over in the middle of a\n"
		 "connection. The target sees the client's address, LISTEN is one address, the target's\n"
		 "port is no other rule's target, and options about flows do not apply.\n\n"
		 "Without burst=N a rate lets N new flows through at once: who stays within N in each\n"
		 "UNIT is never refused. A date without a time is its first moment, and local time\n"
		 "unless Z or an offset as in +02:00 follows. Conditions are for new flows; those that\n"
		 "exist go on, but for an expired or disabled rule's.",
	.example = "  xdpfwd map add tcp :443 192.0.2.10:8443\n"
		   "  xdpfwd map add tcp :22 192.0.2.10 --allow 198.51.100.0/24 --expires 2h\n"
		   "  xdpfwd map add udp eth0:27000-27015 192.0.2.20 --source masquerade --name game\n"
		   "  xdpfwd map add tcp :80 192.0.2.10 --deny @/etc/xdpfwd/blocklist --rate-per-source 20/s\n"
		   "  xdpfwd map add udp 203.0.113.7:53 192.0.2.53 --stateless",
	.options = options,
	.min_operands = 3,
	.max_operands = 3,
};

static int copy_option(char *to, size_t size, const char *from)
{
	return snprintf(to, size, "%s", from) < (int)size ? 0 : -1;
}

/* Puts the option's name before what is wrong with its value. */
static int blame(const char *option, const struct xf_error *why, struct xf_error *err)
{
	return xf_fail(err, "--%s: %.290s", option, why->text);
}

static int parse_expires(struct xf_rule_spec *rule, struct xf_error *err)
{
	struct timespec now;
	struct xf_error why;
	struct xf_when when;

	if (!expires)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	/* Up to the next whole second, since it shall not close too early. */
	if (xf_when_parse(expires, now.tv_sec + (now.tv_nsec > 0), &when, &why))
		return blame("expires", &why, err);
	rule->expires = when.at;
	rule->expires_by_date = when.by_date;
	return 0;
}

static int parse_limits(struct xf_rule_spec *rule, struct xf_error *err)
{
	struct xf_error why;
	int i;

	if (rate && xf_rate_parse(rate, &rule->rate, &why))
		return blame("rate", &why, err);
	if (source_rate && xf_rate_parse(source_rate, &rule->source_rate, &why))
		return blame("rate-per-source", &why, err);
	for (i = 0; i < timeouts.n; i++)
		if (xf_timeouts_parse(timeouts.text[i], rule->timeout, &why))
			return blame("timeout", &why, err);
	if (syn_threshold && !syn_protect)
		return xf_fail(err, "--syn-threshold is about --syn-protect: give that as well");
	rule->max_flows = max_flows;
	rule->max_flows_per_source = max_flows_per_source;
	rule->syn_threshold = !syn_protect ? 0 : syn_threshold ? syn_threshold : XF_SYN_THRESHOLD;
	return parse_expires(rule, err);
}

/* The networks of one option; *out stays NULL if it was not given. */
static int parse_networks(const char *option, const struct opt_list *given, struct xf_prefixes *list,
			  struct xf_error *err)
{
	struct xf_error why;
	int i;

	for (i = 0; i < given->n; i++)
		if (xf_prefixes_add(list, given->text[i], prefix_file_read, &why))
			return blame(option, &why, err);
	xf_prefixes_settle(list);
	return 0;
}

/* The lists of networks that a rule refers to. */
struct lists {
	struct xf_prefixes allow, deny;
};

static int parse_rule(char **argv, struct xf_rule_spec *rule, struct lists *lists, struct xf_error *err)
{
	memset(rule, 0, sizeof(*rule));
	rule->disabled = disabled;
	rule->stateless = stateless;
	if (strchr(argv[2], ','))
		return xf_fail(err, "%.120s: several targets in one rule are not supported; name one", argv[2]);
	if (xf_protos_parse(argv[0], &rule->protos, err) < 0 || xf_listen_parse(argv[1], &rule->listen, err) < 0 ||
	    xf_target_parse(argv[2], &rule->target, err) < 0)
		return -1;
	if (source && xf_source_parse(source, &rule->source, &rule->masquerade, err) < 0)
		return -1;
	if (name && (xf_name_check(name, err) < 0 || copy_option(rule->name, sizeof(rule->name), name) < 0))
		return -1;
	if (comment &&
	    (xf_comment_check(comment, err) < 0 || copy_option(rule->comment, sizeof(rule->comment), comment) < 0))
		return -1;
	if (parse_limits(rule, err) || parse_networks("allow", &allow, &lists->allow, err) ||
	    parse_networks("deny", &deny, &lists->deny, err))
		return -1;
	rule->allow = allow.n ? &lists->allow : NULL;
	rule->deny = deny.n ? &lists->deny : NULL;
	xf_rule_settle_family(rule);
	return xf_rule_check(rule, err);
}

/* The rule as it is now in the maps, for --json. */
static int print_json(struct dataplane *dp, const char *added, struct xf_error *err)
{
	struct dp_rule *rules;
	json_t *record = NULL;
	size_t n, i;

	if (dp_rules(dp, &rules, &n, err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (!strcmp(rules[i].spec.name, added))
			record = record_rule(&rules[i]);
	free(rules);
	if (!record)
		return xf_fail(err, "rule %s was added, but cannot be read back", added);
	out_json(record);
	json_decref(record);
	return 0;
}

static void print_text(const struct xf_rule_spec *rule)
{
	char listen[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN];

	printf("added %s: %s %s -> %s%s\n", rule->name, xf_protos_format(rule->protos),
	       xf_listen_format(&rule->listen, listen, sizeof(listen)),
	       xf_target_format(&rule->target, target, sizeof(target)), rule->disabled ? " (disabled)" : "");
}

/* Once and for all: a command that ends cannot follow a name. */
static int resolve(struct xf_rule_spec *rule, struct xf_error *err)
{
	char addr[XF_ENDPOINT_STRLEN];

	if (!xf_target_is_unresolved(&rule->target))
		return 0;
	if (resolve_once(rule->target.host, &rule->target.addr, err))
		return -1;
	log_warning("%s is %s now; should that change, only `xdpfwd run` follows it", rule->target.host,
		    xf_address_format(&rule->target.addr, addr, sizeof(addr)));
	return 0;
}

static int add_rule(const char *state, struct xf_rule_spec *rule, struct xf_error *err)
{
	struct dataplane *dp;
	int ret;

	if (dp_open(&dp, state, true, err) < 0)
		return -1;
	ret = dp_rule_add(dp, rule, force, err);
	if (!ret && out_is_json)
		ret = print_json(dp, rule->name, err);
	else if (!ret)
		print_text(rule);
	dp_close(dp);
	return ret;
}

int cmd_map_add(const char *state, int argc, char **argv)
{
	struct lists lists = {0};
	struct xf_rule_spec rule;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	ret = parse_rule(argv, &rule, &lists, &err);
	if (!ret)
		ret = resolve(&rule, &err);
	if (!ret)
		ret = add_rule(state, &rule, &err);
	xf_prefixes_free(&lists.allow);
	xf_prefixes_free(&lists.deny);
	return ret < 0 ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}
