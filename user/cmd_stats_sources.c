// SPDX-License-Identifier: GPL-2.0-only
/* stats --sources: who comes most often, to the rules named or to all of them together. */
#include <stdlib.h>

#include "cmd.h"
#include "record_watch.h"
#include "ruleset.h"
#include "sources.h"

#define DEFAULT_LIMIT 10

static const struct out_column columns[] = {
	{"RULE", "rule", NULL, OUT_TEXT}, /* only where rules are named */
	{"SOURCE", "source", NULL, OUT_TEXT},	    {"NEW FLOWS", "flows_created", NULL, OUT_COUNT},
	{"REFUSED", "refused", NULL, OUT_COUNT},    {"FLOWS NOW", "flows", NULL, OUT_COUNT},
	{"BYTES IN", "bytes_in", NULL, OUT_BYTES},  {"BYTES OUT", "bytes_out", NULL, OUT_BYTES},
	{"LAST SEEN", "last_seen", NULL, OUT_UNIX}, {0},
};

/* What is asked for, and what was found. */
struct view {
	struct cmd_names names;
	uint32_t limit;
	struct ruleset set;
	struct dp_source *sources;
	size_t n;
};

/* The first of those, which are sorted for it; false: memory ran out. */
static bool append_top(json_t *array, struct view *v, size_t n, const char *rule_name)
{
	size_t i;

	sources_sort(v->sources, n);
	for (i = 0; i < n && i < v->limit; i++)
		if (json_array_append_new(array, record_source(&v->sources[i], rule_name)) < 0)
			return false;
	return true;
}

static json_t *record_top(struct view *v)
{
	json_t *array = json_array();
	struct xf_error ignored;
	bool done = array;
	int i;

	if (done && !v->names.n)
		done = append_top(array, v, sources_merge(v->sources, v->n), NULL);
	for (i = 0; done && i < v->names.n; i++) {
		const struct dp_rule *rule = ruleset_find(&v->set, v->names.name[i], &ignored);

		done = append_top(array, v, sources_of_rule(v->sources, v->n, rule->id), rule->spec.name);
	}
	if (done)
		return array;
	json_decref(array);
	return NULL;
}

static int read_sources(const char *state, struct view *v, struct xf_error *err)
{
	struct dataplane *dp;
	int ret;

	if (dp_open(&dp, state, false, err) < 0)
		return -1;
	ret = dp_rules(dp, &v->set.rules, &v->set.n, err);
	if (!ret)
		ret = ruleset_check_names(&v->set, v->names.name, v->names.n, err);
	if (!ret)
		ret = dp_sources(dp, &v->sources, &v->n, err);
	dp_close(dp);
	return ret;
}

int cmd_stats_sources(const char *state, const struct cmd_names *names, uint32_t limit)
{
	struct view v = {.names = *names, .limit = limit ? limit : DEFAULT_LIMIT};
	struct xf_error err;
	int ret;

	if (read_sources(state, &v, &err) < 0)
		ret = out_fail(CMD_FAILED, &err);
	else
		ret = out_records(record_top(&v), names->n ? columns : columns + 1);
	ruleset_free(&v.set);
	free(v.sources);
	return ret;
}
