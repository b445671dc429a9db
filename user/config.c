// SPDX-License-Identifier: GPL-2.0-only
/* The config's keys but for the rules' own, and the whole of it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_int.h"

static const char *const modes[] = {"auto", "native", "generic", "tc"};

const char *config_mode_name(enum dp_mode mode)
{
	return (size_t)mode < sizeof(modes) / sizeof(modes[0]) ? modes[mode] : "?";
}

/* ---- interfaces */

enum {
	IFACE_NAME,
	IFACE_MODE,
	IFACE_KEYS
};

static void take_iface_name(struct reader *r, uint32_t node, struct config_iface *iface)
{
	const char *text = config_text(r, node);

	if (text && !xf_ifname_is_valid(text))
		config_blame(r, node, "%.80s is not an interface name", *text ? text : "\"\"");
	else if (text)
		snprintf(iface->name, sizeof(iface->name), "%s", text);
}

static void take_mode(struct reader *r, uint32_t node, struct config_iface *iface)
{
	const char *text = config_text(r, node);
	size_t i;

	for (i = 0; text && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(modes[i], text)) {
			iface->mode = (enum dp_mode)i;
			return;
		}
	}
	if (text)
		config_blame(r, node, "%.80s is not a mode: write auto, native, generic or tc", *text ? text : "\"\"");
}

/* "eth0" or "{name: eth0, mode: tc}". */
static void take_iface(struct reader *r, uint32_t node, struct config_iface *iface)
{
	static const char *const keys[] = {[IFACE_NAME] = "name", [IFACE_MODE] = "mode"};
	static const struct map_kind kind = {"an interface", keys, IFACE_KEYS};
	uint32_t i = doc_resolve(&r->doc, node);
	struct slot slots[IFACE_KEYS];

	iface->at = r->doc.node[node].at;
	if (r->doc.node[i].kind == DOC_SCALAR) {
		take_iface_name(r, node, iface);
		return;
	}
	if (!config_map(r, node, &kind, slots))
		return;
	if (slots[IFACE_NAME].key)
		take_iface_name(r, slots[IFACE_NAME].value, iface);
	else if (!r->doc.node[i].cut)
		config_blame(r, node, "the key name is missing");
	if (slots[IFACE_MODE].key)
		take_mode(r, slots[IFACE_MODE].value, iface);
}

static void check_iface(struct reader *r, struct names *names, const struct config_iface *iface)
{
	struct name *name = *iface->name ? names_add(names, iface->name) : NULL;

	if (name && name->at)
		config_errors_add(r->errors, iface->at, "the interface %s is in line %u already", iface->name,
				  name->at);
	else if (name)
		name->at = iface->at.line;
	else if (*iface->name)
		r->errors->failed = true;
}

static size_t count(struct reader *r, uint32_t list)
{
	size_t n = 0;

	config_each(r, list, i)
		n += i != 0;
	return n;
}

static void take_interfaces(struct reader *r, uint32_t node)
{
	struct config *config = r->config;
	struct names names = {0};

	if (!config_is_list(r, node))
		return;
	config->ifaces = calloc(count(r, node) + 1, sizeof(*config->ifaces));
	if (!config->ifaces) {
		r->errors->failed = true;
		return;
	}
	config_each(r, node, i) {
		struct config_iface *iface = &config->ifaces[config->n_ifaces++];

		take_iface(r, i, iface);
		check_iface(r, &names, iface);
	}
	names_free(&names);
}

/* ---- settings */

enum {
	LIMIT_RULES,
	LIMIT_FLOWS,
	LIMIT_KEYS
};

static void take_limits(struct reader *r, uint32_t node)
{
	static const char *const keys[] = {[LIMIT_RULES] = "rules", [LIMIT_FLOWS] = "flows"};
	static const struct map_kind kind = {"limits", keys, LIMIT_KEYS};
	struct slot slots[LIMIT_KEYS];

	if (!config_map(r, node, &kind, slots))
		return;
	if (slots[LIMIT_RULES].key)
		config_u32(r, slots[LIMIT_RULES].value, DP_MAX_RULES_LIMIT, &r->config->max_rules);
	if (slots[LIMIT_FLOWS].key)
		config_u32(r, slots[LIMIT_FLOWS].value, DP_MAX_FLOWS_LIMIT, &r->config->max_flows);
}

