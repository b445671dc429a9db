/* SPDX-License-Identifier: GPL-2.0-only */
/* The status page: whole, escaped, bounded, and loading nothing from elsewhere. */
#include "support.h"

#include "page.h"

static const char *tier_name(enum xf_tier tier)
{
	(void)tier;
	return "tc";
}

static struct dp_iface iface = {.name = "<script>&\"'\x1b", .tier = XF_TIER_TC, .reason = "a < b"};
static struct dp_status status = {.ifaces = &iface, .n_ifaces = 1, .max_rules = 10, .max_flows = 10, .rules = 1};

static char *page(struct dp_rule *rules, size_t n)
{
	struct metrics_input in = {
		.status = &status,
		.rules = rules,
		.n_rules = n,
		.tier_name = tier_name,
		.version = "1.2.3",
		.kernel = "6.18",
	};
	struct buf b = {0};

	page_write(&b, &in, 1700000060.0);
	assert_false(buf_failed(&b));
	return b.data;
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

static struct dp_rule make_rule(void)
{
	struct dp_rule rule = {.packets_in = 12345, .last_hit_unix = 1700000000};
	struct xf_error err;

	strcpy(rule.spec.name, "web");
	rule.spec.protos = XF_PROTO_TCP;
	assert_int_equal(xf_listen_parse(":443", &rule.spec.listen, &err), 0);
	assert_int_equal(xf_target_parse("192.0.2.10:8443", &rule.spec.target, &err), 0);
	return rule;
}

static void test_escaped(void **state)
{
	struct dp_rule rule = make_rule();
	char *text = page(&rule, 1);

	(void)state;
	assert_null(strstr(text, "<script"));
	assert_non_null(strstr(text, "<td>&lt;script&gt;&amp;&quot;&#39;?</td>"));
	assert_non_null(strstr(text, "a &lt; b"));
	free(text);
}

static void test_contents(void **state)
{
	struct dp_rule rule = make_rule();
	char *text;

	(void)state;
	rule.drops[XF_REASON_DISABLED] = 4;
	status.drops[XF_REASON_DISABLED] = 3;
	text = page(&rule, 1);
	status.drops[XF_REASON_DISABLED] = 0;
	assert_non_null(strstr(text, "<td>web</td><td>tcp</td><td><code>:443</code></td>"));
	assert_non_null(strstr(text, "<td class=\"n\" title=\"12345\">12.3k</td>"));
	assert_non_null(strstr(text, "<td>1m00s ago</td>"));
	assert_non_null(strstr(text, "<code>disabled</code></td><td class=\"n\" title=\"7\">7</td>"));
	assert_null(strstr(text, "<code>no_route</code>"));
	assert_null(strstr(text, "src="));
	assert_null(strstr(text, "http://"));
	assert_int_equal(count(text, "<tr>"), count(text, "</tr>"));
	assert_int_equal(count(text, "<table>"), count(text, "</table>"));
	assert_non_null(strstr(text, "</html>\n"));
	free(text);
}

/* What a rule asks of newcomers, and until when it is open. */
static void test_conditions(void **state)
{
	struct dp_rule rule = make_rule();
	char *text;

	(void)state;
	rule.allow = "198.51.100.0/24,@/etc/<offices>";
	rule.spec.rate = (struct xf_rate){20, 1, 0};
	rule.spec.source_rate = (struct xf_rate){100, 60, 5};
	rule.spec.max_flows = 20000;
	rule.spec.max_flows_per_source = 10;
	rule.spec.syn_threshold = 500;
	rule.spec.expires = 1700000060 + 7200;
	text = page(&rule, 1);
	assert_non_null(strstr(text, "<td>expires in 2h00m</td>"));
	assert_non_null(strstr(text, "<td class=\"wide\">allow 198.51.100.0/24,@/etc/&lt;offices&gt;; rate 20/s; "
				     "rate per source 100/min,burst=5; max flows 20.0k; max flows per source 10; SYN "
				     "protection from 500</td>"));
	free(text);
	rule.expired = true;
	text = page(&rule, 1);
	assert_non_null(strstr(text, "<td class=\"off\">expired</td>"));
	free(text);
	rule.spec.disabled = true;
	text = page(&rule, 1);
	assert_non_null(strstr(text, "<td class=\"off\">disabled</td>"));
	free(text);
}

static void test_many_rules(void **state)
{
	static struct dp_rule rules[1001];
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i] = make_rule();
	text = page(rules, ARRAY_SIZE(rules) - 1);
	assert_int_equal(count(text, "<td>web</td>"), 1000);
	assert_null(strstr(text, "The first 1000"));
	free(text);
	text = page(rules, ARRAY_SIZE(rules));
	assert_int_equal(count(text, "<td>web</td>"), 1000);
	assert_non_null(strstr(text, "The first 1000 of 1001 rules"));
	free(text);
}

static void test_error(void **state)
{
	struct buf b = {0};

	(void)state;
	page_write_error(&b, "no <data> plane");
	assert_non_null(strstr(b.data, "no &lt;data&gt; plane"));
	assert_non_null(strstr(b.data, "</html>\n"));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escaped),	   cmocka_unit_test(test_contents), cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_many_rules), cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
