// SPDX-License-Identifier: GPL-2.0-only
/* map del: removes rules, by name or by what they listen on. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "ruleset.h"

static bool keep_flows;

static const struct opt options[] = {
	{"keep-flows", NULL, "let connections that exist live out instead of ending them now", OPT_FLAG, &keep_flows, 0,
	 0},
	{0},
};

static const struct opt_command command = {
	.name = "map del",
	.operands = "NAME...|PROTO LISTEN",
	.about = "Removes rules: all those named, or none if one of them cannot be.",
	.example = "  xdpfwd map del tcp-443\n"
		   "  xdpfwd map del tcp :443",
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
};

/* A name has no colon in it, and every LISTEN has one. */
static bool is_endpoint(int argc, char **argv)
{
	return argc == 2 && strchr(argv[1], ':') && !strchr(argv[0], ':');
}

static const char *family_name(const struct dp_rule *rule)
{
	return rule->spec.target.addr.family == XF_IPV4 ? "IPv4" : "IPv6";
}

/*
 * The one rule with that protocol and listen endpoint. ":443" and "eth0:443"
 * do not tell the family, so that two rules may answer to them.
 */
static const struct dp_rule *find_endpoint(const struct ruleset *set, char **argv, struct xf_error *err)
{
	char wanted[XF_ENDPOINT_STRLEN], listen[XF_ENDPOINT_STRLEN];
	const struct dp_rule *found = NULL, *near = NULL;
	struct xf_listen parsed;
	uint8_t protos;
	size_t i;

	if (xf_protos_parse(argv[0], &protos, err) < 0 || xf_listen_parse(argv[1], &parsed, err) < 0)
		return NULL;
	xf_listen_format(&parsed, wanted, sizeof(wanted));
	for (i = 0; i < set->n; i++) {
		const struct dp_rule *rule = &set->rules[i];

		if (strcmp(xf_listen_format(&rule->spec.listen, listen, sizeof(listen)), wanted))
			continue;
		if (rule->spec.protos != protos) {
			near = rule;
			continue;
		}
		if (found) {
			xf_fail(err, "both \"%s\" (%s) and \"%s\" (%s) listen on %s %s; name the one to remove",
				found->spec.name, family_name(found), rule->spec.name, family_name(rule), argv[0],
				wanted);
			return NULL;
		}
		found = rule;
	}
	if (!found && near)
		xf_fail(err, "no rule listens on %s %s; \"%s\" does on %s %s", argv[0], wanted, near->spec.name,
			xf_protos_format(near->spec.protos), wanted);
	else if (!found)
		xf_fail(err, "no rule listens on %s %s; `xdpfwd map list` shows those there are", argv[0], wanted);
	return found;
}

/* What remembers no connection cannot let one live out. */
static int check_keeps_flows(const struct dp_rule *rule, struct xf_error *err)
{
	if (!keep_flows || !rule->spec.stateless)
		return 0;
	return xf_fail(err,
		       "\"%s\" is stateless and has no flows to keep: its connections end with it; leave "
		       "--keep-flows out",
		       rule->spec.name);
}

static int check_names(const struct ruleset *set, char **names, int n, struct xf_error *err)
{
	const struct dp_rule *rule;
	int i;

	if (ruleset_check_names(set, names, n, err))
		return -1;
	for (i = 0; i < n; i++) {
		rule = ruleset_find(set, names[i], err);
		if (!rule || check_keeps_flows(rule, err))
			return -1;
	}
	return 0;
}

static int delete_all(struct dataplane *dp, const char *const *names, int n, struct xf_error *err)
{
	int i;

	for (i = 0; i < n; i++) {
		if (dp_rule_del(dp, names[i], keep_flows, err) < 0)
			return -1;
		printf("deleted %s\n", names[i]);
	}
	return 0;
}

static int delete_rules(struct dataplane *dp, int argc, char **argv, struct xf_error *err)
{
	const char *const *names = (const char *const *)argv;
	const struct dp_rule *rule;
	struct ruleset set = {0};
	int ret;

	if (dp_rules(dp, &set.rules, &set.n, err) < 0)
		return -1;
	if (is_endpoint(argc, argv)) {
		rule = find_endpoint(&set, argv, err);
		ret = rule && !check_keeps_flows(rule, err) ?
			      delete_all(dp, (const char *const[]){rule->spec.name}, 1, err) :
			      -1;
	} else {
		ret = check_names(&set, argv, argc, err);
		if (!ret)
			ret = delete_all(dp, names, argc, err);
	}
	ruleset_free(&set);
	return ret;
}

int cmd_map_del(const char *state, int argc, char **argv)
{
	struct dataplane *dp;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (dp_open(&dp, state, true, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = delete_rules(dp, argc, argv, &err);
	dp_close(dp);
	return ret < 0 ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}
