// SPDX-License-Identifier: GPL-2.0-only
#include "duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t seconds;
} units[] = {
	{"s", 1},	{"sec", 1},	 {"second", 1}, {"seconds", 1},	  {"min", 60},	     {"m", 60},
	{"minute", 60}, {"minutes", 60}, {"h", 3600},	{"hour", 3600},	  {"hours", 3600},   {"d", 86400},
	{"day", 86400}, {"days", 86400}, {"w", 604800}, {"week", 604800}, {"weeks", 604800},
};

#define N_UNITS (sizeof(units) / sizeof(units[0]))

uint32_t xf_unit_parse(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < N_UNITS; i++)
		if (strlen(units[i].name) == len && !memcmp(units[i].name, word, len))
			return units[i].seconds;
	return 0;
}

const char *xf_unit_name(uint32_t seconds)
{
	size_t i;

	for (i = 0; i < N_UNITS; i++)
		if (units[i].seconds == seconds)
			return units[i].name;
	return "?";
}

static int refuse(const char *text, struct xf_error *err)
{
	return xf_fail(err, "%.80s is not a duration: write it as in 30s, 10m, 2h, 1h30m or 7d", *text ? text : "\"\"");
}

int xf_duration_parse(const char *text, uint64_t *seconds, struct xf_error *err)
{
	uint64_t sum = 0, n;
	uint32_t unit, last = UINT32_MAX;
	const char *at = text;
	size_t digits, word;

	do {
		digits = strspn(at, "0123456789");
		word = strspn(at + digits, "abcdefghijklmnopqrstuvwxyz");
		unit = xf_unit_parse(at + digits, word);
		if (!digits || digits > 12 || !unit || unit >= last)
			return refuse(text, err);
		for (n = 0; digits; digits--)
			n = n * 10 + (uint64_t)(*at++ - '0');
		if (n > XF_DURATION_MAX / unit)
			return xf_fail(err, "%.80s is too long: at most %" PRIu64 "d", text, XF_DURATION_MAX / 86400);
		sum += n * unit;
		last = unit;
		at += word;
	} while (*at);
	if (!sum)
		return xf_fail(err, "%.80s is no time at all: write 1s or more", text);
	if (sum > XF_DURATION_MAX)
		return xf_fail(err, "%.80s is too long: at most %" PRIu64 "d", text, XF_DURATION_MAX / 86400);
	*seconds = sum;
	return 0;
}

const char *xf_duration_format(uint64_t seconds, char *buf, size_t len)
{
	static const struct {
		char name;
		uint32_t seconds;
	} parts[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	size_t i, at = 0;

	snprintf(buf, len, "0s");
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && at < len; i++) {
		uint64_t n = seconds / parts[i].seconds;

		if (n)
			at += (size_t)snprintf(buf + at, len - at, "%" PRIu64 "%c", n, parts[i].name);
		seconds %= parts[i].seconds;
	}
	return buf;
}
