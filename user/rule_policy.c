/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rule asks of newcomers: what is wrong with it, and its form in the maps. */
#include "rule.h"

#include <string.h>

#include "rate.h"
#include "timeouts.h"

static int allow_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	bool v6 = rule->target.addr.family == XF_IPV6;

	if (!rule->allow || xf_prefixes_has_family(rule->allow, rule->target.addr.family))
		return 0;
	if (!rule->allow->n)
		return xf_fail(err,
			       "--allow %.100s has no network in it: nobody could connect; leave it out, or use "
			       "--disabled",
			       rule->allow->given);
	return xf_fail(err, "--allow %.100s has no %s network in it, but the target is %s: nobody could connect",
		       rule->allow->given, v6 ? "IPv6" : "IPv4", v6 ? "IPv6" : "IPv4");
}

static int timeout_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	int i;

	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		if (rule->timeout[i] && !(rule->protos & xf_timeout_proto((enum xf_timeout)i)))
			return xf_fail(err, "--timeout %s: the rule is about %s only",
				       xf_timeout_name((enum xf_timeout)i), xf_protos_format(rule->protos));
	return 0;
}

int xf_policy_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	if (allow_check(rule, err) || timeout_check(rule, err))
		return -1;
	if (rule->max_flows && rule->max_flows_per_source > rule->max_flows)
		return xf_fail(err, "--max-flows-per-source %u is more than --max-flows %u", rule->max_flows_per_source,
			       rule->max_flows);
	if (rule->syn_threshold && !(rule->protos & XF_PROTO_TCP))
		return xf_fail(err, "--syn-protect is about TCP, and the rule about UDP only");
	return 0;
}

bool xf_policy_encode(const struct xf_rule_spec *spec, uint32_t hz, struct xf_policy *policy)
{
	static const struct xf_policy nothing;
	int i;

	memset(policy, 0, sizeof(*policy));
	xf_rate_bucket(&spec->rate, hz, &policy->rate_cost, &policy->rate_burst);
	xf_rate_bucket(&spec->source_rate, hz, &policy->source_rate_cost, &policy->source_rate_burst);
	policy->max_flows = spec->max_flows;
	policy->max_flows_per_source = spec->max_flows_per_source;
	policy->syn_threshold = spec->syn_threshold;
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		policy->timeout[i] = spec->timeout[i] * hz;
	return spec->allow || spec->deny || memcmp(policy, &nothing, sizeof(nothing));
}

void xf_policy_decode(const struct xf_policy *policy, uint32_t hz, struct xf_rule_spec *spec)
{
	int i;

	spec->max_flows = policy->max_flows;
	spec->max_flows_per_source = policy->max_flows_per_source;
	spec->syn_threshold = policy->syn_threshold;
	for (i = 0; i < XF_TIMEOUT_COUNT; i++)
		spec->timeout[i] = hz ? policy->timeout[i] / hz : 0;
}
