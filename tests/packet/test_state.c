// SPDX-License-Identifier: GPL-2.0-only
/* What brings a connection from one state to the next: numbers that fit, and numbers that do not. */
#include "policy.h"
#include "table.h"

#define FLIGHT (1u << 20) /* octets that may be on their way */

static void client_says(struct test *t, uint32_t rule, struct talk *k, uint8_t flags)
{
	k->in.tcp_flags = k->out.tcp_flags = flags;
	check_forward(t, rule, &k->in, &k->out);
}

static void target_says(struct test *t, uint32_t rule, struct talk *k, uint8_t flags)
{
	k->back.tcp_flags = k->got.tcp_flags = flags;
	check_reply(t, rule, &k->back, &k->got);
}

#define client_sends(...) (at(__FILE__, __LINE__), client_says(__VA_ARGS__))
#define target_sends(...) (at(__FILE__, __LINE__), target_says(__VA_ARGS__))

/* The numbers of the client's next packets, and of the target's. */
static void client_numbers(struct talk *k, uint32_t seq, uint32_t ack)
{
	k->in.seq = k->out.seq = seq;
	k->in.ack = k->out.ack = ack;
}

static void target_numbers(struct talk *k, uint32_t seq, uint32_t ack)
{
	k->back.seq = k->got.seq = seq;
	k->back.ack = k->got.ack = ack;
}

static struct talk half_open(struct test *t, uint32_t rule)
{
	struct talk k = talk_tcp(t, 40000);

	make_pending(t, rule, &k);
	target_sends(t, rule, &k, TCP_SYN | TCP_ACK);
	states_are(t, &k, XF_FLOW_PENDING);
	return k;
}

/* All that comes of a forged SYN is a SYN-ACK that its sender never sees: it cannot know what to acknowledge. */
static void blind_acknowledgment(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = half_open(t, rule);
	uint32_t end = TARGET_SEQ + k.back.payload_len;
	const uint32_t wrong[] = {TARGET_SEQ - 1,	 TARGET_SEQ - 2, TARGET_SEQ - 0x10000, end + 1, end + 2,
				  TARGET_SEQ ^ 1u << 31, CLIENT_SEQ};

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		client_numbers(&k, CLIENT_SEQ, wrong[i]);
		client_sends(t, rule, &k, TCP_ACK);
		states_are(t, &k, XF_FLOW_PENDING);
	}
	/* The right number counts for nothing without the flag. */
	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ);
	client_sends(t, rule, &k, TCP_SYN);
	client_sends(t, rule, &k, 0);
	states_are(t, &k, XF_FLOW_PENDING);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
}

/* The SYN-ACK brought data: any part of it may be acknowledged, and its end. */
static void all_of_the_data(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = half_open(t, rule);

	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ + k.back.payload_len);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
}

/* The target sends on, and then the SYN-ACK once more: what it sent in between may still be acknowledged. */
static void after_a_retransmission(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = half_open(t, rule);
	uint32_t len = k.back.payload_len;

	target_numbers(&k, TARGET_SEQ + len, CLIENT_SEQ);
	target_sends(t, rule, &k, TCP_ACK);
	target_numbers(&k, TARGET_SEQ, CLIENT_SEQ);
	target_sends(t, rule, &k, TCP_SYN | TCP_ACK);
	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ + 2 * len);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
}

/* Another SYN-ACK: what was said in the one before counts no more. */
static void another_attempt(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = half_open(t, rule);

	target_numbers(&k, TARGET_SEQ + 0x40000000, CLIENT_SEQ);
	target_sends(t, rule, &k, TCP_SYN | TCP_ACK);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_PENDING);
	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ + 0x40000000);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
}

/* A target that says its last word with the first: the client acknowledges the FIN. */
static void fin_at_once(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = half_open(t, rule);

	target_numbers(&k, TARGET_SEQ + k.back.payload_len, CLIENT_SEQ);
	k.back.payload_len = k.got.payload_len = 0;
	target_sends(t, rule, &k, TCP_FIN | TCP_ACK);
	client_numbers(&k, CLIENT_SEQ, k.back.seq + 1);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
}

