// SPDX-License-Identifier: GPL-2.0-only
/* What a case expected, against what the maps hold when it is over. */
#include <bpf/bpf.h>

#include "harness.h"
#include "maps.h"
#include "rest.h"

static void count_fast(struct test *t, uint32_t rule)
{
	if (t->hook == HOOK_XDP)
		t->ledger.rule[rule].fast_packets++;
}

void ledger_in(struct test *t, uint32_t rule, const struct packet *in)
{
	t->ledger.rule[rule].packets_in++;
	t->ledger.rule[rule].bytes_in += packet_ip_len(in);
	count_fast(t, rule);
}

void ledger_out(struct test *t, uint32_t rule, const struct packet *in)
{
	t->ledger.rule[rule].packets_out++;
	t->ledger.rule[rule].bytes_out += packet_ip_len(in);
	count_fast(t, rule);
}

static void check_rule(struct test *t, uint32_t id)
{
	const struct xf_rule_counters *want = &t->ledger.rule[id];
	struct xf_rule_counters got;

	map_sum("rule_counters", &id, (uint64_t *)&got, sizeof(got) / 8);
	if (got.packets_in != want->packets_in || got.packets_out != want->packets_out)
		fail_msg("rule %u: %llu packets in and %llu out instead of %llu and %llu", id, got.packets_in,
			 got.packets_out, want->packets_in, want->packets_out);
	if (got.bytes_in != want->bytes_in || got.bytes_out != want->bytes_out)
		fail_msg("rule %u: %llu octets in and %llu out instead of %llu and %llu", id, got.bytes_in,
			 got.bytes_out, want->bytes_in, want->bytes_out);
	if (got.flows_created != want->flows_created)
		fail_msg("rule %u: %llu flows created instead of %llu", id, got.flows_created, want->flows_created);
	if (got.fast_packets != want->fast_packets)
		fail_msg("rule %u: %llu fast packets instead of %llu", id, got.fast_packets, want->fast_packets);
	if (!got.last_hit != !(want->packets_in + want->packets_out))
		fail_msg("rule %u: last hit %llu", id, got.last_hit);
}

static void check_drops(struct test *t, uint32_t id)
{
	for (uint32_t reason = 0; reason < XF_REASON_COUNT; reason++) {
		struct xf_drop_key key = {.rule = id, .reason = reason};
		uint64_t want, got;

		if (id == NO_RULE) {
			want = t->ledger.drops[reason];
			map_sum("drops", &reason, &got, 1);
		} else {
			want = t->ledger.rule_drops[id][reason];
			map_sum("rule_drops", &key, &got, 1);
		}
		if (got != want)
			fail_msg("rule %d: %lu drops of reason %u instead of %lu", (int)id, got, reason, want);
	}
}

static void check_flows(struct test *t)
{
	uint32_t entries = flow_entries(t, XF_IPV4) + flow_entries(t, XF_IPV6);

	if (entries != 2 * t->ledger.flows)
		fail_msg("%u halves of flows instead of %u", entries, 2 * t->ledger.flows);
	check_at_rest(t);
}

void ledger_check(struct test *t)
{
	refusals_settle();
	for (uint32_t id = 0; id < MAX_RULES; id++) {
		check_rule(t, id);
		check_drops(t, id);
	}
	check_drops(t, NO_RULE);
	check_flows(t);
}
