/* SPDX-License-Identifier: GPL-2.0-only */
/* LISTEN and TARGET as users write them: each spelling of the contract, and what to say of the others. */
#include "rule.h"
#include "support.h"

#define ROUNDS 20000

/* Parses, and prints again: NULL and err filled if it was refused. *out keeps what it held then. */
static const char *listen_again(const char *text, char *buf, struct xf_error *err)
{
	struct xf_listen l, before;
	char *copy = tight(text);
	int rc;

	memset(&l, 0xa5, sizeof(l));
	before = l;
	rc = xf_listen_parse(copy, &l, err);
	free(copy);
	if (!rc)
		return xf_listen_format(&l, buf, XF_ENDPOINT_STRLEN);
	assert_memory_equal(&l, &before, sizeof(l));
	return NULL;
}

static const char *target_again(const char *text, char *buf, struct xf_error *err)
{
	struct xf_target t, before;
	char *copy = tight(text);
	int rc;

	memset(&t, 0xa5, sizeof(t));
	before = t;
	rc = xf_target_parse(copy, &t, err);
	free(copy);
	if (!rc)
		return xf_target_format(&t, buf, XF_ENDPOINT_STRLEN);
	assert_memory_equal(&t, &before, sizeof(t));
	return NULL;
}

struct spelling {
	const char *text;
	const char *printed; /* NULL: it is refused */
	const char *words;   /* then the error has these */
};

static const struct spelling listens[] = {
	{"192.0.2.1:443", "192.0.2.1:443", NULL},
	{"0.0.0.0:443", "0.0.0.0:443", NULL}, /* xf_rule_check refuses it, and says what to write */
	{"[2001:db8::1]:443", "[2001:db8::1]:443", NULL},
	{"[2001:DB8:0::1]:1-9", "[2001:db8::1]:1-9", NULL},
	{":443", ":443", NULL},
	{":27000-27015", ":27000-27015", NULL},
	{":443-443", ":443", NULL},
	{"eth0:443", "eth0:443", NULL},
	{"eth0.100:443", "eth0.100:443", NULL},
	{"10g:443", "10g:443", NULL},
	{"br-1a2b3c4d5e6f:1", "br-1a2b3c4d5e6f:1", NULL},
	{"wan@x:53", "wan@x:53", NULL},
	{"größe:53", "größe:53", NULL},
	{"", NULL, "has no port"},
	{"443", NULL, "443|write :443"},
	{"8000-8099", NULL, "write :8000-8099"},
	{"eth0", NULL, "eth0 has no port|IFACE:PORT"},
	{"192.0.2.1", NULL, "192.0.2.1 has no port|ADDR:PORT"},
	{"[2001:db8::1]", NULL, "[2001:db8::1] has no port|[ADDR6]:PORT"},
	{":", NULL, "is not a port"},
	{"eth0:", NULL, "eth0:|is not a port"},
	{"eth0:0", NULL, "eth0:0|0 is not a port"},
	{":080", NULL, "080 is not a port"},
	{":80 ", NULL, "80  is not a port"},
	{":+80", NULL, "+80 is not a port"},
	{":90-80", NULL, ":90-80|write 80-90"},
	{"192.0.2.1:https", NULL, "https is not a port"},
	{"192.0.2.300:443", NULL, "192.0.2.300 is not an address"},
	{"192.0.2:443", NULL, "192.0.2 is not an address"},
	{"10:443", NULL, "10 is not an address"},
	{".:443", NULL, ". is not an address"},
	{"..:443", NULL, ".. is not an address"},
	{"2001:db8::1:443", NULL, "write [2001:db8::1]:443"},
	{"2001:db8:1:2:3:4:5:6:443", NULL, "write [2001:db8:1:2:3:4:5:6]:443"},
	{"2001:db8::1", NULL, "write [2001:db8::1]:PORT"},
	{"::1", NULL, "write [::1]:PORT"},
	{"::ffff:192.0.2.1:80", NULL, "write 192.0.2.1"},
	{"[::ffff:192.0.2.1]:80", NULL, "write 192.0.2.1"},
	{"fe80::1%eth0:80", NULL, "zone"},
	{"[fe80::1%eth0]:80", NULL, "fe80::1%eth0|zone"},
	{"192.0.2.1:80:90", NULL, "192.0.2.1:80:90|ADDR:PORT"},
	{"[192.0.2.1]:80", NULL, "write 192.0.2.1:80"},
	{"[eth0]:80", NULL, "eth0 is not an address"},
	{"[]:80", NULL, "is not an address"},
	{"[2001:db8::1:80", NULL, "write IPv6 as [ADDR6]:PORT"},
	{"[2001:db8::1]80", NULL, "write IPv6 as [ADDR6]:PORT"},
	{"[[2001:db8::1]]:80", NULL, "[ADDR6]:PORT"},
	{"a/b:80", NULL, "a/b is neither"},
	{"a b:80", NULL, "a b is neither"},
	{"a\nb:80", NULL, "a?b is neither"},
	{"a\xa0:80", NULL, "is neither"},
	{"à:80", NULL, "à is neither"}, /* its second octet is Latin-1's no-break space */
	{"sixteencharslong:80", NULL, "sixteencharslong is neither"},
	{"a-name-that-is-much-longer-than-any-address-can-be-and-than-any-interface:80", NULL, "is neither"},
};

