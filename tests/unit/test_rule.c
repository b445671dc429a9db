/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules: what is wrong with one, how two stand to each other, their names. */
#include "support.h"

#include "rule.h"

/* A rule in the words of the command line; a word that does not parse fails the test. */
static struct xf_rule_spec rule_of(const char *protos, const char *listen, const char *target, const char *source)
{
	struct xf_rule_spec rule = {.name = "r"};
	struct xf_error err = {""};

	if (xf_protos_parse(protos, &rule.protos, &err) || xf_listen_parse(listen, &rule.listen, &err) ||
	    xf_target_parse(target, &rule.target, &err) ||
	    xf_source_parse(source, &rule.source, &rule.masquerade, &err))
		fail_msg("%s %s %s %s: %s", protos, listen, target, source, err.text);
	return rule;
}

static void test_check(void **state)
{
	static const struct {
		const char *listen, *target, *source;
		const char *words; /* NULL: nothing is wrong */
	} cases[] = {
		{":443", "192.0.2.10:8443", "auto", NULL},
		{"eth0:443", "[2001:db8::10]", "preserve", NULL},
		{"203.0.113.7:27000-27015", "192.0.2.20:27000", "masquerade", NULL},
		{"[2001:db8::1]:443", "[2001:db8::10]:8443", "masquerade=2001:db8::1", NULL},
		{":443", "192.0.2.10", "masquerade=192.0.2.1", NULL},
		/* families */
		{"203.0.113.7:443", "[2001:db8::10]:443", "auto",
		 "203.0.113.7:443 is IPv4|[2001:db8::10]:443 is IPv6|one family"},
		{"[2001:db8::1]:443", "192.0.2.10", "auto", "[2001:db8::1]:443 is IPv6|192.0.2.10 is IPv4"},
		{":443", "192.0.2.10", "masquerade=2001:db8::1", "masquerade=2001:db8::1 is IPv6|192.0.2.10 is IPv4"},
		{":443", "[2001:db8::10]:443", "masquerade=192.0.2.1", "masquerade=192.0.2.1 is IPv4|IPv6"},
		/* ranges: the last of the target's ports is the port that counts */
		{":1-65535", "192.0.2.10", "auto", NULL},
		{":1-65535", "192.0.2.10:1", "auto", NULL},
		{":1-65535", "192.0.2.10:2", "auto", "192.0.2.10:2|65535 ports|65536"},
		{":1000-1999", "192.0.2.10:64536", "auto", NULL},
		{":1000-1999", "192.0.2.10:64537", "auto", "192.0.2.10:64537|1000 ports|end at 65536, past 65535"},
		{":1-65535", "[2001:db8::10]:65535", "auto", "[2001:db8::10]:65535|end at 131069"},
		{":80", "192.0.2.10:65535", "auto", NULL},
		/* the rule itself */
		{"192.0.2.1:443", "192.0.2.1:443", "auto", "192.0.2.1:443|the rule itself"},
		{"192.0.2.1:443", "192.0.2.1", "auto", "192.0.2.1|the rule itself"},
		{"192.0.2.1:443", "192.0.2.1:444", "auto", NULL},
		{"192.0.2.1:443", "192.0.2.2:443", "auto", NULL},
		{"[2001:db8::1]:443", "[2001:db8::1]:443", "auto", "[2001:db8::1]:443|the rule itself"},
		{"192.0.2.1:100-199", "192.0.2.1:199", "auto", "the rule itself"},
		{"192.0.2.1:100-199", "192.0.2.1:200", "auto", NULL},
		{"192.0.2.1:100-199", "192.0.2.1:1", "auto", "the rule itself"},
		{"192.0.2.1:101-200", "192.0.2.1:1", "auto", NULL},
		/* targets that nothing can be sent to */
		{":443", "127.0.0.1:8443", "auto", NULL},
		{":443", "127.255.0.1", "auto", NULL},
		{":443", "[::1]:8443", "auto", NULL},
		{":443", "0.0.0.0", "auto", "0.0.0.0 cannot be a target|any address"},
		{":443", "[::]:80", "auto", "[::]:80 cannot be a target|any address"},
		{":443", "224.0.0.1", "auto", "224.0.0.1 cannot be a target|multicast"},
		{":443", "[ff02::1]", "auto", "[ff02::1] cannot be a target|multicast"},
		{":443", "255.255.255.255", "auto", "255.255.255.255 cannot be a target|broadcast"},
		{":443", "240.0.0.1", "auto", "240.0.0.1 cannot be a target|reserved"},
		{":443", "[fe80::1]:80", "auto", "[fe80::1]:80 cannot be a target|link-local"},
		/* nor can it be listened on */
		{"0.0.0.0:443", "192.0.2.10", "auto", "0.0.0.0:443|write :443"},
		{"[::]:80-90", "[2001:db8::10]", "auto", "[::]:80-90|write :80-90"},
		{"127.0.0.1:443", "192.0.2.10", "auto", "127.0.0.1:443|loopback"},
		{"224.0.0.1:443", "192.0.2.10", "auto", "224.0.0.1:443|multicast"},
		{"[fe80::1]:443", "[2001:db8::10]", "auto", "[fe80::1]:443|link-local"},
		/* nor masqueraded as */
		{":443", "192.0.2.10", "masquerade=0.0.0.0", "masquerade=0.0.0.0|any address"},
		{":443", "192.0.2.10", "masquerade=127.0.0.1", "masquerade=127.0.0.1|loopback"},
		{":443", "192.0.2.10", "masquerade=224.0.0.9", "masquerade=224.0.0.9|multicast"},
		{":443", "[2001:db8::10]", "masquerade=::", "masquerade=::|any address"},
		{":443", "192.0.2.10", "masquerade=192.0.2.10", "masquerade=192.0.2.10|target's own"},
	};
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_rule_spec rule = rule_of("tcp", cases[i].listen, cases[i].target, cases[i].source);
		int rc = xf_rule_check(&rule, &err);

		if (rc != (cases[i].words ? -1 : 0))
			fail_msg("%s %s %s: %s", cases[i].listen, cases[i].target, cases[i].source,
				 rc ? err.text : "passes");
		if (rc)
			assert_error(cases[i].listen, &err, cases[i].words);
	}
}

