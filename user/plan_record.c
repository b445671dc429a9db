// SPDX-License-Identifier: GPL-2.0-only
/* A difference between rules as JSON. */
#include "plan.h"
#include "text.h"

/* null: there is nothing. */
static json_t *record_value(const struct plan_rule *rule, enum plan_field field)
{
	char clean[XF_GIVEN_LEN];
	struct buf text = {0};
	json_t *value = NULL;

	plan_field_write(rule, field, &text);
	if (field == PLAN_ENABLED)
		value = json_boolean(!rule->spec->disabled);
	else if (field == PLAN_STATELESS)
		value = json_boolean(rule->spec->stateless);
	else if (!buf_failed(&text))
		value = text.len ? json_string(text_scrub(text.data, clean, sizeof(clean))) : json_null();
	buf_free(&text);
	return value;
}

static json_t *record_fields(const struct plan_change *change)
{
	json_t *object = json_object();
	int f;

	for (f = 0; object && f < PLAN_FIELD_COUNT; f++) {
		enum plan_field field = (enum plan_field)f;
		json_t *both;

		if (!(change->fields & (1u << f)))
			continue;
		both = json_pack("{s:o, s:o}", "from", record_value(change->running, field), "to",
				 record_value(change->wanted, field));
		if (json_object_set_new(object, plan_field_name(field), both) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *record_change(const struct plan_change *change)
{
	const struct plan_rule *rule = change->wanted ? change->wanted : change->running;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:o}", "change", plan_kind_name(change->kind), "name",
			 rule->spec->name, "protocol", record_value(rule, PLAN_PROTOCOL), "listen",
			 record_value(rule, PLAN_LISTEN), "target", record_value(rule, PLAN_TARGET), "keeps_flows",
			 plan_keeps_flows(change), "fields", record_fields(change));
}

json_t *plan_record(const struct plan *plan)
{
	json_t *changes = json_array();
	size_t i;

	for (i = 0; changes && i < plan->n; i++) {
		if (json_array_append_new(changes, record_change(&plan->change[i])) < 0) {
			json_decref(changes);
			return NULL;
		}
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "added", (json_int_t)plan->added, "changed",
			 (json_int_t)plan->changed, "removed", (json_int_t)plan->removed, "unchanged",
			 (json_int_t)plan->unchanged, "changes", changes);
}