#define LABEL63 "a23456789012345678901234567890123456789012345678901234567890123"
#define NAME253                             \
	LABEL63 "." LABEL63 "." LABEL63 "." \
		"a234567890123456789012345678901234567890123456789012345678901"

static const struct spelling targets[] = {
	{"192.0.2.1:8443", "192.0.2.1:8443", NULL},
	{"192.0.2.1", "192.0.2.1", NULL},
	{"[2001:db8::1]:8443", "[2001:db8::1]:8443", NULL},
	{"[2001:DB8::1]", "[2001:db8::1]", NULL},
	{"", NULL, "has no address|ADDR[:PORT]"},
	{":8443", NULL, ":8443 has no address"},
	{"8443", NULL, "8443 is not an address"},
	{"192.0.2.1:", NULL, "192.0.2.1:|is not a number from 1 to 65535"},
	{"192.0.2.1:0", NULL, "192.0.2.1:0|0 is not a number from 1 to 65535"},
	{"192.0.2.1:65536", NULL, "65536 is not a number from 1 to 65535"},
	{"192.0.2.1:080", NULL, "080 is not a number"},
	{"192.0.2.1:80abc", NULL, "80abc is not a number"},
	{"192.0.2.1:80-90", NULL, "first port|write 192.0.2.1:80"},
	{"[2001:db8::1]:80-90", NULL, "write [2001:db8::1]:80"},
	{"192.0.2.1:90-80", NULL, "90-80 is not a number"},
	{"2001:db8::1", NULL, "write [2001:db8::1]"},
	{"2001:db8::1:443", NULL, "write [2001:db8::1]:443, or [2001:db8::1:443] for the same port"},
	{"2001:db8:1:2:3:4:5:6:443", NULL, "write [2001:db8:1:2:3:4:5:6]:443"},
	{"::ffff:192.0.2.1", NULL, "write 192.0.2.1"},
	{"[::ffff:192.0.2.1]", NULL, "write 192.0.2.1"},
	{"[fe80::1%eth0]:80", NULL, "fe80::1%eth0|zone"},
	{"fe80::1%eth0", NULL, "fe80::1%eth0|zone"},
	{"[192.0.2.1]", NULL, "brackets|write 192.0.2.1"},
	{"example.com", "example.com", NULL},
	{"example.com:443", "example.com:443", NULL},
	{"www.example.com.:443", "www.example.com.:443", NULL},
	{"localhost", "localhost", NULL},
	{"3com.example", "3com.example", NULL},
	{"_sip._tcp.xn--bcher-kva.example:5060", "_sip._tcp.xn--bcher-kva.example:5060", NULL},
	{LABEL63 ".example", LABEL63 ".example", NULL},
	{LABEL63 "a.example", NULL, "is neither an address nor a host name"},
	{NAME253, NAME253, NULL},
	{NAME253 "a", NULL, "too long for a host name"},
	{NAME253 "aaaaaaaaa", NULL, "too long"},
	{"example..com", NULL, "example..com is neither an address nor a host name"},
	{".example.com", NULL, "is neither an address nor a host name"},
	{"-a.example", NULL, "is neither an address nor a host name"},
	{"a-.example", NULL, "is neither an address nor a host name"},
	{"a b.example", NULL, "is neither an address nor a host name"},
	{"www.example.10", NULL, "is neither an address nor a host name"},
	{"example.com:80-90", NULL, "write example.com:80"},
	{"example.com:0", NULL, "0 is not a number from 1 to 65535"},
	{"[example.com]:80", NULL, "example.com is not an address"},
	{"b\xc3\xbc"
	 "cher.example",
	 NULL, "is neither an address nor a host name"},
	{"192.0.2.300", NULL, "192.0.2.300 is not an address"},
	{"192.0.2.1,192.0.2.2", NULL, "192.0.2.1,192.0.2.2|several targets"},
	{" 192.0.2.1", NULL, " 192.0.2.1 is neither an address nor a host name"},
};

