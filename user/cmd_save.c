// SPDX-License-Identifier: GPL-2.0-only
/* save: what runs, as a config. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "config.h"
#include "names.h"
#include "textfile.h"

static const struct opt options[] = {{0}};

static const struct opt_command command = {
	.name = "save",
	.operands = "[FILE]",
	.about = "Writes the rules, interfaces and limits as a config that `xdpfwd apply` takes back\n"
		 "without a difference. Without FILE, to standard output. FILE is replaced in one step:\n"
		 "whoever reads it, also after a crash, finds the former text or the new one.",
	.example = "  xdpfwd save /etc/xdpfwd/xdpfwd.yaml",
	.options = options,
	.max_operands = 1,
};

/* Of a list that was stated only the words are known, and are enough. Each is kept once. */
static const struct xf_prefixes *stated(struct config *config, struct names *names, const char *words)
{
	struct name *name = words ? names_add(names, words) : NULL;
	struct xf_prefixes **grown;

	if (!name)
		return NULL;
	if (name->at)
		return config->lists[name->at - 1];
	grown = realloc(config->lists, (config->n_lists + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	config->lists = grown;
	grown[config->n_lists] = calloc(1, sizeof(**grown));
	if (!grown[config->n_lists])
		return NULL;
	snprintf(grown[config->n_lists]->given, sizeof(grown[0]->given), "%s", words);
	name->at = (uint32_t)++config->n_lists;
	return config->lists[name->at - 1];
}

static int take_rules(struct config *config, const struct dp_rule *rules, size_t n, struct xf_error *err)
{
	struct names names = {0};
	bool whole = true;
	size_t i;

	config->rules = calloc(n + 1, sizeof(*config->rules));
	for (i = 0; i < n && config->rules; i++) {
		struct xf_rule_spec *rule = &config->rules[config->n_rules++];

		*rule = rules[i].spec;
		rule->allow = stated(config, &names, rules[i].allow);
		rule->deny = stated(config, &names, rules[i].deny);
		whole &= !rules[i].allow == !rule->allow && !rules[i].deny == !rule->deny;
	}
	names_free(&names);
	return config->rules && whole ? 0 : xf_fail(err, "not enough memory");
}

/* A tier that was asked for is asked for again; one that was chosen is chosen again. */
static enum dp_mode mode_of(const struct dp_iface *iface)
{
	if (!strncmp(iface->reason, "asked for", strlen("asked for")))
		return iface->tier == XF_TIER_TC      ? DP_MODE_TC :
		       iface->tier == XF_TIER_GENERIC ? DP_MODE_GENERIC :
							DP_MODE_NATIVE;
	return DP_MODE_AUTO;
}

static int take_settings(struct config *config, struct dataplane *dp, struct xf_error *err)
{
	struct dp_status status;
	size_t i;

	if (dp_settings(dp, &status, err))
		return -1;
	config->max_rules = status.max_rules;
	config->max_flows = status.max_flows;
	config->ifaces = calloc(status.n_ifaces + 1, sizeof(*config->ifaces));
	for (i = 0; i < status.n_ifaces && config->ifaces; i++) {
		struct config_iface *iface = &config->ifaces[config->n_ifaces];

		if (status.ifaces[i].automatic)
			continue;
		memcpy(iface->name, status.ifaces[i].name, sizeof(iface->name));
		iface->mode = mode_of(&status.ifaces[i]);
		config->n_ifaces++;
	}
	dp_status_free(&status);
	return config->ifaces ? 0 : xf_fail(err, "not enough memory");
}

static int take_instance(struct config *config, const char *state, struct xf_error *err)
{
	struct dp_rule *rules = NULL;
	struct dataplane *dp;
	size_t n = 0;
	int rc;

	if (dp_open(&dp, state, false, err))
		return -1;
	rc = dp_rule_specs(dp, &rules, &n, err) || take_rules(config, rules, n, err) || take_settings(config, dp, err);
	free(rules);
	dp_close(dp);
	return rc ? -1 : 0;
}

int cmd_save(const char *state, int argc, char **argv)
{
	struct config config = {0};
	struct buf text = {0};
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	ret = take_instance(&config, state, &err);
	if (!ret) {
		config_write(&config, &text);
		if (buf_failed(&text))
			ret = xf_fail(&err, "not enough memory");
		else if (argc)
			ret = textfile_replace(argv[0], &text, &err);
		else
			out_text(text.data, text.len);
	}
	buf_free(&text);
	config_free(&config);
	return ret ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}