static void take_metrics(struct reader *r, uint32_t node)
{
	static const char *const keys[] = {"listen"};
	static const struct map_kind kind = {"metrics", keys, 1};
	struct xf_listen listen;
	struct slot slot;
	const char *text;

	if (!config_map(r, node, &kind, &slot) || !slot.key)
		return;
	text = config_text(r, slot.value);
	if (!text)
		return;
	if (xf_listen_parse(text, &listen, NULL) || listen.kind != XF_LISTEN_ADDR ||
	    listen.ports.lo != listen.ports.hi) {
		config_blame(r, slot.value, "%.80s is not ADDR:PORT or [ADDR6]:PORT, as in 127.0.0.1:9977",
			     *text ? text : "\"\"");
		return;
	}
	r->config->metrics = listen.addr;
	r->config->metrics_port = listen.ports.lo;
}

static void check_count(struct reader *r, uint32_t node)
{
	size_t n = r->config->n_rules;

	if (n > DP_MAX_RULES_LIMIT)
		config_blame(r, node, "these are %zu rules: at most %u", n, DP_MAX_RULES_LIMIT);
	else if (r->config->max_rules && n > r->config->max_rules)
		config_blame(r, node, "these are %zu rules, and limits say %u at most", n, r->config->max_rules);
}

static void take_rules(struct reader *r, uint32_t node)
{
	struct config *config = r->config;
	size_t n;

	if (!config_is_list(r, node))
		return;
	config->has_rules = true;
	n = count(r, node);
	config->rules = calloc(n + 1, sizeof(*config->rules));
	config->places = calloc(n + 1, sizeof(*config->places));
	r->notes = calloc(n + 1, sizeof(*r->notes));
	if (!config->rules || !config->places || !r->notes) {
		r->errors->failed = true;
		return;
	}
	config_each(r, node, i) {
		config->places[config->n_rules] = r->doc.node[i].at;
		config_rule(r, i, &config->rules[config->n_rules], &r->notes[config->n_rules]);
		config->n_rules++;
	}
	check_count(r, node);
	config_set(r);
	config_ends(r);
}

/* ---- the whole */

/* In the order in which they are looked at: what rules begin with is known before they are. */
static const char *const keys[] = {"interfaces", "limits", "metrics", "defaults", "rules"};
static void (*const takes[])(struct reader *r, uint32_t node) = {take_interfaces, take_limits, take_metrics,
								 config_defaults, take_rules};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static void read_root(struct reader *r)
{
	static const struct map_kind kind = {"a config", keys, N_KEYS};
	struct slot slots[N_KEYS];
	size_t k;

	if (!r->doc.root) {
		/* An empty file is rather one that was not written to its end than one that wants all rules gone. */
		if (!r->doc.cut)
			config_errors_add(r->errors, (struct config_place){1, 1},
					  "there is nothing in this file: for no rules at all write rules: []");
		return;
	}
	if (!config_map(r, r->doc.root, &kind, slots))
		return;
	for (k = 0; k < N_KEYS; k++)
		if (slots[k].key)
			takes[k](r, slots[k].value);
}

int config_parse(const struct config_source *from, struct config *config, struct config_errors *errors)
{
	struct reader r = {.from = from, .config = config, .errors = errors};

	memset(config, 0, sizeof(*config));
	memset(errors, 0, sizeof(*errors));
	doc_read(&r.doc, from->text, from->len, errors);
	if (!errors->failed)
		read_root(&r);
	names_free(&r.lists);
	doc_free(&r.doc);
	free(r.notes);
	if (!config_errors_any(errors))
		return 0;
	config_errors_settle(errors);
	config_free(config);
	return -1;
}

void config_free(struct config *config)
{
	size_t i;

	for (i = 0; i < config->n_lists; i++) {
		xf_prefixes_free(config->lists[i]);
		free(config->lists[i]);
	}
	free(config->lists);
	free(config->ifaces);
	free(config->rules);
	free(config->places);
	memset(config, 0, sizeof(*config));
}
