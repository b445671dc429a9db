// SPDX-License-Identifier: GPL-2.0-only
#include "operands.h"

#include <ctype.h>
#include <string.h>

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The text up to the first `end` that is in no brackets; takes it and that `end` off *rest. */
static struct operands_word take(struct operands_word *rest, char end)
{
	struct operands_word part = {.text = rest->text};
	int depth = 0;

	while (part.len < rest->len && (depth || part.text[part.len] != end)) {
		depth += part.text[part.len] == '[' || part.text[part.len] == '{';
		depth -= part.text[part.len] == ']' || part.text[part.len] == '}';
		part.len++;
	}
	rest->text += min_size(part.len + 1, rest->len);
	rest->len -= min_size(part.len + 1, rest->len);
	return part;
}

static bool ends_with(const struct operands_word *word, const char *end)
{
	size_t len = strlen(end);

	return word->len >= len && !memcmp(word->text + word->len - len, end, len);
}

/* [X] and {X} become X; false if what the item begins with does not enclose it whole. */
static bool strip(struct operands_word *item)
{
	struct operands_word inside;

	if (item->len < 2 || (item->text[0] != '[' && item->text[0] != '{'))
		return false;
	inside = (struct operands_word){item->text + 1, item->len - 1};
	inside = take(&inside, item->text[0] == '[' ? ']' : '}');
	if (inside.len != item->len - 2)
		return false;
	*item = inside;
	return true;
}

/* Its words without brackets and dots; true if it may come again. */
static bool unwrap(struct operands_word *item)
{
	bool again = false;

	for (;;) {
		if (ends_with(item, "...")) {
			item->len -= 3;
			again = true;
		} else if (!strip(item)) {
			return again;
		}
	}
}

bool operands_is_literal(const struct operands_word *word)
{
	return word->len && !isupper((unsigned char)word->text[0]);
}

bool operands_is(const struct operands_word *word, const char *kind)
{
	return strlen(kind) == word->len && !memcmp(word->text, kind, word->len);
}

/* Can `given` stand where the item is? Of kinds this is not for us to say. */
static bool accepts(struct operands_word item, const char *given)
{
	while (item.len) {
		struct operands_word word = take(&item, '|');

		if (!operands_is_literal(&word) || operands_is(&word, given))
			return true;
	}
	return false;
}

static void add(struct operands_next *next, struct operands_word item)
{
	while (item.len && next->n < OPERANDS_WORDS_MAX)
		next->word[next->n++] = take(&item, '|');
}

/* One alternative: its items, in their order. */
static void follow(struct operands_word rest, char *const *given, int n, struct operands_next *next)
{
	struct operands_word item;
	bool again;
	int i = 0;

	while (rest.len) {
		item = take(&rest, ' ');
		again = unwrap(&item);
		do {
			if (i == n) {
				add(next, item);
				return;
			}
			if (!accepts(item, given[i]))
				return;
			i++;
		} while (again);
	}
}

void operands_next(const char *grammar, char *const *given, int n, struct operands_next *next)
{
	struct operands_word rest = {.text = grammar, .len = strlen(grammar)};

	next->n = 0;
	strip(&rest);
	while (rest.len)
		follow(take(&rest, '|'), given, n, next);
}
