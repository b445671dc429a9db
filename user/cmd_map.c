// SPDX-License-Identifier: GPL-2.0-only
/* map: the commands about rules. */
#include "cmd.h"

static const struct cmd_row commands[] = {
	{"add", cmd_map_add, "add a rule"},
	{"del", cmd_map_del, "remove rules"},
	{"list", cmd_map_list, "all rules with their counters"},
	{"show", cmd_map_show, "one rule: what it does to packets, and its counters"},
	{"enable", cmd_map_enable, "let rules forward again"},
	{"disable", cmd_map_disable, "let rules refuse every packet"},
	{NULL, NULL, NULL},
};

static const struct opt options[] = {{0}};

static void list_commands(FILE *to)
{
	cmd_list(commands, to);
}

static const struct opt_command command = {
	.name = "map",
	.operands = "COMMAND [ARGUMENTS]",
	.about = "Rules: which ports are forwarded, and where.",
	.example = "  xdpfwd map add tcp :443 192.0.2.10:8443\n"
		   "  xdpfwd map list\n\n"
		   "xdpfwd map COMMAND --help tells about one of them.",
	.more = list_commands,
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
	.stops = true,
	.commands = commands,
};

int cmd_map(const char *state, int argc, char **argv)
{
	const struct cmd_row *row;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	row = cmd_find(commands, argv[0], &err);
	if (!row)
		return cmd_misuse(&command, &err);
	return row->run(state, argc - 1, argv + 1);
}
