/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of networks: what is taken and how it is remembered, files, and the set that comes of it. */
#include "support.h"

#include "prefixes.h"

/* Files as the tests have them: the name says what is in there. */
static int read_file(const char *path, struct xf_prefix_file *file, struct xf_error *err)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{"list", "# who may not\n198.51.100.0/24\n\n  2001:db8::/32\t# both families\r\n192.0.2.1 ; SBL1\n"},
		{"no-newline", "192.0.2.7"},
		{"empty", ""},
		{"comments", "# nothing\n;\n\n"},
		{"third-line-bad", "192.0.2.1\n# fine\n192.0.2.300\n"},
		{"two-a-line", "192.0.2.1 192.0.2.2\n"},
	};
	size_t i;

	snprintf(file->name, sizeof(file->name), "/etc/%s", path);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].name, path))
			continue;
		/* To the very end of its allocation, and without a NUL: a file has none. */
		file->len = strlen(files[i].text);
		file->text = malloc(file->len + !file->len);
		assert_non_null(file->text);
		memcpy(file->text, files[i].text, file->len);
		return 0;
	}
	return xf_fail(err, "cannot read %s", path);
}

/* The networks of a settled list, one after the other. */
static const char *nets(const struct xf_prefixes *list)
{
	static char all[4096];
	char text[CIDR_STRLEN];
	size_t i;

	*all = '\0';
	for (i = 0; i < list->n; i++) {
		strcat(all, i ? " " : "");
		strcat(all, cidr_format(&list->net[i], text, sizeof(text)));
	}
	return all;
}

