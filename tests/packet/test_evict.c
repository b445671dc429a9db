// SPDX-License-Identifier: GPL-2.0-only
/* Who makes room in a full table, and in which order. */
#include "table.h"

#define FEW 4

static struct talk nth(struct test *t, uint16_t i)
{
	return talk_udp(t, 41000 + i);
}

static void newcomer(struct test *t, uint32_t rule, uint16_t i)
{
	struct talk k = nth(t, i);

	check_forward_new(t, rule, &k.in, &k.out);
}

/* And another flow goes. */
static void displaces(struct test *t, uint32_t rule, uint16_t i, const struct packet *gone)
{
	assert_true(is_there(t, gone));
	newcomer(t, rule, i);
	t->ledger.flows--;
	assert_false(is_there(t, gone));
}

static uint32_t small_table(struct test *t)
{
	set_max_flows(t, FEW);
	return rule_preserve(t);
}

/* However often it goes round. */
static void oldest_first(struct test *t)
{
	uint32_t rule = small_table(t);

	for (uint16_t i = 0; i < FEW; i++)
		newcomer(t, rule, i);
	for (uint16_t i = FEW; i < 20 * FEW; i++) {
		struct talk oldest = nth(t, i - FEW), next = nth(t, i - FEW + 1);

		/* That it is in use makes it no younger. */
		forward(t, rule, &oldest.in, &oldest.out);
		displaces(t, rule, i, &oldest.in);
		assert_true(is_there(t, &next.in));
	}
}

/* Nor does it matter that the target sends: a TCP flow is pending until the client answers that. */
static void half_open_goes(struct test *t)
{
	uint32_t rule = small_table(t);
	struct talk k[FEW];

	for (uint16_t i = 0; i < FEW; i++) {
		k[i] = talk_tcp(t, 40000 + i);
		make_pending(t, rule, &k[i]);
		reply(t, rule, &k[i].back, &k[i].got);
	}
	for (uint16_t i = 0; i < FEW; i++)
		displaces(t, rule, i, &k[i].in);
}

/* However many there are in a row: no newcomer is refused on their account. */
static void many_established_stay(struct test *t)
{
	enum {
		MANY = 200
	};
	uint32_t rule = rule_preserve(t);

	set_max_flows(t, MANY + 2);
	newcomer(t, rule, 0);
	for (uint16_t i = 1; i <= MANY; i++) {
		struct talk k = nth(t, i);

		newcomer(t, rule, i);
		reply(t, rule, &k.back, &k.got);
	}
	newcomer(t, rule, MANY + 1);
	for (uint16_t i = MANY + 2; i < MANY + 20; i++) {
		struct talk oldest = nth(t, i == MANY + 2 ? 0 : i - 2);

		displaces(t, rule, i, &oldest.in);
	}
}

/* The places of those that were established in the meantime are passed over. */
static void established_stay(struct test *t)
{
	uint32_t rule = small_table(t);
	struct talk k[FEW];

	for (uint16_t i = 0; i < FEW; i++) {
		k[i] = nth(t, i);
		newcomer(t, rule, i);
	}
	reply(t, rule, &k[0].back, &k[0].got);
	reply(t, rule, &k[2].back, &k[2].got);
	displaces(t, rule, FEW, &k[1].in);
	displaces(t, rule, FEW + 1, &k[3].in);
	for (uint16_t i = 2; i < 50; i++) {
		struct talk oldest = nth(t, FEW + i - 2);

		displaces(t, rule, FEW + i, &oldest.in);
	}
	forward(t, rule, &k[0].in, &k[0].out);
	forward(t, rule, &k[2].in, &k[2].out);
	states_are(t, &k[0], XF_FLOW_ESTABLISHED);
	states_are(t, &k[2], XF_FLOW_ESTABLISHED);
}

/* A closed connection's turn is by when it closed, not by when it began. */
static void closed_in_turn(struct test *t)
{
	uint32_t rule = small_table(t);
	struct talk first = talk_tcp(t, 40000), second = talk_tcp(t, 40001), third = nth(t, 0), fourth = nth(t, 1);

	make_established(t, rule, &first);
	make_closed(t, rule, &second);
	newcomer(t, rule, 0);
	set_tcp_flags(&first, TCP_RST, TCP_ACK);
	forward(t, rule, &first.in, &first.out);
	newcomer(t, rule, 1);
	displaces(t, rule, 2, &second.in);
	displaces(t, rule, 3, &third.in);
	displaces(t, rule, 4, &first.in);
	displaces(t, rule, 5, &fourth.in);
}