/* Of a connection that began elsewhere; again only who receives the target's words can answer them. */
static void picked_up_midway(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_tcp(t, 40000);

	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	make_pending(t, rule, &k);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_PENDING);
	target_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_PENDING);
	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ - 1);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_PENDING);
	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ + k.back.payload_len);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
}

/* Neither a reset nor a FIN ends what was never begun: anyone could send them. */
static void no_end_before_the_beginning(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = half_open(t, rule);

	client_sends(t, rule, &k, TCP_RST);
	client_sends(t, rule, &k, TCP_RST | TCP_ACK);
	target_sends(t, rule, &k, TCP_RST | TCP_ACK);
	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ - 1);
	client_sends(t, rule, &k, TCP_FIN | TCP_ACK);
	states_are(t, &k, XF_FLOW_PENDING);
	client_numbers(&k, CLIENT_SEQ, TARGET_SEQ);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
}

/* Of either side, what does not begin where the other may expect it. */
static void ends_elsewhere(struct test *t, uint8_t flags)
{
	static const uint32_t off[] = {(uint32_t)-1, FLIGHT, FLIGHT + 1, 1u << 31, (uint32_t)-FLIGHT};
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_tcp(t, 40000);

	make_established(t, rule, &k);
	target_sends(t, rule, &k, TCP_ACK);
	for (unsigned int i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		client_numbers(&k, CLIENT_SEQ + off[i], TARGET_SEQ);
		target_numbers(&k, TARGET_SEQ + off[i], CLIENT_SEQ);
		client_sends(t, rule, &k, flags);
		states_are(t, &k, XF_FLOW_ESTABLISHED);
		target_sends(t, rule, &k, flags);
		states_are(t, &k, XF_FLOW_ESTABLISHED);
	}
	/* The last octet that may be on its way. */
	client_numbers(&k, CLIENT_SEQ + FLIGHT - 1, TARGET_SEQ);
	client_sends(t, rule, &k, flags);
	states_are(t, &k, flags & TCP_RST ? XF_FLOW_CLOSED : XF_FLOW_CLOSING);
}

static void resets_elsewhere(struct test *t)
{
	ends_elsewhere(t, TCP_RST | TCP_ACK);
}

static void resets_without_acknowledgment(struct test *t)
{
	ends_elsewhere(t, TCP_RST);
}

static void fins_elsewhere(struct test *t)
{
	ends_elsewhere(t, TCP_FIN | TCP_ACK);
}

/* What the other side has acknowledged since moves along what is expected. */
static void expected_later(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_tcp(t, 40000);

	make_established(t, rule, &k);
	for (uint32_t i = 1; i <= 4; i++) {
		target_numbers(&k, TARGET_SEQ, CLIENT_SEQ + i * FLIGHT);
		target_sends(t, rule, &k, TCP_ACK);
	}
	client_sends(t, rule, &k, TCP_RST);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
	client_numbers(&k, CLIENT_SEQ + 4 * FLIGHT, TARGET_SEQ);
	client_sends(t, rule, &k, TCP_RST);
	states_are(t, &k, XF_FLOW_CLOSED);
}

/* Only the side that the reset was for can say that it did not believe it; and not by a reset or a SYN. */
static void who_speaks_on(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_tcp(t, 40000);

	make_established(t, rule, &k);
	target_sends(t, rule, &k, TCP_RST | TCP_ACK);
	target_sends(t, rule, &k, TCP_ACK);
	target_sends(t, rule, &k, TCP_SYN | TCP_ACK);
	client_sends(t, rule, &k, TCP_RST);
	client_sends(t, rule, &k, TCP_SYN | TCP_ACK);
	states_are(t, &k, XF_FLOW_CLOSED);
	client_sends(t, rule, &k, TCP_FIN | TCP_ACK);
	states_are(t, &k, XF_FLOW_ESTABLISHED);
	assert_int_equal(slot_of(t, &k.in).state, XF_SLOT_ESTABLISHED);
	client_sends(t, rule, &k, TCP_FIN | TCP_ACK);
	states_are(t, &k, XF_FLOW_CLOSING);
}

