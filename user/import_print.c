// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imported rules as a config. Every text is quoted: what looks like a number, a
 * date or "no" to YAML is a name all the same.
 */
#include "import.h"

#include <string.h>

#include "text.h"

/* The printable characters that YAML wants escaped: a byte order mark, and two that are none. */
static const char *escape(const char *text)
{
	static const char *const marks[][2] = {
		{"\xef\xbb\xbf", "\\uFEFF"}, {"\xef\xbf\xbe", "\\uFFFE"}, {"\xef\xbf\xbf", "\\uFFFF"}};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (!strncmp(text, marks[i][0], 3))
			return marks[i][1];
	return NULL;
}

static void put_escaped(struct buf *out, const char *text)
{
	const char *instead;

	for (; *text; text++) {
		instead = escape(text);
		if (instead) {
			buf_puts(out, instead);
			text += 2;
			continue;
		}
		if (*text == '"' || *text == '\\')
			buf_puts(out, "\\");
		buf_add(out, text, 1);
	}
}

static void put_text(struct buf *out, const char *key, const char *text)
{
	buf_printf(out, "    %s: \"", key);
	put_escaped(out, text);
	buf_puts(out, "\"\n");
}

static void put_nets(struct buf *out, const char *key, const struct cidr *net, size_t n)
{
	char text[CIDR_STRLEN];
	size_t i;

	if (!n)
		return;
	buf_printf(out, "    %s: [", key);
	for (i = 0; i < n; i++)
		buf_printf(out, "%s\"%s\"", i ? ", " : "", cidr_format(&net[i], text, sizeof(text)));
	buf_puts(out, "]\n");
}

static void put_rule(struct buf *out, const struct import_rule *rule, const char *place)
{
	const struct xf_rule_spec *spec = &rule->spec;
	char text[XF_ENDPOINT_STRLEN];

	buf_puts(out, "  # ");
	put_escaped(out, place);
	put_escaped(out, rule->where);
	buf_printf(out, "\n  - name: \"%s\"\n    protocol: %s\n", spec->name, xf_protos_format(spec->protos));
	put_text(out, "listen", xf_listen_format(&spec->listen, text, sizeof(text)));
	put_text(out, "target", xf_target_format(&spec->target, text, sizeof(text)));
	if (spec->source != XF_SOURCE_AUTO)
		put_text(out, "source", xf_source_format(spec->source, &spec->masquerade, text, sizeof(text)));
	put_nets(out, "allow", rule->allow, rule->n_allow);
	put_nets(out, "deny", rule->deny, rule->n_deny);
	if (spec->disabled)
		buf_puts(out, "    disabled: true\n");
	if (*spec->comment)
		put_text(out, "comment", spec->comment);
}

void import_print(const struct import *im, const char *tool, struct buf *out)
{
	char place[IMPORT_WHERE_LEN];
	size_t i;

	text_scrub(im->input, place, sizeof(place) - 2);
	strcat(place, ":");
	buf_printf(out, "# Port forwards of %s, for xdpfwd apply.\n", tool);
	if (!im->n)
		buf_puts(out, "rules: []\n");
	else
		buf_puts(out, "rules:\n");
	for (i = 0; i < im->n; i++)
		put_rule(out, &im->rule[i], place);
}
