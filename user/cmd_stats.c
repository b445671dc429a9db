// SPDX-License-Identifier: GPL-2.0-only
/* stats: counters by rule, once or at every interval. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "record.h"
#include "record_watch.h"
#include "ruleset.h"

static uint32_t interval, limit;
static bool sources;

static const struct opt options[] = {
	{"watch", "SECONDS", "again every so many seconds, until Ctrl-C", OPT_U32, &interval, 1, 86400},
	{"sources", NULL, "who comes most often, instead", OPT_FLAG, &sources, 0, 0},
	{"limit", "N", "with --sources: so many, of each rule named; default 10", OPT_U32, &limit, 1, UINT32_MAX},
	CMD_OPT_JSON,
	{0},
};

static const struct opt_command command = {
	.name = "stats",
	.operands = "[NAME...]",
	.about = "Prints the counters of the rules named, or of all. With --watch, text goes on with what\n"
		 "comes by second, JSON with the counters, one line an interval.\n\n"
		 "NOW is the connections that are tracked, HALF-OPEN the share of them that was not\n"
		 "answered yet, SOURCES an estimate of the distinct sources of the last one to two hours.\n"
		 "A source is an IPv4 address or an IPv6 /64, the network of one subscriber. --sources\n"
		 "remembers those that come often and those that came last, refused or not.",
	.example = "  xdpfwd stats --watch 5\n"
		   "  xdpfwd stats --sources tcp-443",
	.options = options,
	.max_operands = -1,
};

static const struct out_column columns[] = {
	{"NAME", "name", NULL, OUT_TEXT},
	{"PACKETS IN", "counters.packets_in", NULL, OUT_COUNT},
	{"BYTES IN", "counters.bytes_in", NULL, OUT_BYTES},
	{"PACKETS OUT", "counters.packets_out", NULL, OUT_COUNT},
	{"BYTES OUT", "counters.bytes_out", NULL, OUT_BYTES},
	{"FLOWS", "counters.flows_created", NULL, OUT_COUNT},
	{"NOW", "flows.established", "flows.pending", OUT_COUNT},
	{"HALF-OPEN", "half_open", NULL, OUT_PERCENT},
	{"SOURCES", "sources", NULL, OUT_COUNT},
	{"FAST", "counters.fast_packets", NULL, OUT_COUNT},
	{"DROPS", "counters.drops", NULL, OUT_SUM},
	{"LAST HIT", "counters.last_hit", NULL, OUT_UNIX},
	{0},
};

static const struct out_column rate_columns[] = {
	{"NAME", "name", NULL, OUT_TEXT},
	{"PACKETS/S IN", "counters.packets_in", NULL, OUT_COUNT},
	{"BYTES/S IN", "counters.bytes_in", NULL, OUT_BYTES},
	{"PACKETS/S OUT", "counters.packets_out", NULL, OUT_COUNT},
	{"BYTES/S OUT", "counters.bytes_out", NULL, OUT_BYTES},
	{"FLOWS/S", "counters.flows_created", NULL, OUT_COUNT},
	{"FAST/S", "counters.fast_packets", NULL, OUT_COUNT},
	{0},
};

static bool is_wanted(const struct cmd_names *names, const char *name)
{
	int i;

	for (i = 0; i < names->n; i++)
		if (!strcmp(names->name[i], name))
			return true;
	return !names->n;
}

static json_t *record_stats(const struct ruleset *set, const struct cmd_names *names)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < set->n; i++) {
		const struct dp_rule *rule = &set->rules[i];
		json_t *record;
		int failed;

		if (!is_wanted(names, rule->spec.name))
			continue;
		record = json_pack("{s:s, s:o}", "name", rule->spec.name, "counters", record_counters(rule));
		failed = record_watch(record, rule);
		if (json_array_append_new(array, record) < 0 || failed) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Opens the instance anew each time: it may be unloaded and loaded while we watch. */
static int read_rules(const char *state, const struct cmd_names *names, struct ruleset *set, struct xf_error *err)
{
	struct dataplane *dp;
	int ret;

	memset(set, 0, sizeof(*set));
	if (dp_open(&dp, state, false, err) < 0)
		return -1;
	ret = dp_rules(dp, &set->rules, &set->n, err);
	dp_close(dp);
	if (ret < 0)
		return -1;
	if (ruleset_check_names(set, names->name, names->n, err) < 0 || ruleset_index(set, err) < 0) {
		ruleset_free(set);
		return -1;
	}
	return 0;
}

