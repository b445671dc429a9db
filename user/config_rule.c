// SPDX-License-Identifier: GPL-2.0-only
/* A rule, and what rules begin with: a key is an option of `map add`, and so is its value. */
#include <stdio.h>
#include <string.h>

#include "config_int.h"
#include "rate.h"
#include "timeouts.h"
#include "when.h"

struct draft {
	struct reader *r;
	struct xf_rule_spec *rule;
	struct rule_note *note;
};

/* All return false when something is wrong, which they have told. */
typedef bool (*take_fn)(struct draft *d, uint32_t node);

static bool refuse(struct draft *d, uint32_t node, const struct xf_error *err)
{
	config_blame(d->r, node, "%s", err->text);
	return false;
}

static bool take_name(struct draft *d, uint32_t node)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;

	if (text && xf_name_check(text, &err))
		return refuse(d, node, &err);
	if (text)
		snprintf(d->rule->name, sizeof(d->rule->name), "%s", text);
	d->note->name = d->r->doc.node[node].at;
	return text;
}

static bool take_comment(struct draft *d, uint32_t node)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;

	if (text && xf_comment_check(text, &err))
		return refuse(d, node, &err);
	if (text)
		snprintf(d->rule->comment, sizeof(d->rule->comment), "%s", text);
	return text;
}

static bool take_protocol(struct draft *d, uint32_t node)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;

	return text && (!xf_protos_parse(text, &d->rule->protos, &err) || refuse(d, node, &err));
}

static bool take_listen(struct draft *d, uint32_t node)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;

	d->note->listen = d->r->doc.node[node].at;
	return text && (!xf_listen_parse(text, &d->rule->listen, &err) || refuse(d, node, &err));
}

static bool target_parse(struct draft *d, uint32_t node, struct xf_target *target)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;

	return text && (!xf_target_parse(text, target, &err) || refuse(d, node, &err));
}

static bool take_target(struct draft *d, uint32_t node)
{
	d->note->target = d->r->doc.node[node].at;
	return target_parse(d, node, &d->rule->target);
}

enum {
	TARGET,
	WEIGHT,
	TARGET_KEYS
};

/* One of several, "{target: ADDR, weight: N}". */
static bool take_weighted(struct draft *d, uint32_t node, struct xf_target *target)
{
	static const char *const keys[] = {[TARGET] = "target", [WEIGHT] = "weight"};
	static const struct map_kind kind = {"one of the targets", keys, TARGET_KEYS};
	struct slot slots[TARGET_KEYS];
	uint32_t weight;
	bool good;

	if (!config_map(d->r, node, &kind, slots))
		return false;
	good = !slots[WEIGHT].key || config_u32(d->r, slots[WEIGHT].value, 65535, &weight);
	if (slots[TARGET].key)
		return target_parse(d, slots[TARGET].value, target) && good;
	if (!d->r->doc.node[doc_resolve(&d->r->doc, node)].cut)
		config_blame(d->r, node, "the key target is missing");
	return false;
}

static bool take_targets(struct draft *d, uint32_t node)
{
	struct xf_target *to = &d->rule->target, other;
	bool good = true;
	unsigned int n = 0;

	d->note->target = d->r->doc.node[node].at;
	if (!config_is_list(d->r, node))
		return false;
	config_each(d->r, node, i) {
		good &= take_weighted(d, i, n ? &other : to);
		if (++n != 2)
			continue;
		config_blame(d->r, i, "several targets in one rule are not supported by this version: name one");
		good = false;
	}
	if (!n)
		config_blame(d->r, node, "this list is empty: name a target");
	return good && n;
}

static bool take_source(struct draft *d, uint32_t node)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;

	return text && (!xf_source_parse(text, &d->rule->source, &d->rule->masquerade, &err) || refuse(d, node, &err));
}

static bool take_allow(struct draft *d, uint32_t node)
{
	d->rule->allow = config_prefixes(d->r, node);
	return d->rule->allow;
}

