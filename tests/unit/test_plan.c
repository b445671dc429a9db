/* SPDX-License-Identifier: GPL-2.0-only */
/* The difference between two rule sets, in lines and as JSON. */
#include "configs.h"

#include "plan.h"

struct side {
	struct config config;
	struct plan_rule *rules;
};

static struct side side_of(const char *text)
{
	struct side side = {.config = config_of(text)};

	side.rules = calloc(side.config.n_rules + 1, sizeof(*side.rules));
	assert_non_null(side.rules);
	plan_rules(side.config.rules, side.config.n_rules, side.rules);
	return side;
}

static void side_free(struct side *side)
{
	config_free(&side->config);
	free(side->rules);
}

static struct plan plan_of(const struct side *running, const struct side *wanted)
{
	struct xf_error err;
	struct plan plan;

	assert_int_equal(plan_make(&(struct plan_set){running->rules, running->config.n_rules},
				   &(struct plan_set){wanted->rules, wanted->config.n_rules}, &plan, &err),
			 0);
	return plan;
}

static void assert_plan(const char *running, const char *wanted, const char *lines)
{
	struct side a = side_of(running), b = side_of(wanted);
	struct plan plan = plan_of(&a, &b);
	struct buf text = {0};

	plan_write(&plan, &text);
	assert_string_equal(text.data ? text.data : "", lines);
	assert_int_equal(plan.n, plan.added + plan.changed + plan.removed);
	assert_int_equal(plan.added + plan.changed + plan.unchanged, b.config.n_rules);
	assert_int_equal(plan.removed + plan.changed + plan.unchanged, a.config.n_rules);
	buf_free(&text);
	plan_free(&plan);
	side_free(&a);
	side_free(&b);
}

#define A "- {name: a, protocol: tcp, listen: ':1', target: 192.0.2.1"
#define B "- {name: b, protocol: udp, listen: ':2', target: '[2001:db8::1]:3'"
#define C "- {name: c, protocol: tcp, listen: ':3', target: 192.0.2.1"

static void test_sets(void **state)
{
	(void)state;
	assert_plan("rules: []", "rules: []", "");
	assert_plan("rules:\n" A "}\n" B "}\n", "rules:\n" B "}\n" A "}\n", "");
	assert_plan("rules: []", "rules:\n" A "}\n" B ", disabled: true}\n",
		    "added a: tcp :1 -> 192.0.2.1\nadded b: udp :2 -> [2001:db8::1]:3 (disabled)\n");
	assert_plan("rules:\n" A "}\n" B "}\n", "rules: []",
		    "removed a: tcp :1 -> 192.0.2.1\nremoved b: udp :2 -> [2001:db8::1]:3\n");
	assert_plan("rules:\n" A "}\n" B "}\n", "rules:\n" C "}\n" B ", rate: 1/s}\n",
		    "removed a: tcp :1 -> 192.0.2.1\n"
		    "added c: tcp :3 -> 192.0.2.1\n"
		    "changed b: rate none -> 1/s\n");
	/* The same endpoint under another name is another rule. */
	assert_plan("rules:\n" A "}\n", "rules: [{name: z, protocol: tcp, listen: ':1', target: 192.0.2.1}]",
		    "removed a: tcp :1 -> 192.0.2.1\nadded z: tcp :1 -> 192.0.2.1\n");
}

/* Each field, from a rule without it, and what becomes of the flows. */
static void test_fields(void **state)
{
	static const struct {
		const char *rule, *line;
	} cases[] = {
		{"protocol: udp, listen: ':1', target: 192.0.2.1", "protocol tcp -> udp; its flows end"},
		{"protocol: tcp+udp, listen: ':1', target: 192.0.2.1", "protocol tcp -> tcp+udp; its flows end"},
		{"protocol: tcp, listen: ':1-2', target: 192.0.2.1", "listen :1 -> :1-2; its flows end"},
		{"protocol: tcp, listen: 'eth0:1', target: 192.0.2.1", "listen :1 -> eth0:1; its flows end"},
		{"protocol: tcp, listen: '192.0.2.9:1', target: 192.0.2.1", "listen :1 -> 192.0.2.9:1; its flows end"},
		{"protocol: tcp, listen: ':1', target: 192.0.2.2", "target 192.0.2.1 -> 192.0.2.2; its flows end"},
		{"protocol: tcp, listen: ':1', target: '192.0.2.1:2'",
		 "target 192.0.2.1 -> 192.0.2.1:2; its flows end"},
		{"protocol: tcp, listen: ':1', target: '192.0.2.1:1'", NULL},
		{"protocol: tcp, listen: ':1', target: '[2001:db8::1]'",
		 "target 192.0.2.1 -> [2001:db8::1]; its flows end"},
		{"protocol: tcp, listen: ':2', target: 192.0.2.1", "listen :1 -> :2; its flows end"},
		{"SAME, source: preserve", "source auto -> preserve; its flows end"},
		{"SAME, source: masquerade=192.0.2.9-192.0.2.10",
		 "source auto -> masquerade=192.0.2.9-192.0.2.10; its flows end"},
		{"SAME, source: masquerade=192.0.2.9", "source auto -> masquerade=192.0.2.9; its flows end"},
		{"SAME, source: auto", NULL},
		{"SAME, allow: 198.51.100.0/24", "allow none -> 198.51.100.0/24"},
		{"SAME, deny: ['@list']", "deny none -> @/list"},
		{"SAME, rate: '1/min,burst=2'", "rate none -> 1/min,burst=2"},
		{"SAME, rate-per-source: 1/d", "rate_per_source none -> 1/d"},
		{"SAME, max-flows: 5, max-flows-per-source: 4", "max_flows none -> 5, max_flows_per_source none -> 4"},
		{"SAME, expires: 2h", "expires none -> 2027-01-15T10:00:00Z"},
		{"SAME, timeout: 'tcp=90m,tcp-transitory=5s'", "timeouts none -> tcp-transitory=5s,tcp=1h30m"},
		{"SAME, syn-protect: true", "syn_threshold none -> 1000"},
		{"SAME, comment: a b", "comment \"\" -> \"a b\""},
		{"SAME, stateless: true, source: preserve",
		 "source auto -> preserve, stateless no -> yes; its flows end"},
		{"SAME, disabled: true", "enabled yes -> no"},
		{"SAME, disabled: true, source: preserve", "source auto -> preserve, enabled yes -> no; its flows end"},
	};
	char text[256], line[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bool same = !strncmp(cases[i].rule, "SAME", 4);

		snprintf(text, sizeof(text), "rules: [{name: a, %s%s}]",
			 same ? "protocol: tcp, listen: ':1', target: 192.0.2.1" : "", cases[i].rule + (same ? 4 : 0));
		snprintf(line, sizeof(line), cases[i].line ? "changed a: %s\n" : "", cases[i].line);
		assert_plan("rules:\n" A "}\n", text, line);
	}
	assert_plan("rules:\n" A ", comment: x, rate: 1/s}\n", "rules:\n" A "}\n",
		    "changed a: rate 1/s -> none, comment \"x\" -> \"\"\n");
}