static uint64_t per_second(uint64_t now, uint64_t before, double seconds)
{
	return now < before ? 0 : (uint64_t)((double)(now - before) / seconds + 0.5);
}

/* Turns counters into what they rose by in a second; a rule made since then counts from zero. */
static void subtract(struct ruleset *now, const struct ruleset *before, double seconds)
{
	size_t i;

	for (i = 0; i < now->n; i++) {
		const struct dp_rule zero = {0}, *b = ruleset_by_id(before, now->rules[i].id);
		struct dp_rule *a = &now->rules[i];

		if (!b || b->created_unix != a->created_unix || strcmp(b->spec.name, a->spec.name))
			b = &zero;
		a->packets_in = per_second(a->packets_in, b->packets_in, seconds);
		a->bytes_in = per_second(a->bytes_in, b->bytes_in, seconds);
		a->packets_out = per_second(a->packets_out, b->packets_out, seconds);
		a->bytes_out = per_second(a->bytes_out, b->bytes_out, seconds);
		a->flows_created = per_second(a->flows_created, b->flows_created, seconds);
		a->fast_packets = per_second(a->fast_packets, b->fast_packets, seconds);
	}
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int print_stats(const struct ruleset *set, const struct cmd_names *names, const struct out_column *columns)
{
	json_t *records = record_stats(set, names);
	struct xf_error err;

	if (!records) {
		xf_fail(&err, "not enough memory");
		return out_fail(CMD_FAILED, &err);
	}
	if (out_is_json)
		out_json_line(records);
	else
		out_table(records, columns);
	json_decref(records);
	return out_flush(&err) < 0 ? CMD_FAILED : CMD_GO_ON; /* main() tells of it */
}

/* The text of one interval: the counters' rise since `before`. */
static int print_rates(const struct ruleset *now, const struct ruleset *before, const struct cmd_names *names,
		       double seconds)
{
	struct ruleset rates = {.n = now->n};
	struct xf_error err;
	int ret;

	rates.rules = calloc(now->n ? now->n : 1, sizeof(*now->rules));
	if (!rates.rules) {
		xf_fail(&err, "not enough memory");
		return out_fail(CMD_FAILED, &err);
	}
	if (now->n)
		memcpy(rates.rules, now->rules, now->n * sizeof(*now->rules));
	subtract(&rates, before, seconds);
	putchar('\n');
	ret = print_stats(&rates, names, rate_columns);
	ruleset_free(&rates);
	return ret;
}

/* One interval of --watch; `last` holds the reading before it and takes this one's place. */
static int watch_step(const char *state, const struct cmd_names *names, struct ruleset *last, double seconds)
{
	struct ruleset now;
	struct xf_error err;
	int ret;

	if (read_rules(state, names, &now, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	if (out_is_json)
		ret = print_stats(&now, names, columns);
	else
		ret = print_rates(&now, last, names, seconds);
	ruleset_free(last);
	*last = now;
	return ret;
}

static int watch(const char *state, const struct cmd_names *names)
{
	struct timespec wait = {.tv_sec = interval};
	struct ruleset last;
	struct xf_error err;
	double at, now;
	sigset_t end;
	int ret;

	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	if (read_rules(state, names, &last, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	at = monotonic();
	ret = print_stats(&last, names, columns);
	while (ret == CMD_GO_ON) {
		if (sigtimedwait(&end, NULL, &wait) > 0) {
			ret = CMD_DONE;
		} else if (errno == EAGAIN) {
			now = monotonic();
			ret = watch_step(state, names, &last, now - at);
			at = now;
		}
	}
	ruleset_free(&last);
	return ret;
}

int cmd_stats(const char *state, int argc, char **argv)
{
	struct cmd_names names;
	struct ruleset set = {0};
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	names = (struct cmd_names){argv, argc};
	if ((limit && !sources) || (interval && sources)) {
		xf_fail(&err, limit ? "--limit is for --sources" : "--watch and --sources do not go together");
		return cmd_misuse(&command, &err);
	}
	if (sources)
		return cmd_stats_sources(state, &names, limit);
	if (interval)
		return watch(state, &names);
	if (read_rules(state, &names, &set, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = out_records(record_stats(&set, &names), columns);
	ruleset_free(&set);
	return ret;
}
