// SPDX-License-Identifier: GPL-2.0-only
/* A config to text: the inverse of reading one. */
#include <inttypes.h>
#include <string.h>

#include "config.h"
#include "duration.h"
#include "rate.h"
#include "timeouts.h"
#include "when.h"

/* In quotes whatever it is: then no reader of YAML takes it for a number, a date or a truth. */
static void write_text(struct buf *to, const char *text)
{
	size_t n;

	buf_puts(to, "\"");
	for (; *text; text += n) {
		n = xf_utf8_printable(text);
		if (*text == '"' || *text == '\\')
			buf_puts(to, "\\");
		/* U+FEFF, U+FFFE and U+FFFF, which YAML has only in this spelling. */
		if (n == 3 && !memcmp(text, "\xef\xbb\xbf", 3))
			buf_puts(to, "\\uFEFF");
		else if (n == 3 && !memcmp(text, "\xef\xbf\xbe", 3))
			buf_puts(to, "\\uFFFE");
		else if (n == 3 && !memcmp(text, "\xef\xbf\xbf", 3))
			buf_puts(to, "\\uFFFF");
		else
			buf_add(to, n ? text : "?", n ? n : 1);
		n = n ? n : 1;
	}
	buf_puts(to, "\"");
}

static void write_key_text(struct buf *to, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	buf_printf(to, "    %s: ", key);
	write_text(to, text);
	buf_puts(to, "\n");
}

static void write_key_u32(struct buf *to, const char *key, uint32_t value)
{
	if (value)
		buf_printf(to, "    %s: %" PRIu32 "\n", key, value);
}

/* The elements of what was stated, "198.51.100.0/24,@/etc/xdpfwd/office". */
static void write_list(struct buf *to, const char *key, const struct xf_prefixes *list)
{
	const char *at = list ? list->given : "";
	char element[XF_GIVEN_LEN];
	size_t len;

	if (!*at)
		return;
	buf_printf(to, "    %s: [", key);
	for (; *at; at += len + (at[len] == ',')) {
		len = strcspn(at, ",");
		memcpy(element, at, len);
		element[len] = '\0';
		write_text(to, element);
		buf_puts(to, at[len] ? ", " : "");
	}
	buf_puts(to, "]\n");
}

static void write_timeouts(struct buf *to, const uint32_t timeout[XF_TIMEOUT_COUNT])
{
	const char *before = "    timeout: {";
	char duration[64];
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++) {
		if (!timeout[i])
			continue;
		buf_printf(to, "%s%s: \"%s\"", before, xf_timeout_name((enum xf_timeout)i),
			   xf_duration_format(timeout[i], duration, sizeof(duration)));
		before = ", ";
	}
	if (*before == ',')
		buf_puts(to, "}\n");
}

static void write_policy(struct buf *to, const struct xf_rule_spec *rule)
{
	char text[XF_RATE_STRLEN + XF_WHEN_STRLEN];

	write_list(to, "allow", rule->allow);
	write_list(to, "deny", rule->deny);
	write_key_text(to, "rate", xf_rate_format(&rule->rate, text, sizeof(text)));
	write_key_text(to, "rate-per-source", xf_rate_format(&rule->source_rate, text, sizeof(text)));
	write_key_u32(to, "max-flows", rule->max_flows);
	write_key_u32(to, "max-flows-per-source", rule->max_flows_per_source);
	if (rule->expires)
		write_key_text(to, "expires", xf_when_format(rule->expires, text, sizeof(text)));
	write_timeouts(to, rule->timeout);
	if (rule->syn_threshold)
		buf_puts(to, "    syn-protect: true\n");
	if (rule->syn_threshold != XF_SYN_THRESHOLD)
		write_key_u32(to, "syn-threshold", rule->syn_threshold);
}

static void write_rule(struct buf *to, const struct xf_rule_spec *rule)
{
	char text[XF_ENDPOINT_STRLEN];

	buf_puts(to, "  - name: ");
	write_text(to, rule->name);
	buf_puts(to, "\n");
	write_key_text(to, "comment", rule->comment);
	buf_printf(to, "    protocol: %s\n", xf_protos_format(rule->protos));
	write_key_text(to, "listen", xf_listen_format(&rule->listen, text, sizeof(text)));
	write_key_text(to, "target", xf_target_format(&rule->target, text, sizeof(text)));
	if (rule->source != XF_SOURCE_AUTO)
		write_key_text(to, "source", xf_source_format(rule->source, &rule->masquerade, text, sizeof(text)));
	write_policy(to, rule);
	if (rule->stateless)
		buf_puts(to, "    stateless: true\n");
	if (rule->disabled)
		buf_puts(to, "    disabled: true\n");
}

static void write_interfaces(struct buf *to, const struct config *config)
{
	size_t i;

	if (!config->n_ifaces)
		return;
	buf_puts(to, "interfaces:\n");
	for (i = 0; i < config->n_ifaces; i++) {
		bool other = config->ifaces[i].mode != DP_MODE_AUTO;

		buf_puts(to, other ? "  - {name: " : "  - ");
		write_text(to, config->ifaces[i].name);
		if (other)
			buf_printf(to, ", mode: %s}", config_mode_name(config->ifaces[i].mode));
		buf_puts(to, "\n");
	}
}

static void write_limits(struct buf *to, const struct config *config)
{
	if (!config->max_rules && !config->max_flows)
		return;
	buf_puts(to, "limits:\n");
	write_key_u32(to, "rules", config->max_rules);
	write_key_u32(to, "flows", config->max_flows);
}

void config_write(const struct config *config, struct buf *to)
{
	char text[XF_ENDPOINT_STRLEN];
	size_t i;

	write_interfaces(to, config);
	write_limits(to, config);
	if (config->metrics.family) {
		buf_puts(to, "metrics:\n");
		write_key_text(to, "listen",
			       xf_endpoint_format(&config->metrics, config->metrics_port, text, sizeof(text)));
	}
	buf_puts(to, config->n_rules ? "rules:\n" : "rules: []\n");
	for (i = 0; i < config->n_rules; i++)
		write_rule(to, &config->rules[i]);
}
