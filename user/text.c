// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"

/* Three significant digits with the unit that leaves 1 to 3 digits before the point. */
static void scale(double *n, double step, const char *const **unit)
{
	/* 999.5 and more would be rounded up to a fourth digit. */
	while (*n >= 999.5 && (*unit)[1]) {
		*n /= step;
		++*unit;
	}
}

static int decimals(double n)
{
	return n < 9.995 ? 2 : n < 99.95 ? 1 : 0;
}

const char *text_count(uint64_t n, char *buf, size_t len)
{
	static const char *const units[] = {"", "k", "M", "G", "T", "P", "E", NULL};
	const char *const *unit = units;
	double scaled = (double)n;

	if (n < 10000) {
		snprintf(buf, len, "%" PRIu64, n);
		return buf;
	}
	scale(&scaled, 1000, &unit);
	snprintf(buf, len, "%.*f%s", decimals(scaled), scaled, *unit);
	return buf;
}

const char *text_bytes(uint64_t n, char *buf, size_t len)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL};
	const char *const *unit = units;
	double scaled = (double)n;

	if (n < 1000) {
		snprintf(buf, len, "%" PRIu64 " B", n);
		return buf;
	}
	scale(&scaled, 1024, &unit);
	snprintf(buf, len, "%.*f %s", decimals(scaled), scaled, *unit);
	return buf;
}

const char *text_duration(double seconds, char *buf, size_t len)
{
	uint64_t s;

	if (!(seconds > 0))
		seconds = 0;
	if (seconds < 9.95) {
		snprintf(buf, len, "%.1fs", seconds);
		return buf;
	}
	s = (uint64_t)(seconds + 0.5);
	if (s < 60)
		snprintf(buf, len, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, len, "%" PRIu64 "m%02us", s / 60, (unsigned int)(s % 60));
	else if (s < 86400)
		snprintf(buf, len, "%" PRIu64 "h%02um", s / 3600, (unsigned int)(s % 3600 / 60));
	else
		snprintf(buf, len, "%" PRIu64 "d%02uh", s / 86400, (unsigned int)(s % 86400 / 3600));
	return buf;
}

const char *text_scrub(const char *text, char *buf, size_t len)
{
	size_t at = 0;

	while (*text) {
		size_t n = xf_utf8_printable(text), keep = n ? n : 1;

		if (at + keep >= len)
			break;
		if (n)
			memcpy(buf + at, text, n);
		else
			buf[at] = '?';
		at += keep;
		text += keep;
	}
	buf[at] = '\0';
	return buf;
}