static void test_taken(void **state)
{
	static const struct {
		const char *text, *nets, *given;
	} cases[] = {
		{"198.51.100.0/24", "198.51.100.0/24", "198.51.100.0/24"},
		{"192.0.2.1,192.0.2.2/32", "192.0.2.1 192.0.2.2", "192.0.2.1,192.0.2.2"},
		{"2001:DB8:0::/32,10.0.0.0/8", "10.0.0.0/8 2001:db8::/32", "2001:db8::/32,10.0.0.0/8"},
		{"0.0.0.0/0,::/0", "0.0.0.0/0 ::/0", "0.0.0.0/0,::/0"},
		{"2001:db8::1,2001:db8::/64", "2001:db8::/64", "2001:db8::1,2001:db8::/64"},
		/* twice, in another, beside another, and the lower and the upper half */
		{"10.0.0.0/8,10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8,10.0.0.0/8"},
		{"10.1.0.0/16,10.0.0.0/8,10.255.255.255,11.0.0.0", "10.0.0.0/8 11.0.0.0",
		 "10.1.0.0/16,10.0.0.0/8,10.255.255.255,11.0.0.0"},
		{"10.128.0.0/9,10.0.0.0/9", "10.0.0.0/9 10.128.0.0/9", "10.128.0.0/9,10.0.0.0/9"},
		{"@list", "192.0.2.1 198.51.100.0/24 2001:db8::/32", "@/etc/list"},
		{"203.0.113.0/24,@no-newline,@empty,@comments", "192.0.2.7 203.0.113.0/24",
		 "203.0.113.0/24,@/etc/no-newline,@/etc/empty,@/etc/comments"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_prefixes list = {0};
		char *text = tight(cases[i].text);
		struct xf_error err;

		if (xf_prefixes_add(&list, text, read_file, &err))
			fail_msg("%s: %s", text, err.text);
		xf_prefixes_settle(&list);
		assert_string_equal(nets(&list), cases[i].nets);
		assert_string_equal(list.given, cases[i].given);
		xf_prefixes_free(&list);
		free(text);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
		{"", "\"\" is not an address"},
		{"192.0.2.1,", "\"\" is not an address"},
		{"192.0.2", "192.0.2 is not an address"},
		{"192.0.2.0/33", "192.0.2.0/33|0 to 32"},
		{"192.0.2.0/24x", "192.0.2.0/24x"},
		{"192.0.2.0/", "192.0.2.0/|0 to 32"},
		{"192.0.2.7/24", "192.0.2.7/24|write 192.0.2.0/24 for the network|192.0.2.7 for the address"},
		{"192.0.2.1/0", "write 0.0.0.0/0"},
		{"2001:db8::1/32", "write 2001:db8::/32|2001:db8::1 for the address"},
		{"2001:db8::8000/112", "write 2001:db8::/112"},
		{"2001:db8::/129", "0 to 128"},
		{"::ffff:192.0.2.1", "write 192.0.2.1"},
		{"all", "all is not an address"},
		{"@", "name of a file"},
		{"@nosuch", "cannot read nosuch"},
		{"@third-line-bad", "/etc/third-line-bad:3: 192.0.2.300 is not an address"},
		{"@two-a-line", "/etc/two-a-line:1: 192.0.2.1 192.0.2.2"},
		{"11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
		 "111|198.51.100.0/24"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_prefixes list = {0};
		char *text = tight(cases[i][0]);
		struct xf_error err;

		assert_int_equal(xf_prefixes_add(&list, text, read_file, &err), -1);
		assert_error(text, &err, cases[i][1]);
		xf_prefixes_free(&list);
		free(text);
	}
}

/* What is remembered must be whole, or the list is refused. */
static void test_too_many(void **state)
{
	struct xf_prefixes list = {0};
	struct xf_error err;
	char text[32];
	unsigned int i;
	int rc = 0;

	(void)state;
	for (i = 0; i < 1000 && !rc; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		rc = xf_prefixes_add(&list, text, read_file, &err);
	}
	assert_int_equal(rc, -1);
	assert_in_range(i, 80, 200);
	assert_error("many", &err, "put them into a file|@FILE");
	assert_true(strlen(list.given) < sizeof(list.given));
	assert_true(strlen(list.given) > sizeof(list.given) - 20);
	xf_prefixes_free(&list);
}

static void test_nul_in_file(void **state)
{
	char octets[] = "192.0.2.1\n192.0\0.2.1\n";
	struct xf_prefix_file file = {.name = "f", .text = octets, .len = sizeof(octets) - 1};
	struct xf_prefixes list = {0};
	struct xf_error err;

	(void)state;
	assert_int_equal(xf_prefixes_add_lines(&list, &file, &err), -1);
	assert_error("NUL", &err, "f:2: |NUL");
	xf_prefixes_free(&list);
}

/* However the same networks are stated, they are the same set. */
static void test_hash(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"10.0.0.0/8,11.0.0.0/8", "11.0.0.0/8,10.0.0.0/8,10.1.0.0/16", true},
		{"10.0.0.0/8", "10.0.0.0/9", false},
		{"10.0.0.0/8", "11.0.0.0/8", false},
		{"10.0.0.0/8", "10.0.0.0/8,12.0.0.0/8", false},
		{"0.0.0.0/0", "::/0", false},
		{"@empty", "@comments", true},
		{"@empty", "0.0.0.0/0", false},
		{"2001:db8::/32", "2001:db8:0:1::/64", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_prefixes a = {0}, b = {0};

		assert_int_equal(xf_prefixes_add(&a, cases[i].a, read_file, NULL), 0);
		assert_int_equal(xf_prefixes_add(&b, cases[i].b, read_file, NULL), 0);
		xf_prefixes_settle(&a);
		xf_prefixes_settle(&b);
		if ((xf_prefixes_hash(&a) == xf_prefixes_hash(&b)) != cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
		xf_prefixes_free(&a);
		xf_prefixes_free(&b);
	}
}

/* Against the plainest way to ask: is the address in any of the networks? */
static void test_settle_changes_nothing(void **state)
{
	struct xf_prefixes list = {0}, before;
	struct xf_address addr = {.family = XF_IPV4};
	struct xf_error err;
	unsigned int i, j;
	char text[40];

	(void)state;
	random_restart();
	for (i = 0; i < 50; i++) {
		uint32_t bits = 18 + random_below(15), host = random_below(1u << 14) & ~((1u << (32 - bits)) - 1);

		snprintf(text, sizeof(text), "10.0.%u.%u/%u", host >> 8 & 0xff, host & 0xff, bits);
		assert_int_equal(xf_prefixes_add(&list, text, read_file, &err), 0);
	}
	before = list;
	before.net = malloc(list.n * sizeof(*list.net));
	assert_non_null(before.net);
	memcpy(before.net, list.net, list.n * sizeof(*list.net));
	xf_prefixes_settle(&list);
	assert_true(list.n < before.n);
	for (i = 0; i < 1u << 14; i++) {
		bool was = false, is = false;

		((uint8_t *)&addr.addr.v4)[0] = 10;
		((uint8_t *)&addr.addr.v4)[2] = (uint8_t)(i >> 8);
		((uint8_t *)&addr.addr.v4)[3] = (uint8_t)i;
		for (j = 0; j < before.n; j++)
			was |= cidr_contains(&before.net[j], &addr);
		for (j = 0; j < list.n; j++)
			is |= cidr_contains(&list.net[j], &addr);
		assert_int_equal(was, is);
	}
	free(before.net);
	xf_prefixes_free(&list);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many), cmocka_unit_test(test_nul_in_file),
		cmocka_unit_test(test_hash),	 cmocka_unit_test(test_settle_changes_nothing),
	};

	return cmocka_run_group_tests_name("prefixes", tests, NULL, NULL);
}
