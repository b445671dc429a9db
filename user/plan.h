/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The difference between the rules that run and those that are wanted. Rules are
 * the same if their names are. Pure.
 */
#ifndef XDPFWD_USER_PLAN_H
#define XDPFWD_USER_PLAN_H

#include <jansson.h>

#include "buf.h"
#include "rule.h"

/* A rule, and its lists by what was stated and what came of it: files may change while their names stay. */
struct plan_list {
	const char *given; /* NULL or empty: there is none */
	uint64_t hash;	   /* xf_prefixes_hash */
};

struct plan_rule {
	const struct xf_rule_spec *spec;
	struct plan_list allow, deny;
};

struct plan_set {
	const struct plan_rule *rule;
	size_t n;
};

/* What rules may differ in; "other": that makes another rule of it, and flows of the one it was end. */
#define PLAN_FIELDS(X)                                   \
	X(PROTOCOL, "protocol", true)                    \
	X(LISTEN, "listen", true)                        \
	X(TARGET, "target", true)                        \
	X(SOURCE, "source", true)                        \
	X(STATELESS, "stateless", true)                  \
	X(ALLOW, "allow", false)                         \
	X(DENY, "deny", false)                           \
	X(RATE, "rate", false)                           \
	X(SOURCE_RATE, "rate_per_source", false)         \
	X(MAX_FLOWS, "max_flows", false)                 \
	X(MAX_PER_SOURCE, "max_flows_per_source", false) \
	X(EXPIRES, "expires", false)                     \
	X(TIMEOUTS, "timeouts", false)                   \
	X(SYN_THRESHOLD, "syn_threshold", false)         \
	X(COMMENT, "comment", false)                     \
	X(ENABLED, "enabled", false)

#define X(name, text, other) PLAN_##name,
enum plan_field {
	PLAN_FIELDS(X) PLAN_FIELD_COUNT
};
#undef X

enum plan_kind {
	PLAN_ADDED,
	PLAN_CHANGED,
	PLAN_REMOVED,
};

struct plan_change {
	enum plan_kind kind;
	const struct plan_rule *running; /* NULL: added */
	const struct plan_rule *wanted;	 /* NULL: removed */
	uint32_t fields;		 /* changed: bits by enum plan_field */
};

/* First what is removed, then the others in the order in which they are wanted. It points into the sets. */
struct plan {
	struct plan_change *change;
	size_t n;
	size_t added, changed, removed, unchanged;
};

/* Rules as a config has them; those of one list share its hash. */
void plan_rules(const struct xf_rule_spec *specs, size_t n, struct plan_rule *rules);

/* In neither set may a name be twice. */
int plan_make(const struct plan_set *running, const struct plan_set *wanted, struct plan *plan, struct xf_error *err);
void plan_free(struct plan *plan);

/* Do the rule's flows go on? Also false for what is added: there are none. */
bool plan_keeps_flows(const struct plan_change *change);
const char *plan_field_name(enum plan_field field);
const char *plan_kind_name(enum plan_kind kind);

/* (plan_text.c) "changed web: rate none -> 20/s", without a newline. */
void plan_write_change(const struct plan_change *change, struct buf *to);
/* All of them, a line each; nothing if there is no difference. */
void plan_write(const struct plan *plan, struct buf *to);
/* (plan_text.c) What a rule has there; empty: nothing. */
void plan_field_write(const struct plan_rule *rule, enum plan_field field, struct buf *to);

/* (plan_record.c) A new reference, or NULL where memory ran out. */
json_t *plan_record(const struct plan *plan);

#endif
