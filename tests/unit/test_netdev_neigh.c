/* SPDX-License-Identifier: GPL-2.0-only */
/* Managed neighbours: another namespace answers, and the user's own entries stay. */
#include "sandbox.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "netdev.h"

/* How long until a test gives up; what it waits for takes milliseconds. */
#define PATIENCE_MS 20000

static pid_t neighbour;
static unsigned int wan0;

static int setup(void **state)
{
	char lines[256];

	(void)state;
	if (sandbox_enter())
		return -1;
	neighbour = sandbox_neighbour();
	if (neighbour < 0)
		return -1;
	snprintf(lines, sizeof(lines),
		 "link set lo up\n"
		 "link add wan0 type veth peer name eth0 netns %d\n"
		 "link set wan0 up\n"
		 "addr add 198.18.0.1/24 dev wan0\n"
		 "addr add 2001:db8::1/64 dev wan0 nodad\n"
		 "tuntap add tun0 mode tun\n"
		 "link set tun0 up\n"
		 "addr add 198.18.9.1/24 dev tun0\n",
		 neighbour);
	if (sandbox_ip(0, lines))
		return -1;
	wan0 = if_nametoindex("wan0");
	return sandbox_ip(neighbour, "link set eth0 up\n"
				     "addr add 198.18.0.2/24 dev eth0\n"
				     "addr add 2001:db8::2/64 dev eth0 nodad\n");
}

static int teardown(void **state)
{
	(void)state;
	sandbox_neighbour_end(neighbour);
	return 0;
}

static struct xf_address address(const char *text)
{
	struct xf_address a = {0};
	struct xf_error err;

	assert_int_equal(xf_address_parse(text, &a, &err), 0);
	return a;
}

static bool shows(const char *addr, const char *text)
{
	char command[128];

	snprintf(command, sizeof(command), "ip neigh show nud all to %s", addr);
	return sandbox_shows(command, text);
}

/* ---- waiting for the kernel to say that a neighbour is resolved */

static struct mnl_socket *watch_neighbours(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	assert_non_null(nl);
	assert_int_equal(mnl_socket_bind(nl, RTMGRP_NEIGH, MNL_SOCKET_AUTOPID), 0);
	return nl;
}

struct awaited {
	struct xf_address addr;
	bool resolved;
};

static int note_neighbour(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct awaited *awaited = arg;
	const struct nlattr *attr;
	bool same = false, managed = false;

	mnl_attr_for_each(attr, nlh, sizeof(*ndm)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			same = !memcmp(mnl_attr_get_payload(attr), &awaited->addr.addr, mnl_attr_get_payload_len(attr));
		else if (mnl_attr_get_type(attr) == NDA_FLAGS_EXT)
			managed = mnl_attr_get_u32(attr) & NTF_EXT_MANAGED;
	}
	if (nlh->nlmsg_type == RTM_NEWNEIGH && same && managed && (ndm->ndm_state & NUD_REACHABLE))
		awaited->resolved = true;
	return MNL_CB_OK;
}

static void await_resolved(struct mnl_socket *nl, const char *addr)
{
	struct awaited awaited = {.addr = address(addr)};
	struct pollfd fd = {.fd = mnl_socket_get_fd(nl), .events = POLLIN};
	union {
		struct nlmsghdr nlh;
		char room[8192];
	} buf;
	ssize_t len;

	while (!awaited.resolved) {
		if (poll(&fd, 1, PATIENCE_MS) != 1)
			fail_msg("%s was never resolved", addr);
		len = mnl_socket_recvfrom(nl, buf.room, sizeof(buf.room));
		assert_true(len > 0);
		assert_true(mnl_cb_run(buf.room, (size_t)len, 0, 0, note_neighbour, &awaited) >= 0);
	}
}

/* ---- tests */

