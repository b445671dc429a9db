// SPDX-License-Identifier: GPL-2.0-only
/* TCP as it is (RFC 5382, REQ-2): all its beginnings and ends, and headers that nobody may touch. */
#include "talk.h"

#define SYN_ACK (TCP_SYN | TCP_ACK)
#define FIN_ACK (TCP_FIN | TCP_ACK)
#define RST_ACK (TCP_RST | TCP_ACK)

/* One conversation, packet by packet. */
struct line {
	struct test *t;
	struct talk k;
	uint32_t rule;
	uint32_t packets; /* so far, of either side */
};

static struct line line_open(struct test *t)
{
	return (struct line){.t = t, .k = talk_tcp(t, 40000), .rule = rule_preserve(t)};
}

/* A SYN after the end of a connection is the beginning of another, in the place of the first. */
static bool begins_anew(struct line *l, uint8_t flags)
{
	struct xf_flow f;

	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && flow_get(l->t, &l->k.in, &f) &&
	       f.state == XF_FLOW_CLOSED;
}

static void check_client_sends(struct line *l, uint8_t flags)
{
	bool anew = begins_anew(l, flags);

	set_tcp_flags(&l->k, flags, flags);
	l->t->ledger.flows -= anew;
	if (l->packets++ && !anew)
		check_forward(l->t, l->rule, &l->k.in, &l->k.out);
	else
		check_forward_new(l->t, l->rule, &l->k.in, &l->k.out);
}

static void check_target_sends(struct line *l, uint8_t flags)
{
	set_tcp_flags(&l->k, flags, flags);
	check_reply(l->t, l->rule, &l->k.back, &l->k.got);
	l->packets++;
}

static void check_state(struct line *l, uint8_t state)
{
	struct xf_flow client, target;

	assert_true(flow_get(l->t, &l->k.in, &client));
	assert_true(flow_get(l->t, &l->k.back, &target));
	assert_int_equal(client.state, state);
	assert_int_equal(target.state, state);
}

#define client_sends(l, flags) (at(__FILE__, __LINE__), check_client_sends(l, flags))
#define target_sends(l, flags) (at(__FILE__, __LINE__), check_target_sends(l, flags))
#define state_is(l, state)     (at(__FILE__, __LINE__), check_state(l, state))

/* As if nothing had come by for so long. */
static void idle(struct line *l, enum xf_timeout timeout, int seconds)
{
	age_both(l->t, &l->k, l->t->config.timeout[timeout] + seconds * (int)l->t->config.hz);
}

static void handshake(struct line *l)
{
	client_sends(l, TCP_SYN);
	target_sends(l, SYN_ACK);
	client_sends(l, TCP_ACK);
	state_is(l, XF_FLOW_ESTABLISHED);
}

static void syn_comes_again(struct test *t)
{
	struct line l = line_open(t);

	for (int i = 0; i < 5; i++) {
		client_sends(&l, TCP_SYN);
		state_is(&l, XF_FLOW_PENDING);
		/* Each is a sign of life. */
		idle(&l, XF_TIMEOUT_TCP_TRANSITORY, -1);
	}
	target_sends(&l, SYN_ACK);
	target_sends(&l, SYN_ACK);
	client_sends(&l, TCP_SYN);
	target_sends(&l, SYN_ACK);
	client_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_ESTABLISHED);
}

static void simultaneous_open(struct test *t)
{
	struct line l = line_open(t);

	client_sends(&l, TCP_SYN);
	target_sends(&l, TCP_SYN);
	client_sends(&l, SYN_ACK);
	target_sends(&l, SYN_ACK);
	client_sends(&l, TCP_ACK);
	target_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_ESTABLISHED);
	idle(&l, XF_TIMEOUT_TCP_ESTABLISHED, -1);
	target_sends(&l, TCP_ACK);
}

/* RFC 7413: the SYN and the SYN-ACK carry data, and more of it before the third packet. */
static void data_in_the_syn(struct test *t)
{
	struct line l = line_open(t);

	l.k.in.payload_len = l.k.out.payload_len = 1400;
	l.k.back.payload_len = l.k.got.payload_len = 700;
	client_sends(&l, TCP_SYN);
	target_sends(&l, SYN_ACK);
	target_sends(&l, TCP_ACK);
	client_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_ESTABLISHED);
}

