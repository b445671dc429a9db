/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands, and what each begins with. One file each; main.c has their table. */
#ifndef XDPFWD_USER_CMD_H
#define XDPFWD_USER_CMD_H

#include "opt.h"
#include "out.h"

/* Set by the Makefile from the file VERSION. */
#ifndef XF_VERSION
#define XF_VERSION "dev"
#endif

/* Exit codes, and CMD_GO_ON of cmd_begin. */
enum cmd_exit {
	CMD_GO_ON = -1,
	CMD_DONE = 0,
	CMD_FAILED = 1, /* it could not be done */
	CMD_USAGE = 2,	/* wrong usage */
};

/* The row of every command that has --json. */
#define CMD_OPT_JSON                                                               \
	{                                                                          \
		"json", NULL, "JSON instead of text", OPT_FLAG, &out_is_json, 0, 0 \
	}

/*
 * Takes the command's arguments. CMD_GO_ON: argv[0] to argv[*argc - 1] are the
 * operands. Anything else is the exit code: the help or the mistake is printed.
 */
int cmd_begin(const struct opt_command *command, int *argc, char **argv);
/* Prints what is wrong with an operand or an option's value; returns CMD_USAGE. */
int cmd_misuse(const struct opt_command *command, const struct xf_error *err);

/* `state` is the instance's directory; argv are the arguments after the command's name. */
typedef int cmd_fn(const char *state, int argc, char **argv);

cmd_fn cmd_load, cmd_unload, cmd_status;
cmd_fn cmd_apply, cmd_confirm, cmd_save;
cmd_fn cmd_map, cmd_stats, cmd_flows, cmd_ban;
cmd_fn cmd_check;
cmd_fn cmd_import;
cmd_fn cmd_metrics, cmd_serve, cmd_run;
cmd_fn cmd_completion;
cmd_fn cmd_map_add, cmd_map_del, cmd_map_list, cmd_map_show, cmd_map_enable, cmd_map_disable;

/* Operands that name rules; none: all of them. */
struct cmd_names {
	char **name;
	int n;
};

/* `limit` 0: as many as usual. */
int cmd_stats_sources(const char *state, const struct cmd_names *names, uint32_t limit);

struct cmd_row {
	const char *name;
	cmd_fn *run;
	const char *about; /* one line for the list of commands */
};

/* Finds argv[0] in the table (which ends with an empty row); NULL: err says so. */
const struct cmd_row *cmd_find(const struct cmd_row *table, const char *name, struct xf_error *err);
/*
 * The options and operands of that row's command. A command begins with
 * cmd_begin and ends when that says so: here it ends there, its table noted.
 */
const struct opt_command *cmd_describe(const struct cmd_row *row);
/* The tool itself, in main.c: what stands before a command, and the commands. */
extern const struct opt_command cmd_tool;
/* The table as lines of --help. */
void cmd_list(const struct cmd_row *table, FILE *to);

#endif