static void test_conflicts(void **state)
{
	static const struct {
		const char *protos[2], *listen[2], *target[2];
		bool conflict;
	} cases[] = {
		{{"tcp", "tcp"}, {":443", ":443"}, {"192.0.2.1", "192.0.2.2"}, true},
		{{"tcp", "udp"}, {":443", ":443"}, {"192.0.2.1", "192.0.2.2"}, false},
		{{"tcp", "tcp+udp"}, {":443", ":443"}, {"192.0.2.1", "192.0.2.2"}, true},
		{{"tcp", "tcp"}, {":443", ":444"}, {"192.0.2.1", "192.0.2.1"}, false},
		{{"tcp", "tcp"}, {":443", ":443"}, {"192.0.2.1", "2001:db8::1"}, false},
		{{"tcp", "tcp"}, {":443", ":440-450"}, {"192.0.2.1", "192.0.2.1"}, true},
		{{"tcp", "tcp"}, {":1-442", ":443-450"}, {"192.0.2.1", "192.0.2.1"}, false},
		{{"tcp", "tcp"}, {":443", "eth0:443"}, {"192.0.2.1", "192.0.2.1"}, false},
		{{"tcp", "tcp"}, {":443", "203.0.113.7:443"}, {"192.0.2.1", "192.0.2.1"}, false},
		{{"tcp", "tcp"}, {"eth0:443", "203.0.113.7:443"}, {"192.0.2.1", "192.0.2.1"}, false},
		{{"tcp", "tcp"}, {"eth0:443", "eth0:443"}, {"192.0.2.1", "192.0.2.1"}, true},
		{{"tcp", "tcp"}, {"eth0:443", "eth1:443"}, {"192.0.2.1", "192.0.2.1"}, false},
		{{"tcp", "tcp"}, {"203.0.113.7:443", "203.0.113.7:443"}, {"192.0.2.1", "192.0.2.1"}, true},
		{{"tcp", "tcp"}, {"203.0.113.7:443", "203.0.113.8:443"}, {"192.0.2.1", "192.0.2.1"}, false},
		{{"udp", "udp"}, {"[2001:db8::7]:1-9", "[2001:db8::7]:9"}, {"2001:db8::1", "2001:db8::2"}, true},
		{{"udp", "udp"}, {"[2001:db8::7]:1-9", "[2001:db8::8]:9"}, {"2001:db8::1", "2001:db8::2"}, false},
	};
	struct xf_rule_spec rule[2];
	char target[64];
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (j = 0; j < 2; j++) {
			bool v6 = strchr(cases[i].target[j], ':');

			snprintf(target, sizeof(target), v6 ? "[%s]" : "%s", cases[i].target[j]);
			rule[j] = rule_of(cases[i].protos[j], cases[i].listen[j], target, "auto");
		}
		if (xf_rule_conflicts(&rule[0], &rule[1]) != cases[i].conflict ||
		    xf_rule_conflicts(&rule[1], &rule[0]) != cases[i].conflict)
			fail_msg("%s %s and %s %s", cases[i].protos[0], cases[i].listen[0], cases[i].protos[1],
				 cases[i].listen[1]);
	}
}

