/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configs that are too much: refused at the place where it is too much, before
 * the rest is read. That it is before is what the numbers of nodes and lines
 * show; nothing here looks at a clock.
 */
#include "configs.h"

#include "config_doc.h"

static void add_times(struct buf *text, const char *what, size_t n)
{
	while (n--)
		buf_puts(text, what);
}

/* The last line that is printed. */
static void assert_last(const struct buf *text, const char *wanted)
{
	struct buf lines = {0};
	struct config config;
	const char *last;

	if (!config_read(text->data, text->len, &config, &lines))
		fail_msg("\"%.60s...\" is taken", text->data);
	lines.data[lines.len - 1] = '\0';
	last = strrchr(lines.data, '\n');
	assert_string_equal(last ? last + 1 : lines.data, wanted);
	buf_free(&lines);
}

static void test_nesting(void **state)
{
	static const char *const parts[] = {"[", "- ", "{a: ", "? ", "a: [", "[{a: "};
	struct config_errors errors;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		struct buf text = {0};
		struct doc doc;

		memset(&errors, 0, sizeof(errors));
		add_times(&text, parts[i], (1 << 20) / strlen(parts[i]));
		doc_read(&doc, text.data, text.len, &errors);
		assert_true(doc.cut);
		assert_int_equal(errors.n, 1);
		assert_string_equal(errors.error[0].text, "this is nested too deeply");
		assert_true(doc.n <= 2 * DOC_DEPTH_MAX);
		doc_free(&doc);
		config_errors_free(&errors);
		buf_free(&text);
	}
}

static void test_nesting_at_the_edge(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "a: ");
	add_times(&text, "[", DOC_DEPTH_MAX - 1);
	add_times(&text, "]", DOC_DEPTH_MAX - 1);
	assert_last(&text, "f:1:1: unknown key a in a config");
	buf_free(&text);
	buf_puts(&text, "a: ");
	add_times(&text, "[", DOC_DEPTH_MAX);
	add_times(&text, "]", DOC_DEPTH_MAX);
	assert_last(&text, "f:1:35: this is nested too deeply");
	buf_free(&text);
}

static void test_laughs(void **state)
{
	struct buf text = {0};
	size_t i;

	(void)state;
	buf_puts(&text, "rules: []\na: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
	for (i = 1; i < 40; i++) {
		buf_printf(&text, "b%zu: &a%zu [", i, i);
		for (size_t k = 0; k < 10; k++)
			buf_printf(&text, "%s*a%zu", k ? "," : "", i - 1);
		buf_puts(&text, "]\n");
	}
	/* 10^7 are still within 16 Mi, but not so often. */
	assert_last(&text, "f:9:10: this is too much, counting what aliases stand for");
	buf_free(&text);
}

/* The same by merging: as many rules as there are, each all of those before. */
static void test_merged_laughs(void **state)
{
	struct buf text = {0};
	size_t i;

	(void)state;
	buf_puts(&text, "rules:\n- &a0 {protocol: tcp, listen: ':1', target: 192.0.2.1}\n");
	for (i = 1; i < 60; i++)
		buf_printf(&text, "- &a%zu {<<: [*a%zu, *a%zu], listen: ':%zu'}\n", i, i - 1, i - 1, i + 1);
	assert_last(&text, "f:22:14: this is too much, counting what aliases stand for");
	buf_free(&text);
}

static void test_long_chain(void **state)
{
	struct buf text = {0};
	struct config config;
	size_t i;

	(void)state;
	buf_puts(&text, "rules:\n- &a0 {protocol: tcp, listen: ':1', target: 192.0.2.1}\n");
	for (i = 1; i <= DOC_DEPTH_MAX; i++)
		buf_printf(&text, "- &a%zu {<<: *a%zu, listen: ':%zu'}\n", i, i - 1, i + 1);
	config = config_of(text.data);
	assert_int_equal(config.n_rules, DOC_DEPTH_MAX + 1);
	config_free(&config);
	buf_printf(&text, "- &a%zu {<<: *a%zu, name: last}\n", i, i - 1);
	assert_last(&text, "f:35:3: the key target is missing");
	buf_free(&text);
}

static void test_long_text(void **state)
{
	struct buf text = {0};

	(void)state;
	add_times(&text, "a", 1 << 20);
	assert_last(&text, "f:1:1: a text of 1048576 octets is too long: at most 4096");
	buf_free(&text);
	buf_puts(&text, "\"");
	add_times(&text, "\n", 1 << 20);
	assert_last(
		&text,
		"f:1048577:1: this is not YAML: found unexpected end of stream, while scanning a quoted scalar that "
		"begins in line 1");
	buf_free(&text);
	add_times(&text, "\n# ", 1 << 18);
	assert_last(&text, "f:1:1: there is nothing in this file: for no rules at all write rules: []");
	buf_free(&text);
}

static void test_large_file(void **state)
{
	struct config_errors errors;
	struct config config;
	struct config_source from = {.len = (size_t)DOC_TEXT_MAX + 1};

	(void)state;
	/* Not a single octet of it is looked at. */
	assert_int_equal(config_parse(&from, &config, &errors), -1);
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.error[0].text, "the file is too large: 134217729 octets, at most 134217728");
	config_errors_free(&errors);
}

