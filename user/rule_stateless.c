/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule without state: what cannot be asked of it, and which address it listens on. */
#include "rule.h"

#include <stdio.h>
#include <string.h>

#define NAMED_MAX 4 /* so many addresses fit in one line */

/* The option that is about flows; NULL: none is. */
static const char *option_about_flows(const struct xf_rule_spec *rule)
{
	int i;

	if (rule->rate.count)
		return "--rate";
	if (rule->source_rate.count)
		return "--rate-per-source";
	if (rule->max_flows)
		return "--max-flows";
	if (rule->max_flows_per_source)
		return "--max-flows-per-source";
	if (rule->syn_threshold)
		return "--syn-protect";
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (rule->timeout[i])
			return "--timeout";
	return NULL;
}

int xf_stateless_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	const char *option = option_about_flows(rule);

	if (!rule->stateless)
		return 0;
	if (rule->target.host[0])
		return xf_fail(err,
			       "%.80s may come to mean another address, and a stateless rule would take all its "
			       "connections there: write an address, or leave --stateless out",
			       rule->target.host);
	if (rule->source == XF_SOURCE_MASQUERADE)
		return xf_fail(err, "--source masquerade has to remember each client, and a stateless rule remembers "
				    "nothing: leave it out, or --stateless");
	if (option)
		return xf_fail(err, "%s is about flows, and a stateless rule has none: leave it out, or --stateless",
			       option);
	return 0;
}

/* The n different ones that others can reach; writes down the first few. */
static size_t reachable(const struct xf_addresses *own, uint8_t family, struct xf_address found[NAMED_MAX])
{
	size_t n = 0, i, k;

	for (i = 0; i < own->n; i++) {
		const struct xf_address *a = &own->addr[i];

		if (a->family != family || xf_address_unusable_why(a))
			continue;
		for (k = 0; k < n && k < NAMED_MAX && !xf_address_equal(a, &found[k]); k++)
			;
		if (k < n && k < NAMED_MAX)
			continue;
		if (n < NAMED_MAX)
			found[n] = *a;
		n++;
	}
	return n;
}

static int fail_several(const struct xf_rule_spec *rule, const struct xf_address *found, size_t n, struct xf_error *err)
{
	char listen[XF_ENDPOINT_STRLEN], addr[XF_ENDPOINT_STRLEN], all[NAMED_MAX * XF_ENDPOINT_STRLEN] = "";
	size_t i, len = 0;

	for (i = 0; i < n && i < NAMED_MAX; i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%.45s", i ? ", " : "",
					xf_address_format(&found[i], addr, sizeof(addr)));
	return xf_fail(err, "%s is %.190s%s, and a stateless rule listens on one address: write ADDR:PORT",
		       xf_listen_format(&rule->listen, listen, sizeof(listen)), all, n > NAMED_MAX ? " and more" : "");
}

int xf_stateless_address(const struct xf_rule_spec *rule, const struct xf_addresses *own, struct xf_address *addr,
			 struct xf_error *err)
{
	struct xf_address found[NAMED_MAX];
	char listen[XF_ENDPOINT_STRLEN];
	size_t n;

	if (rule->listen.kind == XF_LISTEN_ADDR) {
		*addr = rule->listen.addr;
		return 0;
	}
	n = reachable(own, rule->target.addr.family, found);
	if (n > 1)
		return fail_several(rule, found, n, err);
	if (!n)
		return xf_fail(err, "%s has no %s address that others can reach: write ADDR:PORT",
			       xf_listen_format(&rule->listen, listen, sizeof(listen)),
			       rule->target.addr.family == XF_IPV6 ? "IPv6" : "IPv4");
	*addr = found[0];
	return 0;
}
