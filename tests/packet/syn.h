/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules under a flood of SYNs, the answers that newcomers get, and their resets. */
#ifndef XDPFWD_TESTS_PACKET_SYN_H
#define XDPFWD_TESTS_PACKET_SYN_H

#include "harness.h"

/* Gives the rule such a --syn-threshold; 0: none. */
void set_threshold(struct test *t, uint32_t rule, uint32_t threshold);
/* Opens so many flows of CLIENT2's to TARGET:9000, from this SYN's port on. */
void half_open(struct test *t, uint32_t rule, const struct packet *in, uint32_t n);
/* ROUTER:8000 to TARGET:9000, at its threshold of half-open flows. */
uint32_t rule_flooded(struct test *t);

/* Makes it that second since boot. Numbers follow from it, and from nothing else that changes. */
void set_second(struct test *t, uint32_t second);

/* A SYN of CLIENT's from that port; what the target gets of it. */
struct packet syn(const struct test *t, uint16_t sport);
struct packet syn_out(const struct packet *in);
/* What a client answers to an ACK of that number. */
struct packet reset(const struct packet *in, uint32_t number);

/* Refused, and answered by an ACK, which must be right octet for octet; returns the number in it. */
#define challenged(t, rule, in) (at(__FILE__, __LINE__), check_challenged(t, rule, in))
uint32_t check_challenged(struct test *t, uint32_t rule, const struct packet *in);
/* The reset is taken for a proof; or for one that is none of ours. */
#define proven(t, rule, in)	drop(t, rule, XF_REASON_SYN_PROVEN, in)
#define not_proven(t, rule, in) (at(__FILE__, __LINE__), check_not_proven(t, rule, in))
void check_not_proven(struct test *t, uint32_t rule, const struct packet *in);

/* Whoever has proven himself did so long ago. */
void expire_proofs(void);

#endif