static void test_many_directives(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text, "rules: []\n...\n");
	add_times(&text, "%TAG !a! b\n", 100000);
	assert_last(&text, "f:3:1: directives, lines that begin with %, are not supported: leave it out");
	buf_free(&text);
}

static void test_many_errors(void **state)
{
	struct buf text = {0}, lines = {0};
	struct config config;
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < CONFIG_ERRORS_MAX + 5; i++)
		buf_printf(&text, "k%zu: 1\n", i);
	assert_last(&text, "f:100000:1: there are more errors after these 100000");
	/* One that is met again and again is one. */
	buf_free(&text);
	buf_puts(&text, "rules:\n- &a {protocol: tcp, listen: ':0', target: 192.0.2.1, allow: &b [x]}\n");
	for (i = 0; i < 2 * CONFIG_ERRORS_MAX + 5; i++)
		buf_puts(&text, "- *a\n");
	assert_int_equal(config_read(text.data, text.len, &config, &lines), -1);
	for (i = 0; i < lines.len; i++)
		n += lines.data[i] == '\n';
	assert_int_equal(n, 2);
	buf_free(&text);
	buf_free(&lines);
}

/* So many that comparing each with each would take minutes, here where all is checked. */
static void test_many_rules(void **state)
{
	struct buf text = {0}, lines = {0};
	struct config config;
	size_t i;

	(void)state;
	buf_puts(&text, "rules:\n");
	for (i = 0; i < 50000; i++)
		buf_printf(&text, "- {protocol: tcp+udp, listen: '198.18.%zu.%zu:443', target: 192.0.2.1}\n", i >> 8,
			   i & 255);
	config = config_of(text.data);
	assert_int_equal(config.n_rules, 50000);
	assert_string_equal(config.rules[49999].name, "tcp+udp-443-50000");
	config_free(&config);
	buf_free(&text);

	buf_puts(&text, "rules:\n");
	for (i = 0; i < 50000; i++)
		buf_printf(&text, "- {protocol: tcp, listen: ':%zu-65535', target: 192.0.2.1}\n", 1 + i);
	config_read(text.data, text.len, &config, &lines);
	assert_non_null(strstr(lines.data, "f:50001:27: rule tcp-1-65535 in line 2 listens on tcp :1-65535 already\n"));
	buf_free(&text);
	buf_free(&lines);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nesting),	    cmocka_unit_test(test_nesting_at_the_edge),
		cmocka_unit_test(test_laughs),	    cmocka_unit_test(test_merged_laughs),
		cmocka_unit_test(test_long_chain),  cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_large_file),  cmocka_unit_test(test_many_directives),
		cmocka_unit_test(test_many_errors), cmocka_unit_test(test_many_rules),
	};

	return cmocka_run_group_tests_name("config_limits", tests, NULL, NULL);
}
