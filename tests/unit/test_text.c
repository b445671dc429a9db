/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers for people, foreign strings made harmless, networks, and the growing text. */
#include "support.h"

#include "buf.h"
#include "cidr.h"
#include "text.h"

static void test_count(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {
		{0, "0"},	    {9999, "9999"},	  {10000, "10.0k"},	 {12345, "12.3k"},
		{99949, "99.9k"},   {99950, "100k"},	  {999499, "999k"},	 {999500, "1.00M"},
		{4560000, "4.56M"}, {999999999, "1.00G"}, {UINT64_MAX, "18.4E"},
	};
	char buf[TEXT_NUMBER_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_count(cases[i].n, buf, sizeof(buf)), cases[i].text);
	assert_string_equal(text_bytes(0, buf, sizeof(buf)), "0 B");
	assert_string_equal(text_bytes(999, buf, sizeof(buf)), "999 B");
	assert_string_equal(text_bytes(1024, buf, sizeof(buf)), "1.00 KiB");
	assert_string_equal(text_bytes(20u << 20, buf, sizeof(buf)), "20.0 MiB");
	assert_string_equal(text_bytes(UINT64_MAX, buf, sizeof(buf)), "16.0 EiB");
}

static void test_duration(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{-1, "0.0s"},	  {0, "0.0s"},	     {0.44, "0.4s"},	  {9.94, "9.9s"},    {9.96, "10s"},
		{59.4, "59s"},	  {59.6, "1m00s"},   {190, "3m10s"},	  {3599.6, "1h00m"}, {18120, "5h02m"},
		{86400, "1d00h"}, {702000, "8d03h"}, {0.0 / 0.0, "0.0s"},
	};
	char buf[TEXT_NUMBER_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_duration(cases[i].seconds, buf, sizeof(buf)), cases[i].text);
}

static void test_scrub(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"", ""},
		{"eth0", "eth0"},
		{"d\xc3\xbcse", "d\xc3\xbcse"},
		{"a\x1b[31mb", "a?[31mb"},
		{"line\nline", "line?line"},
		{"\xff\xfe", "??"},
		{"cut\xc3", "cut?"},
		{"\xc2\x9b", "??"}, /* U+009b: the control sequence introducer */
		{"\xed\xa0\x80", "???"},
	};
	char buf[32], small[4];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *from = tight(cases[i].from);

		assert_string_equal(text_scrub(from, buf, sizeof(buf)), cases[i].to);
		free(from);
	}
	/* Cut between characters, never within one. */
	assert_string_equal(text_scrub("ab\xc3\xbc", small, sizeof(small)), "ab");
	assert_string_equal(text_scrub("abcdef", small, sizeof(small)), "abc");
}

static void test_cidr(void **state)
{
	static const struct {
		const char *net, *addr;
		bool in;
	} cases[] = {
		{"198.51.100.0/24", "198.51.100.255", true},   {"198.51.100.0/24", "198.51.101.0", false},
		{"198.51.100.7/24", "198.51.100.1", true},     {"198.51.100.128/25", "198.51.100.127", false},
		{"198.51.100.128/25", "198.51.100.200", true}, {"198.51.100.7", "198.51.100.7", true},
		{"198.51.100.7/32", "198.51.100.6", false},    {"0.0.0.0/0", "203.0.113.1", true},
		{"0.0.0.0/0", "2001:db8::1", false},	       {"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:7fff::1", true},   {"2001:db8::/33", "2001:db8:8000::1", false},
		{"2001:db8::1/128", "2001:db8::1", true},      {"2001:db8::1/127", "2001:db8::2", false},
	};
	static const char *const refused[] = {"",
					      "/",
					      "/24",
					      "198.51.100.0/",
					      "198.51.100.0/33",
					      "2001:db8::/129",
					      "198.51.100.0/24x",
					      "198.51.100.0/-1",
					      "198.51.100.0/24/24",
					      "web"};
	struct xf_address addr;
	struct xf_error err;
	struct cidr net;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s %s\n", cases[i].net, cases[i].addr);
		assert_int_equal(cidr_parse(cases[i].net, &net, &err), 0);
		assert_int_equal(xf_address_parse(cases[i].addr, &addr, &err), 0);
		assert_int_equal(cidr_contains(&net, &addr), cases[i].in);
	}
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(cidr_parse(refused[i], &net, &err), -1);
}

static void test_buf(void **state)
{
	struct buf b = {0};
	char line[100];
	size_t i;

	(void)state;
	buf_html(&b, "<a href=\"x\" b='y'>&amp;");
	assert_string_equal(b.data, "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
	buf_free(&b);
	assert_null(b.data);

	/* Across several reallocations, at every distance from their ends. */
	memset(line, 'x', sizeof(line));
	for (i = 0; i < 20000; i++) {
		buf_add(&b, line, i % sizeof(line));
		buf_printf(&b, "%zu", i % 10);
	}
	assert_false(buf_failed(&b));
	assert_int_equal(b.len, 20000 / 100 * 4950 + 20000);
	assert_int_equal(strlen(b.data), b.len);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count), cmocka_unit_test(test_duration), cmocka_unit_test(test_scrub),
		cmocka_unit_test(test_cidr),  cmocka_unit_test(test_buf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