/* After the FINs of both, nothing brings a connection back. */
static void closed_for_good(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_tcp(t, 40000);

	make_closed(t, rule, &k);
	client_sends(t, rule, &k, TCP_ACK);
	target_sends(t, rule, &k, TCP_ACK);
	target_sends(t, rule, &k, TCP_RST | TCP_ACK);
	client_sends(t, rule, &k, TCP_ACK);
	states_are(t, &k, XF_FLOW_CLOSED);
	assert_int_equal(slot_of(t, &k.in).state, XF_SLOT_CLOSED);
	/* What is no connection's beginning. */
	client_sends(t, rule, &k, TCP_SYN | TCP_ACK);
	client_sends(t, rule, &k, TCP_SYN | TCP_RST);
	target_sends(t, rule, &k, TCP_SYN);
	states_are(t, &k, XF_FLOW_CLOSED);
}

/* The next connection from the same port is the next rule's policy to judge. */
static void new_connection_new_judgment(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_tcp(t, 40000);
	struct xf_rule r;

	make_closed(t, rule, &k);
	rule_get(t, rule, &r);
	r.flags = XF_RULE_LIVE | XF_RULE_DISABLED;
	rule_put(t, rule, &r);
	drop(t, rule, XF_REASON_DISABLED, &k.in);
	t->ledger.flows -= !is_there(t, &k.in);
}

/* Time-outs of the rule's own come before the instance's. */
static void time_outs_of_the_rule(struct test *t)
{
	static const struct xf_policy policy = {
		.timeout = {[XF_TIMEOUT_UDP] = 5000, [XF_TIMEOUT_TCP_ESTABLISHED] = 7000}};
	struct talk udp = talk_udp(t, 40000), tcp = talk_tcp(t, 40000);
	uint32_t rule = rule_preserve(t);
	struct xf_flow flow;

	policy_put(t, rule, &policy);
	make_pending(t, rule, &udp);
	assert_true(flow_get(t, &udp.in, &flow));
	assert_int_equal(flow.timeout, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	reply(t, rule, &udp.back, &udp.got);
	assert_true(flow_get(t, &udp.back, &flow));
	assert_int_equal(flow.timeout, t->config.timeout[XF_TIMEOUT_UDP_PENDING]);
	forward(t, rule, &udp.in, &udp.out);
	assert_true(flow_get(t, &udp.back, &flow));
	assert_int_equal(flow.timeout, 5000);
	make_established(t, rule, &tcp);
	assert_true(flow_get(t, &tcp.in, &flow));
	assert_int_equal(flow.timeout, 7000);
	client_sends(t, rule, &tcp, TCP_FIN | TCP_ACK);
	assert_true(flow_get(t, &tcp.in, &flow));
	assert_int_equal(flow.timeout, t->config.timeout[XF_TIMEOUT_TCP_TRANSITORY]);
	age_both(t, &udp, 5000);
	age_both(t, &tcp, 7000);
	sweep(t, 1);
	assert_false(is_there(t, &udp.in));
}

static const struct packet_case state_cases[] = {
	CASE(blind_acknowledgment),
	CASE(all_of_the_data),
	CASE(after_a_retransmission),
	CASE(another_attempt),
	CASE(fin_at_once),
	CASE(picked_up_midway),
	CASE(no_end_before_the_beginning),
	CASE(resets_elsewhere),
	CASE(resets_without_acknowledgment),
	CASE(fins_elsewhere),
	CASE(expected_later),
	CASE(who_speaks_on),
	CASE(closed_for_good),
	CASE(new_connection_new_judgment),
	CASE(time_outs_of_the_rule),
};

PACKET_SUITE(state);
