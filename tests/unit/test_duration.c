/* SPDX-License-Identifier: GPL-2.0-only */
/* Lengths of time and moments: what is taken, what it comes to, and in which words the rest is refused. */
#include "support.h"

#include <time.h>

#include "duration.h"
#include "timeouts.h"
#include "when.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
		const char *formatted; /* NULL: the text itself */
	} cases[] = {
		{"1s", 1, NULL},       {"30s", 30, NULL},
		{"60s", 60, "1m"},     {"10m", 600, NULL},
		{"10min", 600, "10m"}, {"1h30m", 5400, NULL},
		{"2h4m", 7440, NULL},  {"7d", 604800, NULL},
		{"1w", 604800, "7d"},  {"1w1d1h1m1s", 694861, "8d1h1m1s"},
		{"1day", 86400, "1d"}, {"0h5s", 5, "5s"},
		{"007s", 7, "7s"},     {"36500d", XF_DURATION_MAX, NULL},
	};
	uint64_t seconds;
	char buf[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i].text);

		if (xf_duration_parse(text, &seconds, NULL) || seconds != cases[i].seconds)
			fail_msg("%s: refused, or not %llu", text, (unsigned long long)cases[i].seconds);
		assert_string_equal(xf_duration_format(seconds, buf, sizeof(buf)),
				    cases[i].formatted ? cases[i].formatted : text);
		free(text);
	}
}

static void test_bad_durations(void **state)
{
	static const char *const cases[][2] = {
		{"", "\"\"|30s"},
		{"30", "30 is not a duration|30s"},
		{"s", "not a duration"},
		{"30x", "30x is not a duration"},
		{"30s ", "not a duration"},
		{" 30s", "not a duration"},
		{"-30s", "not a duration"},
		{"+30s", "not a duration"},
		{"1.5h", "not a duration"},
		{"1m1h", "not a duration"},
		{"1s1s", "not a duration"},
		{"1h30", "not a duration"},
		{"30S", "not a duration"},
		{"0s", "no time at all"},
		{"0h0s", "no time at all"},
		{"36501d", "36501d|at most 36500d"},
		{"36500d1s", "at most 36500d"},
		{"999999999999w", "at most 36500d"},
		{"9999999999999w", "not a duration"},
	};
	uint64_t seconds = 77;
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i][0]);

		assert_int_equal(xf_duration_parse(text, &seconds, &err), -1);
		assert_error(text, &err, cases[i][1]);
		assert_int_equal(seconds, 77);
		free(text);
	}
}

static void test_moments(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
		bool by_date;
		const char *formatted;
	} cases[] = {
		{"30s", NOW + 30, false, "2027-01-15T08:00:30Z"},
		{"2h", NOW + 7200, false, "2027-01-15T10:00:00Z"},
		{"2027-01-15T08:00:01Z", NOW + 1, true, "2027-01-15T08:00:01Z"},
		{"2027-01-15 08:00:01z", NOW + 1, true, "2027-01-15T08:00:01Z"},
		{"2027-01-15T09:01+01:00", NOW + 60, true, "2027-01-15T08:01:00Z"},
		{"2027-01-15T09:01+0100", NOW + 60, true, "2027-01-15T08:01:00Z"},
		{"2027-01-15T09:01+01", NOW + 60, true, "2027-01-15T08:01:00Z"},
		{"2027-01-15T02:31-05:30", NOW + 60, true, "2027-01-15T08:01:00Z"},
		{"2028-02-29T00:00Z", 1835395200, true, "2028-02-29T00:00:00Z"},
		/* local time: Berlin is an hour ahead in winter and two in summer */
		{"2027-01-16", NOW + 15 * 3600, true, "2027-01-15T23:00:00Z"},
		{"2027-01-15T09:00:30", NOW + 30, true, "2027-01-15T08:00:30Z"},
		{"2027-07-01 12:00", 1814436000, true, "2027-07-01T10:00:00Z"},
		{"2027-03-28 03:00", 1806195600, true, "2027-03-28T01:00:00Z"},
		{"9999-12-31T23:59:59Z", 253402300799, true, "9999-12-31T23:59:59Z"},
	};
	struct xf_when when;
	struct xf_error err;
	char buf[XF_WHEN_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i].text);

		if (xf_when_parse(text, NOW, &when, &err))
			fail_msg("%s: %s", text, err.text);
		if (when.at != cases[i].at || when.by_date != cases[i].by_date)
			fail_msg("%s: %lld", text, (long long)when.at);
		assert_string_equal(xf_when_format(when.at, buf, sizeof(buf)), cases[i].formatted);
		assert_true(xf_when_read(buf) == when.at);
		free(text);
	}
}