/* One that came back after a reset stands, and has its turn anew when it closes again. */
static void reopened_stays(struct test *t)
{
	uint32_t rule = small_table(t);
	struct talk k = talk_tcp(t, 40000);

	make_established(t, rule, &k);
	set_tcp_flags(&k, TCP_RST, TCP_ACK);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
	for (uint16_t i = 0; i < FEW - 1; i++)
		newcomer(t, rule, i);
	for (uint16_t i = FEW - 1; i < 20; i++) {
		struct talk oldest = nth(t, i - (FEW - 1));

		displaces(t, rule, i, &oldest.in);
	}
	forward(t, rule, &k.in, &k.out);
	for (uint16_t i = 20; i < 20 + FEW - 1; i++) {
		struct talk oldest = nth(t, i - (FEW - 1));

		displaces(t, rule, i, &oldest.in);
	}
	displaces(t, rule, 30, &k.in);
}

/* Not before the port has rested: the target's side may still be there. */
static void closed_masqueraded_rests(struct test *t)
{
	uint32_t rule = rule_masquerade(t);
	struct talk k = talk_masqueraded(t, CLIENT, IPPROTO_TCP, PORT_LO), other = k;

	t->config.port_hi = PORT_LO;
	t->config.hz = 1000; /* so that 120 s are 120000 jiffies */
	set_max_flows(t, 1);
	make_closed(t, rule, &k);
	other.in = packet_from(t, CLIENT2, ROUTER);
	for (int i = 0; i < 3; i++)
		drop(t, rule, XF_REASON_FLOW_TABLE_FULL, &other.in);
	sweep(t, 0);
	age_both(t, &k, 110000);
	drop(t, rule, XF_REASON_FLOW_TABLE_FULL, &other.in);
	assert_true(is_there(t, &k.back));
	age_both(t, &k, 10001);
	other = talk_masqueraded(t, CLIENT2, IPPROTO_UDP, PORT_LO);
	forward_new(t, rule, &other.in, &other.out);
	t->ledger.flows--;
	assert_false(is_there(t, &k.in));
	assert_false(is_there(t, &k.back));
}

/* But its own client may go on from the same port at once. */
static void closed_masqueraded_again(struct test *t)
{
	uint32_t rule = rule_masquerade(t);
	struct talk k = talk_masqueraded(t, CLIENT, IPPROTO_TCP, PORT_LO);

	t->config.port_hi = PORT_LO;
	set_max_flows(t, 1);
	for (int i = 0; i < 5; i++) {
		make_closed(t, rule, &k);
		t->ledger.flows -= i > 0;
	}
}

/* The queue has as many places as the table; one that is long in it is overtaken by many that come and go. */
static void more_pushes_than_places(struct test *t)
{
	uint32_t rule = small_table(t);
	struct talk old = nth(t, 0), k = talk_tcp(t, 40000);
	struct xf_cursor cursor;

	newcomer(t, rule, 0);
	for (int i = 0; i < 5 * FEW; i++) {
		make_closed(t, rule, &k);
		t->ledger.flows -= i > 0;
	}
	cursor = cursor_get();
	assert_true(cursor.tail > 2 * FEW);
	/* It is lost to the queue, and all others are still found. */
	for (uint16_t i = 1; i <= 20; i++) {
		newcomer(t, rule, i);
		t->ledger.flows = i + 2 < FEW ? i + 2 : FEW;
	}
	age_both(t, &old, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	sweep(t, is_there(t, &old.in));
}

/* The numbers of places begin anew one day. */
static void places_begin_anew(struct test *t)
{
	uint32_t rule = small_table(t);

	cursor_put(&(struct xf_cursor){.head = -3u * FEW, .tail = -3u * FEW});
	for (uint16_t i = 0; i < FEW; i++)
		newcomer(t, rule, i);
	for (uint16_t i = FEW; i < 6 * FEW; i++) {
		struct talk oldest = nth(t, i - FEW);

		displaces(t, rule, i, &oldest.in);
	}
	assert_true(cursor_get().tail < 6 * FEW);
}

/* With both halves: its answers are nobody's from then on. */
static void answers_to_the_displaced(struct test *t)
{
	uint32_t rule = small_table(t);
	struct talk k = nth(t, 0);

	for (uint16_t i = 0; i < FEW; i++)
		newcomer(t, rule, i);
	displaces(t, rule, FEW, &k.in);
	assert_false(is_there(t, &k.back));
	pass(t, &k.back);
}

static const struct packet_case evict_cases[] = {
	CASE(oldest_first),
	CASE(half_open_goes),
	CASE(established_stay),
	CASE(many_established_stay),
	CASE(closed_in_turn),
	CASE(reopened_stays),
	CASE(closed_masqueraded_rests),
	CASE(closed_masqueraded_again),
	CASE(more_pushes_than_places),
	CASE(places_begin_anew),
	CASE(answers_to_the_displaced),
};

PACKET_SUITE(evict);
