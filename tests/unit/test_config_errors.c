/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with a config: each line that is printed, with its place. */
#include "configs.h"

#define RULE "{protocol: tcp, listen: ':1', target: 192.0.2.1"

static void test_all_at_once(void **state)
{
	(void)state;
	assert_errors("interfaces: [eth0, {name: br0, mode: tcp}, eth0]\n"
		      "limits: {rules: 0, flows: \"5\"}\n"
		      "metrics: {listen: 127.0.0.1}\n"
		      "defaults: {sourc: auto}\n"
		      "rules:\n"
		      "  - name: web\n"
		      "    protocol: tdp\n"
		      "    listen: eth0:443\n"
		      "    target: 192.0.2.300\n"
		      "    allow: [198.51.100.0/24, 1.2.3.4/33]\n"
		      "  - {name: web, listen: \":80\", tarket: 192.0.2.1}\n"
		      "extra: 1\n",
		      "f:1:38: tcp is not a mode: write auto, native, generic or tc\n"
		      "f:1:44: the interface eth0 is in line 1 already\n"
		      "f:2:17: 0 is not a number from 1 to 1048576\n"
		      "f:2:27: here is a text, where a number belongs\n"
		      "f:3:19: 127.0.0.1 is not ADDR:PORT or [ADDR6]:PORT, as in 127.0.0.1:9977\n"
		      "f:4:12: unknown key sourc in defaults\n"
		      "f:7:15: tdp is not a protocol: write tcp, udp or tcp+udp\n"
		      "f:9:13: 192.0.2.300 is not an address: write it as in 192.0.2.1 or 2001:db8::1\n"
		      "f:10:30: 1.2.3.4/33: the prefix length is a number from 0 to 32\n"
		      "f:11:5: the key protocol is missing\n"
		      "f:11:5: the key target is missing\n"
		      "f:11:12: the name web is that of the rule in line 6 already\n"
		      "f:11:32: unknown key tarket in a rule\n"
		      "f:12:1: unknown key extra in a config\n");
}

/* What one rule's target is to another rule. */
static void test_ends(void **state)
{
	(void)state;
	assert_errors("rules:\n"
		      "  - {name: a, protocol: tcp, listen: '192.0.2.1:80', target: '192.0.2.2:81'}\n"
		      "  - {name: b, protocol: udp, listen: '192.0.2.2:81', target: '192.0.2.1:80'}\n"
		      "  - {name: c, protocol: tcp, listen: '192.0.2.2:80-90', target: '192.0.2.1:79'}\n",
		      "f:4:65: loop: this is what rule a in line 2 listens on, and its target is what this one does\n");
	assert_errors("rules:\n"
		      "  - {name: a, protocol: udp, listen: ':1-9', target: '192.0.2.2:11'}\n"
		      "  - {name: b, protocol: tcp, listen: '192.0.2.1:15', target: 192.0.2.2, stateless: true}\n"
		      "  - {name: c, protocol: udp, listen: '192.0.2.1:19', target: 192.0.2.2, stateless: true}\n"
		      "  - {name: d, protocol: tcp+udp, listen: ':20', target: '192.0.2.2:15'}\n",
		      "f:4:62: this is the target of rule a in line 2 as well, and this one keeps no state: nothing "
		      "would tell whose answers come from there; use another port of the target\n"
		      "f:5:57: this is the target of rule b in line 3 as well, and that one keeps no state: nothing "
		      "would tell whose answers come from there; use another port of the target\n");
}

