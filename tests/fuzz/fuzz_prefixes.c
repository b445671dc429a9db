/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of networks: the first line is what is stated, the rest the text of every
 * file that it names. A list that is taken becomes a set with the same addresses
 * in it, in order and without overlap; stated in its own words it is the same set.
 */
#include "property.h"

#include "prefixes.h"

static const uint8_t *file_text;
static size_t file_len;

static int read_file(const char *path, struct xf_prefix_file *file, struct xf_error *err)
{
	(void)err;
	PROPERTY(*path && !strchr(path, ','));
	snprintf(file->name, sizeof(file->name), "%.500s", path);
	file->len = file_len;
	file->text = malloc(file_len ? file_len : 1);
	PROPERTY(file->text);
	if (file_len)
		memcpy(file->text, file_text, file_len);
	return 0;
}

static bool is_in(const struct xf_prefixes *list, const struct xf_address *addr)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (cidr_contains(&list->net[i], addr))
			return true;
	return false;
}

static void is_a_set(const struct xf_prefixes *list)
{
	struct cidr again;
	char text[CIDR_STRLEN];
	size_t i;

	for (i = 0; i < list->n; i++) {
		PROPERTY(!i || cidr_compare(&list->net[i - 1], &list->net[i]) < 0);
		PROPERTY(!i || !cidr_contains(&list->net[i - 1], &list->net[i].addr));
		PROPERTY(!cidr_parse_network(cidr_format(&list->net[i], text, sizeof(text)), &again, NULL));
		PROPERTY(!cidr_compare(&again, &list->net[i]));
		PROPERTY(xf_prefixes_has_family(list, again.addr.family));
	}
}

static void taken(struct xf_prefixes *list)
{
	struct xf_prefixes again = {0}, stated;
	size_t i;

	stated = *list;
	stated.net = malloc((list->n + 1) * sizeof(*list->net));
	PROPERTY(stated.net);
	if (list->n)
		memcpy(stated.net, list->net, list->n * sizeof(*list->net));
	xf_prefixes_settle(list);
	is_a_set(list);
	for (i = 0; i < stated.n; i++)
		PROPERTY(is_in(list, &stated.net[i].addr));
	for (i = 0; i < list->n; i++)
		PROPERTY(is_in(&stated, &list->net[i].addr));
	free(stated.net);

	PROPERTY(strlen(list->given) < sizeof(list->given));
	PROPERTY(!xf_prefixes_add(&again, list->given, read_file, NULL));
	xf_prefixes_settle(&again);
	PROPERTY(again.n == list->n && xf_prefixes_hash(&again) == xf_prefixes_hash(list));
	xf_prefixes_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t len = newline ? (size_t)(newline - data) : size;
	struct xf_prefixes list = {0};
	struct xf_error err;
	char *text;

	/* A file may be named many times; once is enough to find what is wrong. */
	if (size > 4096)
		return 0;
	text = property_text(data, len);
	file_text = newline ? newline + 1 : NULL;
	file_len = newline ? size - len - 1 : 0;
	memset(&err, 0xff, sizeof(err));
	if (!xf_prefixes_add(&list, text, read_file, &err))
		taken(&list);
	else
		property_error(&err);
	xf_prefixes_free(&list);
	free(text);
	return 0;
}
