// SPDX-License-Identifier: GPL-2.0-only
/* map show: one rule, what it does to packets of both directions, and its counters. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "duration.h"
#include "rate.h"
#include "record.h"
#include "record_watch.h"
#include "ruleset.h"
#include "text.h"
#include "timeouts.h"

static const struct opt options[] = {CMD_OPT_JSON, {0}};

static const struct opt_command command = {
	.name = "map show",
	.operands = "NAME",
	.about = "Shows one rule: the addresses of its packets before and after rewriting, in both\n"
		 "directions, and its counters.",
	.example = "  xdpfwd map show tcp-443",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
};

/* The endpoints of a rule's packets, as words or as addresses. */
struct tuple {
	char listen[XF_ENDPOINT_STRLEN * 2];
	char target[XF_ENDPOINT_STRLEN];
	char masquerade[XF_ENDPOINT_STRLEN]; /* stateless: what clients know */
};

static void find_tuple(const struct dp_rule *rule, struct tuple *t)
{
	const struct xf_rule_spec *spec = &rule->spec;
	struct xf_port_range to = {.lo = spec->target.port ? spec->target.port : spec->listen.ports.lo};
	char ports[XF_ENDPOINT_STRLEN], addr[XF_ENDPOINT_STRLEN], clean[4 * XF_IFNAME_LEN];
	bool v6 = spec->target.addr.family == XF_IPV6;

	to.hi = (uint16_t)(to.lo + xf_ports_count(spec->listen.ports) - 1);
	xf_ports_format(spec->listen.ports, ports, sizeof(ports));
	if (spec->listen.kind == XF_LISTEN_ANY)
		snprintf(t->listen, sizeof(t->listen), "THIS-MACHINE:%s", ports);
	else if (spec->listen.kind == XF_LISTEN_IFACE)
		snprintf(t->listen, sizeof(t->listen), "ADDRESS-OF-%s:%s",
			 text_scrub(spec->listen.ifname, clean, sizeof(clean)), ports);
	else
		xf_listen_format(&spec->listen, t->listen, sizeof(t->listen));

	xf_address_format(&spec->target.addr, addr, sizeof(addr));
	snprintf(t->target, sizeof(t->target), "%s%.50s%s:%.11s", v6 ? "[" : "", addr, v6 ? "]" : "",
		 xf_ports_format(to, ports, sizeof(ports)));

	if (rule->masquerade.first.family)
		xf_pool_format(&rule->masquerade, addr, sizeof(addr));
	else
		snprintf(addr, sizeof(addr), "THIS-MACHINE");
	v6 = rule->masquerade.first.family == XF_IPV6;
	snprintf(t->masquerade, sizeof(t->masquerade), "%s%.91s%s:%.11s", v6 ? "[" : "", addr, v6 ? "]" : "",
		 spec->stateless ? xf_ports_format(spec->listen.ports, ports, sizeof(ports)) : "FREE-PORT");
}

/* The packet as it comes and as it goes, of a request and of its reply. */
static void print_rewrite(const char *listen, const char *source, const char *target)
{
	static const char client[] = "CLIENT:PORT";
	const char *const left[] = {client, source, target, listen};
	int width = 0;
	size_t i;

	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		if ((int)strlen(left[i]) > width)
			width = (int)strlen(left[i]);
	printf("  request in   %-*s -> %s\n", width, client, listen);
	printf("  request out  %-*s -> %s\n", width, source, target);
	printf("  reply in     %-*s -> %s\n", width, target, source);
	printf("  reply out    %-*s -> %s\n", width, listen, client);
}

