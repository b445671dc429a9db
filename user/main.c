// SPDX-License-Identifier: GPL-2.0-only
/* The table of commands and the options before them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "dataplane.h"
#include "log.h"

static const struct cmd_row commands[] = {
	{"load", cmd_load, "attach the data plane to interfaces"},
	{"unload", cmd_unload, "detach it from interfaces, or remove it altogether"},
	{"status", cmd_status, "interfaces, limits in use, totals, versions"},
	{"map", cmd_map, "rules: add, del, list, show, enable, disable"},
	{"apply", cmd_apply, "make the rules equal to a config file, in one step"},
	{"confirm", cmd_confirm, "let what apply --confirm has applied stay"},
	{"save", cmd_save, "write what runs as a config file"},
	{"stats", cmd_stats, "counters by rule, once or every few seconds"},
	{"flows", cmd_flows, "tracked connections: list, flush, who"},
	{"ban", cmd_ban, "sources that no rule takes traffic from: ban, list, lift"},
	{"check", cmd_check, "what is wrong, and what helps"},
	{"import", cmd_import, "another tool's port forwards as a config"},
	{"metrics", cmd_metrics, "counters in Prometheus' text format, once"},
	{"serve", cmd_serve, "Prometheus exporter and status page"},
	{"run", cmd_run, "load, apply a config and follow what changes, as a service"},
	{"completion", cmd_completion, "lets bash, zsh or fish complete command lines"},
	{NULL, NULL, NULL},
};

static const char *state;
static bool version;

static const struct opt options[] = {
	{"state", "DIR", "bpffs directory of the instance, or XDPFWD_STATE; default " DP_DEFAULT_STATE, OPT_TEXT,
	 &state, 0, 0},
	{"verbose", NULL, "say more on stderr, libbpf's messages included", OPT_FLAG, &log_is_verbose, 0, 0},
	{"version", NULL, "print the version", OPT_FLAG, &version, 0, 0},
	{0},
};

static void list_commands(FILE *to)
{
	cmd_list(commands, to);
}

const struct opt_command cmd_tool = {
	.name = "",
	.operands = "COMMAND [ARGUMENTS]",
	.about = "Forwards TCP and UDP ports in the kernel, by XDP and TC programs.",
	.example = "  xdpfwd load eth0\n"
		   "  xdpfwd map add tcp :443 192.0.2.10:8443\n\n"
		   "xdpfwd COMMAND --help tells about one of them.",
	.more = list_commands,
	.options = options,
	.max_operands = -1,
	.stops = true,
	.commands = commands,
};

static int run(int argc, char **argv)
{
	const struct cmd_row *row;
	struct xf_error err;
	int ret = cmd_begin(&cmd_tool, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (version) {
		puts("xdpfwd " XF_VERSION);
		return CMD_DONE;
	}
	if (state && !*state) {
		/* As of an unset variable in a script: the default instance is not what was meant. */
		xf_fail(&err, "--state: \"\" is no directory");
		return cmd_misuse(&cmd_tool, &err);
	}
	if (!state)
		state = getenv("XDPFWD_STATE");
	if (!state || !*state)
		state = DP_DEFAULT_STATE;
	if (!argc) {
		xf_fail(&err, "no command given");
		return cmd_misuse(&cmd_tool, &err);
	}
	row = cmd_find(commands, argv[0], &err);
	if (!row)
		return cmd_misuse(&cmd_tool, &err);
	return row->run(state, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	struct xf_error err;
	int ret;

	/* A reader of our output that went away is an error like a full disk, and so reported. */
	signal(SIGPIPE, SIG_IGN);
	log_capture_libbpf();
	/* argc can be 0: execve() lets a caller give no name. */
	ret = run(argc ? argc - 1 : 0, argc ? argv + 1 : argv);
	if (out_flush(&err) < 0) {
		log_error("%s", err.text);
		return ret ? ret : CMD_FAILED;
	}
	return ret;
}
