// SPDX-License-Identifier: GPL-2.0-only
/* map add: makes a rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "dataplane.h"
#include "record.h"

static const char *name, *source, *comment;
static bool disabled, force;

static const struct opt options[] = {
	{"name", "NAME", "what to call it; default as in tcp-443", OPT_TEXT, &name, 0, 0},
	{"source", "MODE", "auto (default), preserve, masquerade or masquerade=ADDR", OPT_TEXT, &source, 0, 0},
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
		 "  TARGET  ADDR[:PORT] or [ADDR6][:PORT]; without PORT the same port; of a range, the\n"
		 "          first port\n\n"
		 "Source auto and preserve: the target sees the client's address, and its replies must\n"
		 "come back through this machine; auto masquerades where client and target are behind\n"
		 "the same interface. Masquerade: the target sees this machine's address.",
	.example = "  xdpfwd map add tcp :443 192.0.2.10:8443\n"
		   "  xdpfwd map add udp eth0:27000-27015 192.0.2.20 --source masquerade --name game",
	.options = options,
	.min_operands = 3,
	.max_operands = 3,
};

static int copy_option(char *to, size_t size, const char *from)
{
	return snprintf(to, size, "%s", from) < (int)size ? 0 : -1;
}

static int parse_rule(char **argv, struct xf_rule_spec *rule, struct xf_error *err)
{
	memset(rule, 0, sizeof(*rule));
	rule->disabled = disabled;
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

int cmd_map_add(const char *state, int argc, char **argv)
{
	struct xf_rule_spec rule;
	struct dataplane *dp;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (parse_rule(argv, &rule, &err) < 0 || dp_open(&dp, state, true, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = dp_rule_add(dp, &rule, force, &err);
	if (!ret && out_is_json)
		ret = print_json(dp, rule.name, &err);
	else if (!ret)
		print_text(&rule);
	dp_close(dp);
	return ret < 0 ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}
