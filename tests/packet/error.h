/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors as tests state them: an outside, a packet inside, and how much of
 * it is quoted. All checksums are computed from scratch.
 */
#ifndef XDPFWD_TESTS_PACKET_ERROR_H
#define XDPFWD_TESTS_PACKET_ERROR_H

#include "harness.h"

#define ICMP_HEADER 8

/* What routers and hosts say, in either family's words. */
enum complaint {
	PORT_UNREACHABLE,
	HOST_UNREACHABLE,
	PROHIBITED,
	TOO_BIG,
	TIME_EXCEEDED,
	REASSEMBLY_TIME,
	PARAMETER_PROBLEM,
	COMPLAINTS
};

struct error {
	struct packet outer; /* its proto is filled in */
	uint8_t type;
	uint8_t code;
	uint32_t rest; /* the second word: an MTU, a pointer */
	struct packet inner;
	uint16_t quote;	     /* octets of the packet inside, from its IP header on; 0: all */
	uint16_t csum_error; /* added to the right ICMP checksum */
};

/* What `from` says about a packet that it got, to its sender. */
struct error error_about(const struct test *t, enum host from, const struct packet *got);
void error_says(struct error *e, enum complaint complaint);
void build_error(const struct error *e, struct frame *f);
/* Makes the checksum right again after something was changed in the frame. */
void error_finish(const struct error *e, struct frame *f);
/* The length of the IP and extension headers of the packet inside. */
uint16_t inner_header_len(const struct error *e);

/* Redirected as `out`, and neither counted nor seen by the flow that this packet belongs to; NULL: to none. */
#define error_forward(t, flow, in, out) (at(__FILE__, __LINE__), check_error_forward(t, flow, in, out))
#define error_pass(t, in)		(at(__FILE__, __LINE__), check_error_pass(t, in))
#define error_drop(t, rule, reason, in) (at(__FILE__, __LINE__), check_error_drop(t, rule, reason, in))

void check_error_forward(struct test *t, const struct packet *flow, const struct error *in, const struct error *out);
void check_error_pass(struct test *t, const struct error *in);
void check_error_drop(struct test *t, uint32_t rule, enum xf_reason reason, const struct error *in);

/*
 * A packet that is refused, and whose sender hears of it: the full tier counts
 * it and turns it into the error, the fast tier leaves it to the full tier.
 */
#define told(t, rule, reason, in)      (at(__FILE__, __LINE__), check_told(t, rule, reason, in, 0))
#define told_too_big(t, rule, mtu, in) (at(__FILE__, __LINE__), check_told(t, rule, XF_REASON_TOO_BIG, in, mtu))

void check_told(struct test *t, uint32_t rule, enum xf_reason reason, const struct packet *in, uint16_t mtu);
/* The error that the sender of `in` must get. */
struct error error_of_ours(enum xf_reason reason, const struct packet *in, uint16_t mtu);

#endif