/* A closed port: the next attempt from the same client port is a connection like any other. */
static void refused(struct test *t)
{
	struct line l = line_open(t);

	for (int i = 0; i < 3; i++) {
		client_sends(&l, TCP_SYN);
		target_sends(&l, RST_ACK);
		state_is(&l, XF_FLOW_PENDING);
	}
	client_sends(&l, TCP_SYN);
	target_sends(&l, SYN_ACK);
	client_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_ESTABLISHED);
}

/* Who has said his last word may listen for as long as the other speaks. */
static void half_closed(struct test *t, bool client_first)
{
	struct line l = line_open(t);

	handshake(&l);
	if (client_first)
		client_sends(&l, FIN_ACK);
	else
		target_sends(&l, FIN_ACK);
	for (int i = 0; i < 5; i++) {
		idle(&l, XF_TIMEOUT_TCP_TRANSITORY, -1);
		if (client_first)
			target_sends(&l, TCP_ACK);
		else
			client_sends(&l, TCP_ACK);
		idle(&l, XF_TIMEOUT_TCP_TRANSITORY, -1);
		if (client_first)
			client_sends(&l, TCP_ACK);
		else
			target_sends(&l, TCP_ACK);
		state_is(&l, XF_FLOW_CLOSING);
	}
	if (client_first)
		target_sends(&l, FIN_ACK);
	else
		client_sends(&l, FIN_ACK);
	state_is(&l, XF_FLOW_CLOSED);
	client_sends(&l, TCP_ACK);
	target_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_CLOSED);
}

static void half_closed_by_the_client(struct test *t)
{
	half_closed(t, true);
}

static void half_closed_by_the_target(struct test *t)
{
	half_closed(t, false);
}

/* RFC 7857, 2.2: a reset may be forged. What goes on all the same stays, with the source port that it has. */
static void reset_that_nobody_believes(struct test *t)
{
	struct line l = line_open(t);

	handshake(&l);
	client_sends(&l, TCP_RST);
	state_is(&l, XF_FLOW_CLOSED);
	idle(&l, XF_TIMEOUT_TCP_TRANSITORY, -1);
	for (int i = 0; i < 5; i++) {
		target_sends(&l, TCP_ACK);
		state_is(&l, XF_FLOW_ESTABLISHED);
		client_sends(&l, TCP_ACK);
		idle(&l, XF_TIMEOUT_TCP_ESTABLISHED, -1);
	}
	/* And the same again, the other way round. */
	target_sends(&l, RST_ACK);
	state_is(&l, XF_FLOW_CLOSED);
	target_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_CLOSED);
	client_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_ESTABLISHED);
}

/* The client has forgotten the connection that the target still knows, and begins another from the same port. */
static void half_open(struct test *t)
{
	struct line l = line_open(t);

	handshake(&l);
	client_sends(&l, TCP_SYN);
	state_is(&l, XF_FLOW_ESTABLISHED);
	target_sends(&l, TCP_ACK); /* of the old connection */
	client_sends(&l, TCP_RST);
	state_is(&l, XF_FLOW_CLOSED);
	handshake(&l);
}

static void same_port_again(struct test *t)
{
	struct line l = line_open(t);

	for (int i = 0; i < 3; i++) {
		handshake(&l);
		client_sends(&l, FIN_ACK);
		state_is(&l, XF_FLOW_CLOSING);
		target_sends(&l, FIN_ACK);
		client_sends(&l, TCP_ACK);
		state_is(&l, XF_FLOW_CLOSED);
	}
	handshake(&l);
	/* The last connection's age is not held against this one. */
	idle(&l, XF_TIMEOUT_TCP_ESTABLISHED, -1);
	target_sends(&l, TCP_ACK);
}

/* More new flows than there is room for, none of them answered. */
static void flood(struct line *l)
{
	for (uint16_t i = 0; i < 20; i++) {
		struct talk k = talk_udp(l->t, 50000 + i);

		forward_new(l->t, l->rule, &k.in, &k.out);
	}
	/* This conversation, and in the other places the last ones of the flood. */
	l->t->ledger.flows = l->t->config.max_flows;
}

/*
 * The target answered, whatever went before: the last words of a connection that
 * nobody remembers, a call that the client gave up. No newcomer displaces it.
 */
