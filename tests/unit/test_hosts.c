/* SPDX-License-Identifier: GPL-2.0-only */
/* Host names: when they are asked for, which answer counts, and what becomes of targets' pulses. */
#include "hosts.h"
#include "log_repeat.h"
#include "pulse.h"
#include "support.h"

static struct xf_address address(const char *text)
{
	struct xf_address a = {0};

	assert_int_equal(xf_address_parse(text, &a, NULL), 0);
	return a;
}

static struct resolve_answer answer(const char *first, const char *second, uint32_t ttl)
{
	struct resolve_answer a = {.ttl = ttl, .why = first ? NULL : "no"};

	if (first)
		a.addr[a.n++] = address(first);
	if (second)
		a.addr[a.n++] = address(second);
	return a;
}

static void assert_address(const struct host *host, const char *text)
{
	struct xf_address a = address(text);

	assert_true(host->addr.family && xf_address_equal(&host->addr, &a));
}

static void test_one_each(void **state)
{
	struct hosts hosts = {0};
	struct host *a, *b, *c;

	(void)state;
	a = hosts_want(&hosts, "b.example", XF_IPV4);
	b = hosts_want(&hosts, "a.example", XF_IPV4);
	c = hosts_want(&hosts, "B.Example", XF_IPV6);
	assert_int_equal(hosts.n, 3);
	assert_ptr_equal(hosts_want(&hosts, "B.EXAMPLE", XF_IPV4), a);
	assert_ptr_equal(hosts_find(&hosts, "a.example", XF_IPV4), b);
	assert_ptr_equal(hosts_find(&hosts, "b.example", XF_IPV6), c);
	assert_null(hosts_find(&hosts, "a.example", XF_IPV6));
	assert_null(hosts_find(&hosts, "c.example", XF_IPV4));
	hosts_free(&hosts);
}

static void test_sweep(void **state)
{
	struct hosts hosts = {0};
	struct host *kept, *asking;

	(void)state;
	kept = hosts_want(&hosts, "kept", XF_IPV4);
	asking = hosts_want(&hosts, "asking", XF_IPV4);
	hosts_want(&hosts, "gone", XF_IPV4);
	hosts_sweep(&hosts);
	assert_int_equal(hosts.n, 3);
	hosts_want(&hosts, "kept", XF_IPV4);
	asking->asking = true;
	hosts_sweep(&hosts);
	assert_int_equal(hosts.n, 2);
	assert_ptr_equal(hosts_find(&hosts, "kept", XF_IPV4), kept);
	assert_ptr_equal(hosts_find(&hosts, "asking", XF_IPV4), asking);
	asking->asking = false;
	hosts_sweep(&hosts);
	assert_int_equal(hosts.n, 0);
	hosts_free(&hosts);
}

static void test_due(void **state)
{
	struct hosts hosts = {0};
	struct host *a, *b;
	int64_t next;

	(void)state;
	assert_null(hosts_due(&hosts, 0, &next));
	assert_true(next == INT64_MAX);
	a = hosts_want(&hosts, "a", XF_IPV4);
	b = hosts_want(&hosts, "b", XF_IPV4);
	b->next = 2000;
	assert_ptr_equal(hosts_due(&hosts, 0, &next), a);
	a->next = 3000;
	assert_null(hosts_due(&hosts, 1999, &next));
	assert_int_equal(next, 2000);
	assert_ptr_equal(hosts_due(&hosts, 2000, &next), b);
	b->asking = true;
	assert_null(hosts_due(&hosts, 2000, &next));
	assert_int_equal(next, 3000);
	hosts_free(&hosts);
}

/* Not more often than every 5 s, whatever the name server wants, nor less often than once an hour. */
static void test_ttl(void **state)
{
	static const struct {
		uint32_t ttl;
		int64_t seconds;
	} cases[] = {{0, 5}, {1, 5}, {5, 5}, {6, 6}, {300, 300}, {3600, 3600}, {3601, 3600}, {UINT32_MAX, 3600}};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct resolve_answer a = answer("192.0.2.1", NULL, cases[i].ttl);
		struct host host = {.family = XF_IPV4};

		assert_int_equal(host_take(&host, &a, 1000), HOST_MOVED);
		assert_int_equal(host.next, 1000 + cases[i].seconds * 1000);
	}
}

/* Name servers turn the order round with each answer; that moves nobody. */
static void test_stays(void **state)
{
	struct resolve_answer both = answer("192.0.2.1", "192.0.2.2", 60),
			      turned = answer("192.0.2.2", "192.0.2.1", 60);
	struct resolve_answer other = answer("192.0.2.2", "192.0.2.3", 60);
	struct host host = {.family = XF_IPV4};

	(void)state;
	assert_int_equal(host_take(&host, &both, 0), HOST_MOVED);
	assert_address(&host, "192.0.2.1");
	assert_int_equal(host_take(&host, &turned, 0), HOST_SAME);
	assert_address(&host, "192.0.2.1");
	assert_int_equal(host_take(&host, &other, 0), HOST_MOVED);
	assert_address(&host, "192.0.2.2");
}

static void test_failure(void **state)
{
	static const int64_t waits[] = {5, 10, 20, 40, 60, 60, 60};
	struct resolve_answer good = answer("192.0.2.1", NULL, 60), bad = answer(NULL, NULL, 0);
	struct host host = {.family = XF_IPV4};
	size_t i;

	(void)state;
	host_take(&host, &good, 0);
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		assert_int_equal(host_take(&host, &bad, 0), i ? HOST_SAME : HOST_FAILED);
		assert_int_equal(host.next, waits[i] * 1000);
		assert_address(&host, "192.0.2.1");
	}
	assert_int_equal(host_take(&host, &good, 0), HOST_SAME);
	assert_int_equal(host_take(&host, &bad, 0), HOST_FAILED);
	assert_int_equal(host.next, 5000);
}

static void test_pulse(void **state)
{
	struct pulse p = {0};

	(void)state;
	assert_true(pulse_take(&p, true, 3));
	assert_true(p.known && p.up);
	assert_false(pulse_take(&p, false, 3));
	assert_false(pulse_take(&p, false, 3));
	assert_false(pulse_take(&p, true, 3)); /* not three in a row */
	assert_false(pulse_take(&p, false, 3));
	assert_false(pulse_take(&p, false, 3));
	assert_true(p.up);
	assert_true(pulse_take(&p, false, 3));
	assert_false(p.up);
	assert_true(pulse_take(&p, true, 1));
	assert_true(p.up);
}

static void test_repeat(void **state)
{
	char text[24];
	int i;

	(void)state;
	assert_false(log_repeat("a", 1000));
	assert_true(log_repeat("a", 1000 + LOG_REPEAT_SECONDS - 1));
	assert_false(log_repeat("b", 1000));
	assert_false(log_repeat("a", 1000 + LOG_REPEAT_SECONDS));
	assert_true(log_repeat("a", 1001 + LOG_REPEAT_SECONDS));
	/* As many others drive it out. */
	for (i = 0; i < LOG_REPEAT_LINES; i++) {
		snprintf(text, sizeof(text), "other %d", i);
		assert_false(log_repeat(text, 1002 + LOG_REPEAT_SECONDS));
	}
	assert_false(log_repeat("a", 1003 + LOG_REPEAT_SECONDS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_each), cmocka_unit_test(test_sweep),	cmocka_unit_test(test_due),
		cmocka_unit_test(test_ttl),	 cmocka_unit_test(test_stays),	cmocka_unit_test(test_failure),
		cmocka_unit_test(test_pulse),	 cmocka_unit_test(test_repeat),
	};

	return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
