/* SPDX-License-Identifier: GPL-2.0-only */
/* What is written is read back to the same rules, and nothing is different then. */
#include "configs.h"

#include "plan.h"

/* What the plan does not look at; it does at all the rest. */
static void assert_same_words(const struct xf_rule_spec *a, const struct xf_rule_spec *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->target.port, b->target.port);
	assert_int_equal(a->expires_by_date, b->expires_by_date);
}

static void assert_no_difference(const struct config *a, const struct config *b)
{
	struct plan_rule *x = calloc(a->n_rules + 1, sizeof(*x)), *y = calloc(b->n_rules + 1, sizeof(*y));
	struct xf_error err;
	struct plan plan;

	assert_true(x && y);
	plan_rules(a->rules, a->n_rules, x);
	plan_rules(b->rules, b->n_rules, y);
	assert_int_equal(plan_make(&(struct plan_set){x, a->n_rules}, &(struct plan_set){y, b->n_rules}, &plan, &err),
			 0);
	assert_int_equal(plan.n, 0);
	assert_int_equal(plan.unchanged, a->n_rules);
	plan_free(&plan);
	free(x);
	free(y);
}

static void there_and_back(const struct config *config)
{
	struct buf text = {0}, again = {0}, lines = {0};
	struct config back;
	size_t i;

	config_write(config, &text);
	assert_false(buf_failed(&text));
	if (config_read(text.data, text.len, &back, &lines))
		fail_msg("%s\nwas written, and is refused:\n%s", text.data, lines.data);
	assert_int_equal(back.n_rules, config->n_rules);
	assert_true(back.has_rules);
	for (i = 0; i < back.n_rules; i++)
		assert_same_words(&config->rules[i], &back.rules[i]);
	assert_no_difference(config, &back);
	assert_int_equal(back.n_ifaces, config->n_ifaces);
	for (i = 0; i < back.n_ifaces; i++) {
		assert_string_equal(back.ifaces[i].name, config->ifaces[i].name);
		assert_int_equal(back.ifaces[i].mode, config->ifaces[i].mode);
	}
	assert_int_equal(back.max_rules, config->max_rules);
	assert_int_equal(back.max_flows, config->max_flows);
	assert_int_equal(back.metrics_port, config->metrics_port);
	assert_int_equal(back.metrics.family, config->metrics.family);
	config_write(&back, &again);
	assert_string_equal(text.data, again.data);
	config_free(&back);
	buf_free(&text);
	buf_free(&again);
}

static void test_random(void **state)
{
	size_t n;

	(void)state;
	random_restart();
	file_text = "192.0.2.0/25\n2001:db8:2::/48\n";
	for (n = 0; n < 60; n++) {
		struct config config = random_config(n * n % 331);

		there_and_back(&config);
		config_free(&config);
	}
}

static void test_settings(void **state)
{
	static const char *const texts[] = {
		"rules: []",
		"interfaces: [eth0, {name: br0, mode: tc}, {name: 'a\"b', mode: native}, {name: x, mode: generic}]",
		"limits: {rules: 1}",
		"limits: {flows: 16777216}",
		"{limits: {rules: 1048576, flows: 1}, metrics: {listen: '[2001:db8::1]:9977'}, interfaces: ['1']}",
		"metrics: {listen: 127.0.0.1:1}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		struct config config = config_of(texts[i]);

		there_and_back(&config);
		config_free(&config);
	}
}

static void test_as_people_read_it(void **state)
{
	struct config config = config_of(
		"interfaces: [eth0, {name: br0, mode: tc}]\n"
		"limits: {flows: 1000}\n"
		"rules:\n"
		"- {name: web, protocol: tcp, listen: ':443', target: 192.0.2.1, allow: 198.51.100.7,"
		" syn-protect: true, syn-threshold: 50, timeout: 'tcp=90m,tcp-transitory=5s',"
		" expires: 2027-01-15T11:00+01:00, source: masquerade=192.0.2.9, comment: a \"b\", disabled: true}\n");
	struct buf text = {0};

	(void)state;
	config_write(&config, &text);
	assert_string_equal(text.data, "interfaces:\n"
				       "  - \"eth0\"\n"
				       "  - {name: \"br0\", mode: tc}\n"
				       "limits:\n"
				       "    flows: 1000\n"
				       "rules:\n"
				       "  - name: \"web\"\n"
				       "    comment: \"a \\\"b\\\"\"\n"
				       "    protocol: tcp\n"
				       "    listen: \":443\"\n"
				       "    target: \"192.0.2.1\"\n"
				       "    source: \"masquerade=192.0.2.9\"\n"
				       "    allow: [\"198.51.100.7\"]\n"
				       "    expires: \"2027-01-15T10:00:00Z\"\n"
				       "    timeout: {tcp-transitory: \"5s\", tcp: \"1h30m\"}\n"
				       "    syn-protect: true\n"
				       "    syn-threshold: 50\n"
				       "    disabled: true\n");
	buf_free(&text);
	config_free(&config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_as_people_read_it),
	};

	return cmocka_run_group_tests_name("config_write", tests, NULL, NULL);
}
