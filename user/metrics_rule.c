// SPDX-License-Identifier: GPL-2.0-only
/* One function a family. */
#include <inttypes.h>

#include "metrics_writer.h"
#include "text.h"

void metrics_rule_info(struct metrics_writer *w)
{
	char listen[XF_ENDPOINT_STRLEN], clean[XF_ENDPOINT_STRLEN], source[XF_ENDPOINT_STRLEN];
	size_t i;

	for (i = 0; i < w->in->n_rules; i++) {
		const struct xf_rule_spec *spec = &w->in->rules[i].spec;

		xf_listen_format(&spec->listen, listen, sizeof(listen));
		xf_source_format(spec->source, &spec->masquerade, source, sizeof(source));
		metrics_sample(w,
			       (struct metrics_label[]){{"rule", spec->name},
							{"protocol", xf_protos_format(spec->protos)},
							{"listen", text_scrub(listen, clean, sizeof(clean))},
							{"source", source},
							{NULL, NULL}},
			       1);
	}
}

static void write_both_ways(struct metrics_writer *w, const struct dp_rule *rule, uint64_t in, uint64_t out)
{
	metrics_sample(w, (struct metrics_label[]){{"rule", rule->spec.name}, {"direction", "in"}, {NULL, NULL}}, in);
	metrics_sample(w, (struct metrics_label[]){{"rule", rule->spec.name}, {"direction", "out"}, {NULL, NULL}}, out);
}

void metrics_rule_packets(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++)
		write_both_ways(w, &w->in->rules[i], w->in->rules[i].packets_in, w->in->rules[i].packets_out);
}

void metrics_rule_bytes(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++)
		write_both_ways(w, &w->in->rules[i], w->in->rules[i].bytes_in, w->in->rules[i].bytes_out);
}

void metrics_rule_flows_created(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++)
		metrics_sample(w, (struct metrics_label[]){{"rule", w->in->rules[i].spec.name}, {NULL, NULL}},
			       w->in->rules[i].flows_created);
}

void metrics_rule_fast_packets(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++)
		metrics_sample(w, (struct metrics_label[]){{"rule", w->in->rules[i].spec.name}, {NULL, NULL}},
			       w->in->rules[i].fast_packets);
}

void metrics_rule_sources(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++)
		metrics_sample(w, (struct metrics_label[]){{"rule", w->in->rules[i].spec.name}, {NULL, NULL}},
			       w->in->rules[i].sources);
}

void metrics_rule_flows(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++) {
		const struct dp_rule *rule = &w->in->rules[i];

		metrics_sample(
			w, (struct metrics_label[]){{"rule", rule->spec.name}, {"state", "established"}, {NULL, NULL}},
			rule->flows_established);
		metrics_sample(w,
			       (struct metrics_label[]){{"rule", rule->spec.name}, {"state", "pending"}, {NULL, NULL}},
			       rule->flows_pending);
	}
}

/* A rule that never was hit has no time at which it was. */
void metrics_rule_last_hit(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++) {
		if (!(w->in->rules[i].last_hit_unix > 0))
			continue;
		metrics_labels(w, (struct metrics_label[]){{"rule", w->in->rules[i].spec.name}, {NULL, NULL}});
		buf_printf(w->b, "%.3f", w->in->rules[i].last_hit_unix);
		metrics_end(w);
	}
}

/* Only of targets that somebody looks after. */
void metrics_target_up(struct metrics_writer *w)
{
	char target[XF_ENDPOINT_STRLEN];
	size_t i;

	for (i = 0; i < w->in->n_rules; i++) {
		const struct dp_rule *rule = &w->in->rules[i];

		if (rule->health == DP_HEALTH_UNKNOWN)
			continue;
		xf_target_format(&rule->spec.target, target, sizeof(target));
		metrics_sample(w, (struct metrics_label[]){{"rule", rule->spec.name}, {"target", target}, {NULL, NULL}},
			       rule->health == DP_HEALTH_UP);
	}
}

/* A rule that is open for good has no such time. */
void metrics_rule_expires(struct metrics_writer *w)
{
	size_t i;

	for (i = 0; i < w->in->n_rules; i++)
		if (w->in->rules[i].spec.expires)
			metrics_sample(w, (struct metrics_label[]){{"rule", w->in->rules[i].spec.name}, {NULL, NULL}},
				       (uint64_t)w->in->rules[i].spec.expires);
}

void metrics_rule_drops(struct metrics_writer *w)
{
	unsigned int r;
	size_t i;

	for (i = 0; i < w->in->n_rules; i++) {
		const struct dp_rule *rule = &w->in->rules[i];

		for (r = 0; r < XF_REASON_COUNT; r++)
			if (rule->drops[r])
				metrics_sample(w,
					       (struct metrics_label[]){{"rule", rule->spec.name},
									{"reason", dp_reason_label((enum xf_reason)r)},
									{NULL, NULL}},
					       rule->drops[r]);
	}
}
