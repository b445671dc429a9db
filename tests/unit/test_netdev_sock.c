/* SPDX-License-Identifier: GPL-2.0-only */
/* Which real sockets of this process packets for a rule would reach. */
#include "sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netdev.h"

#define PORT 4321

static int setup(void **state)
{
	(void)state;
	if (sandbox_enter())
		return -1;
	/* Escapes in a process's name must not reach a terminal. */
	prctl(PR_SET_NAME, "sock\033test");
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

/* One letter for each kind of rule, as in struct kind. */
static void ask_all(uint8_t proto, char answers[5])
{
	static const char *const rules[4] = {NULL, "198.18.0.1", NULL, "2001:db8::1"};
	const struct xf_port_range ports = {PORT, PORT};

	for (int i = 0; i < 4; i++) {
		struct xf_address addr;
		struct nd_socket found;
		struct xf_error err;
		int rc;

		if (rules[i])
			assert_int_equal(xf_address_parse(rules[i], &addr, &err), 0);
		rc = nd_socket_find(proto, i < 2 ? XF_IPV4 : XF_IPV6, rules[i] ? &addr : NULL, ports, &found, &err);
		if (rc < 0)
			fail_msg("%s", err.text);
		answers[i] = rc ? 'y' : '-';
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
		struct xf_port_range ports;
		int found;
	} cases[] = {
		{{1, PORT - 1}, 0}, {{PORT + 1, 65535}, 0}, {{1, PORT}, 1}, {{PORT, PORT + 1}, 1}, {{1, 65535}, 1},
	};
	int fd = open_socket(&kinds[0], IPPROTO_TCP);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nd_socket found;
		struct xf_error err;

		assert_int_equal(nd_socket_find(IPPROTO_TCP, XF_IPV4, NULL, cases[i].ports, &found, &err),
				 cases[i].found);
		assert_int_equal(found.port, cases[i].found ? PORT : 0);
	}
	close(fd);
}

/* Whose it is, and what it is bound to, for the message. */
static void test_owner(void **state)
{
	const struct xf_port_range ports = {PORT, PORT};
	struct xf_address mapped;
	struct nd_socket found;
	struct xf_error err;
	int fd = open_socket(&(struct kind){.addr = "::ffff:198.18.0.1"}, IPPROTO_UDP);

	(void)state;
	assert_int_equal(xf_address_parse("198.18.0.1", &mapped, &err), 0);
	assert_int_equal(nd_socket_find(IPPROTO_UDP, XF_IPV4, NULL, ports, &found, &err), 1);
	assert_int_equal(found.port, PORT);
	assert_int_equal(found.pid, getpid());
	assert_string_equal(found.comm, "sock?test");
	assert_true(xf_address_equal(&found.addr, &mapped));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),	   cmocka_unit_test(test_udp),	 cmocka_unit_test(test_udp_multicast),
		cmocka_unit_test(test_port_range), cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
