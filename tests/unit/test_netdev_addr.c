/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and routes, against what `ip` set up. */
#include "sandbox.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netdev.h"

static int setup(void **state)
{
	(void)state;
	if (sandbox_enter())
		return -1;
	return sandbox_ip(0, "link set lo up\n"
			     "link add wan0 type veth peer name wan1\n"
			     "link add port0 type veth peer name port1\n"
			     "link set wan0 up\n"
			     "link set wan1 up\n"
			     "addr add 198.18.0.1/24 dev wan0\n"
			     "addr add 2001:db8::1/64 dev wan0 nodad\n"
			     "addr add 198.18.50.1 peer 198.18.50.2/32 dev wan0\n"
			     "addr add 198.18.60.1/24 dev port1\n"
			     "addr add 2001:db8:60::1/64 dev port1\n"
			     "route add local 192.0.2.0/24 dev lo\n"
			     "route add 198.19.2.0/24 via inet6 2001:db8::2 dev wan0\n"
			     "route add 198.19.3.0/24 via 198.18.0.2\n"
			     "route add 198.19.4.0/24 via 198.18.0.2 src 198.18.50.1\n"
			     "route add 2001:db8:3::/64 via 2001:db8::2\n"
			     "route add blackhole 198.19.10.0/24\n"
			     "route add blackhole 2001:db8:10::/64\n"
			     "route add unreachable 198.19.11.0/24\n"
			     "route add unreachable 2001:db8:11::/64\n"
			     "route add prohibit 198.19.12.0/24\n"
			     "route add prohibit 2001:db8:12::/64\n");
}

static struct xf_address address(const char *text)
{
	struct xf_address a = {0};
	struct xf_error err;

	assert_int_equal(xf_address_parse(text, &a, &err), 0);
	return a;
}

struct listing {
	const char *wanted, *ifname;
	unsigned int prefixlen, seen, all;
	bool stop;
};

static int note_address(const struct nd_addr *addr, void *arg)
{
	struct listing *listing = arg;
	char text[XF_ENDPOINT_STRLEN];

	listing->all++;
	if (!strcmp(xf_address_format(&addr->addr, text, sizeof(text)), listing->wanted) &&
	    addr->ifindex == if_nametoindex(listing->ifname) && addr->prefixlen == listing->prefixlen)
		listing->seen++;
	return listing->stop;
}

static void test_addresses(void **state)
{
	struct listing wanted[] = {
		{"127.0.0.1", "lo", 8, 0, 0, false},	  {"::1", "lo", 128, 0, 0, false},
		{"198.18.0.1", "wan0", 24, 0, 0, false},  {"2001:db8::1", "wan0", 64, 0, 0, false},
		{"198.18.50.1", "wan0", 32, 0, 0, false}, {"198.18.60.1", "port1", 24, 0, 0, false},
	};
	struct listing peer = {"198.18.50.2", "wan0", 32, 0, 0, false};
	struct listing first = {"", "", 0, 0, 0, true};
	struct xf_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_int_equal(nd_addresses(note_address, &wanted[i], &err), 0);
		if (wanted[i].seen != 1)
			fail_msg("%s listed %u times", wanted[i].wanted, wanted[i].seen);
	}
	assert_int_equal(nd_addresses(note_address, &peer, &err), 0);
	assert_int_equal(peer.seen, 0);
	assert_int_equal(nd_addresses(note_address, &first, &err), 0);
	assert_int_equal(first.all, 1);
}

/* More than one message's worth. */
static void test_addresses_many(void **state)
{
	struct listing last = {"198.51.100.250", "wan1", 32, 0, 0, false};
	char lines[16384];
	struct xf_error err;
	size_t len = 0;

	(void)state;
	for (int i = 1; i <= 250; i++)
		len += (size_t)snprintf(lines + len, sizeof(lines) - len, "addr add 198.51.100.%d/32 dev wan1\n", i);
	assert_int_equal(sandbox_ip(0, lines), 0);
	assert_int_equal(nd_addresses(note_address, &last, &err), 0);
	assert_int_equal(last.seen, 1);
	assert_in_range(last.all, 250 + 6, 250 + 20);
	assert_int_equal(sandbox_ip(0, "addr flush dev wan1\n"), 0);
}

