/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

static uint32_t random_state;

void random_restart(void)
{
	random_state = 0x2545f491;
}

uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

void assert_error(const char *input, const struct xf_error *err, const char *words)
{
	char copy[256], *word, *rest = copy;

	snprintf(copy, sizeof(copy), "%s", words);
	if (!*err->text || strchr(err->text, '\n'))
		fail_msg("%s: the error is not one line: \"%s\"", input, err->text);
	while ((word = strsep(&rest, "|")))
		if (!strstr(err->text, word))
			fail_msg("%s: \"%s\" does not say \"%s\"", input, err->text, word);
}

char *tight(const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = malloc(n);

	assert_non_null(copy);
	return memcpy(copy, text, n);
}
