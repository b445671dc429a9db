// SPDX-License-Identifier: GPL-2.0-only
/* A difference between rules for people. */
#include <inttypes.h>
#include <string.h>

#include "duration.h"
#include "plan.h"
#include "rate.h"
#include "timeouts.h"
#include "when.h"

static void write_timeouts(struct buf *to, const uint32_t timeout[XF_TIMEOUT_COUNT])
{
	const char *before = "";
	char duration[64];
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++) {
		if (!timeout[i])
			continue;
		buf_printf(to, "%s%s=%s", before, xf_timeout_name((enum xf_timeout)i),
			   xf_duration_format(timeout[i], duration, sizeof(duration)));
		before = ",";
	}
}

static void write_limit(struct buf *to, uint32_t limit)
{
	if (limit)
		buf_printf(to, "%" PRIu32, limit);
}

/* The fields of which a rule is made. */
static void write_end(const struct xf_rule_spec *rule, enum plan_field field, struct buf *to)
{
	char text[XF_ENDPOINT_STRLEN];

	if (field == PLAN_PROTOCOL)
		buf_puts(to, xf_protos_format(rule->protos));
	else if (field == PLAN_LISTEN)
		buf_puts(to, xf_listen_format(&rule->listen, text, sizeof(text)));
	else if (field == PLAN_TARGET)
		buf_puts(to, xf_target_format(&rule->target, text, sizeof(text)));
	else
		buf_puts(to, xf_source_format(rule->source, &rule->masquerade, text, sizeof(text)));
}

static void write_rate(const struct xf_rate *rate, struct buf *to)
{
	char text[XF_RATE_STRLEN];

	buf_puts(to, xf_rate_format(rate, text, sizeof(text)));
}

void plan_field_write(const struct plan_rule *rule, enum plan_field field, struct buf *to)
{
	const struct xf_rule_spec *spec = rule->spec;
	char text[XF_WHEN_STRLEN];

	switch (field) {
	case PLAN_ALLOW:
		buf_puts(to, rule->allow.given ? rule->allow.given : "");
		break;
	case PLAN_DENY:
		buf_puts(to, rule->deny.given ? rule->deny.given : "");
		break;
	case PLAN_RATE:
		write_rate(&spec->rate, to);
		break;
	case PLAN_SOURCE_RATE:
		write_rate(&spec->source_rate, to);
		break;
	case PLAN_MAX_FLOWS:
		write_limit(to, spec->max_flows);
		break;
	case PLAN_MAX_PER_SOURCE:
		write_limit(to, spec->max_flows_per_source);
		break;
	case PLAN_EXPIRES:
		buf_puts(to, spec->expires ? xf_when_format(spec->expires, text, sizeof(text)) : "");
		break;
	case PLAN_TIMEOUTS:
		write_timeouts(to, spec->timeout);
		break;
	case PLAN_SYN_THRESHOLD:
		write_limit(to, spec->syn_threshold);
		break;
	case PLAN_COMMENT:
		buf_puts(to, spec->comment);
		break;
	case PLAN_STATELESS:
		buf_puts(to, spec->stateless ? "yes" : "no");
		break;
	case PLAN_ENABLED:
		buf_puts(to, spec->disabled ? "no" : "yes");
		break;
	default:
		write_end(spec, field, to);
	}
}

static const char *or_none(const struct buf *b)
{
	return b->len ? b->data : "none";
}

static void write_field(const struct plan_change *change, enum plan_field field, struct buf *to)
{
	struct buf from = {0}, into = {0};

	plan_field_write(change->running, field, &from);
	plan_field_write(change->wanted, field, &into);
	if (field == PLAN_COMMENT)
		buf_printf(to, "comment \"%s\" -> \"%s\"", from.len ? from.data : "", into.len ? into.data : "");
	else if (!strcmp(or_none(&from), or_none(&into)))
		buf_printf(to, "%s %s: other networks in the file", plan_field_name(field), or_none(&into));
	else
		buf_printf(to, "%s %s -> %s", plan_field_name(field), or_none(&from), or_none(&into));
	to->failed |= from.failed || into.failed;
	buf_free(&from);
	buf_free(&into);
}

void plan_write_change(const struct plan_change *change, struct buf *to)
{
	const struct plan_rule *rule = change->wanted ? change->wanted : change->running;
	char listen[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN];
	const char *before = " ";
	int f;

	buf_printf(to, "%s %s:", plan_kind_name(change->kind), rule->spec->name);
	if (change->kind != PLAN_CHANGED)
		buf_printf(to, " %s %s -> %s%s", xf_protos_format(rule->spec->protos),
			   xf_listen_format(&rule->spec->listen, listen, sizeof(listen)),
			   xf_target_format(&rule->spec->target, target, sizeof(target)),
			   rule->spec->disabled ? " (disabled)" : "");
	for (f = 0; f < PLAN_FIELD_COUNT; f++) {
		if (!(change->fields & (1u << f)))
			continue;
		buf_puts(to, before);
		write_field(change, (enum plan_field)f, to);
		before = ", ";
	}
	if (change->kind == PLAN_CHANGED && !plan_keeps_flows(change))
		buf_puts(to, "; its flows end");
}

void plan_write(const struct plan *plan, struct buf *to)
{
	size_t i;

	for (i = 0; i < plan->n; i++) {
		plan_write_change(&plan->change[i], to);
		buf_puts(to, "\n");
	}
}
