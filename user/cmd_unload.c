// SPDX-License-Identifier: GPL-2.0-only
/* unload: detaches the data plane, or removes it altogether. */
#include <stdio.h>

#include "cmd.h"
#include "dataplane.h"

static bool all;

static const struct opt options[] = {
	{"all", NULL, "remove every program, pin and other trace of the instance", OPT_FLAG, &all, 0, 0},
	{0},
};

static const struct opt_command command = {
	.name = "unload",
	.operands = "IFACE...|--all",
	.about = "Detaches the data plane from the interfaces; the rules and the other interfaces stay.\n"
		 "--all ends the instance: it removes all that load left on this machine, and nothing else.",
	.example = "  xdpfwd unload --all",
	.options = options,
	.max_operands = -1,
};

int cmd_unload(const char *state, int argc, char **argv)
{
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv), i;

	if (ret != CMD_GO_ON)
		return ret;
	if (all == (argc > 0)) {
		xf_fail(&err, "name interfaces, or give --all%s", all ? ", but not both" : "");
		return cmd_misuse(&command, &err);
	}
	if (all)
		ret = dp_unload_all(state, &err);
	else
		ret = dp_unload(state, (const char *const *)argv, (size_t)argc, &err);
	if (ret < 0)
		return out_fail(CMD_FAILED, &err);
	for (i = 0; i < argc; i++)
		printf("%s: detached\n", argv[i]);
	if (all)
		printf("%s: nothing is loaded there any more\n", state);
	return CMD_DONE;
}
