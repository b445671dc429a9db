/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rules would take traffic of real sockets of this process, or of the SSH session that it says it is given in. */
#include "sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lockout.h"
#include "ssh_session.h"

#define PORT 4321

static int setup(void **state)
{
	(void)state;
	if (sandbox_enter())
		return -1;
	/* Escapes in a process's name must not reach a terminal. */
	prctl(PR_SET_NAME, "sock\033test");
	unsetenv("SSH_CONNECTION");
	unsetenv("SSH_CLIENT");
	return sandbox_ip(0, "link set lo up\n"
			     "link add wan0 type veth peer name wan1\n"
			     "link set wan0 up\n"
			     "link set wan1 up\n"
			     "addr add 198.18.0.1/24 dev wan0\n"
			     "addr add 198.18.0.9/24 dev wan0\n"
			     "addr add 2001:db8::1/64 dev wan0 nodad\n"
			     "addr add 2001:db8::9/64 dev wan0 nodad\n");
}

struct kind {
	const char *addr; /* bound to */
	const char *dev;  /* SO_BINDTODEVICE */
	bool v6only;
	bool busy; /* connected (UDP), or bound and not listening (TCP) */
	/* Found by a rule on: any v4 address, 198.18.0.1, any v6 address, 2001:db8::1? */
	const char *found;
};

static const struct kind kinds[] = {
	{.addr = "0.0.0.0", .found = "yy--"},
	{.addr = "198.18.0.1", .found = "yy--"},
	{.addr = "198.18.0.9", .found = "y---"},
	{.addr = "127.0.0.1", .found = "----"},
	{.addr = "127.3.2.1", .found = "----"},
	{.addr = "::", .found = "yyyy"},
	{.addr = "::", .v6only = true, .found = "--yy"},
	{.addr = "2001:db8::1", .found = "--yy"},
	{.addr = "2001:db8::9", .found = "--y-"},
	{.addr = "::1", .found = "----"},
	{.addr = "::ffff:198.18.0.1", .found = "yy--"},
	{.addr = "::ffff:127.0.0.1", .found = "----"},
	{.addr = "0.0.0.0", .dev = "wan0", .found = "yy--"},
	{.addr = "0.0.0.0", .dev = "lo", .found = "----"},
	{.addr = "0.0.0.0", .busy = true, .found = "----"},
	{.addr = "::", .busy = true, .found = "----"},
};

static const struct kind multicast_kinds[] = {
	{.addr = "224.0.0.251", .found = "----"},
	{.addr = "ff02::fb", .dev = "wan0", .found = "----"},
};

union sock_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill(union sock_address *out, const char *addr, uint16_t port)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, addr, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		return sizeof(out->v4);
	}
	assert_int_equal(inet_pton(AF_INET6, addr, &out->v6.sin6_addr), 1);
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(port);
	return sizeof(out->v6);
}

static int open_socket(const struct kind *kind, uint8_t proto)
{
	int v6only = kind->v6only, fd;
	union sock_address sa;
	socklen_t len = fill(&sa, kind->addr, PORT);

	fd = socket(sa.any.sa_family, (proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (sa.any.sa_family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)), 0);
	if (kind->dev)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, kind->dev, strlen(kind->dev)), 0);
	assert_int_equal(bind(fd, &sa.any, len), 0);
	if (proto == IPPROTO_TCP && !kind->busy)
		assert_int_equal(listen(fd, 1), 0);
	if (proto == IPPROTO_UDP && kind->busy) {
		len = fill(&sa, sa.any.sa_family == AF_INET ? "198.18.0.200" : "2001:db8::200", 9);
		assert_int_equal(connect(fd, &sa.any, len), 0);
	}
	return fd;
}

/* "PROTO LISTEN TARGET" to a rule. */
static void make_rule(const char *text, struct xf_rule_spec *rule)
{
	char proto[16], listen[80], target[80];
	struct xf_error err;

	memset(rule, 0, sizeof(*rule));
	strcpy(rule->name, "it");
	assert_int_equal(sscanf(text, "%15s %79s %79s", proto, listen, target), 3);
	if (xf_protos_parse(proto, &rule->protos, &err) || xf_listen_parse(listen, &rule->listen, &err) ||
	    xf_target_parse(target, &rule->target, &err))
		fail_msg("%s", err.text);
}

