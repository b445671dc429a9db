// SPDX-License-Identifier: GPL-2.0-only
/* load: attaches the data plane. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "cmd.h"
#include "config_file.h"
#include "dataplane.h"
#include "log.h"
#include "timeouts.h"

static const char *mode = "auto", *ports, *config_path;
static bool dispatcher, no_auto_attach, discard_state;
static uint32_t max_rules, max_flows;
static struct opt_list timeouts;

static const struct opt options[] = {
	{"mode", "auto|native|generic|tc", "default auto", OPT_TEXT, &mode, 0, 0},
	{"config", "FILE", "also the interfaces and limits of this config, and apply it", OPT_TEXT, &config_path, 0, 0},
	{"max-rules", "N", "room for so many rules; default 65536", OPT_U32, &max_rules, 1, DP_MAX_RULES_LIMIT},
	{"max-flows", "N", "room for so many flows; default 262144", OPT_U32, &max_flows, 1, DP_MAX_FLOWS_LIMIT},
	{"masquerade-ports", "A-B", "source ports that masquerading may use", OPT_TEXT, &ports, 0, 0},
	{"timeout", "NAME=DURATION,...", "how long flows may be idle: udp, udp-pending, tcp, tcp-transitory", OPT_LIST,
	 &timeouts, 0, 0},
	{"no-auto-attach", NULL, "leave the interfaces alone through which targets are reached", OPT_FLAG,
	 &no_auto_attach, 0, 0},
	{"dispatcher", NULL, "go through libxdp's dispatcher, beside other XDP programs", OPT_FLAG, &dispatcher, 0, 0},
	{"discard-state", NULL, "begin anew if another version's rules and flows cannot be taken over", OPT_FLAG,
	 &discard_state, 0, 0},
	{0},
};

static const struct opt_command command = {
	.name = "load",
	.operands = "[IFACE...]",
	.about = "Attaches the data plane to the interfaces and pins it: nothing has to keep running.\n"
		 "Loading again adds interfaces, and replaces the programs in place by those of this\n"
		 "version; rules, flows and counters stay. It also finds out anew by which interfaces\n"
		 "and next hops targets are reached, after the network has changed.\n\n"
		 "Timeouts are of answered UDP (5m) and TCP (2h4m), of UDP that nobody has answered\n"
		 "yet (30s), and of TCP before the handshake's end and after the first FIN (4m).\n"
		 "Those that are not given stay as they are; a rule may have its own.",
	.example = "  xdpfwd load eth0\n"
		   "  xdpfwd load eth0 --timeout udp=2m,tcp=1h\n"
		   "  xdpfwd load --config /etc/xdpfwd/xdpfwd.yaml",
	.options = options,
	.max_operands = -1,
};

static int parse_mode(const char *text, enum dp_mode *out, struct xf_error *err)
{
	static const char *const names[] = {"auto", "native", "generic", "tc"};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], text)) {
			*out = (enum dp_mode)i;
			return 0;
		}
	}
	return xf_fail(err, "--mode: %.80s is not auto, native, generic or tc", *text ? text : "\"\"");
}

/* What was attached, and by which tier: the choice is ours, so it is told. */
static void print_interfaces(const char *state)
{
	struct dp_status status;
	struct dataplane *dp;
	struct xf_error err;
	size_t i;

	if (dp_open(&dp, state, false, &err) < 0) {
		log_warning("%s", err.text);
		return;
	}
	if (dp_status(dp, &status, &err) < 0) {
		log_warning("%s", err.text);
	} else {
		for (i = 0; i < status.n_ifaces; i++)
			printf("%s: %s%s%s%s\n", status.ifaces[i].name, dp_tier_name(status.ifaces[i].tier),
			       *status.ifaces[i].reason ? " (" : "", status.ifaces[i].reason,
			       *status.ifaces[i].reason ? ")" : "");
		dp_status_free(&status);
	}
	dp_close(dp);
}

