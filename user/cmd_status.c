// SPDX-License-Identifier: GPL-2.0-only
/* status: interfaces and their tier, limits in use, totals, versions. */
#include <inttypes.h>

#include "cmd.h"
#include "duration.h"
#include "record.h"
#include "snapshot.h"
#include "text.h"
#include "timeouts.h"

static const struct opt options[] = {CMD_OPT_JSON, {0}};

static const struct opt_command command = {
	.name = "status",
	.operands = "",
	.about = "Tells what is attached and by which tier, how full the tables are, and what was dropped.",
	.example = "  xdpfwd status --json",
	.options = options,
};

static const struct out_column interface_columns[] = {
	{"INTERFACE", "name", NULL, OUT_TEXT},
	{"TIER", "tier", NULL, OUT_TEXT},
	{"WHY", "reason", NULL, OUT_TEXT},
	{0},
};

static void print_totals(const struct snapshot *s)
{
	char packets[2][TEXT_NUMBER_LEN], bytes[2][TEXT_NUMBER_LEN];
	uint64_t packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		packets_in += s->rules[i].packets_in;
		packets_out += s->rules[i].packets_out;
		bytes_in += s->rules[i].bytes_in;
		bytes_out += s->rules[i].bytes_out;
	}
	printf("to targets %s packets, %s\n", text_count(packets_in, packets[0], TEXT_NUMBER_LEN),
	       text_bytes(bytes_in, bytes[0], TEXT_NUMBER_LEN));
	printf("to clients %s packets, %s\n", text_count(packets_out, packets[1], TEXT_NUMBER_LEN),
	       text_bytes(bytes_out, bytes[1], TEXT_NUMBER_LEN));
}

static void print_drops(const uint64_t drops[XF_REASON_COUNT])
{
	static const char *const sentences[] = {
#define X(name, label, sentence) sentence,
		XF_REASONS(X)
#undef X
	};
	unsigned int r;
	bool any = false;

	for (r = 0; r < XF_REASON_COUNT; r++) {
		if (!drops[r])
			continue;
		if (!any)
			puts("\nDropped or left to the kernel, by no rule's fault:");
		any = true;
		printf("  %-20s %" PRIu64 "  %s\n", dp_reason_label(r), drops[r], sentences[r]);
	}
}

static void print_timeouts(const struct dp_status *st)
{
	char text[TEXT_NUMBER_LEN];
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		printf("%s%s %s", i ? ", " : "timeouts   ", xf_timeout_name((enum xf_timeout)i),
		       xf_duration_format(st->timeout[i], text, sizeof(text)));
	putchar('\n');
}

static void print_status(const struct snapshot *s, const json_t *record)
{
	const struct dp_status *st = &s->status;
	char memory[TEXT_NUMBER_LEN], ports[XF_ENDPOINT_STRLEN];

	printf("xdpfwd     %s, programs loaded by %s, Linux %s\n", XF_VERSION, st->version, s->kernel);
	printf("rules      %" PRIu32 " of %" PRIu32 "\n", st->rules, st->max_rules);
	printf("flows      %" PRIu64 " established, %" PRIu64 " pending, of %" PRIu32 "\n", st->flows_established,
	       st->flows_pending, st->max_flows);
	print_totals(s);
	printf("ports      %s for masquerading\n", xf_ports_format(st->masquerade_ports, ports, sizeof(ports)));
	print_timeouts(st);
	printf("memory     %s in maps\n\n", text_bytes(st->memory_bytes, memory, sizeof(memory)));
	out_table(json_object_get(record, "interfaces"), interface_columns);
	print_drops(st->drops);
}

int cmd_status(const char *state, int argc, char **argv)
{
	struct snapshot s;
	struct xf_error err;
	json_t *record;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (snapshot_take(&s, state, &err) < 0)
		return out_fail(CMD_FAILED, &err);
	record = record_status(&s.status);
	if (!record) {
		xf_fail(&err, "not enough memory");
		ret = out_fail(CMD_FAILED, &err);
	} else {
		ret = CMD_DONE;
		if (out_is_json)
			out_json(record);
		else
			print_status(&s, record);
	}
	json_decref(record);
	snapshot_free(&s);
	return ret;
}