/* Of a broken file, what was read until there is looked at as well. */
static void test_broken(void **state)
{
	(void)state;
	assert_errors("rules:\n"
		      "  - {name: -a, protocol: tcp, listen: ':1', target: 192.0.2.1}\n"
		      "  - {name: b, protocol: [tcp\n",
		      "f:2:12: -a is not a name: it has to start with a letter, a digit or '_'\n"
		      "f:3:25: here is a list, where a text belongs\n"
		      "f:4:1: this is not YAML: did not find expected ',' or ']', while parsing a flow sequence that "
		      "begins in line 3\n");
	assert_errors("rules:\n\t- a\n", "f:2:1: this is not YAML: found character that cannot start any token, while "
					 "scanning for the next token that begins in line 2\n");
	assert_errors("rules: []\n# \xff\n", "f:2:3: this is not YAML: invalid leading UTF-8 octet\n");
	assert_errors("rules: []\n# \x01\n", "f:2:3: this is not YAML: control characters are not allowed\n");
	assert_errors("rules: []\n---\nrules: []\n", "f:2:1: a second document begins here: write one only\n");
	assert_errors("%YAML 1.1\n---\nrules: []\n",
		      "f:1:1: directives, lines that begin with %, are not supported: leave it out\n");
	assert_errors("rules: !!seq []\n",
		      "f:1:8: tags, such as tag:yaml.org,2002:seq here, are not supported: leave it out\n");
	assert_errors("", "f:1:1: there is nothing in this file: for no rules at all write rules: []\n");
	assert_errors("# rules: []\n", "f:1:1: there is nothing in this file: for no rules at all write rules: []\n");
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text, *errors;
	} cases[] = {
		{"[]", "f:1:1: here is a list, where a mapping belongs\n"},
		{"rules", "f:1:1: here is a text, where a mapping belongs\n"},
		{"rules:", "f:1:7: here is nothing, where a list belongs\n"},
		{"rules: ~", "f:1:8: here is nothing, where a list belongs\n"},
		{"rules: {}", "f:1:8: here is a mapping, where a list belongs\n"},
		{"rules: [a]", "f:1:9: here is a text, where a mapping belongs\n"},
		{"? [rules]\n: []", "f:1:3: here is a list, where a text belongs\n"},
		{"interfaces: eth0", "f:1:13: here is a text, where a list belongs\n"},
		{"interfaces: [[a]]", "f:1:14: here is a list, where a mapping belongs\n"},
		{"interfaces: [{mode: tc}]", "f:1:14: the key name is missing\n"},
		{"interfaces: [a/b, '']",
		 "f:1:14: a/b is not an interface name\nf:1:19: \"\" is not an interface name\n"},
		{"limits: {rules: 1e3}", "f:1:17: 1e3 is not a number from 1 to 1048576\n"},
		{"limits: {flows: 16777217}", "f:1:17: 16777217 is not a number from 1 to 16777216\n"},
		{"limits: {flows: null}", "f:1:17: here is nothing, where a number belongs\n"},
		{"limits: {flows: [1]}", "f:1:17: here is a list, where a number belongs\n"},
		{"metrics: {listen: ':9977'}",
		 "f:1:19: :9977 is not ADDR:PORT or [ADDR6]:PORT, as in 127.0.0.1:9977\n"},
		{"defaults: {name: a}", "f:1:12: unknown key name in defaults\n"},
		{"defaults: {rate: 5}", "f:1:18: 5 is not a rate: write N/UNIT as in 20/s, 100/min, 5/h or 10/d, with "
					",burst=N after it for another burst than N\n"},
		{"limits: {rules: 1}\nrules: [" RULE "}, {protocol: udp, listen: ':1', target: 192.0.2.1}]",
		 "f:2:8: these are 2 rules, and limits say 1 at most\n"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_errors(cases[i].text, cases[i].errors);
}

/* A rule that is right but for what stands behind it, in column 58 of line 1. */
static void test_keys(void **state)
{
	static const struct {
		const char *more, *error;
	} cases[] = {
		{"name: 'a b'", ":64: a b is not a name: write letters, digits, '.', '_', '+' and '-'"},
		{"name: ''", ":64: a rule's name cannot be empty"},
		{"name: null", ":64: here is nothing, where a text belongs"},
		{"comment: \"a\\tb\"", ":67: the comment has a control character or malformed UTF-8 after \"a\""},
		{"comment: \"a\\0b\"", ":67: there is a NUL character in the text"},
		{"disabled: yes", ":68: yes is neither true nor false"},
		{"disabled: 'true'", ":68: here is a text, where true or false belongs"},
		{"max-flows: 0", ":69: 0 is not a number from 1 to 16777216"},
		{"max-flows: '7'", ":69: here is a text, where a number belongs"},
		{"max-flows: 1_000", ":69: 1_000 is not a number from 1 to 16777216"},
		{"max-flows: 1, max-flows: 2", ":72: the key max-flows is here twice, first in line 1"},
		{"max_flows: 1", ":58: unknown key max_flows in a rule"},
		{"force: true", ":58: unknown key force in a rule"},
		{"allow: []", ":65: this list is empty: leave the key out"},
		{"deny: [a, 192.0.2.1, b]", ":65: a is not"},
		{"allow: 192.0.2.1/24", ":65: 192.0.2.1/24"},
		{"allow: [{a: b}]", ":66: here is a mapping, where a text belongs"},
		{"allow: ['@missing']", ":66: cannot read missing: No such file or directory"},
		{"deny: '@list'", ":64: /list:2: x is not"},
		{"allow: '2001:db8::/32'",
		 ":9: allow 2001:db8::/32 has no IPv4 network in it, but the target is IPv4: nobody could connect"},
		{"rate: [1/s]", ":64: here is a list, where a text belongs"},
		{"rate-per-source: 1/x", ":75: 1/x is not a rate"},
		{"source: masquerade=2001:db8::1", ":9: masquerade=2001:db8::1 is IPv6"},
		{"source: snat", ":66: snat is not a source mode"},
		{"expires: 2h later", ":67: 2h later is not a duration"},
		{"expires: 2027-02-29", ":67: 2027-02-29 is neither a duration nor a date"},
		{"timeout: {tcp: 1, icmp: 1s}", ":73: tcp: 1 is not a duration"},
		{"timeout: {icmp: 1s}", ":68: unknown key icmp in timeout"},
		{"timeout: {tcp: '1s,udp=1s'}", ":73: only one duration belongs here"},
		{"timeout: tcp", ":67: tcp is not NAME=DURATION"},
		{"timeout: udp=1s", ":9: timeout udp: the rule is about tcp only"},
		{"syn-threshold: 5", ":73: syn-threshold is about syn-protect: give that as well"},
		{"syn-protect: false, syn-threshold: 5", ":93: syn-threshold is about syn-protect: give that as well"},
		{"max-flows: 3, max-flows-per-source: 5", ":9: max-flows-per-source 5 is more than max-flows 3"},
		{"targets: [{target: 192.0.2.1}]", ":58: there is target already: write one of the two"},
	};
	char text[512], wanted[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config config;
		struct buf lines = {0};

		snprintf(text, sizeof(text), "rules: [" RULE ", %s}]", cases[i].more);
		snprintf(wanted, sizeof(wanted), "f:1%s", cases[i].error);
		/* The place and the first words: parsers' own words are their own tests' matter. */
		if (!config_read(text, strlen(text), &config, &lines))
			fail_msg("%s is taken", text);
		if (strncmp(lines.data, wanted, strlen(wanted)))
			fail_msg("%s:\n%sis not\n%s", text, lines.data, wanted);
		buf_free(&lines);
	}
}

static void test_targets(void **state)
{
	(void)state;
	assert_errors(
		"rules:\n"
		"- {protocol: tcp, listen: ':1', targets: [{target: 192.0.2.1, weight: 3}, {target: 192.0.2.2}]}\n"
		"- {protocol: tcp, listen: ':2', targets: []}\n"
		"- {protocol: tcp, listen: ':3', targets: [{weight: 0}]}\n"
		"- {protocol: tcp, listen: ':4', targets: {target: 192.0.2.1}}\n"
		"- {protocol: tcp, listen: ':5', targets: [192.0.2.1]}\n",
		"f:2:75: several targets in one rule are not supported by this version: name one\n"
		"f:3:42: this list is empty: name a target\n"
		"f:4:43: the key target is missing\n"
		"f:4:52: 0 is not a number from 1 to 65535\n"
		"f:5:42: here is a mapping, where a list belongs\n"
		"f:6:43: here is a text, where a mapping belongs\n");
}

static void test_conflicts(void **state)
{
	(void)state;
	assert_errors("rules:\n"
		      "- {name: a, protocol: tcp, listen: ':443', target: 192.0.2.1}\n"
		      "- {name: b, protocol: udp, listen: ':443', target: 192.0.2.1}\n"
		      "- {name: c, protocol: tcp, listen: ':443', target: '[2001:db8::1]'}\n"
		      "- {name: d, protocol: tcp+udp, listen: ':440-443', target: 192.0.2.2}\n"
		      "- {name: e, protocol: tcp, listen: 'eth0:440-443', target: 192.0.2.2}\n"
		      "- {name: f, protocol: tcp, listen: 'eth1:440-443', target: 192.0.2.2}\n"
		      "- {protocol: tcp, listen: 'eth1:443-450', target: 192.0.2.2}\n"
		      "- {name: h, protocol: tcp, listen: '203.0.113.1:1-65535', target: 192.0.2.2}\n"
		      "- {name: i, protocol: tcp, listen: '203.0.113.1:2', target: 192.0.2.2}\n"
		      "- {name: j, protocol: tcp, listen: '203.0.113.1:9', target: 192.0.2.2}\n"
		      "- {name: k, protocol: tcp, listen: '203.0.113.2:9', target: 192.0.2.2}\n"
		      "- {name: l, protocol: tcp, listen: ':443', tarket: 192.0.2.2}\n"
		      "- {name: m, protocol: tcp+udp, listen: ':7', target: 192.0.2.2}\n"
		      "- {name: n, protocol: tcp+udp, listen: ':7', target: 192.0.2.2}\n",
		      "f:5:40: rule a in line 2 listens on tcp :443 already\n"
		      "f:5:40: rule b in line 3 listens on udp :443 already\n"
		      "f:8:27: rule f in line 7 listens on tcp eth1:440-443 already\n"
		      "f:10:36: rule h in line 9 listens on tcp 203.0.113.1:1-65535 already\n"
		      "f:11:36: rule h in line 9 listens on tcp 203.0.113.1:1-65535 already\n"
		      "f:13:3: the key target is missing\n"
		      "f:13:44: unknown key tarket in a rule\n"
		      "f:15:40: rule m in line 14 listens on tcp+udp :7 already\n");
}

/* The same question, asked of each pair: nothing is overlooked, nothing made up. */
static void test_conflicts_random(void **state)
{
	size_t round, i, j;

	(void)state;
	random_restart();
	for (round = 0; round < 200; round++) {
		static const char *const scopes[] = {"", "eth0", "eth1", "203.0.113.1", "203.0.113.2"};
		static const char *const protos[] = {"tcp", "udp", "tcp+udp"};
		size_t n = 1 + random_below(12);
		bool conflict[12] = {false};
		struct buf text = {0}, lines = {0};
		struct xf_rule_spec rule[12];
		struct config config;

		buf_puts(&text, "rules:\n");
		for (i = 0; i < n; i++) {
			const char *proto = protos[random_below(3)], *scope = scopes[random_below(5)];
			bool v6 = scope[0] != '2' && random_below(2);
			uint32_t lo = 1 + random_below(30), hi = lo + random_below(8);
			struct xf_error err;
			char listen[64];

			snprintf(listen, sizeof(listen), "%s:%u-%u", scope, lo, hi);
			memset(&rule[i], 0, sizeof(rule[i]));
			assert_int_equal(xf_protos_parse(proto, &rule[i].protos, &err), 0);
			assert_int_equal(xf_listen_parse(listen, &rule[i].listen, &err), 0);
			rule[i].target.addr.family = v6 ? XF_IPV6 : XF_IPV4;
			buf_printf(&text, "- {protocol: %s, target: '%s', listen: '%s'}\n", proto,
				   v6 ? "[2001:db8::9]" : "192.0.2.1", listen);
			for (j = 0; j < i; j++)
				conflict[i] |= xf_rule_conflicts(&rule[i], &rule[j]);
		}
		config_read(text.data, text.len, &config, &lines);
		for (i = 0; i < n; i++) {
			char place[16];

			snprintf(place, sizeof(place), "f:%zu:", i + 2);
			if (conflict[i] != (lines.data && strstr(lines.data, place)))
				fail_msg("%s\nhas the errors\n%s", text.data, lines.data ? lines.data : "");
		}
		config_free(&config);
		buf_free(&text);
		buf_free(&lines);
	}
}

static void test_anchors(void **state)
{
	(void)state;
	assert_errors("rules: [*a]\n", "f:1:9: *a: nothing before it has the anchor of that name\n");
	assert_errors("rules: &a [*a]\n", "f:1:12: *a: what it stands for has this very alias in it\n");
	assert_errors(
		"rules:\n- &a {protocol: tcp, listen: ':1', target: 192.0.2.1, rate: x}\n- {<<: *a, listen: ':2'}\n"
		"- {<<: 7}\n- {<<: *a, <<: *a, listen: ':3', rate: 1/s}\n",
		"f:2:61: x is not a rate: write N/UNIT as in 20/s, 100/min, 5/h or 10/d, with ,burst=N after it "
		"for another burst than N\n"
		"f:4:3: the key listen is missing\n"
		"f:4:3: the key protocol is missing\n"
		"f:4:3: the key target is missing\n"
		"f:4:8: here is a text, where a mapping belongs\n"
		"f:5:12: the key << is here twice: write <<: [*A, *B]\n");
}

/* What the file says is in the terminal, and in a log, one line. */
static void test_hostile(void **state)
{
	(void)state;
	assert_errors("\"a\\nb\\e[31m\": 1\n", "f:1:1: unknown key a?b?[31m in a config\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_at_once), cmocka_unit_test(test_ends),
		cmocka_unit_test(test_broken),	    cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_keys),	    cmocka_unit_test(test_targets),
		cmocka_unit_test(test_conflicts),   cmocka_unit_test(test_conflicts_random),
		cmocka_unit_test(test_anchors),	    cmocka_unit_test(test_hostile),
	};

	file_text = "192.0.2.0/25\nx\n";
	return cmocka_run_group_tests_name("config_errors", tests, NULL, NULL);
}
