// SPDX-License-Identifier: GPL-2.0-only
/* metrics: what "serve" would answer a scraper, once. */
#include "cmd.h"
#include "snapshot.h"

static const struct opt options[] = {CMD_OPT_JSON, {0}};

static const struct opt_command command = {
	.name = "metrics",
	.operands = "",
	.about = "Prints all counters in Prometheus' text format: what serve gives to a scraper. With --json,\n"
		 "the same as an array of families with their samples.",
	.example = "  xdpfwd metrics | promtool check metrics",
	.options = options,
};

int cmd_metrics(const char *state, int argc, char **argv)
{
	struct buf text = {0};
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (snapshot_metrics(&text, state, out_is_json ? METRICS_JSON : METRICS_TEXT, &err) < 0)
		ret = out_fail(CMD_FAILED, &err);
	else
		out_text(text.data, text.len);
	buf_free(&text);
	return ret == CMD_GO_ON ? CMD_DONE : ret;
}
