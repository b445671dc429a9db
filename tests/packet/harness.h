/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet test is data: rules, a packet in, a verdict, the whole packet out,
 * and what is counted. Each case is written once and run on both hooks and both
 * families. Whatever a case says it expects is also added up in a ledger, and
 * when the case is over every counter, flow and slot must agree with it: what a
 * case does not mention must not have happened.
 */
#ifndef XDPFWD_TESTS_PACKET_HARNESS_H
#define XDPFWD_TESTS_PACKET_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "build.h"
#include "world.h"
#include "xdpfwd/flow.h"

#define MAX_RULES 32
#define MAX_FLOWS 512
#define RULE_SET  7 /* any number but 0 */
#define PORT_LO	  20000
#define PORT_HI	  20099
#define NO_RULE	  0xffffffffu

/* Sequence numbers that both sides of every TCP connection have, once it is established. */
#define CLIENT_SEQ 0x11223344u
#define TARGET_SEQ 0xfffffff0u /* about to begin anew */

enum hook {
	HOOK_XDP,
	HOOK_TC,
};

struct ledger {
	struct xf_rule_counters rule[MAX_RULES];
	uint64_t rule_drops[MAX_RULES][XF_REASON_COUNT];
	uint64_t drops[XF_REASON_COUNT];
	uint32_t flows; /* alive now */
};

struct test {
	enum hook hook;
	uint8_t family;
	uint32_t rules;
	struct xf_config config;
	struct xf_ports ports;
	struct ledger ledger;
	uint16_t gso_size; /* TC: the next packets are GSO packets of such segments */
	uint32_t retval;   /* of the last run */
	struct frame sent;
	struct frame got;
};

/* For cases about what only one hook or family has. */
#define ONLY_XDP (1u << 0)
#define ONLY_TC	 (1u << 1)
#define ONLY_V4	 (1u << 2)
#define ONLY_V6	 (1u << 3)

struct packet_case {
	const char *name;
	void (*run)(struct test *t);
	unsigned int only;
};

struct packet_suite {
	const char *name;
	const struct packet_case *cases;
	unsigned int count;
};

#define CASE(function)                 \
	{                              \
#function, function, 0 \
	}
#define CASE_ONLY(function, only)         \
	{                                 \
#function, function, only \
	}
#define PACKET_SUITE(theme)                                               \
	const struct packet_suite theme##_suite = {#theme, theme##_cases, \
						   sizeof(theme##_cases) / sizeof(theme##_cases[0])}

/* ---- rules */

/* What a case says of a rule; 0 stands for the usual. */
struct rule {
	enum xf_listen_kind kind;
	enum host host; /* XF_LISTEN_ADDR */
	enum dev dev;	/* XF_LISTEN_IFACE */
	uint16_t port;
	uint16_t port_hi; /* of a range */
	uint8_t protos;	  /* 0: both */
	uint8_t family;	  /* 0: that of the test */
	enum host target;
	uint16_t target_port; /* 0: the same port */
	enum xf_source source;
	enum host masquerade;
	uint32_t flags; /* besides XF_RULE_LIVE */
};

/* Fills the maps as the tool does; returns the rule's id. */
uint32_t rule_add(struct test *t, const struct rule *r);
/* ROUTER:8000 to TARGET:9000, preserve; and the same with masquerade as the router's address on lan0. */
uint32_t rule_preserve(struct test *t);
uint32_t rule_masquerade(struct test *t);
void rule_get(struct test *t, uint32_t id, struct xf_rule *rule);
void rule_put(struct test *t, uint32_t id, const struct xf_rule *rule);
void config_put(struct test *t);

/* ---- packets */

/* UDP from port 40000 to port 8000 with TTL 64 and 32 octets, as `from` (or its router) sends it to this machine. */
struct packet packet_from(const struct test *t, enum host from, enum host to);
/* The same packet as this machine passes it on to `host`: link addresses and TTL. */
struct packet passed_on(const struct packet *in, enum host host);
/* And rewritten: what `target` gets under a rule that preserves the source. */
struct packet to_target(const struct packet *in, enum host target, uint16_t port);
/* What a target that got this packet answers, as it reaches this machine. */
struct packet answer(const struct packet *got);
/* And what the client gets of it, who asked with `asked`. */
struct packet to_client(const struct packet *answer, const struct packet *asked);

/* ---- runs; all of them fail the test with a picture of the difference */

/* Redirected as `out`, counted for the rule as client to target; forward_new: and makes a flow. */
#define forward(t, rule, in, out)     (at(__FILE__, __LINE__), check_forward(t, rule, in, out))
#define forward_new(t, rule, in, out) (at(__FILE__, __LINE__), check_forward_new(t, rule, in, out))
/* The same, target to client. */
#define reply(t, rule, in, out) (at(__FILE__, __LINE__), check_reply(t, rule, in, out))
/* Passed as it came, not counted. */
#define pass(t, in) (at(__FILE__, __LINE__), check_pass(t, in))
/* Dropped, and charged to the rule under this reason. */
#define drop(t, rule, reason, in) (at(__FILE__, __LINE__), check_drop(t, rule, reason, in))

/* The place that a failure of the following is told to be at. */
void at(const char *file, int line);
void fail_at(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void check_forward(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out);
void check_forward_new(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out);
void check_reply(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out);
void check_pass(struct test *t, const struct packet *in);
void check_drop(struct test *t, uint32_t rule, enum xf_reason reason, const struct packet *in);
void check_verdict(const struct test *t, const char *want);
void check_frame(const struct frame *want, const struct frame *got);
/* Only runs, and leaves t->retval, t->sent and t->got. */
void run(struct test *t, const struct packet *in);
#define assert_verdict(t, want) (at(__FILE__, __LINE__), check_verdict(t, want))
#define assert_frame(want, got) (at(__FILE__, __LINE__), check_frame(want, got))
/* The same with what is in t->sent already. */
void run_sent(struct test *t);
/* And that many times, of which t->retval is the last: for packets that come out as they went in. */
void run_often(struct test *t, int times);
/* Counts one packet of `in` for the ledger. */
void ledger_in(struct test *t, uint32_t rule, const struct packet *in);
void ledger_out(struct test *t, uint32_t rule, const struct packet *in);

/* ---- flows */

/* The half under which a packet like this is looked up; false: there is none. */
bool flow_get(struct test *t, const struct packet *in, struct xf_flow *flow);
void flow_put(struct test *t, const struct packet *in, const struct xf_flow *flow);
/* The addresses that its packets get; as many octets as the family has. */
const void *flow_from(const struct test *t, const struct xf_flow *flow);
const void *flow_to(const struct test *t, const struct xf_flow *flow);
size_t addr_len(const struct test *t);
uint32_t flow_entries(struct test *t, uint8_t family);
uint64_t clock_jiffies(void);

/* ---- the end of a case */

void ledger_check(struct test *t);

#endif
