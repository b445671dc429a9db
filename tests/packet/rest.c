// SPDX-License-Identifier: GPL-2.0-only
/* What must be true of the flow table whenever no program is at work. */
#include <string.h>
#include <bpf/bpf.h>

#include "buckets.h"
#include "maps.h"
#include "rest.h"
#include "xdpfwd/policy.h"

/* The whole table, and what adding up its flows gives. */
static struct {
	struct xf_slot slots[MAX_FLOWS];
	struct xf_flow client[MAX_FLOWS]; /* of the slots in use */
	uint32_t states[MAX_RULES][XF_SLOT_CLOSED + 1];
	uint32_t used;
} table;

/* The half there, if its tuple leads there. */
static bool half(uint8_t family, const struct xf_key6 *k, uint32_t index, struct xf_flow *f)
{
	uint32_t found;

	return buckets_find(k, family, &found) && found == index && !bpf_map_lookup_elem(map_fd("flows"), &index, f);
}

/* What this half's packets become, turned round. */
static struct xf_key6 twin_key(uint8_t family, const struct xf_flow *f, uint8_t proto)
{
	struct xf_key6 key = {.sport = f->dport, .dport = f->sport, .proto = proto};

	if (family == XF_IPV4) {
		key.saddr.v4 = f->daddr4;
		key.daddr.v4 = f->saddr4;
	} else {
		key.saddr = f->daddr6;
		key.daddr = f->saddr6;
	}
	return key;
}

static uint32_t slot_state_of(uint8_t flow_state)
{
	switch (flow_state) {
	case XF_FLOW_PENDING:
		return XF_SLOT_PENDING;
	case XF_FLOW_CLOSED:
		return XF_SLOT_CLOSED;
	default:
		return XF_SLOT_ESTABLISHED;
	}
}

/* No packet may take what is left of a flow for one. */
static void check_unused(uint32_t slot)
{
	for (uint32_t index = 2 * slot; index < 2 * slot + 2; index++) {
		struct xf_flow f;

		assert_int_equal(bpf_map_lookup_elem(map_fd("flows"), &index, &f), 0);
		if (f.family)
			fail_msg("slot %u is free, and a half of its flow is not", slot);
	}
}

static void check_slot(uint32_t i)
{
	const struct xf_slot *slot = &table.slots[i];
	struct xf_flow *client = &table.client[i], reply;
	struct xf_key6 key, back;

	assert_int_not_equal(slot->state, XF_SLOT_BUSY);
	if (slot->state == XF_SLOT_FREE) {
		check_unused(i);
		return;
	}
	if (!half(slot->family, &slot->key, XF_FLOW_INDEX(i, false), client) || client->slot != i ||
	    client->flags & XF_FLOW_REPLY)
		fail_msg("slot %u (state %u): its flow is not there", i, slot->state);
	key = twin_key(slot->family, client, slot->key.proto);
	if (!half(slot->family, &key, XF_FLOW_INDEX(i, true), &reply) || reply.slot != i ||
	    !(reply.flags & XF_FLOW_REPLY))
		fail_msg("slot %u (state %u): its reply half is not there", i, slot->state);
	back = twin_key(slot->family, &reply, slot->key.proto);
	assert_memory_equal(&back, &slot->key, sizeof(back));
	assert_int_equal(client->rule, slot->rule);
	assert_int_equal(reply.rule, slot->rule);
	if (client->state != reply.state || slot_state_of(client->state) != slot->state)
		fail_msg("slot %u: state %u, but its halves' %u and %u", i, slot->state, client->state, reply.state);
	table.used++;
	table.states[slot->rule & XF_RULE_ID_MASK][slot->state]++;
}

static void check_slots(void)
{
	uint32_t halves;

	table.used = 0;
	memset(table.states, 0, sizeof(table.states));
	for (uint32_t i = 0; i < MAX_FLOWS; i++) {
		assert_int_equal(bpf_map_lookup_elem(map_fd("slots"), &i, &table.slots[i]), 0);
		check_slot(i);
	}
	halves = buckets_entries(XF_IPV4) + buckets_entries(XF_IPV6);
	if (halves != 2 * table.used)
		fail_msg("%u halves of flows in %u slots", halves, table.used);
	if (!halves)
		assert_int_equal(buckets_elsewhere(), 0);
}

static void check_rule_states(void)
{
	for (uint32_t id = 0; id < MAX_RULES; id++) {
		const uint32_t *want = table.states[id];
		struct xf_rule_state s;

		assert_int_equal(bpf_map_lookup_elem(map_fd("rule_states"), &id, &s), 0);
		if (s.pending != want[XF_SLOT_PENDING] || s.established != want[XF_SLOT_ESTABLISHED] ||
		    s.closed != want[XF_SLOT_CLOSED])
			fail_msg("rule %u: counts %u pending, %u established, %u closed flows instead of %u, %u, %u",
				 id, s.pending, s.established, s.closed, want[XF_SLOT_PENDING],
				 want[XF_SLOT_ESTABLISHED], want[XF_SLOT_CLOSED]);
	}
}