static void test_address_is_local(void **state)
{
	static const struct {
		const char *text;
		int local;
	} cases[] = {
		{"198.18.0.1", 1},  {"2001:db8::1", 1}, {"127.9.9.9", 1},
		{"192.0.2.77", 1},  {"198.18.60.1", 1}, {"2001:db8:60::1", 1}, /* port1 is down */
		{"198.18.0.2", 0},  {"2001:db8::2", 0}, {"198.18.50.2", 0},
		{"203.0.113.1", 0}, {"198.19.10.1", 0}, {"2001:db8:ff::1", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xf_address a = address(cases[i].text);
		struct xf_error err;

		if (nd_address_is_local(&a, &err) != cases[i].local)
			fail_msg("%s should%s be local", cases[i].text, cases[i].local ? "" : " not");
	}
}

/* ---- routes */

/* "OUT via GATEWAY src PREFSRC local", as far as they are there. */
static const char *format_route(const struct nd_route *route, char *buf, size_t len)
{
	char out[IF_NAMESIZE] = "?", gateway[XF_ENDPOINT_STRLEN], prefsrc[XF_ENDPOINT_STRLEN];

	if_indextoname(route->ifindex, out);
	snprintf(buf, len, "%s%s%s%s%s%s", out, route->gateway.family ? " via " : "",
		 route->gateway.family ? xf_address_format(&route->gateway, gateway, sizeof(gateway)) : "",
		 route->prefsrc.family ? " src " : "",
		 route->prefsrc.family ? xf_address_format(&route->prefsrc, prefsrc, sizeof(prefsrc)) : "",
		 route->local ? " local" : "");
	return buf;
}

static void test_route(void **state)
{
	static const struct {
		const char *dst, *route;
	} cases[] = {
		{"198.18.0.9", "wan0 src 198.18.0.1"},
		{"2001:db8::9", "wan0 src 2001:db8::1"},
		{"198.18.50.2", "wan0 src 198.18.50.1"},
		{"198.19.3.1", "wan0 via 198.18.0.2 src 198.18.0.1"},
		{"198.19.4.1", "wan0 via 198.18.0.2 src 198.18.50.1"},
		{"2001:db8:3::1", "wan0 via 2001:db8::2 src 2001:db8::1"},
		{"198.19.2.1", "wan0 via 2001:db8::2 src 198.18.0.1"},
		{"198.18.0.1", "lo src 198.18.0.1 local"},
		{"2001:db8::1", "lo src 2001:db8::1 local"},
		{"192.0.2.5", "lo src 192.0.2.5 local"},
		{"127.0.0.1", "lo src 127.0.0.1 local"},
		{"::1", "lo src ::1 local"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xf_address dst = address(cases[i].dst);
		struct nd_route route;
		struct xf_error err;

		if (nd_route_get(&dst, &route, &err))
			fail_msg("%s: %s", cases[i].dst, err.text);
		if (strcmp(format_route(&route, text, sizeof(text)), cases[i].route))
			fail_msg("%s: %s, should be %s", cases[i].dst, text, cases[i].route);
	}
}

static void test_route_refused(void **state)
{
	static const struct {
		const char *dst, *error;
	} cases[] = {
		{"203.0.113.1", "no route to 203.0.113.1: add one with `ip route add`"},
		{"2001:db8:ff::1", "no route to 2001:db8:ff::1: add one with `ip route add`"},
		{"198.19.10.1", "no route to 198.19.10.1: a route of type blackhole covers it"},
		{"2001:db8:10::1", "no route to 2001:db8:10::1: a route of type blackhole covers it"},
		{"198.19.11.1", "no route to 198.19.11.1: a route of type unreachable covers it"},
		{"2001:db8:11::1", "no route to 2001:db8:11::1: a route of type unreachable covers it"},
		{"198.19.12.1", "no route to 198.19.12.1: a route of type prohibit covers it"},
		{"2001:db8:12::1", "no route to 2001:db8:12::1: a route of type prohibit covers it"},
		{"198.18.0.255", "198.18.0.255 is a broadcast address"},
		{"ff02::1", "ff02::1 is a multicast address"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xf_address dst = address(cases[i].dst);
		struct nd_route route, untouched;
		struct xf_error err = {""};

		memset(&route, 0xa5, sizeof(route));
		untouched = route;
		assert_int_equal(nd_route_get(&dst, &route, &err), -1);
		assert_string_equal(err.text, cases[i].error);
		assert_memory_equal(&route, &untouched, sizeof(route));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),	 cmocka_unit_test(test_addresses_many),
		cmocka_unit_test(test_address_is_local), cmocka_unit_test(test_route),
		cmocka_unit_test(test_route_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
