/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text that --help has for a command's operands, as a grammar. Pure.
 *
 *	A|B C     one or the other; a space binds more tightly than a bar
 *	[A|B]     that may be absent
 *	{A|B} C   a group
 *	A...      that may come again
 *
 * A word that begins with a capital letter names a kind (NAME, FILE); others
 * are typed as they stand.
 */
#ifndef XDPFWD_USER_OPERANDS_H
#define XDPFWD_USER_OPERANDS_H

#include <stdbool.h>
#include <stddef.h>

struct operands_word {
	const char *text; /* points into the grammar; not NUL-terminated */
	size_t len;
};

#define OPERANDS_WORDS_MAX 16

/* What may stand at one place. */
struct operands_next {
	struct operands_word word[OPERANDS_WORDS_MAX];
	size_t n;
};

/* What may follow the n operands in `given`. */
void operands_next(const char *grammar, char *const *given, int n, struct operands_next *next);
/* Is it such a kind? */
bool operands_is(const struct operands_word *word, const char *kind);
bool operands_is_literal(const struct operands_word *word);

#endif
