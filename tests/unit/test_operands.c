/* SPDX-License-Identifier: GPL-2.0-only */
/* What may follow the operands given, by the text of --help. */
#include "support.h"

#include "operands.h"

#define GIVEN_MAX 4

/* What may come next, joined by spaces. */
static const char *next_text(const char *grammar, const char *const *given)
{
	static char text[256];
	struct operands_next next;
	size_t i, len = 0;
	int n = 0;

	while (given[n])
		n++;
	operands_next(grammar, (char *const *)given, n, &next);
	text[0] = '\0';
	for (i = 0; i < next.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", i ? " " : "", (int)next.word[i].len,
					next.word[i].text);
	return text;
}

static void test_grammars(void **state)
{
	static const struct {
		const char *grammar;
		const char *given[GIVEN_MAX];
		const char *next;
	} cases[] = {
		{"", {NULL}, ""},
		{"NAME", {NULL}, "NAME"},
		{"NAME", {"web", NULL}, ""},
		{"NAME...", {"web", "mail", NULL}, "NAME"},
		{"[NAME...]", {NULL}, "NAME"},
		{"[NAME...]", {"web", "mail", NULL}, "NAME"},
		{"PROTO LISTEN TARGET", {NULL}, "PROTO"},
		{"PROTO LISTEN TARGET", {"tcp", NULL}, "LISTEN"},
		{"PROTO LISTEN TARGET", {"tcp", ":1", "x", NULL}, ""},
		/* A space binds more tightly than a bar, so that both can go on. */
		{"NAME...|PROTO LISTEN", {NULL}, "NAME PROTO"},
		{"NAME...|PROTO LISTEN", {"tcp", NULL}, "NAME LISTEN"},
		{"[flush|who PORT]", {NULL}, "flush who"},
		{"[flush|who PORT]", {"who", NULL}, "PORT"},
		{"[flush|who PORT]", {"flush", NULL}, ""},
		{"CIDR...|list|lift CIDR...", {NULL}, "CIDR list lift"},
		{"{nft|fw4} [FILE|-]", {NULL}, "nft fw4"},
		{"{nft|fw4} [FILE|-]", {"fw4", NULL}, "FILE -"},
		{"{nft|fw4} [FILE|-]", {"nosuch", NULL}, ""},
		{"[A] [B]", {"a", NULL}, "B"},
		{"auto|masquerade[=ADDR|x]", {NULL}, "auto masquerade[=ADDR|x]"},
		/* Nothing that can be written there breaks it. */
		{"[", {NULL}, "["},
		{"]|}", {NULL}, "]|}"},
		{"...", {"x", NULL}, ""},
		{"  A", {NULL}, ""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(next_text(cases[i].grammar, cases[i].given), cases[i].next);
}

static void test_words(void **state)
{
	struct operands_next next;

	(void)state;
	operands_next("a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r", NULL, 0, &next);
	assert_int_equal(next.n, OPERANDS_WORDS_MAX);
	operands_next("FILE|--all", NULL, 0, &next);
	assert_true(operands_is(&next.word[0], "FILE"));
	assert_false(operands_is(&next.word[0], "FILES"));
	assert_false(operands_is_literal(&next.word[0]));
	assert_true(operands_is_literal(&next.word[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammars),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
