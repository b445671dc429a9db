/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule as users state it: its words, what is wrong with it, and how it stands to other rules. */
#include "rule.h"

#include <stdio.h>
#include <string.h>

int xf_name_check(const char *name, struct xf_error *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";

	if (!*name)
		return xf_fail(err, "a rule's name cannot be empty");
	if (name[strspn(name, allowed)])
		return xf_fail(err, "%.80s is not a name: write letters, digits, '.', '_', '+' and '-'", name);
	if (strchr(".+-", name[0]))
		return xf_fail(err, "%.80s is not a name: it has to start with a letter, a digit or '_'", name);
	if (strlen(name) >= XF_NAME_LEN)
		return xf_fail(err, "%.80s is too long for a name: %zu characters, at most %d", name, strlen(name),
			       XF_NAME_LEN - 1);
	return 0;
}

int xf_comment_check(const char *comment, struct xf_error *err)
{
	size_t at = 0, n;

	while (comment[at]) {
		n = xf_utf8_printable(comment + at);
		if (!n)
			return xf_fail(err, "the comment has a control character or malformed UTF-8 after \"%.*s\"",
				       (int)at, comment);
		at += n;
		if (at >= XF_COMMENT_LEN)
			return xf_fail(err, "the comment is too long: %zu octets, at most %d", strlen(comment),
				       XF_COMMENT_LEN - 1);
	}
	return 0;
}

/* The ports of the target that the listen ports go to; cut off at the last port there is. */
static struct xf_port_range target_ports(const struct xf_rule_spec *rule)
{
	uint32_t lo = rule->target.port ? rule->target.port : rule->listen.ports.lo;
	uint32_t hi = lo + xf_ports_count(rule->listen.ports) - 1;

	return (struct xf_port_range){.lo = (uint16_t)lo, .hi = hi > 65535 ? 65535 : (uint16_t)hi};
}

static const char *family_name(const struct xf_address *a)
{
	return a->family == XF_IPV6 ? "IPv6" : "IPv4";
}

static int listen_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	char listen[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN], ports[16];
	const char *why;

	if (rule->listen.kind != XF_LISTEN_ADDR)
		return 0;
	xf_listen_format(&rule->listen, listen, sizeof(listen));
	why = xf_address_unusable_why(&rule->listen.addr);
	if (why)
		return xf_fail(err,
			       "%s cannot be listened on, the address %s: write :%s for every address of this machine",
			       listen, why, xf_ports_format(rule->listen.ports, ports, sizeof(ports)));
	if (rule->listen.addr.family != rule->target.addr.family)
		return xf_fail(err, "%s is %s, but the target %s is %s: both have to be of one family", listen,
			       family_name(&rule->listen.addr), xf_target_format(&rule->target, target, sizeof(target)),
			       family_name(&rule->target.addr));
	return 0;
}

static int target_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	uint32_t lo = rule->target.port ? rule->target.port : rule->listen.ports.lo;
	uint32_t hi = lo + xf_ports_count(rule->listen.ports) - 1;
	char target[XF_ENDPOINT_STRLEN];
	const char *why = xf_address_unusable_why(&rule->target.addr);

	xf_target_format(&rule->target, target, sizeof(target));
	if (why && !xf_target_is_unresolved(&rule->target) && !xf_address_is_loopback(&rule->target.addr))
		return xf_fail(err, "%s cannot be a target: the address %s", target, why);
	if (hi > 65535)
		return xf_fail(err, "target %s: a range of %u ports that starts at %u would end at %u, past 65535",
			       target, xf_ports_count(rule->listen.ports), lo, hi);
	return 0;
}

bool xf_target_is_unresolved(const struct xf_target *target)
{
	static const union xf_addr none;

	return target->host[0] && !memcmp(&target->addr.addr, &none, sizeof(none));
}

void xf_rule_settle_family(struct xf_rule_spec *rule)
{
	if (!xf_target_is_unresolved(&rule->target))
		return;
	rule->target.addr.family = rule->listen.kind == XF_LISTEN_ADDR ? rule->listen.addr.family :
				   rule->masquerade.first.family       ? rule->masquerade.first.family :
									 XF_IPV4;
}

int xf_rule_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	char listen[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN];

	if (listen_check(rule, err) || target_check(rule, err) || xf_source_check(rule, err) ||
	    xf_policy_check(rule, err) || xf_stateless_check(rule, err))
		return -1;
	if (xf_rule_feeds(rule, rule, false))
		return xf_fail(err, "target %s is the rule itself, which listens on %s: packets would go in a circle",
			       xf_target_format(&rule->target, target, sizeof(target)),
			       xf_listen_format(&rule->listen, listen, sizeof(listen)));
	return 0;
}

bool xf_rule_conflicts(const struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	if (a->target.addr.family != b->target.addr.family || !(a->protos & b->protos) ||
	    a->listen.kind != b->listen.kind || !xf_ports_overlap(a->listen.ports, b->listen.ports))
		return false;
	if (a->listen.kind == XF_LISTEN_ADDR)
		return xf_address_equal(&a->listen.addr, &b->listen.addr);
	if (a->listen.kind == XF_LISTEN_IFACE)
		return !strcmp(a->listen.ifname, b->listen.ifname);
	return true;
}

bool xf_rule_feeds(const struct xf_rule_spec *from, const struct xf_rule_spec *to, bool target_is_local)
{
	if (from->target.addr.family != to->target.addr.family || !(from->protos & to->protos) ||
	    !xf_ports_overlap(target_ports(from), to->listen.ports))
		return false;
	if (to->listen.kind == XF_LISTEN_ADDR)
		return xf_address_equal(&from->target.addr, &to->listen.addr);
	return target_is_local;
}

bool xf_rule_shares_target(const struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	return xf_address_equal(&a->target.addr, &b->target.addr) && a->protos & b->protos &&
	       xf_ports_overlap(target_ports(a), target_ports(b));
}

void xf_rule_default_name(struct xf_rule_spec *rule, bool (*taken)(const char *name, void *arg), void *arg)
{
	char base[XF_NAME_LEN / 2], ports[16];
	unsigned int n;

	snprintf(base, sizeof(base), "%s-%s", xf_protos_format(rule->protos),
		 xf_ports_format(rule->listen.ports, ports, sizeof(ports)));
	snprintf(rule->name, sizeof(rule->name), "%s", base);
	for (n = 2; taken(rule->name, arg); n++)
		snprintf(rule->name, sizeof(rule->name), "%s-%u", base, n);
}
