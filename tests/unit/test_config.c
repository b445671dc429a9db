/* SPDX-License-Identifier: GPL-2.0-only */
/* What a config says, in all the ways in which it may be said. */
#include "configs.h"

/* Rules as text, so that a test shows what is meant. */
static void assert_rule(const struct config *config, size_t i, const char *wanted)
{
	char listen[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN], source[XF_ENDPOINT_STRLEN], text[512];
	const struct xf_rule_spec *rule = &config->rules[i];

	assert_true(i < config->n_rules);
	snprintf(text, sizeof(text), "%s: %s %s %s %s%s", rule->name, xf_protos_format(rule->protos),
		 xf_listen_format(&rule->listen, listen, sizeof(listen)),
		 xf_target_format(&rule->target, target, sizeof(target)),
		 xf_source_format(rule->source, &rule->masquerade, source, sizeof(source)),
		 rule->disabled ? " disabled" : "");
	assert_string_equal(text, wanted);
}

static void test_contract(void **state)
{
	struct config config = config_of(
		"interfaces: [eth0, {name: br0, mode: tc}]\n"
		"limits: {rules: 65536, flows: 262144}\n"
		"metrics: {listen: \"127.0.0.1:9977\"}\n"
		"defaults: {source: auto}\n"
		"rules:\n"
		"  - name: web\n"
		"    protocol: tcp\n"
		"    listen: \"eth0:443\"\n"
		"    target: 192.0.2.10:8443\n"
		"    allow: [198.51.100.0/24]\n"
		"    rate-per-source: 20/s\n"
		"  - {name: game, protocol: udp, listen: \"203.0.113.7:27000-27015\", target: \"192.0.2.20:27000\", "
		"source: masquerade}\n"
		"  - {name: mail, protocol: tcp, listen: \":25\", targets: [{target: \"192.0.2.30\", weight: 3}]}\n");

	(void)state;
	assert_int_equal(config.n_ifaces, 2);
	assert_string_equal(config.ifaces[0].name, "eth0");
	assert_int_equal(config.ifaces[0].mode, DP_MODE_AUTO);
	assert_string_equal(config.ifaces[1].name, "br0");
	assert_int_equal(config.ifaces[1].mode, DP_MODE_TC);
	assert_int_equal(config.ifaces[1].at.column, 20);
	assert_int_equal(config.max_rules, 65536);
	assert_int_equal(config.max_flows, 262144);
	assert_int_equal(config.metrics.family, XF_IPV4);
	assert_int_equal(config.metrics_port, 9977);
	assert_true(config.has_rules);
	assert_int_equal(config.n_rules, 3);
	assert_rule(&config, 0, "web: tcp eth0:443 192.0.2.10:8443 auto");
	assert_string_equal(config.rules[0].allow->given, "198.51.100.0/24");
	assert_int_equal(config.rules[0].source_rate.count, 20);
	assert_int_equal(config.places[0].line, 6);
	assert_int_equal(config.places[0].column, 5);
	assert_rule(&config, 1, "game: udp 203.0.113.7:27000-27015 192.0.2.20:27000 masquerade");
	assert_rule(&config, 2, "mail: tcp :25 192.0.2.30 auto");
	config_free(&config);
}

