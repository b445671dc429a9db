// SPDX-License-Identifier: GPL-2.0-only
/* Which of the two formats a scraper would rather have: RFC 9110, 12.5.1, as far as two formats need it. */
#include <string.h>
#include <strings.h>

#include "metrics.h"

#define BLANKS " \t"

/* The weight in thousandths, from the parameters "...;q=0.75"; 1000 if none is given. */
static int accept_weight(const char *params, size_t len)
{
	const char *end = params + len, *p = params;
	int weight = 0, digit = 100;

	while (p < end) {
		p = memchr(p, ';', (size_t)(end - p));
		if (!p)
			return 1000;
		p++;
		p += strspn(p, BLANKS);
		if (end - p >= 3 && (p[0] == 'q' || p[0] == 'Q') && p[1] == '=')
			break;
	}
	if (p >= end || p[2] != '0')
		return 1000;
	if (p + 3 < end && p[3] == '.')
		for (p += 4; p < end && *p >= '0' && *p <= '9'; p++, digit /= 10)
			weight += (*p - '0') * digit;
	return weight;
}

static bool accept_is(const char *range, size_t len, const char *type)
{
	return strlen(type) == len && !strncasecmp(range, type, len);
}

enum metrics_format metrics_accepted(const char *accept)
{
	int open = -1, text = -1, any = 0;
	size_t item, type;

	/* Each item is "type/subtype;parameters", with commas between. */
	for (; accept && *accept; accept += item + (accept[item] == ',')) {
		accept += strspn(accept, BLANKS);
		item = strcspn(accept, ",");
		type = strcspn(accept, ";," BLANKS);
		int weight = accept_weight(accept + type, item - type);

		if (accept_is(accept, type, "application/openmetrics-text"))
			open = weight > open ? weight : open;
		else if (accept_is(accept, type, "text/plain"))
			text = weight > text ? weight : text;
		else if (accept_is(accept, type, "text/*") || accept_is(accept, type, "*/*"))
			any = weight > any ? weight : any;
	}
	/* Only for those who name it; whoever takes anything gets the format that everyone reads. */
	return open > 0 && open >= (text >= 0 ? text : any) ? METRICS_OPENMETRICS : METRICS_TEXT;
}
