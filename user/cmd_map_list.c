// SPDX-License-Identifier: GPL-2.0-only
/* map list: all rules with their counters. */
#include <stdlib.h>

#include "cmd.h"
#include "dataplane.h"
#include "record.h"

static const struct opt options[] = {CMD_OPT_JSON, {0}};

static const struct opt_command command = {
	.name = "map list",
	.operands = "",
	.about = "Lists the rules. PACKETS and BYTES are of both directions, FLOWS is how many\n"
		 "connections the rule has taken; --json has the exact numbers, each by itself.\n"
		 "STATE says when a rule closes by itself, or that it has.",
	.example = "  xdpfwd map list --json | jq '.[].name'",
	.options = options,
};

static const struct out_column columns[] = {
	{"NAME", "name", NULL, OUT_TEXT},
	{"PROTO", "protocol", NULL, OUT_TEXT},
	{"LISTEN", "listen", NULL, OUT_TEXT},
	{"TARGET", "targets.0.target", NULL, OUT_TEXT},
	{"SOURCE", "source", NULL, OUT_TEXT},
	{"STATE", "", NULL, OUT_STATE},
	{"PACKETS", "counters.packets_in", "counters.packets_out", OUT_COUNT},
	{"BYTES", "counters.bytes_in", "counters.bytes_out", OUT_BYTES},
	{"FLOWS", "counters.flows_created", NULL, OUT_COUNT},
	{"LAST HIT", "counters.last_hit", NULL, OUT_UNIX},
	{0},
};

int cmd_map_list(const char *state, int argc, char **argv)
{
	struct dp_rule *rules;
	struct dataplane *dp;
	struct xf_error err;
	size_t n;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (dp_open(&dp, state, false, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	if (dp_rules(dp, &rules, &n, &err) < 0) {
		ret = out_fail(CMD_FAILED, &err);
	} else {
		ret = out_records(record_rules(rules, n), columns);
		free(rules);
	}
	dp_close(dp);
	return ret;
}
