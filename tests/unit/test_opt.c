/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines: what is taken, in which order, what is refused and in which words. */
#include "support.h"

#include "opt.h"

static struct {
	bool json, force;
	const char *name;
	uint32_t limit;
	struct opt_list allow;
} given;

static const struct opt options[] = {
	{"json", NULL, "JSON instead of text", OPT_FLAG, &given.json, 0, 0},
	{"force", NULL, "do it anyway", OPT_FLAG, &given.force, 0, 0},
	{"name", "NAME", "what to call it", OPT_TEXT, &given.name, 0, 0},
	{"limit", "N", "so many", OPT_U32, &given.limit, 1, 100},
	{"allow", "NET,...", "only these", OPT_LIST, &given.allow, 0, 0},
	{0},
};

static const struct opt_command command = {
	.name = "map add",
	.operands = "PROTO [LISTEN]",
	.about = "Makes a rule.",
	.example = "  xdpfwd map add tcp :443",
	.options = options,
	.min_operands = 1,
	.max_operands = 2,
};

static int argc;
static char *argv[OPT_LIST_MAX + 4];

/* Splits `line` at blanks into arguments that ASan guards, "''" being an empty one; and parses them. */
static enum opt_result parse(const struct opt_command *cmd, const char *line, struct xf_error *err)
{
	static char copy[512];
	char *word;
	int i;

	memset(&given, 0, sizeof(given));
	for (i = 0; i < argc; i++)
		argv[i] = NULL;
	argc = 0;
	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") ? word : (char *)"";
	argv[argc] = NULL;
	return opt_parse(cmd, &argc, argv, err);
}

/* Each time that it is given adds to it, up to a limit. */
static void test_list(void **state)
{
	char line[512] = "tcp";
	struct xf_error err;
	int i;

	(void)state;
	assert_int_equal(parse(&command, "--allow a tcp --allow=b,c --allow a", &err), OPT_GO_ON);
	assert_int_equal(given.allow.n, 3);
	assert_string_equal(given.allow.text[0], "a");
	assert_string_equal(given.allow.text[1], "b,c");
	assert_string_equal(given.allow.text[2], "a");
	assert_int_equal(parse(&command, "tcp --allow", &err), OPT_WRONG);
	assert_error("--allow", &err, "--allow needs a value");
	for (i = 0; i < OPT_LIST_MAX; i++)
		strcat(line, " --allow=a");
	assert_int_equal(parse(&command, line, &err), OPT_GO_ON);
	assert_int_equal(given.allow.n, OPT_LIST_MAX);
	strcat(line, " --allow=a");
	assert_int_equal(parse(&command, line, &err), OPT_WRONG);
	assert_error("--allow", &err, "--allow is given more than 32 times");
}

static void test_taken(void **state)
{
	static const struct {
		const char *line;
		const char *operands; /* joined by blanks */
		bool json, force;
		const char *name;
		uint32_t limit;
	} cases[] = {
		{"tcp", "tcp", false, false, NULL, 0},
		{"tcp :443", "tcp :443", false, false, NULL, 0},
		{"--json tcp", "tcp", true, false, NULL, 0},
		{"tcp --json :443 --force", "tcp :443", true, true, NULL, 0},
		{"--name web tcp", "tcp", false, false, "web", 0},
		{"tcp --name=web", "tcp", false, false, "web", 0},
		{"tcp --name=a=b", "tcp", false, false, "a=b", 0},
		{"tcp --name=", "tcp", false, false, "", 0},
		{"tcp --name ''", "tcp", false, false, "", 0},
		{"tcp --name --json", "tcp", false, false, "--json", 0},
		{"tcp --name a --name b", "tcp", false, false, "b", 0},
		{"--limit 1 tcp", "tcp", false, false, NULL, 1},
		{"--limit=100 tcp", "tcp", false, false, NULL, 100},
		{"-- --json", "--json", false, false, NULL, 0},
		{"tcp -- --json", "tcp --json", false, false, NULL, 0},
		{"--json -- tcp --", "tcp --", true, false, NULL, 0},
		{"-", "-", false, false, NULL, 0},
		{"''", "", false, false, NULL, 0},
	};
	char joined[256];
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int at = 0, a;

		print_message("%s\n", cases[i].line);
		assert_int_equal(parse(&command, cases[i].line, &err), OPT_GO_ON);
		joined[0] = '\0';
		for (a = 0; a < argc; a++)
			at += snprintf(joined + at, sizeof(joined) - (size_t)at, "%s%s", a ? " " : "", argv[a]);
		assert_string_equal(joined, cases[i].operands);
		assert_int_equal(given.json, cases[i].json);
		assert_int_equal(given.force, cases[i].force);
		assert_int_equal(given.limit, cases[i].limit);
		if (cases[i].name)
			assert_string_equal(given.name, cases[i].name);
		else
			assert_null(given.name);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *line;
		const char *words;
	} cases[] = {
		{"tcp --bogus", "unknown option|--bogus"},
		{"tcp --bogus=1", "unknown option|--bogus=1"},
		{"tcp -x", "unknown option|-x"},
		{"tcp --jso", "unknown option|--jso"},
		{"tcp --jsonx", "unknown option|--jsonx"},
		{"tcp -json", "unknown option|-json"},
		{"tcp --=", "unknown option"},
		{"tcp --json=1", "--json|takes no value"},
		{"tcp --name", "--name|needs a value|NAME"},
		{"tcp --limit", "--limit|needs a value"},
		{"tcp --limit 0", "--limit|0|from 1 to 100"},
		{"tcp --limit 101", "--limit|101"},
		{"tcp --limit 5x", "--limit|5x"},
		{"tcp --limit -5", "--limit|-5"},
		{"tcp --limit=", "--limit|\"\""},
		{"", "missing|PROTO [LISTEN]"},
		{"--json", "missing"},
		{"a b c", "c is too much|PROTO [LISTEN]"},
		{"--bogus a b c", "unknown option|--bogus"},
	};
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].line);
		memset(&err, 0, sizeof(err));
		assert_int_equal(parse(&command, cases[i].line, &err), OPT_WRONG);
		assert_error(cases[i].line, &err, cases[i].words);
	}
}

