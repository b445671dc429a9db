/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The config file: YAML to rules and settings, and rules and settings to YAML.
 * Pure: the text is read and written by whoever calls.
 */
#ifndef XDPFWD_USER_CONFIG_H
#define XDPFWD_USER_CONFIG_H

#include "config_error.h"
#include "dataplane.h"

struct config_iface {
	char name[XF_IFNAME_LEN];
	enum dp_mode mode;
	struct config_place at;
};

/* All zero is an empty one: no rules, and nothing said about the rest. */
struct config {
	struct config_iface *ifaces;
	size_t n_ifaces;
	uint32_t max_rules, max_flows; /* 0: not given */
	struct xf_address metrics;     /* where to answer scrapers; family 0: not given */
	uint16_t metrics_port;
	/* In the order of the file. All have names, and what `defaults` says is in them. */
	struct xf_rule_spec *rules;
	struct config_place *places; /* where each of them begins; NULL in a config that was not read */
	size_t n_rules;
	bool has_rules; /* there is a key "rules", though perhaps with none in it */
	/* What rules' allow and deny point to; those that say the same share one. */
	struct xf_prefixes **lists;
	size_t n_lists, lists_room;
};

struct config_source {
	const char *text;
	size_t len;
	int64_t now;	       /* seconds since 1970: what `expires: 2h` counts from */
	xf_prefix_reader read; /* for @FILE in allow and deny */
};

/*
 * 0; or -1 with everything that is wrong in `errors`, in order, and an empty
 * config. A text of more than DOC_TEXT_MAX octets is refused: whoever reads a
 * file can stop there.
 */
int config_parse(const struct config_source *from, struct config *config, struct config_errors *errors);
void config_free(struct config *config);

/*
 * (config_write.c) The config as text that config_parse takes back to the same
 * one. Of allow and deny only what was stated is asked. A moment to expire is
 * written as a date, whatever it was stated as.
 */
void config_write(const struct config *config, struct buf *to);

/* "auto", "native", "generic" or "tc". */
const char *config_mode_name(enum dp_mode mode);

#endif
