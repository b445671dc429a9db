// SPDX-License-Identifier: GPL-2.0-only
/* flows: the tracked connections; flows flush ends them; flows who finds a client by its translated port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cidr.h"
#include "cmd.h"
#include "record.h"
#include "ruleset.h"

static const char *rule_name, *source;
static uint32_t limit;

static const struct opt options[] = {
	{"rule", "NAME", "only flows of this rule", OPT_TEXT, &rule_name, 0, 0},
	{"source", "CIDR", "only flows of clients in this network", OPT_TEXT, &source, 0, 0},
	{"limit", "N", "only the N flows that were active last", OPT_U32, &limit, 1, UINT32_MAX},
	CMD_OPT_JSON,
	{0},
};

static const struct opt_command command = {
	.name = "flows",
	.operands = "[flush|who PORT]",
	.about = "Lists the connections that are tracked now, those active last first.\n\n"
		 "  flush      ends them all, or with --rule those of one rule\n"
		 "  who PORT   tells which client is behind a port that a target sees as source",
	.example = "  xdpfwd flows --source 198.51.100.0/24 --limit 20\n"
		   "  xdpfwd flows flush --rule tcp-443\n"
		   "  xdpfwd flows who 40123",
	.options = options,
	.max_operands = 2,
};

static const struct out_column columns[] = {
	{"RULE", "rule", NULL, OUT_TEXT},
	{"PROTO", "protocol", NULL, OUT_TEXT},
	{"CLIENT", "client", NULL, OUT_TEXT},
	{"LISTEN", "listen", NULL, OUT_TEXT},
	{"TRANSLATED SOURCE", "translated_source", NULL, OUT_TEXT},
	{"TARGET", "target", NULL, OUT_TEXT},
	{"STATE", "state", NULL, OUT_TEXT},
	{"AGE", "age_seconds", NULL, OUT_SECONDS},
	{"IDLE", "idle_seconds", NULL, OUT_SECONDS},
	{"PACKETS", "packets_in", "packets_out", OUT_COUNT},
	{"BYTES", "bytes_in", "bytes_out", OUT_BYTES},
	{0},
};

/* Which flows are wanted, and those found. */
struct query {
	const struct dp_rule *rule; /* NULL: of any rule */
	const struct cidr *source;  /* NULL: of any client */
	uint32_t who;		    /* 0: any; else only translated ones with this source port */
	struct dp_flow *flows;
	size_t n;
	size_t room;
};

static bool is_translated(const struct dp_flow *f)
{
	return f->translated_port != f->client_port || !xf_address_equal(&f->translated, &f->client);
}

static bool is_wanted(const struct query *q, const struct dp_flow *f)
{
	if (q->rule && q->rule->id != f->rule)
		return false;
	if (q->source && !cidr_contains(q->source, &f->client))
		return false;
	return !q->who || (q->who == f->translated_port && is_translated(f));
}

/* dp_flows() callback; stops when memory runs out. */
static int collect(const struct dp_flow *f, void *arg)
{
	struct query *q = arg;

	if (!is_wanted(q, f))
		return 0;
	if (q->n == q->room) {
		size_t room = q->room ? q->room * 2 : 256;
		struct dp_flow *flows = reallocarray(q->flows, room, sizeof(*flows));

		if (!flows) {
			q->room = 0;
			return 1;
		}
		q->flows = flows;
		q->room = room;
	}
	q->flows[q->n++] = *f;
	return 0;
}

static int compare_idle(const void *a, const void *b)
{
	const struct dp_flow *x = a, *y = b;

	return (x->idle_seconds > y->idle_seconds) - (x->idle_seconds < y->idle_seconds);
}

static json_t *record_flows(const struct query *q, const struct ruleset *set)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < q->n && (!limit || i < limit); i++) {
		const struct dp_rule *rule = ruleset_by_id(set, q->flows[i].rule);

		if (json_array_append_new(array, record_flow(&q->flows[i], rule ? rule->spec.name : NULL)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Fills *records; 0, or -1 with err. */
static int query_run(struct query *q, struct dataplane *dp, json_t **records, struct xf_error *err)
{
	struct ruleset set = {0};
	int ret = -1;

	if (dp_rules(dp, &set.rules, &set.n, err) < 0)
		return -1;
	if (ruleset_index(&set, err) < 0)
		goto free;
	if (rule_name) {
		q->rule = ruleset_find(&set, rule_name, err);
		if (!q->rule)
			goto free;
	}
	if (dp_flows(dp, collect, q, err) < 0)
		goto free;
	if (q->n && !q->room) {
		xf_fail(err, "not enough memory for all flows; narrow it with --rule or --source");
		goto free;
	}
	if (q->who && !q->n) {
		xf_fail(err, "no flow has %u as translated source port", q->who);
		goto free;
	}
	if (q->n)
		qsort(q->flows, q->n, sizeof(*q->flows), compare_idle);
	*records = record_flows(q, &set);
	ret = 0;
free:
	free(q->flows);
	ruleset_free(&set);
	return ret;
}

static int list(const char *state, struct query *q)
{
	struct dataplane *dp;
	struct xf_error err;
	json_t *records;
	int ret;

	if (dp_open(&dp, state, false, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = query_run(q, dp, &records, &err);
	dp_close(dp);
	return ret < 0 ? out_fail(CMD_FAILED, &err) : out_records(records, columns);
}

static int flush(const char *state)
{
	struct dataplane *dp;
	struct xf_error err;
	int ret;

	if (dp_open(&dp, state, true, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = dp_flows_flush(dp, rule_name, &err);
	dp_close(dp);
	if (ret < 0)
		return out_fail(CMD_FAILED, &err);
	if (rule_name)
		printf("ended all flows of %s\n", rule_name);
	else
		puts("ended all flows");
	return CMD_DONE;
}

static bool is_flush(int argc, char **argv)
{
	return argc && !strcmp(argv[0], "flush");
}

/* Operands and options that belong together; fills q->who for "who". */
static int parse(struct query *q, int argc, char **argv, struct xf_error *err)
{
	if (!argc)
		return 0;
	if (is_flush(argc, argv)) {
		if (argc > 1)
			return xf_fail(err, "flush: %.80s is too much; name a rule with --rule", argv[1]);
		if (source || limit || out_is_json)
			return xf_fail(err, "flush takes no option but --rule");
		return 0;
	}
	if (strcmp(argv[0], "who"))
		return xf_fail(err, "unknown command %.80s", argv[0]);
	if (argc < 2)
		return xf_fail(err, "who: the port is missing");
	return xf_u32_parse(argv[1], 1, 65535, &q->who, err);
}

int cmd_flows(const char *state, int argc, char **argv)
{
	struct query q = {0};
	struct xf_error err, why;
	struct cidr net;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (parse(&q, argc, argv, &err) < 0)
		return cmd_misuse(&command, &err);
	if (source && cidr_parse(source, &net, &why) < 0) {
		xf_fail(&err, "--source: %s", why.text);
		return cmd_misuse(&command, &err);
	}
	q.source = source ? &net : NULL;
	return is_flush(argc, argv) ? flush(state) : list(state, &q);
}
