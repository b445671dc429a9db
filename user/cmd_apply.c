// SPDX-License-Identifier: GPL-2.0-only
/* apply: makes the rules equal to a file. */
#include <stdio.h>

#include "apply.h"
#include "cmd.h"
#include "config_file.h"

#define CONFIRM_MAX 86400

static bool dry_run, keep_flows, force;
static uint32_t confirm_seconds;

static const struct opt options[] = {
	{"dry-run", NULL, "print what would change, and change nothing", OPT_FLAG, &dry_run, 0, 0},
	{"confirm", "SECONDS", "the former rules are back after that, unless `xdpfwd confirm` follows", OPT_U32,
	 &confirm_seconds, 1, CONFIRM_MAX},
	{"keep-flows", NULL, "let connections of rules that go live out instead of ending them", OPT_FLAG, &keep_flows,
	 0, 0},
	{"force", NULL, "even if rules take packets away from local sockets", OPT_FLAG, &force, 0, 0},
	CMD_OPT_JSON,
	{0},
};

static const struct opt_command command = {
	.name = "apply",
	.operands = "FILE",
	.about = "Makes the rules equal to those in FILE (- is standard input), in one step for the\n"
		 "traffic: each packet meets the former rules or the new ones. Prints each rule that is\n"
		 "added, changed or removed. Rules are the same if their names are. Connections go on\n"
		 "unless their rule goes, or its protocol, listen, target or source changes.\n\n"
		 "With --confirm, the programs in the kernel themselves go back to the former rules when\n"
		 "the time is over, also if no process is left by then.\n\n"
		 "Interfaces that FILE names are attached if they are not; others stay.",
	.example = "  xdpfwd apply /etc/xdpfwd/xdpfwd.yaml --dry-run\n"
		   "  xdpfwd apply /etc/xdpfwd/xdpfwd.yaml --confirm 60 && xdpfwd confirm",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
};

static json_t *attached_record(const struct apply_result *result)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < result->n_attached; i++)
		json_array_append_new(array, json_string(result->attached[i]));
	return array;
}

static int print_json(const struct apply_result *result)
{
	json_t *record = plan_record(&result->plan), *confirm;

	confirm = confirm_seconds && result->plan.n && !dry_run ? json_integer(confirm_seconds) : json_null();
	if (!record || json_object_set_new(record, "attached", attached_record(result)) ||
	    json_object_set_new(record, "dry_run", json_boolean(dry_run)) ||
	    json_object_set_new(record, "confirm_seconds", confirm)) {
		struct xf_error err;

		json_decref(record);
		xf_fail(&err, "not enough memory");
		return out_fail(CMD_FAILED, &err);
	}
	out_json(record);
	json_decref(record);
	return CMD_DONE;
}

static int print_text(const struct apply_result *result)
{
	struct buf text = {0};
	struct xf_error err;
	size_t i;

	for (i = 0; i < result->n_attached; i++)
		buf_printf(&text, "attached %s\n", result->attached[i]);
	plan_write(&result->plan, &text);
	if (!text.len)
		buf_printf(&text, "no difference: %zu rules\n", result->plan.unchanged);
	if (confirm_seconds && result->plan.n && !dry_run)
		buf_printf(&text, "the former rules are back in %u s unless `xdpfwd confirm` follows\n",
			   confirm_seconds);
	if (buf_failed(&text)) {
		buf_free(&text);
		xf_fail(&err, "not enough memory");
		return out_fail(CMD_FAILED, &err);
	}
	out_text(text.data, text.len);
	buf_free(&text);
	return CMD_DONE;
}

static int apply_read(const char *state, const char *path, const struct config *config)
{
	struct apply_options apply = {
		.state = state,
		.dry_run = dry_run,
		.keep_flows = keep_flows,
		.force = force,
		.confirm_seconds = confirm_seconds,
	};
	struct apply_result result;
	struct xf_error err;
	int ret;

	if (apply_config(config, &apply, &result, &err))
		ret = config_file_fail(path, &result.errors, &err);
	else
		ret = out_is_json ? print_json(&result) : print_text(&result);
	apply_result_free(&result);
	return ret;
}

int cmd_apply(const char *state, int argc, char **argv)
{
	struct config_errors errors;
	struct config config;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (config_file_read(argv[0], &config, &errors, &err)) {
		ret = config_file_fail(argv[0], &errors, &err);
	} else {
		ret = apply_read(state, argv[0], &config);
		config_free(&config);
	}
	config_errors_free(&errors);
	return ret;
}