/* --json must count even behind the mistake: it says where the error goes. */
static void test_json_despite_error(void **state)
{
	struct xf_error err;

	(void)state;
	assert_int_equal(parse(&command, "tcp --bogus --json", &err), OPT_WRONG);
	assert_true(given.json);
	assert_int_equal(parse(&command, "--limit x --json a b c", &err), OPT_WRONG);
	assert_true(given.json);
	assert_error("first mistake", &err, "--limit");
	assert_int_equal(parse(&command, "--bogus -- --json", &err), OPT_WRONG);
	assert_false(given.json);
}

static void test_help_wins(void **state)
{
	struct xf_error err;

	(void)state;
	assert_int_equal(parse(&command, "--help", &err), OPT_HELP);
	assert_int_equal(parse(&command, "-h", &err), OPT_HELP);
	assert_int_equal(parse(&command, "a b c --bogus --help", &err), OPT_HELP);
	assert_int_equal(parse(&command, "a -- --help", &err), OPT_GO_ON);
	assert_int_equal(parse(&command, "a --name --help", &err), OPT_GO_ON);
}

/* Of "xdpfwd --json load --force" only what stands before "load" is the tool's. */
static void test_stops_at_command(void **state)
{
	struct opt_command tool = command;
	struct xf_error err;

	(void)state;
	tool.stops = true;
	tool.min_operands = 0;
	tool.max_operands = -1;
	assert_int_equal(parse(&tool, "--json load --force --bogus --help", &err), OPT_GO_ON);
	assert_true(given.json);
	assert_false(given.force);
	assert_int_equal(argc, 4);
	assert_string_equal(argv[0], "load");
	assert_string_equal(argv[3], "--help");
	assert_int_equal(parse(&tool, "--name x -- --force", &err), OPT_GO_ON);
	assert_int_equal(argc, 1);
	assert_string_equal(argv[0], "--force");
	assert_int_equal(parse(&tool, "", &err), OPT_GO_ON);
	assert_int_equal(argc, 0);
}

static void test_help_text(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	opt_help(&command, to);
	fclose(to);
	assert_string_equal(text, "Usage: xdpfwd map add PROTO [LISTEN] [OPTIONS]\n\n"
				  "Makes a rule.\n\n"
				  "Options:\n"
				  "  --json                         JSON instead of text\n"
				  "  --force                        do it anyway\n"
				  "  --name NAME                    what to call it\n"
				  "  --limit N                      so many\n"
				  "  --allow NET,...                only these\n"
				  "  --help                         this text\n\n"
				  "Example:\n"
				  "  xdpfwd map add tcp :443\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),	  cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_json_despite_error),
		cmocka_unit_test(test_help_wins), cmocka_unit_test(test_stops_at_command),
		cmocka_unit_test(test_help_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
