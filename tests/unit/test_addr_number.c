/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers, ports and protocols as text, and errors, which stay one printable line whatever they quote. */
#include "support.h"

static void test_u32(void **state)
{
	static const char *const refused[] = {"80abc",
					      "",
					      " 80",
					      "80 ",
					      "+80",
					      "-1",
					      "080",
					      "00",
					      "0x50",
					      "8e1",
					      "99999999999",
					      "4294967296",
					      "18446744073709551696",
					      "80\n",
					      "8.0",
					      "8 0",
					      "٨٠"};
	static const struct {
		const char *text;
		uint32_t min, max, value;
	} taken[] = {
		{"0", 0, 10, 0},
		{"80", 1, 65535, 80},
		{"4294967295", 0, UINT32_MAX, UINT32_MAX},
		{"7", 7, 7, 7},
	};
	struct xf_error err;
	uint32_t value;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		char *text = tight(refused[i]);

		value = 4711;
		assert_int_equal(xf_u32_parse(text, 0, UINT32_MAX, &value, &err), -1);
		assert_int_equal(value, 4711);
		assert_error(refused[i], &err, "is not a number from 0 to 4294967295");
		free(text);
	}
	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		assert_int_equal(xf_u32_parse(taken[i].text, taken[i].min, taken[i].max, &value, &err), 0);
		assert_int_equal(value, taken[i].value);
	}
	assert_int_equal(xf_u32_parse("6", 7, 9, &value, &err), -1);
	assert_int_equal(xf_u32_parse("10", 7, 9, &value, &err), -1);
	assert_error("10", &err, "10 is not a number from 7 to 9");
}

static void test_ports(void **state)
{
	static const struct {
		const char *text;
		uint16_t lo, hi; /* 0: refused */
		const char *words;
	} cases[] = {
		{"1", 1, 1, NULL},
		{"65535", 65535, 65535, NULL},
		{"1-65535", 1, 65535, NULL},
		{"27000-27015", 27000, 27015, NULL},
		{"443-443", 443, 443, NULL},
		{"0", 0, 0, "0 is not a port"},
		{"", 0, 0, "is not a port"},
		{"080", 0, 0, "080 is not a port"},
		{"65536", 0, 0, "65536 is not a port|1 to 65535"},
		{"80abc", 0, 0, "80abc is not a port"},
		{"+80", 0, 0, "+80"},
		{" 80", 0, 0, " 80"},
		{"-80", 0, 0, "-80"},
		{"80-", 0, 0, "80-"},
		{"0-80", 0, 0, "0-80"},
		{"80-90-100", 0, 0, "80-90-100"},
		{"80--90", 0, 0, "80--90"},
		{"80-65536", 0, 0, "80-65536"},
		{"80 - 90", 0, 0, "80 - 90"},
		{"90-80", 0, 0, "90-80|backwards|80-90"},
		{"http", 0, 0, "http is not a port"},
		{"00000000000000000080", 0, 0, "is not a port"},
	};
	struct xf_port_range r;
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = tight(cases[i].text);

		r = (struct xf_port_range){7, 9};
		if (cases[i].lo) {
			assert_int_equal(xf_ports_parse(text, &r, &err), 0);
			assert_int_equal(r.lo, cases[i].lo);
			assert_int_equal(r.hi, cases[i].hi);
		} else {
			assert_int_equal(xf_ports_parse(text, &r, &err), -1);
			assert_true(r.lo == 7 && r.hi == 9);
			assert_error(text, &err, cases[i].words);
		}
		free(text);
	}
}

static void test_ports_overlap(void **state)
{
	static const struct {
		struct xf_port_range a, b;
		bool overlap;
	} cases[] = {
		{{80, 80}, {80, 80}, true},   {{80, 80}, {81, 81}, false},	{{80, 90}, {90, 100}, true},
		{{80, 89}, {90, 100}, false}, {{1, 65535}, {5000, 5001}, true}, {{65535, 65535}, {1, 65534}, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(xf_ports_overlap(cases[i].a, cases[i].b), cases[i].overlap);
		assert_int_equal(xf_ports_overlap(cases[i].b, cases[i].a), cases[i].overlap);
	}
	assert_int_equal(xf_ports_count((struct xf_port_range){443, 443}), 1);
	assert_int_equal(xf_ports_count((struct xf_port_range){27000, 27015}), 16);
	assert_int_equal(xf_ports_count((struct xf_port_range){1, 65535}), 65535);
}

static void test_protos(void **state)
{
	static const char *const refused[] = {"", "TCP", "udp+tcp", "tcp,udp", "tcp ", "sctp", "tcp+", "6"};
	struct xf_error err;
	uint8_t protos;
	size_t i;

	(void)state;
	assert_int_equal(xf_protos_parse("tcp", &protos, &err), 0);
	assert_int_equal(protos, XF_PROTO_TCP);
	assert_int_equal(xf_protos_parse("udp", &protos, &err), 0);
	assert_int_equal(protos, XF_PROTO_UDP);
	assert_int_equal(xf_protos_parse("tcp+udp", &protos, &err), 0);
	assert_int_equal(protos, XF_PROTO_TCP | XF_PROTO_UDP);
	assert_string_equal(xf_protos_format(XF_PROTO_TCP), "tcp");
	assert_string_equal(xf_protos_format(XF_PROTO_UDP), "udp");
	assert_string_equal(xf_protos_format(XF_PROTO_TCP | XF_PROTO_UDP), "tcp+udp");

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		protos = 0x77;
		assert_int_equal(xf_protos_parse(refused[i], &protos, &err), -1);
		assert_int_equal(protos, 0x77);
		assert_error(refused[i], &err, "is not a protocol|write tcp, udp or tcp+udp");
	}
}

static void test_error_is_one_line(void **state)
{
	static const struct {
		const char *quoted, *line;
	} cases[] = {
		{"a\nb\tc\033[2Jd\x7f", "\"a?b?c?[2Jd?\""},
		{"grün €𐍈", "\"grün €𐍈\""},
		{"\xc0\x80 \xe0\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80", "\"?? ??? ??? ????\""},
		{"\xe2\x82", "\"??\""},
		{"\xc2\x9b", "\"??\""},	     /* CSI */
		{"\xe2\x80\xae", "\"???\""}, /* right-to-left override */
		{"\xe2\x80\xa8", "\"???\""}, /* line separator */
	};
	char wide[1000];
	struct xf_error err;
	size_t i, n, at;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(xf_fail(&err, "\"%s\"", cases[i].quoted), -1);
		assert_string_equal(err.text, cases[i].line);
	}
	/* A character that the end of the buffer cuts through. */
	memset(wide, 'a', sizeof(wide));
	memcpy(wide + sizeof(err.text) - 3, "€", strlen("€"));
	wide[sizeof(wide) - 1] = '\0';
	xf_fail(&err, "%s", wide);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	for (at = 0; err.text[at]; at += n) {
		n = xf_utf8_printable(err.text + at);
		assert_int_not_equal(n, 0);
	}
	xf_fail(&err, "rule web");
	xf_fail(&err, "line 3: %s", err.text);
	assert_string_equal(err.text, "line 3: rule web");
	assert_int_equal(xf_fail(NULL, "nobody listens"), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u32),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ports_overlap),
		cmocka_unit_test(test_protos),
		cmocka_unit_test(test_error_is_one_line),
	};

	return cmocka_run_group_tests_name("addr_number", tests, NULL, NULL);
}