/* The file is the same, and there are others in it now. */
static void test_file_changes(void **state)
{
	static const char text[] = "rules:\n" A ", deny: '@list', allow: '198.51.100.0/24'}\n";
	struct side before = side_of(text), after;
	struct buf line = {0};
	struct plan plan;

	(void)state;
	file_text = "192.0.2.128/25\n";
	after = side_of(text);
	file_text = "192.0.2.0/25\n";
	plan = plan_of(&before, &after);
	plan_write(&plan, &line);
	assert_string_equal(line.data, "changed a: deny @/list: other networks in the file\n");
	buf_free(&line);
	plan_free(&plan);
	side_free(&before);
	side_free(&after);
}

static void test_record(void **state)
{
	struct side a = side_of("rules:\n" A "}\n" B "}\n" C "}\n");
	struct side b = side_of("rules:\n" A ", rate: 1/s, disabled: true}\n" C "}\n"
				"- {name: d, protocol: tcp, listen: ':9', target: 192.0.2.1}\n");
	struct plan plan = plan_of(&a, &b);
	json_t *record = plan_record(&plan);
	char *text;

	(void)state;
	assert_non_null(record);
	text = json_dumps(record, JSON_COMPACT);
	assert_string_equal(
		text,
		"{\"added\":1,\"changed\":1,\"removed\":1,\"unchanged\":1,\"changes\":["
		"{\"change\":\"removed\",\"name\":\"b\",\"protocol\":\"udp\",\"listen\":\":2\","
		"\"target\":\"[2001:db8::1]:3\",\"keeps_flows\":false,\"fields\":{}},"
		"{\"change\":\"changed\",\"name\":\"a\",\"protocol\":\"tcp\",\"listen\":\":1\",\"target\":\"192.0.2."
		"1\","
		"\"keeps_flows\":true,\"fields\":{\"rate\":{\"from\":null,\"to\":\"1/s\"},"
		"\"enabled\":{\"from\":true,\"to\":false}}},"
		"{\"change\":\"added\",\"name\":\"d\",\"protocol\":\"tcp\",\"listen\":\":9\",\"target\":\"192.0.2.1\","
		"\"keeps_flows\":false,\"fields\":{}}]}");
	free(text);
	json_decref(record);
	plan_free(&plan);
	side_free(&a);
	side_free(&b);
}

static void test_twice(void **state)
{
	struct xf_rule_spec specs[2] = {{.name = "a"}, {.name = "a"}};
	struct plan_rule rules[2];
	struct xf_error err;
	struct plan plan;

	(void)state;
	plan_rules(specs, 2, rules);
	assert_int_equal(plan_make(&(struct plan_set){rules, 1}, &(struct plan_set){rules, 2}, &plan, &err), -1);
	assert_error("two rules", &err, "two rules named a");
	assert_null(plan.change);
}

/* Of random sets: what the lines count is what the sets have, and there and back are one another's reverse. */
static void test_random(void **state)
{
	size_t round;

	(void)state;
	random_restart();
	for (round = 0; round < 40; round++) {
		struct side a = {.config = random_config(random_below(40))},
			    b = {.config = random_config(random_below(40))};
		struct plan there, back;

		a.rules = calloc(a.config.n_rules + 1, sizeof(*a.rules));
		b.rules = calloc(b.config.n_rules + 1, sizeof(*b.rules));
		assert_true(a.rules && b.rules);
		plan_rules(a.config.rules, a.config.n_rules, a.rules);
		plan_rules(b.config.rules, b.config.n_rules, b.rules);
		there = plan_of(&a, &b);
		back = plan_of(&b, &a);
		assert_int_equal(there.added, back.removed);
		assert_int_equal(there.removed, back.added);
		assert_int_equal(there.changed, back.changed);
		assert_int_equal(there.unchanged, back.unchanged);
		assert_int_equal(there.removed + there.changed + there.unchanged, a.config.n_rules);
		plan_free(&there);
		plan_free(&back);
		there = plan_of(&a, &a);
		assert_int_equal(there.n, 0);
		plan_free(&there);
		side_free(&a);
		side_free(&b);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),   cmocka_unit_test(test_fields), cmocka_unit_test(test_file_changes),
		cmocka_unit_test(test_record), cmocka_unit_test(test_twice),  cmocka_unit_test(test_random),
	};

	file_text = "192.0.2.0/25\n";
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