static bool take_deny(struct draft *d, uint32_t node)
{
	d->rule->deny = config_prefixes(d->r, node);
	return d->rule->deny;
}

static bool rate_parse(struct draft *d, uint32_t node, struct xf_rate *rate)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;

	return text && (!xf_rate_parse(text, rate, &err) || refuse(d, node, &err));
}

static bool take_rate(struct draft *d, uint32_t node)
{
	return rate_parse(d, node, &d->rule->rate);
}

static bool take_source_rate(struct draft *d, uint32_t node)
{
	return rate_parse(d, node, &d->rule->source_rate);
}

static bool take_max_flows(struct draft *d, uint32_t node)
{
	return config_u32(d->r, node, DP_MAX_FLOWS_LIMIT, &d->rule->max_flows);
}

static bool take_max_flows_per_source(struct draft *d, uint32_t node)
{
	return config_u32(d->r, node, DP_MAX_FLOWS_LIMIT, &d->rule->max_flows_per_source);
}

/*
 * A date that is over is none of the file's faults: it was right when it was
 * written, and the rule stays closed. So the date is read as if it were 1970,
 * and then a duration is so many seconds.
 */
static bool take_expires(struct draft *d, uint32_t node)
{
	const char *text = config_text(d->r, node);
	struct xf_error err;
	struct xf_when when;

	if (!text)
		return false;
	if (xf_when_parse(text, 0, &when, &err))
		return refuse(d, node, &err);
	d->rule->expires = when.by_date ? when.at : d->r->from->now + when.at;
	d->rule->expires_by_date = when.by_date;
	return true;
}

/* A rule's own are instead of those that rules begin with, not besides. */
static bool take_timeout(struct draft *d, uint32_t node)
{
	memset(d->rule->timeout, 0, sizeof(d->rule->timeout));
	return config_timeouts(d->r, node, d->rule->timeout);
}

static bool take_syn_protect(struct draft *d, uint32_t node)
{
	uint32_t *threshold = &d->rule->syn_threshold;
	bool on;

	if (!config_bool(d->r, node, &on))
		return false;
	*threshold = !on ? 0 : *threshold ? *threshold : XF_SYN_THRESHOLD;
	return true;
}

static bool take_syn_threshold(struct draft *d, uint32_t node)
{
	if (!d->rule->syn_threshold) {
		config_blame(d->r, node, "syn-threshold is about syn-protect: give that as well");
		return false;
	}
	return config_u32(d->r, node, DP_MAX_FLOWS_LIMIT, &d->rule->syn_threshold);
}

static bool take_stateless(struct draft *d, uint32_t node)
{
	return config_bool(d->r, node, &d->rule->stateless);
}

static bool take_disabled(struct draft *d, uint32_t node)
{
	return config_bool(d->r, node, &d->rule->disabled);
}

/* In the order in which they are looked at. From KEY_SOURCE on, `defaults` may have them too. */
#define RULE_KEYS(X)                                                         \
	X(NAME, "name", take_name)                                           \
	X(COMMENT, "comment", take_comment)                                  \
	X(PROTOCOL, "protocol", take_protocol)                               \
	X(LISTEN, "listen", take_listen)                                     \
	X(TARGET, "target", take_target)                                     \
	X(TARGETS, "targets", take_targets)                                  \
	X(SOURCE, "source", take_source)                                     \
	X(ALLOW, "allow", take_allow)                                        \
	X(DENY, "deny", take_deny)                                           \
	X(RATE, "rate", take_rate)                                           \
	X(SOURCE_RATE, "rate-per-source", take_source_rate)                  \
	X(MAX_FLOWS, "max-flows", take_max_flows)                            \
	X(MAX_PER_SOURCE, "max-flows-per-source", take_max_flows_per_source) \
	X(EXPIRES, "expires", take_expires)                                  \
	X(TIMEOUT, "timeout", take_timeout)                                  \
	X(SYN_PROTECT, "syn-protect", take_syn_protect)                      \
	X(SYN_THRESHOLD, "syn-threshold", take_syn_threshold)                \
	X(STATELESS, "stateless", take_stateless)                            \
	X(DISABLED, "disabled", take_disabled)