static void managed_is_resolved(const char *text)
{
	struct xf_address addr = address(text);
	struct mnl_socket *nl = watch_neighbours();
	struct xf_error err = {""};

	if (nd_neigh_manage(wan0, &addr, &err))
		fail_msg("%s", err.text);
	await_resolved(nl, text);
	mnl_socket_close(nl);
	assert_true(shows(text, "managed"));
	assert_true(shows(text, "lladdr"));
	/* Again, while it is there: a second rule with this target. */
	assert_int_equal(nd_neigh_manage(wan0, &addr, &err), 0);
	assert_true(shows(text, "managed"));
	assert_int_equal(nd_neigh_forget(wan0, &addr, &err), 0);
	assert_false(shows(text, text));
	assert_int_equal(nd_neigh_forget(wan0, &addr, &err), 0);
}

static void test_managed_v4(void **state)
{
	(void)state;
	managed_is_resolved("198.18.0.2");
}

static void test_managed_v6(void **state)
{
	(void)state;
	managed_is_resolved("2001:db8::2");
}

/* An ordinary entry becomes managed, and loses nothing by it. */
static void test_known_neighbour(void **state)
{
	struct xf_address addr = address("198.18.0.40");
	struct xf_error err;

	(void)state;
	assert_int_equal(sandbox_ip(0, "neigh add 198.18.0.40 lladdr 02:00:00:00:00:40 dev wan0 nud reachable\n"), 0);
	assert_int_equal(nd_neigh_manage(wan0, &addr, &err), 0);
	assert_true(shows("198.18.0.40", "02:00:00:00:00:40"));
	assert_true(shows("198.18.0.40", "managed"));
	assert_int_equal(nd_neigh_forget(wan0, &addr, &err), 0);
	assert_false(shows("198.18.0.40", "198.18.0.40"));
}

static void left_alone(const char *text, const char *line)
{
	struct xf_address addr = address(text);
	struct xf_error err;

	assert_int_equal(sandbox_ip(0, line), 0);
	assert_int_equal(nd_neigh_manage(wan0, &addr, &err), 0);
	assert_true(shows(text, "PERMANENT"));
	assert_false(shows(text, "managed"));
	assert_int_equal(nd_neigh_forget(wan0, &addr, &err), 0);
	assert_true(shows(text, "PERMANENT"));
}

static void test_permanent(void **state)
{
	(void)state;
	left_alone("198.18.0.50", "neigh add 198.18.0.50 lladdr 02:00:00:00:00:50 dev wan0 nud permanent\n");
	left_alone("2001:db8::50", "neigh add 2001:db8::50 lladdr 02:00:00:00:00:50 dev wan0 nud permanent\n");
}

static void test_forget_spares_unmanaged(void **state)
{
	struct xf_address addr = address("198.18.0.60");
	struct xf_error err;

	(void)state;
	assert_int_equal(sandbox_ip(0, "neigh add 198.18.0.60 lladdr 02:00:00:00:00:60 dev wan0 nud stale\n"), 0);
	assert_int_equal(nd_neigh_forget(wan0, &addr, &err), 0);
	assert_true(shows("198.18.0.60", "02:00:00:00:00:60"));
}

static void test_nothing_to_resolve(void **state)
{
	struct xf_address addr = address("198.18.9.2"), loopback = address("127.0.0.1");
	unsigned int tun0 = if_nametoindex("tun0"), lo = if_nametoindex("lo");
	struct xf_error err;

	(void)state;
	assert_int_equal(nd_neigh_manage(tun0, &addr, &err), 0);
	assert_int_equal(nd_neigh_manage(lo, &loopback, &err), 0);
	assert_false(sandbox_shows("ip neigh show nud all", "managed"));
	assert_int_equal(nd_neigh_forget(tun0, &addr, &err), 0);
	assert_int_equal(nd_neigh_forget(lo, &loopback, &err), 0);
}

static void test_no_such_interface(void **state)
{
	struct xf_address addr = address("198.18.0.2");
	struct xf_error err = {""};

	(void)state;
	assert_int_equal(nd_neigh_manage(9999, &addr, &err), -1);
	assert_string_equal(err.text, "no interface with index 9999");
	assert_int_equal(nd_neigh_forget(9999, &addr, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_managed_v4),
		cmocka_unit_test(test_managed_v6),
		cmocka_unit_test(test_known_neighbour),
		cmocka_unit_test(test_permanent),
		cmocka_unit_test(test_forget_spares_unmanaged),
		cmocka_unit_test(test_nothing_to_resolve),
		cmocka_unit_test(test_no_such_interface),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
