/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rule asks of newcomers, networks, buckets; and clients from wherever a case wants them. */
#ifndef XDPFWD_TESTS_PACKET_POLICY_H
#define XDPFWD_TESTS_PACKET_POLICY_H

#include "talk.h"
#include "xdpfwd/policy.h"

#define FOR_GOOD 0
#define OVER	 1	     /* a jiffy that was long ago */
#define LATER	 (~0ull / 2) /* and one that no test will see */

/* The ticks that a flow costs where refills must not matter: half a million jiffies. */
#define COST (500000ull << XF_TICK_SHIFT)

/* The rule asks this from now on. */
void policy_put(struct test *t, uint32_t rule, const struct xf_policy *policy);
void rule_expire(struct test *t, uint32_t rule, uint64_t jiffies64);

/* A network in a set, of the test's family. */
struct net {
	uint32_t set;
	union xf_addr addr;
	uint8_t bits;
};

void set_add(struct test *t, struct net net, uint64_t until);
void set_del(struct test *t, struct net net);
uint64_t set_hits(struct test *t, struct net net);
/* 32 or 128. */
uint8_t addr_bits(const struct test *t);
struct net net_of_host(const struct test *t, uint32_t set, enum host host);
struct net net_all(uint32_t set);

/* The first and the last address of a network, and the one that is `step` from this. */
union xf_addr addr_first(const struct test *t, union xf_addr addr, uint8_t bits);
union xf_addr addr_last(const struct test *t, union xf_addr addr, uint8_t bits);
union xf_addr addr_step(const struct test *t, union xf_addr addr, int step);

/* UDP from that address to the rule of rule_preserve(). */
struct talk talk_from(const struct test *t, union xf_addr source, uint16_t sport);
/* A new flow of that client's, in and out. */
#define opens(t, rule, k) (at(__FILE__, __LINE__), check_opens(t, rule, k))
void check_opens(struct test *t, uint32_t rule, struct talk k);
/* It is refused for that reason, on UDP and on TCP, with SYN and without. */
#define refused(t, rule, reason, k) (at(__FILE__, __LINE__), check_refused(t, rule, reason, k))
void check_refused(struct test *t, uint32_t rule, enum xf_reason reason, struct talk k);

/* Buckets, by the time at which they are full. */
uint64_t ticks_now(void);
uint64_t rule_bucket(uint32_t rule);
void rule_bucket_put(uint32_t rule, uint64_t full_at);
/* false: it has none. */
bool source_bucket(struct xf_source_key key, uint64_t *full_at);
void source_bucket_put(struct xf_source_key key, uint64_t full_at);
uint32_t source_buckets(void);

#endif
