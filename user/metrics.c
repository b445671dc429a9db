// SPDX-License-Identifier: GPL-2.0-only
/*
 * One table of families, and one function a family that writes its samples.
 * The two text formats differ in three things only: OpenMetrics names a family
 * without its sample's suffix (_total, _info), knows the type "info", and ends
 * with "# EOF". JSON, for people's scripts, is the text format's families and
 * samples as an array.
 *
 * A drop counter of a rule appears with its first drop. With every rule times
 * every reason present from the start, a scrape of 65536 rules would be mostly
 * zeros; the price is that rate() does not see the step from nothing to the
 * first sample. xdpfwd_drops_total is small and always complete.
 */
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include "metrics_writer.h"
#include "text.h"

enum family_type {
	FAMILY_COUNTER,
	FAMILY_GAUGE,
	FAMILY_INFO,
};

static const struct metrics_label no_labels[] = {{NULL, NULL}};

/* ---- one function a family ---- */

static void write_build_info(struct metrics_writer *w)
{
	metrics_sample(
		w, (struct metrics_label[]){{"version", w->in->version}, {"kernel", w->in->kernel}, {NULL, NULL}}, 1);
}

static void write_interface_info(struct metrics_writer *w)
{
	char name[4 * XF_IFNAME_LEN];
	size_t i;

	for (i = 0; i < w->in->status->n_ifaces; i++) {
		const struct dp_iface *iface = &w->in->status->ifaces[i];

		text_scrub(iface->name, name, sizeof(name));
		metrics_sample(w,
			       (struct metrics_label[]){
				       {"interface", name}, {"tier", w->in->tier_name(iface->tier)}, {NULL, NULL}},
			       1);
	}
}

static void write_drops(struct metrics_writer *w)
{
	unsigned int r;

	for (r = XF_REASON_NONE + 1; r < XF_REASON_COUNT; r++)
		metrics_sample(w,
			       (struct metrics_label[]){{"reason", dp_reason_label((enum xf_reason)r)}, {NULL, NULL}},
			       w->in->status->drops[r]);
}

static void write_flows(struct metrics_writer *w)
{
	metrics_sample(w, (struct metrics_label[]){{"state", "established"}, {NULL, NULL}},
		       w->in->status->flows_established);
	metrics_sample(w, (struct metrics_label[]){{"state", "pending"}, {NULL, NULL}}, w->in->status->flows_pending);
}

static void write_flows_limit(struct metrics_writer *w)
{
	metrics_sample(w, no_labels, w->in->status->max_flows);
}

static void write_rules(struct metrics_writer *w)
{
	metrics_sample(w, no_labels, w->in->status->rules);
}

static void write_rules_limit(struct metrics_writer *w)
{
	metrics_sample(w, no_labels, w->in->status->max_rules);
}

static void write_memory(struct metrics_writer *w)
{
	metrics_sample(w, no_labels, w->in->status->memory_bytes);
}

static void write_scrape_duration(struct metrics_writer *w)
{
	metrics_labels(w, no_labels);
	buf_printf(w->b, "%.6f", w->in->seconds);
	metrics_end(w);
}