/* Is it refused? Then *err has the line. */
static bool is_refused(const char *text, struct xf_error *err)
{
	struct xf_rule_spec rule;
	struct lockout *lockout = lockout_open(err);
	int rc;

	assert_non_null(lockout);
	make_rule(text, &rule);
	err->text[0] = '\0';
	rc = lockout_judge(lockout, &rule, err);
	lockout_close(lockout);
	if (!rc)
		return false;
	if (!strstr(err->text, "--force"))
		fail_msg("%s", err->text);
	return true;
}

/* One letter for each kind of rule, as in struct kind. */
static void ask_all(uint8_t proto, char answers[5])
{
	static const char *const rules[4] = {":4321 192.0.2.9", "198.18.0.1:4321 192.0.2.9", ":4321 [2001:db8:2::9]",
					     "[2001:db8::1]:4321 [2001:db8:2::9]"};

	for (int i = 0; i < 4; i++) {
		struct xf_error err;
		char text[80];

		snprintf(text, sizeof(text), "%s %s", proto == IPPROTO_TCP ? "tcp" : "udp", rules[i]);
		answers[i] = is_refused(text, &err) ? 'y' : '-';
	}
	answers[4] = '\0';
}

static void check_kinds(const struct kind *list, size_t n, uint8_t proto)
{
	const uint8_t other = proto == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
	char answers[5];

	for (size_t i = 0; i < n; i++) {
		int fd = open_socket(&list[i], proto);

		ask_all(proto, answers);
		if (strcmp(answers, list[i].found))
			fail_msg("%s%s%s%s%s: found %s, should be %s", list[i].addr, list[i].dev ? " on " : "",
				 list[i].dev ? list[i].dev : "", list[i].v6only ? " v6only" : "",
				 list[i].busy ? " busy" : "", answers, list[i].found);
		ask_all(other, answers);
		assert_string_equal(answers, "----");
		close(fd);
	}
	ask_all(proto, answers);
	assert_string_equal(answers, "----");
}

static void test_tcp(void **state)
{
	(void)state;
	check_kinds(kinds, sizeof(kinds) / sizeof(kinds[0]), IPPROTO_TCP);
}

static void test_udp(void **state)
{
	(void)state;
	check_kinds(kinds, sizeof(kinds) / sizeof(kinds[0]), IPPROTO_UDP);
}

static void test_udp_multicast(void **state)
{
	(void)state;
	check_kinds(multicast_kinds, sizeof(multicast_kinds) / sizeof(multicast_kinds[0]), IPPROTO_UDP);
}

static void test_port_range(void **state)
{
	static const struct {
		const char *rule;
		bool refused;
	} cases[] = {
		{"tcp :1-4320 192.0.2.9", false},     {"tcp :4322-65535 192.0.2.9", false},
		{"tcp :1-4321 192.0.2.9", true},      {"tcp :4321-4322 192.0.2.9", true},
		{"tcp+udp :1-65535 192.0.2.9", true},
	};
	int fd = open_socket(&kinds[0], IPPROTO_TCP);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xf_error err;

		if (is_refused(cases[i].rule, &err) != cases[i].refused)
			fail_msg("%s: %s", cases[i].rule, err.text);
		assert_true(!cases[i].refused || strstr(err.text, "tcp port 4321 "));
	}
	close(fd);
}

/* An interface's rule takes only what is sent to an address that the interface has. */
static void test_interface(void **state)
{
	int fd = open_socket(&(struct kind){.addr = "198.18.0.1"}, IPPROTO_TCP);
	struct xf_error err;

	(void)state;
	assert_true(is_refused("tcp wan0:4321 192.0.2.9", &err));
	assert_false(is_refused("tcp wan1:4321 192.0.2.9", &err));
	assert_false(is_refused("tcp nosuch0:4321 192.0.2.9", &err));
	close(fd);
}

/* Whose it is, for the message. */
static void test_owner(void **state)
{
	int fd = open_socket(&(struct kind){.addr = "::ffff:198.18.0.1"}, IPPROTO_UDP);
	struct xf_error err;
	char whose[40];

	(void)state;
	snprintf(whose, sizeof(whose), "in use by sock?test (pid %d)", getpid());
	assert_true(is_refused("udp :4321 192.0.2.9", &err));
	if (!strstr(err.text, whose))
		fail_msg("%s", err.text);
	close(fd);
}

