/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses as text: what is taken, what is refused and in which words, and what can be asked of them. */
#include "support.h"

#define ROUNDS 20000

static void test_address(void **state)
{
	static const struct {
		const char *text;
		uint8_t family; /* 0: refused */
		uint8_t octets[16];
		const char *words; /* as it is printed, or what the error says */
	} cases[] = {
		{"192.0.2.1", 4, {192, 0, 2, 1}, "192.0.2.1"},
		{"0.0.0.0", 4, {0}, "0.0.0.0"},
		{"255.255.255.255", 4, {255, 255, 255, 255}, "255.255.255.255"},
		{"2001:db8::1", 6, {0x20, 1, 0xd, 0xb8, [15] = 1}, "2001:db8::1"},
		{"2001:DB8:0:0:0:0:0:1", 6, {0x20, 1, 0xd, 0xb8, [15] = 1}, "2001:db8::1"},
		{"64:ff9b::192.0.2.1", 6, {0, 0x64, 0xff, 0x9b, [12] = 192, 0, 2, 1}, "64:ff9b::c000:201"},
		{"2001:db8:0:1:0:0:0:1", 6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, [15] = 1}, "2001:db8:0:1::1"},
		{"::", 6, {0}, "::"},
		{"", 0, {0}, "is not an address"},
		{"192.0.2", 0, {0}, "192.0.2 is not an address"},
		{"192.0.2.256", 0, {0}, "192.0.2.256 is not an address"},
		{"192.0.2.01", 0, {0}, "192.0.2.01 is not an address"},
		{"192.0.2.1 ", 0, {0}, "is not an address"},
		{"192.0.2.1/24", 0, {0}, "192.0.2.1/24 is not an address"},
		{"3221225985", 0, {0}, "is not an address"},
		{"0xc0000201", 0, {0}, "is not an address"},
		{"2001:db8::1::2", 0, {0}, "2001:db8::1::2 is not an address"},
		{"2001:db8::12345", 0, {0}, "is not an address"},
		{"::ffff:192.0.2.1", 0, {0}, "::ffff:192.0.2.1|write 192.0.2.1"},
		{"::ffff:c000:201", 0, {0}, "::ffff:c000:201|write 192.0.2.1"},
		{"fe80::1%eth0", 0, {0}, "fe80::1%eth0|zone|global address"},
		{"[2001:db8::1]", 0, {0}, "[2001:db8::1]|without brackets"},
		{"example.com", 0, {0}, "example.com is not an address"},
	};
	char buf[XF_ENDPOINT_STRLEN];
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_address a = {.family = 9};
		char *text = tight(cases[i].text);

		if (cases[i].family) {
			assert_int_equal(xf_address_parse(text, &a, &err), 0);
			assert_int_equal(a.family, cases[i].family);
			/* All 16 octets: those that IPv4 leaves over are zero, as keys of maps need them. */
			assert_memory_equal(a.addr.v6, cases[i].octets, 16);
			assert_string_equal(xf_address_format(&a, buf, sizeof(buf)), cases[i].words);
		} else {
			assert_int_equal(xf_address_parse(text, &a, &err), -1);
			assert_int_equal(a.family, 9);
			assert_error(text, &err, cases[i].words);
		}
		free(text);
	}
}

static void test_address_unusable(void **state)
{
	static const char *const unusable[] = {
		"0.0.0.0",   "0.1.2.3",
		"127.0.0.1", "127.255.255.255",
		"224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255",
		"::",	     "::1",
		"ff02::1",   "ffff::1",
		"fe80::1",   "febf:ffff::1",
	};
	static const char *const usable[] = {
		"1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255", "192.0.2.1", "198.18.0.1", "169.254.1.1",
		"::2",	   "2001:db8::1",     "fd00::1",   "fec0::1",	      "100::1",	   "fe00::1",
	};
	struct xf_address a;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(unusable); i++) {
		assert_int_equal(xf_address_parse(unusable[i], &a, NULL), 0);
		if (!xf_address_is_unusable(&a) || !xf_address_unusable_why(&a))
			fail_msg("%s passes as usable", unusable[i]);
	}
	for (i = 0; i < ARRAY_SIZE(usable); i++) {
		assert_int_equal(xf_address_parse(usable[i], &a, NULL), 0);
		if (xf_address_is_unusable(&a) || xf_address_unusable_why(&a))
			fail_msg("%s passes as unusable", usable[i]);
	}
	assert_true(xf_address_is_unusable(&(struct xf_address){0}));
}

static void test_address_equal(void **state)
{
	struct xf_address a, b;

	(void)state;
	assert_int_equal(xf_address_parse("192.0.2.1", &a, NULL), 0);
	b = a;
	assert_true(xf_address_equal(&a, &b));
	b.addr.v6[3]++;
	assert_false(xf_address_equal(&a, &b));

	assert_int_equal(xf_address_parse("2001:db8::1", &a, NULL), 0);
	b = a;
	assert_true(xf_address_equal(&a, &b));
	b.addr.v6[15]++;
	assert_false(xf_address_equal(&a, &b));

	/* c000:201:: has the octets of 192.0.2.1 */
	assert_int_equal(xf_address_parse("c000:201::", &a, NULL), 0);
	assert_int_equal(xf_address_parse("192.0.2.1", &b, NULL), 0);
	assert_memory_equal(&a.addr, &b.addr, sizeof(a.addr));
	assert_false(xf_address_equal(&a, &b));
}

/* Buffers of any length: cut off, with a NUL, and nothing written behind the end. */
static void test_format_in_small_buffers(void **state)
{
	struct xf_listen l;
	char *buf;
	size_t len;

	(void)state;
	assert_int_equal(xf_listen_parse("[2001:db8::1]:27000-27015", &l, NULL), 0);
	for (len = 1; len < 40; len++) {
		buf = malloc(len);
		assert_non_null(buf);
		assert_ptr_equal(xf_listen_format(&l, buf, len), buf);
		assert_int_equal(strlen(buf), len - 1 < 25 ? len - 1 : 25);
		free(buf);
	}
}

/* Random addresses whose one canonical spelling the test makes by itself. */
static void test_address_round_trip(void **state)
{
	char text[64], buf[XF_ENDPOINT_STRLEN];
	struct xf_address a;
	int i, g, n;

	(void)state;
	random_restart();
	for (i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "%u.%u.%u.%u", random_below(256), random_below(256), random_below(256),
			 random_below(256));
		assert_int_equal(xf_address_parse(text, &a, NULL), 0);
		assert_string_equal(xf_address_format(&a, buf, sizeof(buf)), text);

		/* No group is zero, so nothing can be shortened to "::". */
		for (g = 0, n = 0; g < 8; g++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%x", g ? ":" : "",
				      1 + random_below(0xffff));
		assert_int_equal(xf_address_parse(text, &a, NULL), 0);
		assert_string_equal(xf_address_format(&a, buf, sizeof(buf)), text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_address_unusable),
		cmocka_unit_test(test_address_equal),
		cmocka_unit_test(test_format_in_small_buffers),
		cmocka_unit_test(test_address_round_trip),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