static void test_bad_moments(void **state)
{
	static const char *const cases[][2] = {
		{"", "neither a duration nor a date"},
		{"soon", "soon is neither a duration nor a date|2030-12-31T18:00"},
		{"30x", "not a duration"},
		{"2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z is in the past: it is 2027-01-15T08:00:00Z now"},
		{"2020-01-01", "2020-01-01 is in the past"},
		{"1970-01-01T00:00Z", "in the past"},
		{"1969-12-31T23:00Z", "neither"},
		{"2027-02-29", "2027-02-29 is neither"},
		{"2100-02-29", "neither"},
		{"2027-04-31", "neither"},
		{"2027-13-01", "neither"},
		{"2027-00-10", "neither"},
		{"2027-1-15", "neither"},
		{"27-01-15", "neither"},
		{"2030-12-31T", "neither"},
		{"2030-12-31T18", "neither"},
		{"2030-12-31T24:00", "neither"},
		{"2030-12-31T18:60", "neither"},
		{"2030-12-31T18:00:60", "neither"},
		{"2030-12-31T18:00:00Zulu", "neither"},
		{"2030-12-31T18:00+", "neither"},
		{"2030-12-31T18:00+1", "neither"},
		{"2030-12-31T18:00+01:", "neither"},
		{"2030-12-31T18:00+24:00", "neither"},
		{"2030-12-31x", "neither"},
		{"2030-12-31 18:00 ", "neither"},
		{"2027-03-28 02:30", "2027-03-28 02:30|no such local time"},
		{"-1h", "neither"},
	};
	struct xf_when when = {.at = 77};
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i][0]);

		if (!xf_when_parse(text, NOW, &when, &err))
			fail_msg("%s is taken", text);
		assert_error(text, &err, cases[i][1]);
		assert_true(when.at == 77);
		free(text);
	}
	assert_true(xf_when_read("2027-01-15T08:00:00") == -1);
	assert_true(xf_when_read("?") == -1);
}

static void test_timeouts(void **state)
{
	uint32_t t[XF_TIMEOUT_COUNT] = {0};

	(void)state;
	assert_int_equal(xf_timeouts_parse("udp=60s", t, NULL), 0);
	assert_int_equal(xf_timeouts_parse("tcp=1h30m,tcp-transitory=2m,udp-pending=5s", t, NULL), 0);
	assert_int_equal(t[XF_TIMEOUT_UDP], 60);
	assert_int_equal(t[XF_TIMEOUT_UDP_PENDING], 5);
	assert_int_equal(t[XF_TIMEOUT_TCP_ESTABLISHED], 5400);
	assert_int_equal(t[XF_TIMEOUT_TCP_TRANSITORY], 120);
	assert_int_equal(xf_timeouts_parse("udp=20d", t, NULL), 0);
	assert_int_equal(t[XF_TIMEOUT_UDP], 20 * 86400);
}

static void test_bad_timeouts(void **state)
{
	static const char *const cases[][2] = {
		{"", "\"\" is not NAME=DURATION"},
		{"udp", "udp is not NAME=DURATION|udp=60s"},
		{"60s", "60s is not NAME=DURATION"},
		{"tcpx=60s", "tcpx=60s is not|tcp-transitory"},
		{"UDP=60s", "UDP=60s is not"},
		{"udp=", "udp: \"\" is not a duration"},
		{"udp=60", "udp: 60 is not a duration"},
		{"udp=60s,", "\"\" is not NAME=DURATION"},
		{"udp=60s,,tcp=1h", "\"\" is not NAME=DURATION"},
		{"udp=60s,udp=30s", "udp is given twice"},
		{"tcp=21d", "tcp: 21d|at most 20d"},
		{"udp=60s,tcp=0s", "tcp: 0s"},
		{"udp=111111111111111111111111111111111111111111111111111111111111111111111111s", "too long"},
	};
	static const uint32_t before[XF_TIMEOUT_COUNT] = {1, 2, 3, 4};
	uint32_t t[XF_TIMEOUT_COUNT];
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i][0]);

		memcpy(t, before, sizeof(t));
		assert_int_equal(xf_timeouts_parse(text, t, &err), -1);
		assert_error(text, &err, cases[i][1]);
		assert_memory_equal(t, before, sizeof(t));
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations), cmocka_unit_test(test_bad_durations),
		cmocka_unit_test(test_moments),	  cmocka_unit_test(test_bad_moments),
		cmocka_unit_test(test_timeouts),  cmocka_unit_test(test_bad_timeouts),
	};

	/* Written out, so that it takes no file of time zones. */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
