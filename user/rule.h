/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rule as users state it, what is wrong with it, and its form in the maps.
 * Pure: no system call, no terminal.
 */
#ifndef XDPFWD_USER_RULE_H
#define XDPFWD_USER_RULE_H

#include "prefixes.h"

/* Addresses in a row, which differ in their last 32 bits; family 0: none. */
struct xf_pool {
	struct xf_address first;
	uint8_t more; /* after it */
};

struct xf_rule_spec {
	char name[XF_NAME_LEN]; /* empty: to be made by xf_rule_default_name */
	char comment[XF_COMMENT_LEN];
	uint8_t protos; /* XF_PROTO_* */
	struct xf_listen listen;
	struct xf_target target;
	enum xf_source source;
	struct xf_pool masquerade; /* none unless --source masquerade=ADDR or ADDR-ADDR */
	bool disabled;
	bool stateless; /* both directions are read from the rule: no flows */
	/* What it asks of newcomers; all zero: nothing. */
	const struct xf_prefixes *allow, *deny; /* settled; NULL also in a rule that was read from the maps */
	struct xf_rate rate, source_rate;
	uint32_t max_flows, max_flows_per_source;
	uint32_t syn_threshold;		    /* half-open connections from which on sources must prove themselves */
	uint32_t timeout[XF_TIMEOUT_COUNT]; /* seconds; 0: as the instance */
	int64_t expires;		    /* seconds since 1970; 0: never */
	bool expires_by_date;		    /* whatever becomes of the clock meanwhile */
};

#define XF_SYN_THRESHOLD 1000 /* unless another is asked for */

/* (rule_source.c) "auto", "preserve", "masquerade", "masquerade=ADDR" or "masquerade=ADDR-ADDR". */
int xf_source_parse(const char *text, enum xf_source *source, struct xf_pool *masquerade, struct xf_error *err);
/* Prints what xf_source_parse takes; returns buf. */
const char *xf_source_format(enum xf_source source, const struct xf_pool *masquerade, char *buf, size_t len);
/* What xf_rule_check says of it. */
int xf_source_check(const struct xf_rule_spec *rule, struct xf_error *err);
/* "ADDR" or "ADDR-ADDR"; returns buf. */
const char *xf_pool_format(const struct xf_pool *pool, char *buf, size_t len);
struct xf_address xf_pool_address(const struct xf_pool *pool, uint8_t i);
/* 1 to XF_NAME_LEN-1 characters of [A-Za-z0-9._+-], not starting with '-', '.' or '+'. */
int xf_name_check(const char *name, struct xf_error *err);
/* Fits in XF_COMMENT_LEN, valid UTF-8, no control characters. */
int xf_comment_check(const char *comment, struct xf_error *err);

/*
 * What can be said of a rule by itself: families that differ, a range that runs
 * past 65535, a target that is the rule itself, addresses that nothing can be
 * sent to. 0, or -1 with err filled. Name and comment have checks of their own.
 */
int xf_rule_check(const struct xf_rule_spec *rule, struct xf_error *err);

/* A host name that nobody has asked for yet. */
bool xf_target_is_unresolved(const struct xf_target *target);
/*
 * Of a rule whose target is a name: which addresses of it are meant. Those of the
 * family that the rest of the rule has, else IPv4: what a rule listens on shall
 * not depend on what a name server has to say. For the checks to make sense, first.
 */
void xf_rule_settle_family(struct xf_rule_spec *rule);

/* Do both claim one endpoint: same family, protocol, kind, address or interface, and a common port? */
bool xf_rule_conflicts(const struct xf_rule_spec *a, const struct xf_rule_spec *b);

/*
 * Would a packet that `from` has rewritten be addressed to `to` again, if both
 * saw it (its target is the listen endpoint of `to`)? Listening on an interface
 * or on any address counts only if `target_is_local`.
 */
bool xf_rule_feeds(const struct xf_rule_spec *from, const struct xf_rule_spec *to, bool target_is_local);

/* Do both send to one endpoint: same address, protocol, and a common port? */
bool xf_rule_shares_target(const struct xf_rule_spec *a, const struct xf_rule_spec *b);

/* (rule_stateless.c) What xf_rule_check says of a rule without state; of others nothing. */
int xf_stateless_check(const struct xf_rule_spec *rule, struct xf_error *err);
/*
 * The one address that such a rule listens on: that of ADDR:PORT, else of those
 * given, which are this machine's or the interface's, the only one of its family
 * that others can reach.
 */
struct xf_addresses {
	struct xf_address *addr;
	size_t n;
};
int xf_stateless_address(const struct xf_rule_spec *rule, const struct xf_addresses *own, struct xf_address *addr,
			 struct xf_error *err);

/* "tcp-443", "udp-27000-27015", "tcp+udp-53"; taken(name, arg) says which exist: then "tcp-443-2" and so on. */
void xf_rule_default_name(struct xf_rule_spec *rule, bool (*taken)(const char *name, void *arg), void *arg);

/*
 * To and from the maps, but for the policy. The rule's generation, when it
 * expires in jiffies, the interface's index and, for a masquerading rule without
 * a fixed address, the source to use, or for one without state the address that
 * it listens on, are the caller's to fill in; xf_rule_encode leaves them zero.
 */
void xf_rule_encode(const struct xf_rule_spec *spec, struct xf_rule *rule, struct xf_rule_meta *meta);
void xf_rule_decode(const struct xf_rule *rule, const struct xf_rule_meta *meta, struct xf_rule_spec *spec);

/*
 * (rule_policy.c) What a rule asks of newcomers, to and from the map "policies"
 * at so many jiffies a second; the numbers of its sets are the caller's to fill
 * in. xf_policy_encode: is there anything to ask?
 */
bool xf_policy_encode(const struct xf_rule_spec *spec, uint32_t hz, struct xf_policy *policy);
void xf_policy_decode(const struct xf_policy *policy, uint32_t hz, struct xf_rule_spec *spec);
/* What xf_rule_check says of it. */
int xf_policy_check(const struct xf_rule_spec *rule, struct xf_error *err);

/*
 * The prefixes of a port range, most significant bits first: at most 30.
 * Returns how many were written to port[] (host order) and bits[] (0 to 16).
 */
#define XF_RANGE_PREFIXES_MAX 30
unsigned int xf_range_prefixes(struct xf_port_range r, uint16_t port[XF_RANGE_PREFIXES_MAX],
			       uint8_t bits[XF_RANGE_PREFIXES_MAX]);

#endif
