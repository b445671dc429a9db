// SPDX-License-Identifier: GPL-2.0-only
#include "record.h"

#include <math.h>
#include <netinet/in.h>

#include "text.h"

static json_t *text_or_null(const char *text)
{
	char clean[512];

	return text && *text ? json_string(text_scrub(text, clean, sizeof(clean))) : json_null();
}

/* Seconds with three decimals: what the clock behind them is good for. */
static json_t *seconds(double s)
{
	return json_real(floor(s * 1000 + 0.5) / 1000);
}

/* Only reasons that occurred. */
static json_t *record_drops(const uint64_t drops[XF_REASON_COUNT])
{
	json_t *object = json_object();
	unsigned int r;

	for (r = 0; object && r < XF_REASON_COUNT; r++) {
		if (!drops[r])
			continue;
		if (json_object_set_new(object, dp_reason_label(r), json_integer((json_int_t)drops[r])) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *record_counters(const struct dp_rule *rule)
{
	/* "I" takes a json_int_t; counters do not reach 2^63. */
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "packets_in", (json_int_t)rule->packets_in,
			 "bytes_in", (json_int_t)rule->bytes_in, "packets_out", (json_int_t)rule->packets_out,
			 "bytes_out", (json_int_t)rule->bytes_out, "flows_created", (json_int_t)rule->flows_created,
			 "fast_packets", (json_int_t)rule->fast_packets, "last_hit",
			 rule->last_hit_unix > 0 ? seconds(rule->last_hit_unix) : json_null(), "drops",
			 record_drops(rule->drops));
}

json_t *record_rule(const struct dp_rule *rule)
{
	const struct xf_rule_spec *spec = &rule->spec;
	char listen[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN], source[XF_ENDPOINT_STRLEN];
	char clean[XF_ENDPOINT_STRLEN];

	xf_listen_format(&spec->listen, listen, sizeof(listen));
	xf_target_format(&spec->target, target, sizeof(target));
	xf_source_format(spec->source, &spec->masquerade, source, sizeof(source));
	/* null: not known ("up"), or not set. */
	return json_pack(
		"{s:s, s:s, s:s, s:[{s:s, s:i, s:n}], s:s, s:b, s:b, s:n, s:[], s:[], s:n, s:n, s:n, s:o, s:o}", "name",
		spec->name, "protocol", xf_protos_format(spec->protos), "listen",
		text_scrub(listen, clean, sizeof(clean)), "targets", "target", target, "weight", 1, "up", "source",
		source, "enabled", !spec->disabled, "stateless", 0, "expires", "allow", "deny", "rate",
		"rate_per_source", "max_flows", "comment", text_or_null(spec->comment), "counters",
		record_counters(rule));
}

json_t *record_rules(const struct dp_rule *rules, size_t n)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < n; i++) {
		if (json_array_append_new(array, record_rule(&rules[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static const char *endpoint(const struct xf_address *addr, uint16_t port, char *buf)
{
	return xf_endpoint_format(addr, port, buf, XF_ENDPOINT_STRLEN);
}

json_t *record_flow(const struct dp_flow *f, const char *rule_name)
{
	char client[XF_ENDPOINT_STRLEN], listen[XF_ENDPOINT_STRLEN];
	char target[XF_ENDPOINT_STRLEN], translated[XF_ENDPOINT_STRLEN];

	return json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I}", "rule", text_or_null(rule_name),
		"protocol", f->proto == IPPROTO_TCP ? "tcp" : "udp", "client",
		endpoint(&f->client, f->client_port, client), "listen", endpoint(&f->listen, f->listen_port, listen),
		"target", endpoint(&f->target, f->target_port, target), "translated_source",
		endpoint(&f->translated, f->translated_port, translated), "state", dp_flow_state_name(f->state),
		"age_seconds", seconds(f->age_seconds), "idle_seconds", seconds(f->idle_seconds), "packets_in",
		(json_int_t)f->packets_in, "packets_out", (json_int_t)f->packets_out, "bytes_in",
		(json_int_t)f->bytes_in, "bytes_out", (json_int_t)f->bytes_out);
}

static json_t *record_ifaces(const struct dp_status *status)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < status->n_ifaces; i++) {
		const struct dp_iface *iface = &status->ifaces[i];
		json_t *record = json_pack("{s:o, s:s, s:o}", "name", text_or_null(iface->name), "tier",
					   dp_tier_name(iface->tier), "reason", text_or_null(iface->reason));

		if (json_array_append_new(array, record) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

json_t *record_status(const struct dp_status *s)
{
	return json_pack("{s:s, s:o, s:{s:I, s:I}, s:I, s:{s:I, s:I}, s:o}", "version", s->version, "interfaces",
			 record_ifaces(s), "limits", "rules", (json_int_t)s->max_rules, "flows",
			 (json_int_t)s->max_flows, "rules", (json_int_t)s->rules, "flows", "established",
			 (json_int_t)s->flows_established, "pending", (json_int_t)s->flows_pending, "drops",
			 record_drops(s->drops));
}