static void test_every_key(void **state)
{
	struct config config = config_of("rules:\n"
					 "- name: all\n"
					 "  comment: 'of them: \"é\"'\n"
					 "  protocol: tcp+udp\n"
					 "  listen: '[2001:db8::1]:80-89'\n"
					 "  target: '[2001:db8::2]:8080'\n"
					 "  source: masquerade=2001:db8::9\n"
					 "  allow: 2001:db8:1::/48,198.51.100.0/24\n"
					 "  deny: ['2001:db8:1:2::/64', '@list']\n"
					 "  rate: 100/min,burst=7\n"
					 "  rate-per-source: 5/h\n"
					 "  max-flows: 16777216\n"
					 "  max-flows-per-source: 1\n"
					 "  expires: 2030-12-31T18:00:00Z\n"
					 "  timeout: {udp: 60s, tcp: 1h}\n"
					 "  syn-protect: true\n"
					 "  syn-threshold: 77\n"
					 "  disabled: true\n");
	const struct xf_rule_spec *rule = config.rules;

	(void)state;
	assert_rule(&config, 0, "all: tcp+udp [2001:db8::1]:80-89 [2001:db8::2]:8080 masquerade=2001:db8::9 disabled");
	assert_string_equal(rule->comment, "of them: \"é\"");
	assert_string_equal(rule->allow->given, "2001:db8:1::/48,198.51.100.0/24");
	assert_string_equal(rule->deny->given, "2001:db8:1:2::/64,@/list");
	assert_int_equal(rule->deny->n, 2);
	assert_int_equal(rule->rate.count, 100);
	assert_int_equal(rule->rate.unit, 60);
	assert_int_equal(rule->rate.burst, 7);
	assert_int_equal(rule->source_rate.unit, 3600);
	assert_int_equal(rule->max_flows, 16777216);
	assert_int_equal(rule->max_flows_per_source, 1);
	assert_int_equal(rule->expires, 1924970400);
	assert_true(rule->expires_by_date);
	assert_int_equal(rule->timeout[XF_TIMEOUT_UDP], 60);
	assert_int_equal(rule->timeout[XF_TIMEOUT_TCP_ESTABLISHED], 3600);
	assert_int_equal(rule->timeout[XF_TIMEOUT_UDP_PENDING], 0);
	assert_int_equal(rule->syn_threshold, 77);
	config_free(&config);
}

static void test_when(void **state)
{
	static const struct {
		const char *text;
		int64_t expires;
		bool by_date;
	} cases[] = {
		{"2h", NOW + 7200, false},
		{"7d", NOW + 7 * 86400, false},
		{"2027-01-15T08:00:01Z", NOW + 1, true},
		/* over, and still what was saved or written once */
		{"2027-01-15T08:00:00Z", NOW, true},
		{"1999-12-31T23:59:59Z", 946684799, true},
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config config;

		snprintf(text, sizeof(text), "rules: [{protocol: tcp, listen: ':1', target: 192.0.2.1, expires: %s}]",
			 cases[i].text);
		config = config_of(text);
		assert_int_equal(config.rules[0].expires, cases[i].expires);
		assert_int_equal(config.rules[0].expires_by_date, cases[i].by_date);
		config_free(&config);
	}
}

static void test_stateless(void **state)
{
	struct config config = config_of(
		"rules:\n"
		"- {protocol: udp, listen: '203.0.113.7:53', target: 192.0.2.53, source: preserve, stateless: true}\n"
		"- {protocol: udp, listen: '203.0.113.8:53', target: 192.0.2.54, stateless: false}\n");

	(void)state;
	assert_true(config.rules[0].stateless);
	assert_false(config.rules[1].stateless);
	config_free(&config);
}

