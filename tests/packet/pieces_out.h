/* SPDX-License-Identifier: GPL-2.0-only */
/* IPv4 packets that leave in pieces. */
#ifndef XDPFWD_TESTS_PACKET_PIECES_OUT_H
#define XDPFWD_TESTS_PACKET_PIECES_OUT_H

#include "fragments.h"

#define NARROW_STEP 1256 /* octets that fit behind an IPv4 header on lan1, in units of 8 */

/* LISTEN:8000 to TARGET:9000; and a flow of such a rule from CLIENT to NARROW, by what opened it. */
uint32_t rule_between(struct test *t, enum host listen, enum host target);
struct packet flow_to_narrow(struct test *t, uint32_t *rule);

/* What is in t->sent leaves in these pieces: the last one is what comes out of the run, the others are sent before. */
#define left_in_pieces(t, dev, c) (at(__FILE__, __LINE__), check_left_in_pieces(t, dev, c))
void check_left_in_pieces(struct test *t, enum dev dev, const struct pieces *c);
/* By lan1. False: the fast tier, which has left the packet to the full one as it came. */
bool is_split(struct test *t, const struct packet *in, const struct packet *out, uint32_t step);

/* Runs "ip" with these arguments. */
void ip(const char *arguments);

#endif