static void print_tuples(const struct dp_rule *rule)
{
	const struct xf_rule_spec *spec = &rule->spec;
	struct tuple t;

	find_tuple(rule, &t);
	if (xf_ports_count(spec->listen.ports) > 1)
		puts("\nThe ports of both ranges belong together in their order.");
	if (spec->stateless) {
		puts("\nNo state is kept. The target sees the client's address; its replies must come back\n"
		     "through this machine, or one with the same rule:");
		print_rewrite(t.masquerade, "CLIENT:PORT", t.target);
		return;
	}
	if (rule->local) {
		puts("\nThe target is this machine, and sees the client's address:");
		print_rewrite(t.listen, "CLIENT:PORT", t.target);
		return;
	}
	if (spec->source == XF_SOURCE_MASQUERADE) {
		puts("\nThe target sees this machine's address; every connection has a port of its own:");
		print_rewrite(t.listen, t.masquerade, t.target);
		return;
	}
	puts("\nThe target sees the client's address; its replies must come back through this machine:");
	print_rewrite(t.listen, "CLIENT:PORT", t.target);
	if (spec->source == XF_SOURCE_AUTO) {
		puts("\nWhere client and target are behind the same interface, the target sees this machine's:");
		print_rewrite(t.listen, t.masquerade, t.target);
	}
}

static void print_way(const char *way, uint64_t packets, uint64_t bytes)
{
	char text[TEXT_NUMBER_LEN];

	printf("  %-14s %" PRIu64 " packet%s, %s\n", way, packets, packets == 1 ? "" : "s",
	       text_bytes(bytes, text, sizeof(text)));
}

static void print_watch(const struct dp_rule *rule, const json_t *record)
{
	static const struct out_column half_open = {"", "half_open", NULL, OUT_PERCENT};
	char cell[OUT_CELL_LEN];

	printf("  %-14s %" PRIu64 " taken so far\n", "flows", rule->flows_created);
	printf("  %-14s %u answered, %u half-open (%s)\n", "now", rule->flows_established, rule->flows_pending,
	       out_cell(record, &half_open, cell));
	printf("  %-14s about %" PRIu64 " in the last one to two hours\n", "sources", rule->sources);
}

static void print_counters(const struct dp_rule *rule, const json_t *record)
{
	static const struct out_column last_hit = {"", "counters.last_hit", NULL, OUT_UNIX};
	char cell[OUT_CELL_LEN];

	puts("\nCounters:");
	print_way("in", rule->packets_in, rule->bytes_in);
	print_way("out", rule->packets_out, rule->bytes_out);
	printf("  %-14s %" PRIu64 " of these packets, both directions\n", "fast tier", rule->fast_packets);
	if (!rule->spec.stateless)
		print_watch(rule, record);
	printf("  %-14s %s\n", "last hit", out_cell(record, &last_hit, cell));
}

static void print_drops(const struct dp_rule *rule)
{
	static const char *const sentences[] = {
#define X(name, label, sentence) sentence,
		XF_REASONS(X)
#undef X
	};
	unsigned int r;
	bool any = false;

	for (r = 0; r < XF_REASON_COUNT; r++) {
		if (!rule->drops[r])
			continue;
		if (!any)
			puts("\nRefused:");
		any = true;
		printf("  %-20s %" PRIu64 " packet%s: %s\n", dp_reason_label(r), rule->drops[r],
		       rule->drops[r] == 1 ? "" : "s", sentences[r]);
	}
}

#define LOCAL_TIME_LEN 64

static const char *local_time(time_t at, char buf[LOCAL_TIME_LEN])
{
	struct tm tm;

	if (!localtime_r(&at, &tm) || !strftime(buf, LOCAL_TIME_LEN, "%F %T %z", &tm))
		snprintf(buf, LOCAL_TIME_LEN, "?");
	return buf;
}

static void print_state(const struct dp_rule *rule, const json_t *record)
{
	static const struct out_column state = {"", "", NULL, OUT_STATE};
	char cell[OUT_CELL_LEN], at[LOCAL_TIME_LEN];

	printf("  %-14s %s%s\n", "state", out_cell(record, &state, cell),
	       rule->spec.disabled || rule->expired ? ": refuses every packet" : "");
	if (rule->spec.expires)
		printf("  %-14s %s\n", "expires", local_time((time_t)rule->spec.expires, at));
}