static const struct family {
	const char *name; /* of its samples */
	enum family_type type;
	const char *help;
	void (*write)(struct metrics_writer *w);
} families[] = {
	{"xdpfwd_build_info", FAMILY_INFO, "Version of xdpfwd and release of the kernel it runs on.", write_build_info},
	{"xdpfwd_interface_info", FAMILY_INFO, "Interfaces that the data plane is attached to, and by which tier.",
	 write_interface_info},
	{"xdpfwd_rule_info", FAMILY_INFO, "What each rule forwards.", metrics_rule_info},
	{"xdpfwd_rule_packets_total", FAMILY_COUNTER,
	 "Packets forwarded; in is client to target, out is target to client.", metrics_rule_packets},
	{"xdpfwd_rule_bytes_total", FAMILY_COUNTER, "Octets forwarded, counted from the IP header on.",
	 metrics_rule_bytes},
	{"xdpfwd_rule_flows_created_total", FAMILY_COUNTER, "Connections that the rule has taken.",
	 metrics_rule_flows_created},
	{"xdpfwd_rule_fast_packets_total", FAMILY_COUNTER,
	 "Packets of both directions that the fast tier (native XDP) finished.", metrics_rule_fast_packets},
	{"xdpfwd_rule_sources", FAMILY_GAUGE,
	 "Distinct sources of newcomers (IPv4 addresses, IPv6 /64) in the last one to two hours, estimated.",
	 metrics_rule_sources},
	{"xdpfwd_rule_flows", FAMILY_GAUGE, "Connections of the rule tracked now; pending ones were not answered yet.",
	 metrics_rule_flows},
	{"xdpfwd_rule_last_hit_timestamp_seconds", FAMILY_GAUGE,
	 "When the rule forwarded a packet last, in seconds since 1970; absent if never.", metrics_rule_last_hit},
	{"xdpfwd_target_up", FAMILY_GAUGE,
	 "Does the rule's target answer: 1 yes, 0 no; absent where no xdpfwd run looks after it.", metrics_target_up},
	{"xdpfwd_rule_expires_timestamp_seconds", FAMILY_GAUGE,
	 "When the rule closes by itself, in seconds since 1970; absent if never.", metrics_rule_expires},
	{"xdpfwd_rule_drops_total", FAMILY_COUNTER,
	 "Packets that the rule refused; each reason from its first drop on.", metrics_rule_drops},
	{"xdpfwd_drops_total", FAMILY_COUNTER, "Packets dropped or left to the kernel that no rule is charged with.",
	 write_drops},
	{"xdpfwd_flows", FAMILY_GAUGE, "Connections tracked now; pending ones were not answered yet.", write_flows},
	{"xdpfwd_flows_limit", FAMILY_GAUGE, "Connections that the flow table has room for.", write_flows_limit},
	{"xdpfwd_rules", FAMILY_GAUGE, "Rules there are now.", write_rules},
	{"xdpfwd_rules_limit", FAMILY_GAUGE, "Rules that there is room for.", write_rules_limit},
	{"xdpfwd_maps_memory_bytes", FAMILY_GAUGE, "Kernel memory that the data plane's maps take.", write_memory},
	{"xdpfwd_scrape_duration_seconds", FAMILY_GAUGE, "How long it took to read the data plane's counters.",
	 write_scrape_duration},
};

static void write_head(struct buf *b, const struct family *f, enum metrics_format format)
{
	static const char *const types[] = {"counter", "gauge", "info"};
	static const char *const suffixes[] = {"_total", "", "_info"};
	size_t len = strlen(f->name);
	const char *type = types[f->type];

	if (format == METRICS_OPENMETRICS)
		len -= strlen(suffixes[f->type]);
	else if (f->type == FAMILY_INFO)
		type = "gauge";
	if (format == METRICS_JSON)
		buf_printf(b, "{\"name\":\"%s\",\"type\":\"%s\",\"help\":\"%s\",\"samples\":[", f->name, type, f->help);
	else
		buf_printf(b, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, f->name, f->help, (int)len, f->name, type);
}

void metrics_write(struct buf *b, const struct metrics_input *in, enum metrics_format format)
{
	struct metrics_writer w = {.b = b, .in = in, .format = format};
	bool json = format == METRICS_JSON;
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (json)
			buf_puts(b, i ? ",\n" : "[");
		write_head(b, &families[i], format);
		w.name = families[i].name;
		w.n_samples = 0;
		families[i].write(&w);
		if (json)
			buf_puts(b, "]}");
	}
	if (json)
		buf_puts(b, "]\n");
	if (format == METRICS_OPENMETRICS)
		buf_puts(b, "# EOF\n");
}

const char *metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
					       "text/plain; version=0.0.4; charset=utf-8";
}
