/* SPDX-License-Identifier: GPL-2.0-only */
/* Who comes first in the list of sources, and what the records of rules, sources and bans say. */
#include "support.h"

#include "record_watch.h"
#include "sources.h"

static struct dp_source source(uint32_t rule, const char *addr, uint64_t flows_created, uint64_t refused)
{
	struct dp_source s = {.rule = rule, .flows_created = flows_created, .refused = refused};
	struct xf_error err;

	assert_int_equal(xf_address_parse(addr, &s.addr, &err), 0);
	return s;
}

static void assert_order(const struct dp_source *s, size_t n, const char *want)
{
	char got[512] = "", text[RECORD_SOURCE_LEN];
	size_t i;

	for (i = 0; i < n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, source_format(&s[i].addr, text));
	}
	assert_string_equal(got, want);
}

static void test_sort(void **state)
{
	struct dp_source s[] = {
		source(0, "192.0.2.1", 3, 0), source(0, "192.0.2.2", 0, 9),  source(0, "192.0.2.3", 3, 0),
		source(0, "192.0.2.4", 3, 0), source(0, "2001:db8::", 5, 5), source(0, "192.0.2.0", 3, 0),
	};

	(void)state;
	s[2].flows = 1;
	s[3].flows = 1;
	s[3].bytes_out = 10;
	sources_sort(s, ARRAY_SIZE(s));
	assert_order(s, ARRAY_SIZE(s), "2001:db8::/64 192.0.2.2 192.0.2.4 192.0.2.3 192.0.2.0 192.0.2.1");
	sources_sort(NULL, 0);
}

static void test_merge(void **state)
{
	struct dp_source s[] = {
		source(7, "192.0.2.1", 3, 1), source(8, "2001:db8::", 1, 0), source(8, "192.0.2.1", 4, 2),
		source(9, "192.0.2.2", 1, 0), source(9, "192.0.2.1", 0, 5),
	};
	size_t n;

	(void)state;
	s[0].flows = 1;
	s[0].bytes_in = 100;
	s[2].flows = 2;
	s[2].bytes_in = 11;
	s[2].bytes_out = 5;
	s[4].last_seen_unix = 1700000000;
	n = sources_merge(s, ARRAY_SIZE(s));
	assert_int_equal(n, 3);
	sources_sort(s, n);
	assert_order(s, n, "192.0.2.1 192.0.2.2 2001:db8::/64");
	assert_int_equal(s[0].flows_created, 7);
	assert_int_equal(s[0].refused, 8);
	assert_int_equal(s[0].flows, 3);
	assert_int_equal(s[0].bytes_in, 111);
	assert_int_equal(s[0].bytes_out, 5);
	assert_true(s[0].last_seen_unix > 1699999999);
	assert_int_equal(sources_merge(NULL, 0), 0);
	assert_int_equal(sources_merge(s, 1), 1);
}

/* One rule after the other, none lost. */
static void test_of_rule(void **state)
{
	struct dp_source s[] = {
		source(7, "192.0.2.1", 1, 0), source(8, "192.0.2.2", 1, 0), source(7, "192.0.2.3", 1, 0),
		source(9, "192.0.2.4", 1, 0), source(8, "192.0.2.5", 1, 0),
	};
	uint32_t rule;

	(void)state;
	for (rule = 9; rule >= 7; rule--) {
		size_t n = sources_of_rule(s, ARRAY_SIZE(s), rule);

		assert_int_equal(n, rule == 9 ? 1 : 2);
		while (n--)
			assert_int_equal(s[n].rule, rule);
	}
	assert_int_equal(sources_of_rule(s, ARRAY_SIZE(s), 6), 0);
}

/* Fails unless the object is this, keys sorted. */
static void assert_json(json_t *object, const char *want)
{
	char *got = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
	json_decref(object);
}

static json_t *watched(uint32_t established, uint32_t pending)
{
	struct dp_rule rule = {.sources = 12, .flows_established = established, .flows_pending = pending};
	json_t *record = json_pack("{s:s}", "name", "web");

	assert_int_equal(record_watch(record, &rule), 0);
	return record;
}

static void test_record_watch(void **state)
{
	(void)state;
	assert_json(watched(0, 0), "{\"flows\":{\"established\":0,\"pending\":0},\"half_open\":null,\"name\":\"web\","
				   "\"sources\":12}");
	assert_json(watched(2, 1), "{\"flows\":{\"established\":2,\"pending\":1},\"half_open\":0.333,\"name\":\"web\","
				   "\"sources\":12}");
	assert_json(watched(0, 4294967295u), "{\"flows\":{\"established\":0,\"pending\":4294967295},\"half_open\":1.0,"
					     "\"name\":\"web\",\"sources\":12}");
	assert_int_equal(record_watch(NULL, &(struct dp_rule){0}), -1);
}

static void test_record_source(void **state)
{
	struct dp_source s = source(1, "2001:db8:1:2::", 5, 6);

	(void)state;
	s.last_seen_unix = 1700000000.5;
	s.bytes_in = 7;
	s.bytes_out = 8;
	s.flows = 9;
	assert_json(record_source(&s, "web"), "{\"bytes_in\":7,\"bytes_out\":8,\"flows\":9,\"flows_created\":5,"
					      "\"last_seen\":1700000000.5,\"refused\":6,\"rule\":\"web\","
					      "\"source\":\"2001:db8:1:2::/64\"}");
	s = source(1, "192.0.2.1", 0, 0);
	assert_json(record_source(&s, NULL), "{\"bytes_in\":0,\"bytes_out\":0,\"flows\":0,\"flows_created\":0,"
					     "\"last_seen\":0.0,\"refused\":0,\"rule\":null,\"source\":\"192.0.2.1\"}");
}

static void test_record_ban(void **state)
{
	struct dp_ban ban = {.until_unix = 1700003600, .packets = 3};
	struct xf_error err;

	(void)state;
	assert_int_equal(cidr_parse("198.51.100.0/24", &ban.net, &err), 0);
	assert_json(record_ban(&ban, 1700000000),
		    "{\"expires\":\"2023-11-14T23:13:20Z\",\"network\":\"198.51.100.0/24\","
		    "\"packets\":3,\"seconds_left\":3600}");
	assert_json(record_ban(&ban, 1700003601),
		    "{\"expires\":\"2023-11-14T23:13:20Z\",\"network\":\"198.51.100.0/24\","
		    "\"packets\":3,\"seconds_left\":0}");
	ban.until_unix = 0;
	assert_json(record_ban(&ban, 1700000000), "{\"expires\":null,\"network\":\"198.51.100.0/24\",\"packets\":3,"
						  "\"seconds_left\":null}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort),	      cmocka_unit_test(test_merge),
		cmocka_unit_test(test_of_rule),	      cmocka_unit_test(test_record_watch),
		cmocka_unit_test(test_record_source), cmocka_unit_test(test_record_ban),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
