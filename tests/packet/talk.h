/* SPDX-License-Identifier: GPL-2.0-only */
/* Conversations between a client and a target, and how old they are. */
#ifndef XDPFWD_TESTS_PACKET_TALK_H
#define XDPFWD_TESTS_PACKET_TALK_H

#include "harness.h"

/* A client's packet, what the target gets, what it answers, and what the client gets of that. */
struct talk {
	struct packet in, out, back, got;
};

/* CLIENT from that port to the rule of rule_preserve(). */
struct talk talk_udp(const struct test *t, uint16_t sport);
struct talk talk_tcp(const struct test *t, uint16_t sport);
void set_tcp_flags(struct talk *k, uint8_t client, uint8_t target);

/* Makes the half of this packet, or both halves, look as if nothing had come by for so long. */
void age(struct test *t, const struct packet *in, uint32_t jiffies);
void age_both(struct test *t, const struct talk *k, uint32_t jiffies);

#endif
