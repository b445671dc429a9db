// SPDX-License-Identifier: GPL-2.0-only
#include "sources.h"

#include <stdlib.h>
#include <string.h>

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_address(const void *a, const void *b)
{
	const struct dp_source *x = a, *y = b;

	if (x->addr.family != y->addr.family)
		return x->addr.family < y->addr.family ? -1 : 1;
	return memcmp(x->addr.addr.v6, y->addr.addr.v6, sizeof(x->addr.addr.v6));
}

static int by_visits(const void *a, const void *b)
{
	const struct dp_source *x = a, *y = b;
	int order = compare(y->flows_created + y->refused, x->flows_created + x->refused);

	if (!order)
		order = compare(y->flows, x->flows);
	if (!order)
		order = compare(y->bytes_in + y->bytes_out, x->bytes_in + x->bytes_out);
	return order ? order : by_address(a, b);
}

static void add(struct dp_source *to, const struct dp_source *from)
{
	to->flows_created += from->flows_created;
	to->refused += from->refused;
	to->flows += from->flows;
	to->bytes_in += from->bytes_in;
	to->bytes_out += from->bytes_out;
	if (from->last_seen_unix > to->last_seen_unix)
		to->last_seen_unix = from->last_seen_unix;
}

size_t sources_merge(struct dp_source *sources, size_t n)
{
	size_t i, kept = 0;

	if (!n)
		return 0;
	qsort(sources, n, sizeof(*sources), by_address);
	for (i = 1; i < n; i++) {
		if (by_address(&sources[kept], &sources[i]))
			sources[++kept] = sources[i];
		else
			add(&sources[kept], &sources[i]);
	}
	return kept + 1;
}

size_t sources_of_rule(struct dp_source *sources, size_t n, uint32_t rule)
{
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		struct dp_source s = sources[i];

		if (s.rule != rule)
			continue;
		sources[i] = sources[kept];
		sources[kept++] = s;
	}
	return kept;
}

void sources_sort(struct dp_source *sources, size_t n)
{
	if (n)
		qsort(sources, n, sizeof(*sources), by_visits);
}
