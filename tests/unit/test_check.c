/* SPDX-License-Identifier: GPL-2.0-only */
/* What the doctor says of which findings. */
#include "support.h"

#include <string.h>

#include "check.h"

/* One interface and one rule that are well; a test spoils what it is about. */
struct patient {
	struct dp_iface iface;
	struct dp_status status;
	struct check_forwarding forwarding;
	struct dp_rule rule;
	const struct dp_rule *rules[1];
	struct check_input in;
};

static void healthy(struct patient *p)
{
	struct xf_error err;

	*p = (struct patient){
		.iface = {.name = "wan0", .tier = XF_TIER_NATIVE, .reason = "the driver has XDP"},
		.status = {.n_ifaces = 1, .rules = 1, .max_rules = 100, .max_flows = 1000, .flows_established = 10},
		.forwarding = {.ipv4 = 1, .ipv6 = 0},
		.rule = {.packets_in = 5, .packets_out = 4},
	};
	strcpy(p->rule.spec.name, "web");
	p->rule.spec.protos = XF_PROTO_TCP;
	assert_int_equal(xf_target_parse("192.0.2.10:8443", &p->rule.spec.target, &err), 0);
	p->status.ifaces = &p->iface;
	p->rules[0] = &p->rule;
	p->in = (struct check_input){&p->status, &p->forwarding, p->rules, 1};
}

/* The result of the one check of that id, or "none". */
static const char *result_of(const json_t *checks, const char *id, bool *remedy)
{
	const char *found = "none";
	json_t *c;
	size_t i;

	json_array_foreach(checks, i, c) {
		if (strcmp(json_string_value(json_object_get(c, "id")), id))
			continue;
		assert_string_equal(found, "none");
		found = json_string_value(json_object_get(c, "result"));
		*remedy = json_is_string(json_object_get(c, "remedy"));
	}
	return found;
}

/* Whatever is not ok has a remedy, and nothing else has one; the exit code is about failures. */
static void assert_finding(struct patient *p, const char *id, const char *result)
{
	json_t *checks = check_judge(&p->in);
	bool remedy = false;

	assert_non_null(checks);
	assert_string_equal(result_of(checks, id, &remedy), result);
	assert_int_equal(remedy, !strcmp(result, "warning") || !strcmp(result, "failure"));
	assert_int_equal(check_failed(checks), !strcmp(result, "failure"));
	json_decref(checks);
}

static void test_healthy(void **state)
{
	static const char *const well[] = {"tier", "forwarding", "rules-limit", "flow-table", "rule", "replies"};
	struct patient p;
	size_t i;

	(void)state;
	healthy(&p);
	for (i = 0; i < ARRAY_SIZE(well); i++)
		assert_finding(&p, well[i], "ok");
	assert_finding(&p, "interfaces", "none");
	assert_finding(&p, "masquerade-ports", "none");
}

static void test_interfaces(void **state)
{
	struct patient p;

	(void)state;
	healthy(&p);
	p.iface.tier = XF_TIER_GENERIC;
	assert_finding(&p, "tier", "warning");
	p.status.n_ifaces = 0;
	assert_finding(&p, "interfaces", "failure");
}

/* Of a family that some rule forwards; what a local target is sent needs none. */
static void test_forwarding(void **state)
{
	struct patient p;
	struct xf_error err;

	(void)state;
	healthy(&p);
	p.forwarding.ipv4 = 0;
	assert_finding(&p, "forwarding", "failure");
	p.rule.local = true;
	assert_finding(&p, "forwarding", "none");
	p.rule.local = false;
	p.forwarding.ipv4 = -1;
	assert_finding(&p, "forwarding", "none");
	assert_int_equal(xf_target_parse("[2001:db8::1]:8443", &p.rule.spec.target, &err), 0);
	assert_finding(&p, "forwarding", "failure");
	p.forwarding.ipv6 = 2;
	assert_finding(&p, "forwarding", "ok");
}

static void test_limits(void **state)
{
	struct patient p;

	(void)state;
	healthy(&p);
	p.status.rules = 90;
	assert_finding(&p, "rules-limit", "warning");
	p.status.flows_established = 900;
	assert_finding(&p, "flow-table", "warning");
	p.status.flows_established = 1000;
	assert_finding(&p, "flow-table", "failure");
	p.status.flows_established = 10;
	p.rule.drops[XF_REASON_FLOW_TABLE_FULL] = 1;
	assert_finding(&p, "flow-table", "warning");
}

static void test_rule(void **state)
{
	struct patient p;

	(void)state;
	healthy(&p);
	p.rule.expired = true;
	assert_finding(&p, "rule", "warning");
	p.rule.drops[XF_REASON_PORTS_EXHAUSTED] = 3;
	assert_finding(&p, "masquerade-ports", "warning");
	p.rule.drops[XF_REASON_MAX_FLOWS] = 3;
	assert_finding(&p, "max-flows", "warning");
	p.rule.drops[XF_REASON_DENIED] = 3;
	assert_finding(&p, "denied", "none");
}

static void test_replies(void **state)
{
	struct patient p;

	(void)state;
	healthy(&p);
	p.rule.packets_out = 0;
	assert_finding(&p, "replies", "failure");
	p.rule.spec.protos = XF_PROTO_UDP;
	assert_finding(&p, "replies", "warning");
	p.rule.packets_in = 0;
	assert_finding(&p, "replies", "ok");
	/* Only of those that were asked for. */
	p.in.n_rules = 0;
	assert_finding(&p, "replies", "none");
}

static void test_target(void **state)
{
	struct patient p;

	(void)state;
	healthy(&p);
	assert_finding(&p, "target", "none");
	p.rule.health = DP_HEALTH_UP;
	assert_finding(&p, "target", "ok");
	p.rule.health = DP_HEALTH_DOWN;
	assert_finding(&p, "target", "failure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy), cmocka_unit_test(test_interfaces), cmocka_unit_test(test_forwarding),
		cmocka_unit_test(test_limits),	cmocka_unit_test(test_rule),	   cmocka_unit_test(test_replies),
		cmocka_unit_test(test_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
