// SPDX-License-Identifier: GPL-2.0-only
#include "names.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

struct name *names_find(const struct names *names, const char *text)
{
	struct name wanted = {.text = text};
	struct name **found = tfind(&wanted, &names->root, compare);

	return found ? *found : NULL;
}

struct name *names_add(struct names *names, const char *text)
{
	struct name *name = names_find(names, text);
	size_t len = strlen(text) + 1;

	if (name)
		return name;
	name = malloc(sizeof(*name) + len);
	if (!name)
		return NULL;
	*name = (struct name){.text = memcpy(name + 1, text, len)};
	if (!tsearch(name, &names->root, compare)) {
		free(name);
		return NULL;
	}
	return name;
}

void names_free(struct names *names)
{
	tdestroy(names->root, free);
	names->root = NULL;
}
