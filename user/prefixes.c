// SPDX-License-Identifier: GPL-2.0-only
#include "prefixes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any network. */
#define WORD_MAX 80

void xf_prefixes_free(struct xf_prefixes *list)
{
	free(list->net);
	memset(list, 0, sizeof(*list));
}

static int add_net(struct xf_prefixes *list, const struct cidr *net, struct xf_error *err)
{
	size_t room = list->room ? 2 * list->room : 64;
	struct cidr *grown;

	if (list->n == list->room) {
		grown = realloc(list->net, room * sizeof(*grown));
		if (!grown)
			return xf_fail(err, "not enough memory");
		list->net = grown;
		list->room = room;
	}
	/* Member by member, so that all that is hashed and compared has a value. */
	memset(&list->net[list->n], 0, sizeof(*list->net));
	list->net[list->n].addr.family = net->addr.family;
	list->net[list->n].addr.addr = net->addr.addr;
	list->net[list->n].bits = net->bits;
	list->n++;
	return 0;
}

/* The word of so many characters as a network; what cannot be one is cut off, and refused. */
static int take_word(const char *text, size_t len, struct cidr *net, struct xf_error *err)
{
	char word[WORD_MAX + 1];

	if (len > WORD_MAX)
		len = WORD_MAX;
	memcpy(word, text, len);
	word[len] = '\0';
	if (strlen(word) != len)
		return xf_fail(err, "it is no text: there is a NUL character");
	return cidr_parse_network(word, net, err);
}

/* ---- files */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int add_line(struct xf_prefixes *list, const char *line, size_t len, struct xf_error *err)
{
	const char *end = line + len, *c;
	struct cidr net;

	for (c = line; c < end && *c != '#' && *c != ';'; c++)
		;
	end = c;
	while (line < end && is_blank(*line))
		line++;
	while (end > line && is_blank(end[-1]))
		end--;
	if (line == end)
		return 0;
	return take_word(line, (size_t)(end - line), &net, err) || add_net(list, &net, err) ? -1 : 0;
}

int xf_prefixes_add_lines(struct xf_prefixes *list, const struct xf_prefix_file *file, struct xf_error *err)
{
	const char *at = file->text, *end, *newline;
	unsigned int number = 1;
	struct xf_error why;

	if (!file->len)
		return 0;
	for (end = at + file->len; at < end; at = newline + 1, number++) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			newline = end;
		if (add_line(list, at, (size_t)(newline - at), &why))
			return xf_fail(err, "%.100s:%u: %s", file->name, number, why.text);
	}
	return 0;
}

/* ---- what is stated */

static int note_given(struct xf_prefixes *list, const char *at, const char *element, struct xf_error *err)
{
	size_t used = strlen(list->given);
	int n = snprintf(list->given + used, sizeof(list->given) - used, "%s%s%s", used ? "," : "", at, element);

	if (n < 0 || (size_t)n >= sizeof(list->given) - used) {
		list->given[used] = '\0';
		return xf_fail(err,
			       "these are too many networks to be listed here: put them into a file, one a line, and "
			       "write @FILE");
	}
	return 0;
}

static int add_file(struct xf_prefixes *list, const char *path, xf_prefix_reader read, struct xf_error *err)
{
	struct xf_prefix_file file = {.text = NULL};
	int rc;

	if (!*path)
		return xf_fail(err, "@ is not followed by the name of a file");
	if (read(path, &file, err))
		return -1;
	rc = xf_prefixes_add_lines(list, &file, err);
	if (!rc)
		rc = note_given(list, "@", file.name, err);
	free(file.text);
	return rc;
}

static int add_element(struct xf_prefixes *list, const char *element, xf_prefix_reader read, struct xf_error *err)
{
	char text[CIDR_STRLEN];
	struct cidr net;

	if (*element == '@')
		return add_file(list, element + 1, read, err);
	if (take_word(element, strlen(element), &net, err) || add_net(list, &net, err))
		return -1;
	return note_given(list, "", cidr_format(&net, text, sizeof(text)), err);
}

int xf_prefixes_add(struct xf_prefixes *list, const char *text, xf_prefix_reader read, struct xf_error *err)
{
	char *copy = strdup(text), *rest = copy, *element;
	int rc = 0;

	if (!copy)
		return xf_fail(err, "not enough memory");
	while (!rc && (element = strsep(&rest, ",")))
		rc = add_element(list, element, read, err);
	free(copy);
	return rc;
}

/* ---- as a set */

void xf_prefixes_settle(struct xf_prefixes *list)
{
	size_t i, kept = 0;

	if (list->n)
		qsort(list->net, list->n, sizeof(*list->net), cidr_compare);
	/* What is in a network comes right after it. */
	for (i = 0; i < list->n; i++)
		if (!kept || !cidr_contains(&list->net[kept - 1], &list->net[i].addr))
			list->net[kept++] = list->net[i];
	list->n = kept;
}

bool xf_prefixes_has_family(const struct xf_prefixes *list, uint8_t family)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->net[i].addr.family == family)
			return true;
	return false;
}

/* Spreads each bit over all 64 (the finalizer of MurmurHash3). */
static uint64_t spread(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

uint64_t xf_prefixes_hash(const struct xf_prefixes *list)
{
	uint64_t hash = spread(list->n + 1), words[2];
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct cidr *net = &list->net[i];

		memcpy(words, &net->addr.addr, sizeof(words));
		hash = spread(hash ^ words[0]);
		hash = spread(hash + words[1]);
		hash = spread(hash ^ (uint64_t)net->addr.family << 8 ^ net->bits);
	}
	return hash;
}
