/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs at a place of one's choice, and rules whose target is this machine. */
#ifndef XDPFWD_TESTS_PACKET_SPOT_H
#define XDPFWD_TESTS_PACKET_SPOT_H

#include "harness.h"

/* Where a packet meets a program. */
struct spot {
	const char *prog;
	uint32_t ifindex;
	uint32_t came_by; /* 0: this machine made it */
};

struct spot ingress_of(enum dev dev);
struct spot egress_of(enum dev dev);
struct spot loopback_ingress(void);
struct spot loopback_egress(void);

void run_at(struct test *t, const struct spot *spot, const struct packet *in);
/* What is in t->sent. */
void run_sent_at(struct test *t, const struct spot *spot);
#define expect(t, verdict, out) (at(__FILE__, __LINE__), check_outcome(t, verdict, out))
#define pass_at(t, spot, in)	(at(__FILE__, __LINE__), check_pass_at(t, spot, in))
void check_outcome(struct test *t, const char *verdict, const struct packet *out);
void check_pass_at(struct test *t, const struct spot *spot, const struct packet *in);
void count_new(struct test *t, uint32_t rule);

/* ROUTER:8000 to this machine's address `target`, port 9000. */
uint32_t rule_local(struct test *t, enum host target);
/* The same frame, for another address and port of this machine: no hop. */
struct packet delivered(const struct packet *in, enum host target);
/* A client's packet, rewritten and passed, or redirected to loopback; the first one makes a flow. */
#define deliver(t, rule, in, target) (at(__FILE__, __LINE__), check_delivered(t, rule, in, target))
void check_delivered(struct test *t, uint32_t rule, const struct packet *in, enum host target);
/* What the target answers to that, and what its client gets of it. */
struct packet local_answer(const struct packet *in, enum host target);
struct packet as_the_client_knows(const struct packet *answer, const struct packet *asked);

#endif