static void print_timeouts(const struct xf_rule_spec *spec)
{
	const char *what = "timeouts";
	char text[TEXT_NUMBER_LEN];
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++) {
		if (!spec->timeout[i])
			continue;
		printf("  %-14s %s %s\n", what, xf_timeout_name((enum xf_timeout)i),
		       xf_duration_format(spec->timeout[i], text, sizeof(text)));
		what = "";
	}
}

/* What it asks of newcomers, under the names of the options that asked for it. */
static void print_policy(const struct dp_rule *rule)
{
	const struct xf_rule_spec *spec = &rule->spec;
	char text[XF_RATE_STRLEN];

	if (rule->allow)
		printf("  %-14s %s\n", "allow", rule->allow);
	if (rule->deny)
		printf("  %-14s %s\n", "deny", rule->deny);
	if (spec->rate.count)
		printf("  %-14s %s\n", "rate", xf_rate_format(&spec->rate, text, sizeof(text)));
	if (spec->source_rate.count)
		printf("  %-14s %s, each source\n", spec->rate.count ? "" : "rate",
		       xf_rate_format(&spec->source_rate, text, sizeof(text)));
	if (spec->max_flows)
		printf("  %-14s %" PRIu32 "\n", "max flows", spec->max_flows);
	if (spec->max_flows_per_source)
		printf("  %-14s %" PRIu32 ", each source\n", spec->max_flows ? "" : "max flows",
		       spec->max_flows_per_source);
	if (spec->syn_threshold)
		printf("  %-14s from %" PRIu32 " half-open connections on\n", "SYN protection", spec->syn_threshold);
	print_timeouts(spec);
}

static void print_rule(const struct dp_rule *rule, const json_t *record)
{
	char a[XF_ENDPOINT_STRLEN], b[XF_ENDPOINT_STRLEN], clean[XF_ENDPOINT_STRLEN], made[LOCAL_TIME_LEN];
	const struct xf_rule_spec *spec = &rule->spec;

	xf_listen_format(&spec->listen, a, sizeof(a));
	printf("%s: %s %s -> %s\n", spec->name, xf_protos_format(spec->protos), text_scrub(a, clean, sizeof(clean)),
	       xf_target_format(&spec->target, b, sizeof(b)));
	printf("  %-14s %s\n", "source", xf_source_format(spec->source, &spec->masquerade, a, sizeof(a)));
	print_state(rule, record);
	if (rule->created_unix)
		printf("  %-14s %s\n", "made", local_time((time_t)rule->created_unix, made));
	if (*spec->comment)
		printf("  %-14s %s\n", "comment", spec->comment);
	print_policy(rule);
	print_tuples(rule);
	print_counters(rule, record);
	print_drops(rule);
}

static int show(struct dataplane *dp, const char *name, struct xf_error *err)
{
	const struct dp_rule *rule;
	json_t *record = NULL;
	struct ruleset set = {0};
	int ret = -1;

	if (dp_rules(dp, &set.rules, &set.n, err) < 0)
		return -1;
	rule = ruleset_find(&set, name, err);
	if (!rule)
		goto free;
	record = record_rule(rule);
	if (!record || record_watch(record, rule) < 0) {
		xf_fail(err, "not enough memory");
		goto free;
	}
	if (out_is_json)
		out_json(record);
	else
		print_rule(rule, record);
	ret = 0;
free:
	json_decref(record);
	ruleset_free(&set);
	return ret;
}

int cmd_map_show(const char *state, int argc, char **argv)
{
	struct dataplane *dp;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (dp_open(&dp, state, false, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	ret = show(dp, argv[0], &err);
	dp_close(dp);
	return ret < 0 ? out_fail(CMD_FAILED, &err) : CMD_DONE;
}
