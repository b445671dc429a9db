/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow table seen from above: states, slots, counts, and the sweeper. */
#ifndef XDPFWD_TESTS_PACKET_TABLE_H
#define XDPFWD_TESTS_PACKET_TABLE_H

#include "talk.h"
#include "xdpfwd/policy.h"

/* Both halves of the conversation's flow are in this state. */
#define states_are(t, k, state) (at(__FILE__, __LINE__), check_states_are(t, k, state))
void check_states_are(struct test *t, const struct talk *k, uint8_t state);
bool is_there(struct test *t, const struct packet *in);

/* The slot of the flow under which such a packet is looked up. */
struct xf_slot slot_of(struct test *t, const struct packet *in);
void slot_put(struct test *t, const struct packet *in, const struct xf_slot *slot);
struct xf_cursor cursor_get(void);
void cursor_put(const struct xf_cursor *cursor);

/* Looks at all flows; so many are over. */
#define sweep(t, n) (at(__FILE__, __LINE__), check_sweep(t, n))
void check_sweep(struct test *t, uint32_t ended);
/* The same at any time, and how many there were. */
uint32_t sweep_now(void);

/* A table of that size. */
void set_max_flows(struct test *t, uint32_t n);

/* A new flow, from the client's first packet on until it is established, as UDP and TCP do it. */
void make_pending(struct test *t, uint32_t rule, const struct talk *k);
void make_established(struct test *t, uint32_t rule, struct talk *k);
/* And to the end of a TCP one, by the FINs of both. */
void make_closed(struct test *t, uint32_t rule, struct talk *k);
/* One more packet of each side of an established one. */
void goes_on(struct test *t, uint32_t rule, const struct talk *k);

/* CLIENT's or another's conversation with ROUTER:8000 and TARGET:9000 in that protocol, masqueraded under that port. */
struct talk talk_masqueraded(const struct test *t, enum host client, uint8_t proto, uint16_t port);

#endif