static int parse_options(struct dp_load_options *load, struct xf_error *err)
{
	struct xf_error why;
	int i;

	if (parse_mode(mode, &load->mode, err) < 0)
		return -1;
	if (ports && xf_ports_parse(ports, &load->masquerade_ports, &why) < 0)
		return xf_fail(err, "--masquerade-ports: %s", why.text);
	for (i = 0; i < timeouts.n; i++)
		if (xf_timeouts_parse(timeouts.text[i], load->timeout, &why) < 0)
			return xf_fail(err, "--timeout: %s", why.text);
	load->dispatcher = dispatcher;
	load->no_auto_attach = no_auto_attach;
	load->discard_state = discard_state;
	load->max_rules = max_rules;
	load->max_flows = max_flows;
	return 0;
}

/* ---- with a config */

static bool is_loaded(const char *state)
{
	struct dataplane *dp;
	struct xf_error ignored;

	if (dp_open(&dp, state, false, &ignored))
		return false;
	dp_close(dp);
	return true;
}

/* The config's interfaces of one mode, besides those of the command line if that is theirs. */
static int load_mode(const char *state, const struct config *config, struct dp_load_options *load, struct xf_error *err)
{
	const char **names = calloc(load->n_ifnames + config->n_ifaces + 1, sizeof(*names));
	struct dp_load_options all = *load;
	size_t i;
	int rc;

	if (!names)
		return xf_fail(err, "not enough memory");
	for (i = 0; i < load->n_ifnames; i++)
		names[i] = load->ifnames[i];
	for (i = 0; i < config->n_ifaces; i++)
		if (config->ifaces[i].mode == load->mode)
			names[all.n_ifnames++] = config->ifaces[i].name;
	all.ifnames = names;
	rc = all.n_ifnames ? dp_load(state, &all, err) : 0;
	free(names);
	return rc;
}

static int load_all_modes(const char *state, const struct config *config, struct dp_load_options *load,
			  struct xf_error *err)
{
	enum dp_mode own = load->mode;
	int m;

	if (!load->max_rules)
		load->max_rules = config->max_rules;
	if (!load->max_flows)
		load->max_flows = config->max_flows;
	if (load_mode(state, config, load, err))
		return -1;
	load->n_ifnames = 0;
	for (m = DP_MODE_AUTO; m <= DP_MODE_TC; m++) {
		load->mode = (enum dp_mode)m;
		if (load->mode != own && load_mode(state, config, load, err))
			return -1;
	}
	return 0;
}

static int load_config(const char *state, const struct config *config, struct dp_load_options *load)
{
	const struct apply_options options = {.state = state};
	struct apply_result result = {0};
	bool there = is_loaded(state);
	struct xf_error err, ignored;
	int ret = CMD_DONE;

	if (!load->n_ifnames && !config->n_ifaces) {
		xf_fail(&err, "%.200s names no interfaces: add them there, or to the command", config_path);
		return out_fail(CMD_FAILED, &err);
	}
	if (load_all_modes(state, config, load, &err) || apply_config(config, &options, &result, &err)) {
		ret = config_file_fail(config_path, &result.errors, &err);
		if (!there)
			dp_unload_all(state, &ignored);
	} else {
		print_interfaces(state);
		printf("rules: %zu added, %zu changed, %zu removed, %zu as before\n", result.plan.added,
		       result.plan.changed, result.plan.removed, result.plan.unchanged);
	}
	apply_result_free(&result);
	return ret;
}

static int load_with_config(const char *state, struct dp_load_options *load)
{
	struct config_errors errors;
	struct config config;
	struct xf_error err;
	int ret;

	if (config_file_read(config_path, &config, &errors, &err)) {
		ret = config_file_fail(config_path, &errors, &err);
	} else {
		ret = load_config(state, &config, load);
		config_free(&config);
	}
	config_errors_free(&errors);
	return ret;
}

int cmd_load(const char *state, int argc, char **argv)
{
	struct dp_load_options load = {0};
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (!argc && !config_path) {
		xf_fail(&err, "something is missing: it takes IFACE... or --config FILE");
		return cmd_misuse(&command, &err);
	}
	if (parse_options(&load, &err))
		return cmd_misuse(&command, &err);
	load.ifnames = (const char *const *)argv;
	load.n_ifnames = (size_t)argc;
	if (config_path)
		return load_with_config(state, &load);
	if (dp_load(state, &load, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	print_interfaces(state);
	return CMD_DONE;
}