#define X(name, text, take) KEY_##name,
enum {
	RULE_KEYS(X) KEY_COUNT
};
#undef X
#define X(name, text, take) text,
static const char *const keys[] = {RULE_KEYS(X)};
#undef X
#define X(name, text, take) take,
static const take_fn takes[] = {RULE_KEYS(X)};
#undef X
_Static_assert(KEY_COUNT <= MAP_KEYS_MAX, "more keys than a mapping's reader has room for");

void config_defaults(struct reader *r, uint32_t node)
{
	static const struct map_kind kind = {"defaults", keys + KEY_SOURCE, KEY_COUNT - KEY_SOURCE};
	struct draft d = {.r = r, .rule = &r->defaults};
	struct slot slots[KEY_COUNT];
	int k;

	if (!config_map(r, node, &kind, slots))
		return;
	for (k = KEY_SOURCE; k < KEY_COUNT; k++)
		if (slots[k - KEY_SOURCE].key)
			takes[k](&d, slots[k - KEY_SOURCE].value);
}

/* What rules begin with is for those that it can be for. */
static void drop_unfit_defaults(struct xf_rule_spec *rule, const struct slot *slots)
{
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (!slots[KEY_TIMEOUT].key && !(rule->protos & xf_timeout_proto((enum xf_timeout)i)))
			rule->timeout[i] = 0;
	if (!slots[KEY_SYN_PROTECT].key && !slots[KEY_SYN_THRESHOLD].key && !(rule->protos & XF_PROTO_TCP))
		rule->syn_threshold = 0;
}

/* False: it is not known what the rule listens on and forwards to. */
static bool has_ends(struct draft *d, uint32_t node, const struct slot *slots)
{
	static const int needed[] = {KEY_PROTOCOL, KEY_LISTEN};
	bool cut = d->r->doc.node[doc_resolve(&d->r->doc, node)].cut, good = true;
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (slots[needed[i]].key)
			continue;
		good = false;
		if (!cut)
			config_blame(d->r, node, "the key %s is missing", keys[needed[i]]);
	}
	if (slots[KEY_TARGET].key && slots[KEY_TARGETS].key)
		config_blame(d->r, slots[KEY_TARGETS].key, "there is target already: write one of the two");
	if (slots[KEY_TARGET].key || slots[KEY_TARGETS].key)
		return good && !(slots[KEY_TARGET].key && slots[KEY_TARGETS].key);
	if (!cut)
		config_blame(d->r, node, "the key target is missing");
	return false;
}

void config_rule(struct reader *r, uint32_t node, struct xf_rule_spec *rule, struct rule_note *note)
{
	static const struct map_kind kind = {"a rule", keys, KEY_COUNT};
	struct draft d = {.r = r, .rule = rule, .note = note};
	struct slot slots[KEY_COUNT];
	struct xf_error err;
	bool good = true;
	int k;

	*rule = r->defaults;
	note->name = note->listen = note->target = r->doc.node[node].at;
	if (!config_map(r, node, &kind, slots))
		return;
	note->whole = has_ends(&d, node, slots);
	for (k = 0; k < KEY_COUNT; k++) {
		bool taken = !slots[k].key || takes[k](&d, slots[k].value);

		good &= taken;
		if (!taken && k >= KEY_PROTOCOL && k <= KEY_TARGETS)
			note->whole = false;
	}
	drop_unfit_defaults(rule, slots);
	xf_rule_settle_family(rule);
	if (note->whole && good && xf_rule_check(rule, &err))
		config_blame(r, node, "%s", err.text);
}
