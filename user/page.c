// SPDX-License-Identifier: GPL-2.0-only
#include "page.h"

#include <inttypes.h>
#include <stdio.h>

#include "rate.h"
#include "text.h"

/* More rules than that nobody reads, and a browser would choke on. */
#define PAGE_RULES_MAX 1000

static const char page_head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"refresh\" content=\"15\">\n<title>xdpfwd</title>\n<style>\n"
	":root{color-scheme:light dark;--bg:#f7f8fa;--card:#fff;--ink:#1b2330;--soft:#5b6675;--line:#dfe3e9;"
	"--bar:#2563c9;--bad:#b3261e}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e4e8ee;--soft:#98a3b3;"
	"--line:#2c3542;--bar:#6ea2f5;--bad:#ff8a80}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:96rem;padding:1.5rem;background:var(--bg);color:var(--ink);"
	"font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .6rem}"
	"header{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;margin-bottom:1.2rem}\n"
	".soft,p{color:var(--soft)}\n"
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem}\n"
	".tile,.table{background:var(--card);border:1px solid var(--line);border-radius:.5rem}\n"
	".tile{padding:.7rem 1rem}.tile b{display:block;font-size:1.45rem;font-variant-numeric:tabular-nums}\n"
	"progress{width:100%;height:.35rem;accent-color:var(--bar)}\n"
	".table{overflow-x:auto}table{border-collapse:collapse;width:100%}\n"
	"table{font-size:.92rem}th,td{padding:.4rem .65rem;text-align:left;border-bottom:1px solid "
	"var(--line);white-space:nowrap}\n"
	"tr:last-child td{border-bottom:0}th{color:var(--soft);font-weight:600;font-size:.85rem}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.wide{white-space:normal}\n"
	".off{color:var(--bad)}code{font:.92em ui-monospace,monospace}\n"
	"</style>\n</head>\n<body>\n";

static const char page_foot[] = "</body>\n</html>\n";

static const struct {
	const char *label;
	const char *sentence;
} reasons[] = {
#define X(name, label, sentence) {label, sentence},
	XF_REASONS(X)
#undef X
};

static void cell_text(struct buf *b, const char *class, const char *text)
{
	char clean[3 * XF_GIVEN_LEN]; /* a rule may have two lists of networks */

	buf_printf(b, "<td%s>", class);
	buf_html(b, text_scrub(text, clean, sizeof(clean)));
	buf_puts(b, "</td>");
}

static void cell_code(struct buf *b, const char *text)
{
	char clean[512];

	buf_puts(b, "<td><code>");
	buf_html(b, text_scrub(text, clean, sizeof(clean)));
	buf_puts(b, "</code></td>");
}

/* Shortened, with the exact number on hovering. */
static void cell_count(struct buf *b, uint64_t n)
{
	char text[TEXT_NUMBER_LEN];

	buf_printf(b, "<td class=\"n\" title=\"%" PRIu64 "\">%s</td>", n, text_count(n, text, sizeof(text)));
}

static void cell_bytes(struct buf *b, uint64_t n)
{
	char text[TEXT_NUMBER_LEN];

	buf_printf(b, "<td class=\"n\" title=\"%" PRIu64 "\">%s</td>", n, text_bytes(n, text, sizeof(text)));
}

static void tile(struct buf *b, const char *title, uint64_t n, uint64_t limit)
{
	char text[TEXT_NUMBER_LEN];

	buf_printf(b, "<div class=\"tile\"><span class=\"soft\">%s</span><b title=\"%" PRIu64 "\">%s</b>", title, n,
		   text_count(n, text, sizeof(text)));
	if (limit)
		buf_printf(b,
			   "<span class=\"soft\">of %" PRIu64 "</span><progress max=\"%" PRIu64 "\" value=\"%" PRIu64
			   "\"></progress>",
			   limit, limit, n);
	buf_puts(b, "</div>\n");
}

static uint64_t drops_sum(const uint64_t drops[XF_REASON_COUNT])
{
	uint64_t sum = 0;
	unsigned int r;

	for (r = 0; r < XF_REASON_COUNT; r++)
		sum += drops[r];
	return sum;
}