static void test_names(void **state)
{
	struct config config = config_of("rules:\n"
					 "- {protocol: tcp, listen: ':443', target: 192.0.2.1}\n"
					 "- {protocol: tcp, listen: 'eth0:443', target: 192.0.2.1}\n"
					 "- {protocol: tcp, listen: 'eth1:443', target: 192.0.2.1, name: tcp-443-2}\n"
					 "- {protocol: tcp, listen: 'eth2:443', target: 192.0.2.1}\n"
					 "- {protocol: udp, listen: ':1-2', target: 192.0.2.1}\n"
					 "- {protocol: udp, listen: ':1', target: '[2001:db8::1]', name: udp-1}\n"
					 "- {protocol: udp, listen: 'eth0:1', target: 192.0.2.1}\n"
					 "- {protocol: tcp, listen: ':9', target: 192.0.2.1, name: 9}\n");
	static const char *const names[] = {"tcp-443", "tcp-443-3", "tcp-443-2", "tcp-443-4",
					    "udp-1-2", "udp-1",	    "udp-1-3",	 "9"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(config.rules[i].name, names[i]);
	config_free(&config);
}

static void test_defaults(void **state)
{
	/* They stand behind the rules: the place does not matter. */
	struct config config = config_of(
		"rules:\n"
		"- {protocol: tcp, listen: ':1', target: 192.0.2.1}\n"
		"- {protocol: udp, listen: ':2', target: 192.0.2.1, source: auto, deny: 192.0.2.0/24, rate: 1/s}\n"
		"- {protocol: tcp, listen: ':3', target: 192.0.2.1, timeout: tcp-transitory=9s, syn-protect: false}\n"
		"- {protocol: tcp, listen: ':4', target: 192.0.2.1, disabled: false, syn-threshold: 5}\n"
		"defaults: {source: masquerade=192.0.2.9, allow: [198.51.100.0/24], deny: [203.0.113.0/24], rate: "
		"9/s,\n"
		"  disabled: true, timeout: {tcp: 1h, udp: 1m}, syn-protect: true}\n");
	const struct xf_rule_spec *rule = config.rules;

	(void)state;
	assert_rule(&config, 0, "tcp-1: tcp :1 192.0.2.1 masquerade=192.0.2.9 disabled");
	assert_string_equal(rule[0].allow->given, "198.51.100.0/24");
	assert_int_equal(rule[0].timeout[XF_TIMEOUT_TCP_ESTABLISHED], 3600);
	assert_int_equal(rule[0].timeout[XF_TIMEOUT_UDP], 0);
	assert_int_equal(rule[0].syn_threshold, XF_SYN_THRESHOLD);
	assert_rule(&config, 1, "udp-2: udp :2 192.0.2.1 auto disabled");
	assert_ptr_equal(rule[1].allow, rule[0].allow);
	assert_string_equal(rule[1].deny->given, "192.0.2.0/24");
	assert_int_equal(rule[1].rate.count, 1);
	assert_int_equal(rule[1].timeout[XF_TIMEOUT_TCP_ESTABLISHED], 0);
	assert_int_equal(rule[1].timeout[XF_TIMEOUT_UDP], 60);
	assert_int_equal(rule[1].syn_threshold, 0);
	assert_int_equal(rule[2].timeout[XF_TIMEOUT_TCP_ESTABLISHED], 0);
	assert_int_equal(rule[2].timeout[XF_TIMEOUT_TCP_TRANSITORY], 9);
	assert_int_equal(rule[2].syn_threshold, 0);
	assert_false(rule[3].disabled);
	assert_int_equal(rule[3].syn_threshold, 5);
	config_free(&config);
}

static void test_anchors(void **state)
{
	struct config config =
		config_of("rules:\n"
			  "- &web {name: a, protocol: &p tcp, listen: ':1', target: &t 192.0.2.1, allow: &office "
			  "[198.51.100.0/24]}\n"
			  "- {name: b, protocol: *p, listen: ':2', target: *t, allow: *office, deny: [192.0.2.7, *t]}\n"
			  "- {<<: *web, listen: ':3', name: c}\n"
			  "- &udp {name: d, <<: *web, protocol: udp}\n"
			  "- {listen: ':4', <<: [{name: e, rate: 1/s}, *udp, {rate: 2/s}]}\n"
			  "- {name: f, protocol: tcp, listen: ':6', target: 192.0.2.1, allow: '198.51.100.0/24'}\n");

	(void)state;
	assert_rule(&config, 1, "b: tcp :2 192.0.2.1 auto");
	assert_ptr_equal(config.rules[0].allow, config.rules[1].allow);
	assert_string_equal(config.rules[1].deny->given, "192.0.2.7,192.0.2.1");
	assert_rule(&config, 2, "c: tcp :3 192.0.2.1 auto");
	assert_ptr_equal(config.rules[0].allow, config.rules[2].allow);
	assert_rule(&config, 3, "d: udp :1 192.0.2.1 auto");
	assert_rule(&config, 4, "e: udp :4 192.0.2.1 auto");
	assert_int_equal(config.rules[4].rate.count, 1);
	/* One list for all that say the same. */
	assert_ptr_equal(config.rules[0].allow, config.rules[5].allow);
	assert_int_equal(config.n_lists, 2);
	config_free(&config);
}

static void test_little(void **state)
{
	static const struct {
		const char *text;
		bool has_rules;
	} cases[] = {
		{"rules: []\n", true},
		{"\xef\xbb\xbfrules: []", true},
		{"---\nrules: []\n...\n", true},
		{"# a comment\r\nrules:\r\n  []\r\n", true},
		{"{}", false},
		{"interfaces: []", false},
		{"limits: {}\nmetrics: {}\ndefaults: {}", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config config = config_of(cases[i].text);

		assert_int_equal(config.n_rules, 0);
		assert_int_equal(config.has_rules, cases[i].has_rules);
		config_free(&config);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract), cmocka_unit_test(test_every_key), cmocka_unit_test(test_when),
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_defaults),  cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_little),	 cmocka_unit_test(test_stateless),
	};

	file_text = "192.0.2.0/25\n";
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
