/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a packet was dropped, or left to the kernel although it touched a rule.
 *
 * X(NAME, label, sentence): XF_REASON_NAME in both programs and tool; label is
 * the word in JSON, in the metrics and in the manual; sentence is what a user
 * reads. The order is part of the ABI: append, never reorder.
 */
#ifndef XDPFWD_REASONS_H
#define XDPFWD_REASONS_H

/* clang-format off */
#define XF_REASONS(X)                                                                                  \
	X(NONE,                "none",                "nothing is wrong")                                  \
	X(MALFORMED,           "malformed",           "a header's length field contradicts the packet")    \
	X(DISABLED,            "disabled",            "the rule is disabled")                              \
	X(FLOW_TABLE_FULL,     "flow_table_full",     "no room for another flow; raise --max-flows")       \
	X(PORTS_EXHAUSTED,     "ports_exhausted",     "no free masquerade port towards this target")       \
	X(TTL_EXCEEDED,        "ttl_exceeded",        "the packet's TTL or hop limit ran out here")        \
	X(TOO_BIG,             "too_big",             "the packet is larger than the way out carries")     \
	X(NO_ROUTE,            "no_route",            "the routing table has no way to the target")        \
	X(FORWARDING_DISABLED, "forwarding_disabled", "the forwarding sysctl of the way in is off")        \
	X(NO_NEIGHBOUR,        "no_neighbour",        "the next hop does not answer ARP or ND")            \
	X(FLOW_CONFLICT,       "flow_conflict",       "another rule already forwards this client port to the same target") \
	X(REDIRECT_FAILED,     "redirect_failed",     "the kernel refused to send the rewritten packet")   \
	X(NO_FLOW,             "no_flow",             "a TCP reset without a connection, left to the kernel") \
	X(BAD_SOURCE,          "bad_source",          "the source is no address that a client can have")   \
	X(LOOPBACK,            "loopback",            "a packet from outside with an address of loopback")     \
	X(BAD_FRAGMENT,        "bad_fragment",        "fragments of one datagram overlap or contradict each other") \
	X(BANNED,              "banned",              "the source was banned; see xdpfwd ban")             \
	X(DENIED,              "denied",              "the rule's --deny names the source")                \
	X(NOT_ALLOWED,         "not_allowed",         "the rule's --allow does not name the source")       \
	X(EXPIRED,             "expired",             "the rule's time is over")                           \
	X(MAX_FLOWS,           "max_flows",           "the rule has as many flows as its --max-flows")     \
	X(MAX_FLOWS_PER_SOURCE, "max_flows_per_source", "the source has as many flows as --max-flows-per-source") \
	X(RATE_LIMITED,        "rate_limited",        "more new flows than the rule's --rate")             \
	X(SOURCE_RATE_LIMITED, "source_rate_limited", "more new flows than --rate-per-source")             \
	X(SYN_CHALLENGED,      "syn_challenged",      "a source that had to prove itself first, see --syn-protect") \
	X(SYN_PROVEN,          "syn_proven",          "the reset by which a source proved itself, see --syn-protect")
/* clang-format on */

enum xf_reason {
#define X(name, label, sentence) XF_REASON_##name,
	XF_REASONS(X)
#undef X
	XF_REASON_COUNT
};

#endif