static void stands_after(struct test *t, uint8_t flags)
{
	struct line l;

	t->config.max_flows = 4;
	config_put(t);
	l = line_open(t);
	client_sends(&l, flags);
	if (flags == TCP_SYN)
		client_sends(&l, TCP_RST);
	client_sends(&l, TCP_SYN);
	state_is(&l, XF_FLOW_PENDING);
	target_sends(&l, SYN_ACK);
	client_sends(&l, TCP_ACK);
	state_is(&l, XF_FLOW_ESTABLISHED);
	flood(&l);
	client_sends(&l, TCP_ACK);
	target_sends(&l, TCP_ACK);
}

static void stands_after_last_words(struct test *t)
{
	stands_after(t, FIN_ACK);
}

static void stands_after_a_call_given_up(struct test *t)
{
	stands_after(t, TCP_SYN);
}

/* A call that is not answered is not remembered for hours, though the port had a connection before. */
static void unanswered_after_the_end(struct test *t)
{
	struct line l = line_open(t);

	handshake(&l);
	client_sends(&l, TCP_RST);
	client_sends(&l, TCP_SYN);
	state_is(&l, XF_FLOW_PENDING);
	idle(&l, XF_TIMEOUT_TCP_TRANSITORY, 1);
	/* The flow is over; this is another, in its place. */
	l.packets = 0;
	client_sends(&l, TCP_SYN);
	t->ledger.flows--;
}

/* Every flag and every reserved bit, sensible or not, comes out as it came in. */
static void every_flag(struct test *t)
{
	static const uint8_t reserved[] = {0, 1, 15};
	struct line l = line_open(t);

	handshake(&l);
	for (unsigned int i = 0; i < 3 * 256; i++) {
		l.k.in.tcp_reserved = l.k.out.tcp_reserved = reserved[i / 256];
		l.k.back.tcp_reserved = l.k.got.tcp_reserved = reserved[i / 256];
		client_sends(&l, i);
		target_sends(&l, i);
	}
}

static void urgent_and_closed_window(struct test *t)
{
	static const uint16_t pointers[] = {1, 32, 0xffff};
	struct line l = line_open(t);

	handshake(&l);
	for (unsigned int i = 0; i < 3; i++) {
		l.k.in.tcp_urgent = l.k.out.tcp_urgent = pointers[i];
		l.k.back.tcp_urgent = l.k.got.tcp_urgent = pointers[i];
		client_sends(&l, 0x20 | TCP_ACK);
		target_sends(&l, 0x20 | TCP_ACK);
		l.k.in.tcp_window_closed = l.k.out.tcp_window_closed = !i;
		l.k.back.tcp_window_closed = l.k.got.tcp_window_closed = !i;
		client_sends(&l, TCP_ACK);
		target_sends(&l, TCP_ACK);
	}
}

/* The smallest segments there are: none, one octet, an odd one. */
static void small_segments(struct test *t)
{
	struct line l = line_open(t);

	handshake(&l);
	for (uint16_t len = 0; len < 8; len++) {
		l.k.in.payload_len = l.k.out.payload_len = len;
		l.k.back.payload_len = l.k.got.payload_len = len;
		client_sends(&l, TCP_ACK);
		target_sends(&l, TCP_ACK);
	}
}

/* All that options can be, up to the longest header, and nothing is looked at but a SYN's MSS. */
static void every_length_of_options(struct test *t)
{
	struct line l = line_open(t);

	handshake(&l);
	for (uint8_t len = 0; len <= 40; len += 4) {
		l.k.in.tcp_options = l.k.out.tcp_options = len;
		l.k.back.tcp_options = l.k.got.tcp_options = len;
		client_sends(&l, TCP_ACK);
		target_sends(&l, TCP_ACK);
		client_sends(&l, TCP_SYN);
		target_sends(&l, SYN_ACK);
	}
}

static const struct packet_case tcp_cases[] = {
	CASE(syn_comes_again),
	CASE(simultaneous_open),
	CASE(data_in_the_syn),
	CASE(refused),
	CASE(half_closed_by_the_client),
	CASE(half_closed_by_the_target),
	CASE(reset_that_nobody_believes),
	CASE(half_open),
	CASE(same_port_again),
	CASE(stands_after_last_words),
	CASE(stands_after_a_call_given_up),
	CASE(unanswered_after_the_end),
	CASE(every_flag),
	CASE(urgent_and_closed_window),
	CASE(small_segments),
	CASE(every_length_of_options),
};

PACKET_SUITE(tcp);
