/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole rule sets. The inputs in tests/unit/import were written by the tools
 * themselves (nftables 1.0.6, iptables 1.8.9 of both kinds, from nft.rules and
 * its like); beside each is the config and what has to be said of the rest.
 */
#include "support.h"

#include "import.h"

#define DIR "tests/unit/import/"

static void read_file(const char *name, struct buf *b)
{
	char path[128], chunk[4096];
	FILE *from;
	size_t n;

	snprintf(path, sizeof(path), DIR "%s", name);
	from = fopen(path, "re");
	if (!from)
		fail_msg("%s: cannot be read; run this from the top of the tree", path);
	while ((n = fread(chunk, 1, sizeof(chunk), from)) > 0)
		buf_add(b, chunk, n);
	fclose(from);
}

typedef int (*reader)(struct import *im, const char *text, size_t len, struct xf_error *err);

/* With XDPFWD_KEEP set, what comes out is kept as what is expected, to be looked through. */
static void compare(const char *name, const char *suffix, const char *got)
{
	struct buf expected = {0};
	char file[64];

	snprintf(file, sizeof(file), "%s.%s", name, suffix);
	if (getenv("XDPFWD_KEEP")) {
		char path[128];
		FILE *to;

		snprintf(path, sizeof(path), DIR "%s", file);
		to = fopen(path, "we");
		assert_non_null(to);
		fputs(got, to);
		fclose(to);
	}
	read_file(file, &expected);
	assert_string_equal(got, expected.data ? expected.data : "");
	buf_free(&expected);
}

static void whole(const char *name, const char *tool, reader read)
{
	static const struct import_zone zones[] = {{"vpn", 3, "wg0"}, {0}};
	struct import im = {.input = "FILE", .zones = zones};
	struct buf text = {0}, config = {0};
	struct xf_error err;
	char file[64];

	snprintf(file, sizeof(file), "%s.in", name);
	read_file(file, &text);
	if (read(&im, text.data, text.len, &err))
		fail_msg("%s: %s", file, err.text);
	import_finish(&im);
	assert_false(im.failed);
	import_print(&im, tool, &config);
	compare(name, "yaml", config.data);
	compare(name, "notes", im.notes.data ? im.notes.data : "");
	buf_free(&config);
	buf_free(&text);
	import_free(&im);
}

static void test_nft(void **state)
{
	(void)state;
	whole("nft", "nft", import_nft);
}

static void test_nft_of_iptables(void **state)
{
	(void)state;
	whole("nft-of-iptables", "nft", import_nft);
}

static void test_iptables_legacy(void **state)
{
	(void)state;
	whole("iptables-legacy", "iptables", import_iptables);
}

static void test_iptables_nft(void **state)
{
	(void)state;
	whole("iptables-nft", "iptables", import_iptables);
}

static void test_fw4(void **state)
{
	(void)state;
	whole("fw4", "fw4", import_fw4);
}

static void test_docker(void **state)
{
	(void)state;
	whole("docker", "docker", import_docker);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nft),
		cmocka_unit_test(test_nft_of_iptables),
		cmocka_unit_test(test_iptables_legacy),
		cmocka_unit_test(test_iptables_nft),
		cmocka_unit_test(test_fw4),
		cmocka_unit_test(test_docker),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