/* Who leads a port to the socket that has it hides nothing. */
static void test_own_target(void **state)
{
	int any = open_socket(&kinds[0], IPPROTO_TCP), fd;
	struct xf_error err;

	(void)state;
	assert_false(is_refused("tcp :4321 127.0.0.1:4321", &err));
	assert_false(is_refused("tcp 198.18.0.9:4321 198.18.0.1", &err));
	assert_true(is_refused("tcp :4321 127.0.0.1:4322", &err));
	close(any);
	fd = open_socket(&(struct kind){.addr = "198.18.0.1"}, IPPROTO_TCP);
	assert_false(is_refused("tcp :4321 198.18.0.1", &err));
	assert_true(is_refused("tcp :4321 198.18.0.9", &err));
	close(fd);
}

/* What sshd says, when no socket is to be seen. */
static void test_session(void **state)
{
	static const struct {
		const char *variable, *value, *rule;
		bool refused;
	} cases[] = {
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp :22 192.0.2.9", true},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp :20-30 192.0.2.9", true},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp 198.18.0.1:22 192.0.2.9", true},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp wan0:22 192.0.2.9", true},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp 198.18.0.9:22 192.0.2.9", false},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp :2222 192.0.2.9", false},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "udp :22 192.0.2.9", false},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp :22 [2001:db8:2::9]", false},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.0.1 22", "tcp 198.18.0.9:22 198.18.0.1:22", false},
		/* Of another machine, whose connection comes through this one. */
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.99.1 22", "tcp :22 192.0.2.9", false},
		{"SSH_CONNECTION", "198.51.100.2 50000 198.18.99.1 22", "tcp 198.18.99.1:22 192.0.2.9", true},
		{"SSH_CONNECTION", "2001:db8:1::2 50000 2001:db8::1 22", "tcp :22 [2001:db8:2::9]", true},
		{"SSH_CONNECTION", "2001:db8:1::2 50000 2001:db8::1 22", "tcp :22 192.0.2.9", false},
		{"SSH_CLIENT", "198.51.100.2 50000 22", "tcp :22 192.0.2.9", true},
		{"SSH_CLIENT", "198.51.100.2 50000 22", "tcp :23 192.0.2.9", false},
		{"SSH_CONNECTION", "nonsense", "tcp :22 192.0.2.9", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xf_error err;
		bool refused;

		setenv(cases[i].variable, cases[i].value, 1);
		refused = is_refused(cases[i].rule, &err);
		unsetenv(cases[i].variable);
		if (refused != cases[i].refused || (refused && !strstr(err.text, "SSH session")))
			fail_msg("%s with %s=%s: %s", cases[i].rule, cases[i].variable, cases[i].value, err.text);
	}
}

static void test_session_text(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"198.51.100.2",
		"198.51.100.2 50000",
		"198.51.100.2 50000 0",
		"198.51.100.2 50000 65536",
		"198.51.100.2 50000 198.18.0.1 22 9",
		"198.51.100.2 50000 198.18.0.300 22",
		"198.51.100.2  50000 22",
		"198.51.100.2 50000 198.18.0.1 22x",
		"name 50000 22",
	};
	struct ssh_session session = {.port = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ssh_session_parse(bad[i], &session) || session.port != 7)
			fail_msg("taken: \"%s\"", bad[i]);
	assert_true(ssh_session_parse("fe80::1%eth0 50000 fe80::2%eth0 22", &session));
	assert_int_equal(session.port, 22);
	assert_int_equal(session.addr.family, XF_IPV6);
	assert_true(ssh_session_parse("198.51.100.2 50000 2222", &session));
	assert_int_equal(session.port, 2222);
	assert_int_equal(session.addr.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),	      cmocka_unit_test(test_udp),
		cmocka_unit_test(test_udp_multicast), cmocka_unit_test(test_port_range),
		cmocka_unit_test(test_interface),     cmocka_unit_test(test_owner),
		cmocka_unit_test(test_own_target),    cmocka_unit_test(test_session),
		cmocka_unit_test(test_session_text),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
