// SPDX-License-Identifier: GPL-2.0-only
#include "record.h"

#include <math.h>
#include <netinet/in.h>
#include <string.h>

#include "rate.h"
#include "text.h"
#include "timeouts.h"
#include "when.h"

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

/* The elements of a list as it was stated. */
static json_t *record_list(const char *given)
{
	json_t *array = json_array();
	char element[XF_GIVEN_LEN], clean[XF_GIVEN_LEN];
	size_t len;

	for (; array && given && *given; given += len + (given[len] == ',')) {
		len = strcspn(given, ",");
		snprintf(element, sizeof(element), "%.*s", (int)len, given);
		if (json_array_append_new(array, json_string(text_scrub(element, clean, sizeof(clean)))) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *record_expires(const struct dp_rule *rule)
{
	char text[XF_WHEN_STRLEN];

	return rule->spec.expires ? json_string(xf_when_format(rule->spec.expires, text, sizeof(text))) : json_null();
}

static json_t *record_rate(const struct xf_rate *rate)
{
	char text[XF_RATE_STRLEN];

	return text_or_null(xf_rate_format(rate, text, sizeof(text)));
}

static json_t *record_limit(uint32_t limit)
{
	return limit ? json_integer(limit) : json_null();
}

/* In seconds; only those that are set. */
static json_t *record_timeouts(const uint32_t timeout[XF_TIMEOUT_COUNT])
{
	json_t *object = json_object();
	int i;

	for (i = 0; object && i < XF_TIMEOUT_COUNT; i++) {
		if (!timeout[i])
			continue;
		if (json_object_set_new(object, xf_timeout_name((enum xf_timeout)i), json_integer(timeout[i])) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* What the rule asks of newcomers, and then what the contract lists after that. */
static json_t *record_policy(const struct dp_rule *rule)
{
	const struct xf_rule_spec *spec = &rule->spec;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "expires",
			 record_expires(rule), "allow", record_list(rule->allow), "deny", record_list(rule->deny),
			 "rate", record_rate(&spec->rate), "rate_per_source", record_rate(&spec->source_rate),
			 "max_flows", record_limit(spec->max_flows), "comment", text_or_null(spec->comment), "counters",
			 record_counters(rule), "expired", rule->expired, "max_flows_per_source",
			 record_limit(spec->max_flows_per_source), "timeouts", record_timeouts(spec->timeout),
			 "syn_threshold", record_limit(spec->syn_threshold));
}

static json_t *record_up(enum dp_health health)
{
	return health == DP_HEALTH_UNKNOWN ? json_null() : json_boolean(health == DP_HEALTH_UP);
}

json_t *record_rule(const struct dp_rule *rule)
{
	const struct xf_rule_spec *spec = &rule->spec;
	char listen[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN], source[XF_ENDPOINT_STRLEN];
	char clean[XF_ENDPOINT_STRLEN];
	json_t *record, *policy;

	xf_listen_format(&spec->listen, listen, sizeof(listen));
	xf_target_format(&spec->target, target, sizeof(target));
	xf_source_format(spec->source, &spec->masquerade, source, sizeof(source));
	/* null: not known ("up"), or not set. */
	record = json_pack("{s:s, s:s, s:s, s:[{s:s, s:i, s:o}], s:s, s:b, s:b}", "name", spec->name, "protocol",
			   xf_protos_format(spec->protos), "listen", text_scrub(listen, clean, sizeof(clean)),
			   "targets", "target", target, "weight", 1, "up", record_up(rule->health), "source", source,
			   "enabled", !spec->disabled, "stateless", spec->stateless);
	policy = record_policy(rule);
	if (!record || !policy || json_object_update_missing(record, policy) < 0) {
		json_decref(record);
		record = NULL;
	}
	json_decref(policy);
	return record;
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
	return json_pack("{s:s, s:o, s:{s:I, s:I}, s:I, s:{s:I, s:I}, s:o, s:{s:I}, s:o}", "version", s->version,
			 "interfaces", record_ifaces(s), "limits", "rules", (json_int_t)s->max_rules, "flows",
			 (json_int_t)s->max_flows, "rules", (json_int_t)s->rules, "flows", "established",
			 (json_int_t)s->flows_established, "pending", (json_int_t)s->flows_pending, "drops",
			 record_drops(s->drops), "memory", "maps_bytes", (json_int_t)s->memory_bytes, "timeouts",
			 record_timeouts(s->timeout));
}
