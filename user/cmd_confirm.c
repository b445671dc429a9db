// SPDX-License-Identifier: GPL-2.0-only
/* confirm: what `apply --confirm` has applied stays. */
#include <stdio.h>

#include "cmd.h"
#include "dataplane.h"

static const struct opt options[] = {{0}};

static const struct opt_command command = {
	.name = "confirm",
	.operands = "",
	.about = "Lets the rules stay that `xdpfwd apply --confirm SECONDS` has applied.",
	.example = "  xdpfwd confirm",
	.options = options,
};

int cmd_confirm(const char *state, int argc, char **argv)
{
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (dp_confirm(state, &err))
		return out_fail(CMD_FAILED, &err);
	puts("confirmed");
	return CMD_DONE;
}