static void page_tiles(struct buf *b, const struct metrics_input *in)
{
	const struct dp_status *s = in->status;
	char text[TEXT_NUMBER_LEN];
	uint64_t packets = 0, bytes = 0;
	size_t i;

	for (i = 0; i < in->n_rules; i++) {
		packets += in->rules[i].packets_in + in->rules[i].packets_out;
		bytes += in->rules[i].bytes_in + in->rules[i].bytes_out;
	}
	buf_puts(b, "<div class=\"tiles\">\n");
	tile(b, "Rules", s->rules, s->max_rules);
	tile(b, "Flows", s->flows_established + s->flows_pending, s->max_flows);
	tile(b, "Flows not yet answered", s->flows_pending, 0);
	tile(b, "Packets forwarded", packets, 0);
	buf_printf(b,
		   "<div class=\"tile\"><span class=\"soft\">Bytes forwarded</span><b title=\"%" PRIu64
		   "\">%s</b></div>\n</div>\n",
		   bytes, text_bytes(bytes, text, sizeof(text)));
}

static void cell_state(struct buf *b, const struct dp_rule *rule, double now)
{
	char left[TEXT_NUMBER_LEN], text[TEXT_NUMBER_LEN + 16] = "enabled";
	bool off = rule->spec.disabled || rule->expired;

	if (rule->spec.disabled)
		snprintf(text, sizeof(text), "disabled");
	else if (rule->expired)
		snprintf(text, sizeof(text), "expired");
	else if (rule->spec.expires)
		snprintf(text, sizeof(text), "expires in %s",
			 text_duration((double)rule->spec.expires - now, left, sizeof(left)));
	cell_text(b, off ? " class=\"off\"" : "", text);
}

static void add_condition(struct buf *to, const char *what, const char *value)
{
	buf_printf(to, "%s%s %s", to->len ? "; " : "", what, value);
}

/* What the rule asks of newcomers, under the names of the options that asked for it. */
static void cell_conditions(struct buf *b, const struct dp_rule *rule)
{
	const struct xf_rule_spec *spec = &rule->spec;
	char text[XF_RATE_STRLEN];
	struct buf all = {0};

	if (spec->stateless)
		buf_puts(&all, "stateless");
	if (rule->allow)
		add_condition(&all, "allow", rule->allow);
	if (rule->deny)
		add_condition(&all, "deny", rule->deny);
	if (spec->rate.count)
		add_condition(&all, "rate", xf_rate_format(&spec->rate, text, sizeof(text)));
	if (spec->source_rate.count)
		add_condition(&all, "rate per source", xf_rate_format(&spec->source_rate, text, sizeof(text)));
	if (spec->max_flows)
		add_condition(&all, "max flows", text_count(spec->max_flows, text, sizeof(text)));
	if (spec->max_flows_per_source)
		add_condition(&all, "max flows per source", text_count(spec->max_flows_per_source, text, sizeof(text)));
	if (spec->syn_threshold)
		add_condition(&all, "SYN protection from", text_count(spec->syn_threshold, text, sizeof(text)));
	cell_text(b, " class=\"wide\"", all.data ? all.data : "");
	b->failed |= buf_failed(&all);
	buf_free(&all);
}

static void page_rule(struct buf *b, const struct dp_rule *rule, double now)
{
	char text[XF_ENDPOINT_STRLEN], ago[TEXT_NUMBER_LEN + 8] = "never";
	const struct xf_rule_spec *spec = &rule->spec;

	if (rule->last_hit_unix > 0)
		snprintf(ago, sizeof(ago), "%s ago", text_duration(now - rule->last_hit_unix, text, sizeof(text)));
	buf_puts(b, "<tr>");
	cell_text(b, "", spec->name);
	cell_text(b, "", xf_protos_format(spec->protos));
	cell_code(b, xf_listen_format(&spec->listen, text, sizeof(text)));
	cell_code(b, xf_target_format(&spec->target, text, sizeof(text)));
	cell_text(b, "", xf_source_format(spec->source, &spec->masquerade, text, sizeof(text)));
	cell_state(b, rule, now);
	cell_conditions(b, rule);
	cell_count(b, rule->packets_in);
	cell_bytes(b, rule->bytes_in);
	cell_count(b, rule->packets_out);
	cell_bytes(b, rule->bytes_out);
	cell_count(b, rule->flows_created);
	cell_count(b, drops_sum(rule->drops));
	cell_text(b, "", ago);
	buf_puts(b, "</tr>\n");
}