static struct xf_source_key source_of(const struct xf_slot *slot)
{
	struct xf_source_key key = {.rule = slot->rule & XF_RULE_ID_MASK};

	memcpy(&key.addr, &slot->key.saddr, slot->family == XF_IPV4 ? 4 : 8);
	return key;
}

/* How many flows an entry of "source_flows" or of "udp_ports" should count; `same`: whether a slot's is one of them. */
static uint32_t count_slots(bool (*same)(uint32_t slot, const void *key), const void *key)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < MAX_FLOWS; i++)
		n += table.slots[i].state != XF_SLOT_FREE && same(i, key);
	return n;
}

static bool counts_for(uint32_t i, const void *key)
{
	struct xf_source_key own = source_of(&table.slots[i]);

	return table.slots[i].counts_source && !memcmp(&own, key, sizeof(own));
}

static void check_sources(void)
{
	struct xf_source_key key, *from = NULL;
	uint32_t sum = 0, held = 0;

	while (!bpf_map_get_next_key(map_fd("source_flows"), from, &key)) {
		uint32_t n, want = count_slots(counts_for, &key);
		uint64_t shares;

		from = &key;
		assert_int_equal(bpf_map_lookup_elem(map_fd("source_flows"), &key, &shares), 0);
		n = shares & 0xffffffff;
		if (n != want || !n)
			fail_msg("a source of rule %u counts %u flows instead of %u", key.rule, n, want);
		sum += n;
	}
	for (uint32_t i = 0; i < MAX_FLOWS; i++) {
		bool counts = table.slots[i].state != XF_SLOT_FREE && table.slots[i].counts_source;

		held += counts;
		assert_true(!counts || table.slots[i].state == XF_SLOT_ESTABLISHED);
	}
	if (sum != held)
		fail_msg("sources count %u flows instead of %u", sum, held);
}

static bool holds(uint32_t i, const void *port)
{
	const struct xf_slot *slot = &table.slots[i];
	const struct xf_port_key *key = port;
	struct xf_port_key own = {.port = table.client[i].sport, .family = slot->family};

	if (slot->family == XF_IPV4)
		own.addr.v4 = table.client[i].saddr4;
	else
		own.addr = table.client[i].saddr6;
	return slot->holds_port && !memcmp(&own, key, sizeof(own));
}

static void check_owner(const struct xf_port_key *key, const struct xf_port_owner *owner)
{
	for (uint32_t i = 0; i < MAX_FLOWS; i++) {
		const struct xf_slot *slot = &table.slots[i];

		if (slot->state == XF_SLOT_FREE || !holds(i, key))
			continue;
		if (owner->client_port != slot->key.sport || memcmp(&owner->client, &slot->key.saddr, 16))
			fail_msg("two clients share port %u", be16toh(key->port));
	}
}

static void check_ports(void)
{
	struct xf_port_key key, *from = NULL;
	uint32_t sum = 0, held = 0;

	while (!bpf_map_get_next_key(map_fd("udp_ports"), from, &key)) {
		uint32_t n, want = count_slots(holds, &key);
		struct xf_port_owner owner;

		from = &key;
		assert_int_equal(bpf_map_lookup_elem(map_fd("udp_ports"), &key, &owner), 0);
		n = owner.flows & 0xffffffff;
		if (n != want || !want)
			fail_msg("port %u has %u flows instead of %u", be16toh(key.port), n, want);
		check_owner(&key, &owner);
		sum += n;
	}
	for (uint32_t i = 0; i < MAX_FLOWS; i++)
		held += table.slots[i].state != XF_SLOT_FREE && table.slots[i].holds_port;
	if (sum != held)
		fail_msg("ports have %u flows instead of %u", sum, held);
}

/* Takes all free slots out, and puts them back. */
static void check_free_slots(const struct test *t)
{
	uint32_t free[MAX_FLOWS], n = 0, zero = 0;
	bool seen[MAX_FLOWS] = {false};
	struct xf_cursor cursor;

	assert_int_equal(bpf_map_lookup_elem(map_fd("cursor"), &zero, &cursor), 0);
	while (n < MAX_FLOWS && !bpf_map_lookup_and_delete_elem(map_fd("free_slots"), NULL, &free[n])) {
		assert_in_range(free[n], 0, MAX_FLOWS - 1);
		if (seen[free[n]] || table.slots[free[n]].state != XF_SLOT_FREE)
			fail_msg("slot %u is said to be free, and is not", free[n]);
		seen[free[n++]] = true;
	}
	for (uint32_t i = n; i-- > 0;)
		assert_int_equal(bpf_map_update_elem(map_fd("free_slots"), NULL, &free[i], BPF_ANY), 0);
	for (uint32_t i = 0; i < t->config.max_flows && i < cursor.fresh; i++)
		if (!seen[i] && table.slots[i].state == XF_SLOT_FREE)
			fail_msg("slot %u is lost", i);
}

void check_at_rest(const struct test *t)
{
	check_slots();
	check_rule_states();
	check_sources();
	check_ports();
	check_free_slots(t);
}
