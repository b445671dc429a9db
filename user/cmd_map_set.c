// SPDX-License-Identifier: GPL-2.0-only
/* map enable, map disable. */
#include <stdio.h>

#include "cmd.h"
#include "lockout.h"
#include "ruleset.h"

static bool force;

static const struct opt enable_options[] = {
	{"force", NULL, "even if it takes packets away from a local socket", OPT_FLAG, &force, 0, 0},
	{0},
};
static const struct opt disable_options[] = {{0}};

static const struct opt_command enable_command = {
	.name = "map enable",
	.operands = "NAME...",
	.about = "Lets disabled rules forward again: all those named, or none if one of them cannot be.\n"
		 "One that would take the port of your SSH session or of a local socket needs --force.",
	.example = "  xdpfwd map enable tcp-443",
	.options = enable_options,
	.min_operands = 1,
	.max_operands = -1,
};

static const struct opt_command disable_command = {
	.name = "map disable",
	.operands = "NAME...",
	.about = "Lets rules refuse every packet, those of existing connections too, until map enable.\n"
		 "Their counters stay. All those named, or none if one of them cannot be.",
	.example = "  xdpfwd map disable tcp-443",
	.options = disable_options,
	.min_operands = 1,
	.max_operands = -1,
};

struct names {
	char **name;
	int n;
	bool disabled;
};

static int check_lockout(const struct ruleset *set, const struct names *names, struct xf_error *err)
{
	struct lockout *lockout = lockout_open(err);
	int ret = lockout ? 0 : -1, i;

	for (i = 0; !ret && i < names->n; i++)
		if (lockout_judge(lockout, &ruleset_find(set, names->name[i], err)->spec, err))
			ret = xf_fail(err, "rule %.64s: %.240s", names->name[i], err->text);
	lockout_close(lockout);
	return ret;
}

static int set_rules(struct dataplane *dp, const struct names *names, struct xf_error *err)
{
	struct ruleset set = {0};
	int ret, i;

	if (dp_rules(dp, &set.rules, &set.n, err) < 0)
		return -1;
	ret = ruleset_check_names(&set, names->name, names->n, err);
	if (!ret && !names->disabled && !force)
		ret = check_lockout(&set, names, err);
	for (i = 0; !ret && i < names->n; i++) {
		ret = dp_rule_set_disabled(dp, names->name[i], names->disabled, err);
		if (!ret)
			printf("%s %s%s\n", names->disabled ? "disabled" : "enabled", names->name[i],
			       ruleset_find(&set, names->name[i], err)->expired ?
				       ", but its time is over: it refuses every packet" :
				       "");
	}
	ruleset_free(&set);
	return ret;
}

static int set_disabled(const char *state, const struct names *names)
{
	struct dataplane *dp;
	struct xf_error err;
	int ret;

	if (dp_open(&dp, state, true, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = set_rules(dp, names, &err);
	dp_close(dp);
	return ret < 0 ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}

int cmd_map_enable(const char *state, int argc, char **argv)
{
	int ret = cmd_begin(&enable_command, &argc, argv);

	return ret == CMD_GO_ON ? set_disabled(state, &(struct names){argv, argc, false}) : ret;
}

int cmd_map_disable(const char *state, int argc, char **argv)
{
	int ret = cmd_begin(&disable_command, &argc, argv);

	return ret == CMD_GO_ON ? set_disabled(state, &(struct names){argv, argc, true}) : ret;
}
