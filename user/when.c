// SPDX-License-Identifier: GPL-2.0-only
#include "when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "duration.h"

struct moment {
	struct tm tm;
	bool has_offset; /* else it is local time */
	int offset;	 /* seconds east of UTC */
};

/* So many digits, a number of hi at most; moves *at behind them. */
static bool take_number(const char **at, int digits, int hi, int *out)
{
	int n = 0;

	while (digits--) {
		if (**at < '0' || **at > '9')
			return false;
		n = n * 10 + *(*at)++ - '0';
	}
	*out = n;
	return n <= hi;
}

static bool take(const char **at, const char *any_of)
{
	if (!**at || !strchr(any_of, **at))
		return false;
	++*at;
	return true;
}

static int days_of(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **at, struct tm *tm)
{
	int year, month;

	if (!take_number(at, 4, 9999, &year) || !take(at, "-") || !take_number(at, 2, 12, &month) || !take(at, "-") ||
	    year < 1970 || !month || !take_number(at, 2, days_of(year, month), &tm->tm_mday) || !tm->tm_mday)
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	return true;
}

static bool take_time(const char **at, struct tm *tm)
{
	if (!take_number(at, 2, 23, &tm->tm_hour) || !take(at, ":") || !take_number(at, 2, 59, &tm->tm_min))
		return false;
	return !take(at, ":") || take_number(at, 2, 59, &tm->tm_sec);
}

/* "Z", "+01:00", "+0100" or "+01". */
static bool take_offset(const char **at, struct moment *m)
{
	bool west = **at == '-';
	int hours, minutes = 0;

	m->has_offset = true;
	if (take(at, "Zz"))
		return true;
	if (!take(at, "+-") || !take_number(at, 2, 23, &hours))
		return false;
	if ((take(at, ":") || **at) && !take_number(at, 2, 59, &minutes))
		return false;
	m->offset = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

static bool take_moment(const char *at, struct moment *m)
{
	if (!take_date(&at, &m->tm))
		return false;
	if (!*at)
		return true;
	if (!take(&at, "Tt ") || !take_time(&at, &m->tm))
		return false;
	return !*at || (take_offset(&at, m) && !*at);
}

/* False: it does not exist. When the clocks go forward, an hour of local time is left out. */
static bool local_time(const struct tm *wanted, int64_t *when)
{
	struct tm tm = *wanted;

	tm.tm_isdst = -1;
	*when = mktime(&tm);
	return tm.tm_hour == wanted->tm_hour && tm.tm_min == wanted->tm_min;
}

static int moment_parse(const char *text, int64_t *when, struct xf_error *err)
{
	struct moment m = {0};

	if (!take_moment(text, &m))
		return xf_fail(err,
			       "%.60s is neither a duration nor a date: write it as in 30s, 2h, 7d, 2030-12-31, "
			       "2030-12-31T18:00 or 2030-12-31T18:00:00Z",
			       *text ? text : "\"\"");
	if (m.has_offset)
		*when = timegm(&m.tm) - m.offset;
	else if (!local_time(&m.tm, when))
		return xf_fail(err, "%.60s: there is no such local time, the clocks are set forward then", text);
	return 0;
}

int xf_when_parse(const char *text, int64_t now, struct xf_when *out, struct xf_error *err)
{
	/* A date has its first dash after four digits; no duration has one. */
	struct xf_when when = {.by_date = strchr(text, '-') || !strpbrk(text, "0123456789")};
	char is[XF_WHEN_STRLEN];
	uint64_t seconds;

	if (when.by_date) {
		if (moment_parse(text, &when.at, err))
			return -1;
	} else {
		if (xf_duration_parse(text, &seconds, err))
			return -1;
		when.at = now + (int64_t)seconds;
	}
	if (when.at <= now)
		return xf_fail(err, "%.60s is in the past: it is %s now", text, xf_when_format(now, is, sizeof(is)));
	*out = when;
	return 0;
}

const char *xf_when_format(int64_t when, char *buf, size_t len)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, len, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(buf, len, "?");
	return buf;
}

int64_t xf_when_read(const char *text)
{
	struct moment m = {0};

	return take_moment(text, &m) && m.has_offset ? timegm(&m.tm) - m.offset : -1;
}
