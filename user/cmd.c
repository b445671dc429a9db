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

/* Where cmd_begin notes the table, instead of using it. */
static const struct opt_command **described;

int cmd_begin(const struct opt_command *command, int *argc, char **argv)
{
	struct xf_error err;

	if (described) {
		*described = command;
		return CMD_DONE;
	}
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

const struct opt_command *cmd_describe(const struct cmd_row *row)
{
	const struct opt_command *command = NULL;

	described = &command;
	row->run(NULL, 0, NULL);
	described = NULL;
	return command;
}

void cmd_list(const struct cmd_row *table, FILE *to)
{
	fputs("Commands:\n", to);
	for (; table->name; table++)
		fprintf(to, "  %-10s %s\n", table->name, table->about);
	fputc('\n', to);
}