typedef const char *again_fn(const char *text, char *buf, struct xf_error *err);

static void check_spellings(again_fn *again, const struct spelling *s, size_t n)
{
	char buf[XF_ENDPOINT_STRLEN];
	struct xf_error err = {""};
	const char *printed;

	for (; n; n--, s++) {
		printed = again(s->text, buf, &err);
		if (!printed != !s->printed)
			fail_msg("%s is %s", s->text, printed ? printed : err.text);
		if (printed)
			assert_string_equal(printed, s->printed);
		else
			assert_error(s->text, &err, s->words);
	}
}

static void test_listen(void **state)
{
	(void)state;
	check_spellings(listen_again, listens, ARRAY_SIZE(listens));
}

static void test_target(void **state)
{
	(void)state;
	check_spellings(target_again, targets, ARRAY_SIZE(targets));
}

/* Text comes back the same, but the fields have to be right as well. */
static void test_fields(void **state)
{
	static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, v4[16] = {192, 0, 2, 1}, none[16];
	struct xf_listen l;
	struct xf_target t;

	(void)state;
	assert_int_equal(xf_listen_parse("[2001:db8::1]:80-90", &l, NULL), 0);
	assert_int_equal(l.kind, XF_LISTEN_ADDR);
	assert_int_equal(l.addr.family, XF_IPV6);
	assert_memory_equal(l.addr.addr.v6, v6, 16);
	assert_true(l.ports.lo == 80 && l.ports.hi == 90);
	assert_string_equal(l.ifname, "");

	assert_int_equal(xf_listen_parse("wan0:443", &l, NULL), 0);
	assert_int_equal(l.kind, XF_LISTEN_IFACE);
	assert_int_equal(l.addr.family, 0);
	assert_memory_equal(l.addr.addr.v6, none, 16);
	assert_string_equal(l.ifname, "wan0");

	assert_int_equal(xf_listen_parse(":1", &l, NULL), 0);
	assert_int_equal(l.kind, XF_LISTEN_ANY);
	assert_int_equal(l.addr.family, 0);
	assert_string_equal(l.ifname, "");

	assert_int_equal(xf_target_parse("192.0.2.1", &t, NULL), 0);
	assert_int_equal(t.addr.family, XF_IPV4);
	assert_memory_equal(t.addr.addr.v6, v4, 16);
	assert_int_equal(t.port, 0);
	assert_int_equal(xf_target_parse("[2001:db8::1]:65535", &t, NULL), 0);
	assert_int_equal(t.port, 65535);
	assert_string_equal(t.host, "");
	assert_int_equal(xf_target_parse("example.com:80", &t, NULL), 0);
	assert_int_equal(t.addr.family, 0);
	assert_int_equal(t.port, 80);
	assert_string_equal(t.host, "example.com");
	assert_true(xf_target_is_unresolved(&t));
}

/* Canonical text of a random address of either family, made without the code under test. */
static void random_host(char *text, size_t len)
{
	uint32_t a = 1 + random_below(0xffff), b = 1 + random_below(0xffff);

	if (random_below(2))
		snprintf(text, len, "%u.%u.%u.%u", a >> 8, a & 255, b >> 8, b & 255);
	else
		snprintf(text, len, "[2001:db8:%x::%x]", a, b);
}

static void random_ifname(char *text)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@+=~#%";
	size_t i, n = random_below(XF_IFNAME_LEN - 1);

	text[0] = "abcdefghijklmnopqrstuvwxyz"[random_below(26)];
	for (i = 1; i <= n; i++)
		text[i] = chars[random_below(sizeof(chars) - 1)];
	text[n + 1] = '\0';
}

static void test_round_trip(void **state)
{
	char text[XF_ENDPOINT_STRLEN], buf[XF_ENDPOINT_STRLEN], host[48];
	uint32_t lo, hi, n;
	int i;

	(void)state;
	random_restart();
	for (i = 0; i < ROUNDS; i++) {
		lo = 1 + random_below(65535);
		hi = lo + random_below(65536 - lo);
		random_host(host, sizeof(host));

		n = random_below(2);
		snprintf(text, sizeof(text), n ? "%s" : "%s:%u", host, lo);
		assert_string_equal(target_again(text, buf, NULL), text);

		n = random_below(3);
		if (n == 0)
			host[0] = '\0';
		else if (n == 1)
			random_ifname(host);
		snprintf(text, sizeof(text), hi > lo ? "%s:%u-%u" : "%s:%u", host, lo, hi);
		assert_string_equal(listen_again(text, buf, NULL), text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("addr_endpoint", tests, NULL, NULL);
}
