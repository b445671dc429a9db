// SPDX-License-Identifier: GPL-2.0-only
/* Lines, and the words in them, as iptables-save and UCI write both. */
#include <string.h>

#include "import.h"

bool import_line(const char **text, size_t *len, struct import_line *line)
{
	const char *end;

	if (!*len)
		return false;
	end = memchr(*text, '\n', *len);
	line->text = *text;
	line->len = end ? (size_t)(end - *text) : *len;
	*len -= line->len + (end ? 1 : 0);
	*text += line->len + (end ? 1 : 0);
	if (line->len && line->text[line->len - 1] == '\r')
		line->len--;
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* One word from *at on, into `to`; returns its end there, or NULL: a quote stays open. */
static char *take_word(const struct import_line *line, size_t *at, char *to)
{
	char quote = '\0';

	for (; *at < line->len; ++*at) {
		char c = line->text[*at];

		if (!quote && is_space(c))
			break;
		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? '\0' : c;
			continue;
		}
		if (c == '\\' && quote != '\'' && *at + 1 < line->len)
			c = line->text[++*at];
		*to++ = c;
	}
	*to++ = '\0';
	return quote ? NULL : to;
}

int import_words(const struct import_line *line, struct import_words *words, struct xf_error *err)
{
	char *to = words->text;
	size_t at = 0;

	words->n = 0;
	/* Each word takes up what it has in the line, and a NUL instead of what is behind it. */
	if (line->len >= sizeof(words->text))
		return xf_fail(err, "the line is too long: %zu octets", line->len);
	if (memchr(line->text, '\0', line->len))
		return xf_fail(err, "there is a NUL in the line");
	for (;;) {
		while (at < line->len && is_space(line->text[at]))
			at++;
		if (at == line->len || line->text[at] == '#')
			return 0;
		if (words->n == IMPORT_WORDS_MAX)
			return xf_fail(err, "more than %d words in the line", IMPORT_WORDS_MAX);
		words->word[words->n] = to;
		to = take_word(line, &at, to);
		if (!to)
			return xf_fail(err, "a quote that is opened and not closed");
		words->n++;
	}
}

bool import_is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word))
		words++;
	return *words != NULL;
}