static void page_rules(struct buf *b, const struct metrics_input *in, double now)
{
	size_t i;

	buf_puts(b, "<h2>Rules</h2>\n");
	if (!in->n_rules) {
		buf_puts(b, "<p>No rules yet: <code>xdpfwd map add</code> makes one.</p>\n");
		return;
	}
	buf_puts(b, "<div class=\"table\"><table>\n<tr><th>Name</th><th>Protocol</th><th>Listen</th><th>Target</th>"
		    "<th>Source</th><th>State</th><th>Conditions</th><th class=\"n\">Packets in</th><th "
		    "class=\"n\">Bytes in</th>"
		    "<th class=\"n\">Packets out</th><th class=\"n\">Bytes out</th><th class=\"n\">Flows</th>"
		    "<th class=\"n\">Drops</th><th>Last hit</th></tr>\n");
	for (i = 0; i < in->n_rules && i < PAGE_RULES_MAX; i++)
		page_rule(b, &in->rules[i], now);
	buf_puts(b, "</table></div>\n");
	if (in->n_rules > PAGE_RULES_MAX)
		buf_printf(b, "<p>The first %d of %zu rules; <code>xdpfwd map list</code> shows all.</p>\n",
			   PAGE_RULES_MAX, in->n_rules);
}

static void page_interfaces(struct buf *b, const struct metrics_input *in)
{
	size_t i;

	buf_puts(b, "<h2>Interfaces</h2>\n<div class=\"table\"><table>\n"
		    "<tr><th>Interface</th><th>Tier</th><th>Why</th></tr>\n");
	for (i = 0; i < in->status->n_ifaces; i++) {
		const struct dp_iface *iface = &in->status->ifaces[i];

		buf_puts(b, "<tr>");
		cell_text(b, "", iface->name);
		cell_text(b, "", in->tier_name(iface->tier));
		cell_text(b, " class=\"wide soft\"", iface->reason);
		buf_puts(b, "</tr>\n");
	}
	buf_puts(b, "</table></div>\n");
}

/* Of all rules together and of no rule, by reason. */
static void page_drops(struct buf *b, const struct metrics_input *in)
{
	unsigned int r, shown = 0;

	buf_puts(b, "<h2>Drops</h2>\n");
	for (r = XF_REASON_NONE + 1; r < XF_REASON_COUNT; r++) {
		uint64_t n = in->status->drops[r];
		size_t i;

		for (i = 0; i < in->n_rules; i++)
			n += in->rules[i].drops[r];
		if (!n)
			continue;
		if (!shown++)
			buf_puts(b, "<div class=\"table\"><table>\n<tr><th>Reason</th><th class=\"n\">Packets</th>"
				    "<th>Meaning</th></tr>\n");
		buf_puts(b, "<tr>");
		cell_code(b, reasons[r].label);
		cell_count(b, n);
		cell_text(b, " class=\"wide soft\"", reasons[r].sentence);
		buf_puts(b, "</tr>\n");
	}
	buf_puts(b, shown ? "</table></div>\n" : "<p>None.</p>\n");
}

void page_write(struct buf *b, const struct metrics_input *in, double now)
{
	buf_puts(b, page_head);
	buf_puts(b, "<header><h1>xdpfwd</h1><span class=\"soft\">");
	buf_html(b, in->version);
	buf_puts(b, ", Linux ");
	buf_html(b, in->kernel);
	buf_puts(b, "</span> <a href=\"/metrics\">metrics</a></header>\n");
	page_tiles(b, in);
	page_rules(b, in, now);
	page_interfaces(b, in);
	page_drops(b, in);
	buf_puts(b, page_foot);
}

void page_write_error(struct buf *b, const char *why)
{
	buf_puts(b, page_head);
	buf_puts(b, "<header><h1>xdpfwd</h1></header>\n<p class=\"off\">");
	buf_html(b, why);
	buf_puts(b, "</p>\n");
	buf_puts(b, page_foot);
}