static void test_feeds(void **state)
{
	static const struct {
		const char *from_protos, *from_listen, *from_target;
		const char *protos, *listen, *target;
		bool feeds, feeds_if_local;
	} cases[] = {
		{"tcp", ":80", "192.0.2.1:81", "tcp", "192.0.2.1:81", "192.0.2.9", true, true},
		{"tcp", ":81", "192.0.2.1", "tcp", "192.0.2.1:81", "192.0.2.9", true, true},
		{"tcp", ":80", "192.0.2.1:82", "tcp", "192.0.2.1:81", "192.0.2.9", false, false},
		{"tcp", ":80", "192.0.2.2:81", "tcp", "192.0.2.1:81", "192.0.2.9", false, false},
		{"udp", ":80", "192.0.2.1:81", "tcp", "192.0.2.1:81", "192.0.2.9", false, false},
		{"tcp", ":80", "192.0.2.1:81", "tcp", ":81", "192.0.2.9", false, true},
		{"tcp", ":80", "192.0.2.1:81", "tcp", "eth0:81", "192.0.2.9", false, true},
		{"tcp", ":80", "192.0.2.1:81", "tcp", ":81", "[2001:db8::9]", false, false},
		{"tcp", ":80-89", "192.0.2.1:180", "tcp", ":189", "192.0.2.9", false, true},
		{"tcp", ":80-89", "192.0.2.1:180", "tcp", ":190", "192.0.2.9", false, false},
		{"udp", ":5", "[2001:db8::1]:6", "udp", "[2001:db8::1]:6-7", "[2001:db8::9]", true, true},
		/* no target port beyond the last: xf_rule_check refuses it, here it only must not wrap */
		{"tcp", ":1-65535", "192.0.2.1:65535", "tcp", "192.0.2.1:1", "192.0.2.9", false, false},
		{"tcp", ":1-65535", "192.0.2.1:65535", "tcp", "192.0.2.1:65535", "192.0.2.9", true, true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_rule_spec from =
			rule_of(cases[i].from_protos, cases[i].from_listen, cases[i].from_target, "auto");
		struct xf_rule_spec to = rule_of(cases[i].protos, cases[i].listen, cases[i].target, "auto");

		if (xf_rule_feeds(&from, &to, false) != cases[i].feeds ||
		    xf_rule_feeds(&from, &to, true) != cases[i].feeds_if_local)
			fail_msg("%s to %s", cases[i].from_target, cases[i].listen);
	}
}

static void test_name(void **state)
{
	static const char *const taken[] = {"a", "web", "tcp-443", "tcp+udp-53", "_x", "4", "A.b_c-d+e"};
	static const char *const refused[] = {"",    "-a",  ".a", "+a",	   "..",  "a b",
					      "a/b", "a\n", "é",  "a:443", "a,b", "a\""};
	char edge[XF_NAME_LEN + 1];
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		assert_int_equal(xf_name_check(taken[i], &err), 0);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_int_equal(xf_name_check(refused[i], &err), -1);
		assert_error(refused[i], &err, "name");
	}
	memset(edge, 'n', sizeof(edge));
	edge[63] = '\0';
	assert_int_equal(xf_name_check(edge, &err), 0);
	edge[63] = 'n';
	edge[64] = '\0';
	assert_int_equal(xf_name_check(edge, &err), -1);
	assert_error("64 characters", &err, "too long|64 characters, at most 63");
}

static void test_comment(void **state)
{
	static const char *const taken[] = {"", "Büro, 2. Stock → \"web\"", "tabs are not, but spaces are "};
	static const char *const refused[] = {"a\tb", "a\nb", "\033[31m", "\x7f", "\xff", "\xc3", "\xc2\x85"};
	char edge[XF_COMMENT_LEN + 1];
	struct xf_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		assert_int_equal(xf_comment_check(taken[i], &err), 0);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_int_equal(xf_comment_check(refused[i], &err), -1);
		assert_error(refused[i], &err, "the comment has a control character or malformed UTF-8");
	}
	memset(edge, 'c', sizeof(edge));
	edge[127] = '\0';
	assert_int_equal(xf_comment_check(edge, &err), 0);
	edge[127] = 'c';
	edge[128] = '\0';
	assert_int_equal(xf_comment_check(edge, &err), -1);
	assert_error("128 octets", &err, "too long: 128 octets, at most 127");
}

/* arg: a list of names, NULL at its end. */
static bool is_in_list(const char *name, void *arg)
{
	const char *const *list;

	for (list = arg; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static void test_default_name(void **state)
{
	static const char *const others[] = {"tcp-443", "tcp-443-2", "udp-1", NULL};
	static const char *const protos[] = {"tcp", "udp", "tcp+udp", "udp"};
	static const char *const listens[] = {"eth0:443", "[2001:db8::1]:27000-27015", ":53", ":1"};
	static const char *const names[] = {"tcp-443-3", "udp-27000-27015", "tcp+udp-53", "udp-1-2"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct xf_rule_spec rule = rule_of(protos[i], listens[i], "[2001:db8::9]", "auto");

		xf_rule_default_name(&rule, is_in_list, (void *)(uintptr_t)others);
		assert_string_equal(rule.name, names[i]);
		assert_int_equal(xf_name_check(rule.name, NULL), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check), cmocka_unit_test(test_conflicts), cmocka_unit_test(test_feeds),
		cmocka_unit_test(test_name),  cmocka_unit_test(test_comment),	cmocka_unit_test(test_default_name),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
