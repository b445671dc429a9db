// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"

#include <string.h>

int cmd_misuse(const struct opt_command *command, const struct xf_error *err)
{
	struct xf_error line;

	xf_fail(&line, "%s%s%.230s; see `xdpfwd %s%s--help`", command->name, *command->name ? ": " : "", err->text,
		command->name, *command->name ? " " : "");
	return out_fail(CMD_USAGE, &line);
}

int cmd_begin(const struct opt_command *command, int *argc, char **argv)
{
	struct xf_error err;

	switch (opt_parse(command, argc, argv, &err)) {
	case OPT_GO_ON:
		break;
	case OPT_HELP:
		opt_help(command, stdout);
		return CMD_DONE;
	case OPT_WRONG:
		return cmd_misuse(command, &err);
	}
	return CMD_GO_ON;
}

const struct cmd_row *cmd_find(const struct cmd_row *table, const char *name, struct xf_error *err)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	xf_fail(err, "unknown command %.200s", *name ? name : "\"\"");
	return NULL;
}

void cmd_list(const struct cmd_row *table, FILE *to)
{
	fputs("Commands:\n", to);
	for (; table->name; table++)
		fprintf(to, "  %-10s %s\n", table->name, table->about);
	fputc('\n', to);
}
