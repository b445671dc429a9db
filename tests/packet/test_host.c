// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's own connections: a packet for a rule's port that a socket of this
 * machine is waiting for, or that netfilter's connection tracking knows as an
 * answer, is not the rule's. The sockets are real; so is the tracking.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "syn.h"

/* The address of a host and a port, for the socket calls. */
static socklen_t socket_address(const struct test *t, enum host host, uint16_t port, struct sockaddr_storage *to)
{
	union xf_addr addr = host_addr(host, t->family);

	memset(to, 0, sizeof(*to));
	if (t->family == XF_IPV4) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = addr.v4;
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, addr.v6, 16);
	return sizeof(*in6);
}

/* Bound to the rule's endpoint. */
static int own_socket(const struct test *t, int type)
{
	struct sockaddr_storage own;
	socklen_t len = socket_address(t, ROUTER, 8000, &own);
	int one = 1, fd = socket(own.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, len), 0);
	return fd;
}

static void connect_to_client(const struct test *t, int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = socket_address(t, CLIENT, 40000, &peer);

	assert_true(!connect(fd, (struct sockaddr *)&peer, len) || errno == EINPROGRESS);
}

static void connected_udp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), other = in, out;
	uint32_t rule = rule_preserve(t);
	int fd = own_socket(t, SOCK_DGRAM);

	connect_to_client(t, fd);
	pass(t, &in);
	other.sport = 40001;
	out = to_target(&other, TARGET, 9000);
	forward_new(t, rule, &other, &out);
	close(fd);
	out = to_target(&in, TARGET, 9000);
	forward_new(t, rule, &in, &out);
}

/* Nor is it the rule's to refuse. */
static void connected_udp_of_a_closed_door(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), other = in;
	uint32_t rule = rule_preserve(t);
	int fd = own_socket(t, SOCK_DGRAM);
	struct xf_rule r;

	rule_get(t, rule, &r);
	r.expires = 1;
	rule_put(t, rule, &r);
	connect_to_client(t, fd);
	pass(t, &in);
	other.sport = 40001;
	drop(t, rule, XF_REASON_EXPIRED, &other);
	close(fd);
}

/* It is waiting for nobody in particular; that it is there was for `map add` to refuse. */
static void unconnected_udp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, TARGET, 9000);
	uint32_t rule = rule_preserve(t);
	int fd = own_socket(t, SOCK_DGRAM);

	forward_new(t, rule, &in, &out);
	close(fd);
}

static void connecting_tcp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), begun = syn(t, 40000), out;
	uint32_t rule = rule_preserve(t);
	int fd = own_socket(t, SOCK_STREAM);

	connect_to_client(t, fd);
	in.proto = IPPROTO_TCP;
	in.tcp_flags = TCP_SYN | TCP_ACK;
	pass(t, &in);
	in.tcp_flags = TCP_ACK;
	pass(t, &in);
	set_threshold(t, rule, 1);
	half_open(t, rule, &begun, 1);
	pass(t, &in);
	set_threshold(t, rule, 0);
	/* Who begins a connection answers none. */
	in.tcp_flags = TCP_SYN;
	out = to_target(&in, TARGET, 9000);
	forward_new(t, rule, &in, &out);
	close(fd);
}

static void listening_tcp(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out;
	uint32_t rule = rule_preserve(t);
	int fd = own_socket(t, SOCK_STREAM);

	assert_int_equal(listen(fd, 1), 0);
	in.proto = IPPROTO_TCP;
	in.tcp_flags = TCP_ACK;
	out = to_target(&in, TARGET, 9000);
	forward_new(t, rule, &in, &out);
	close(fd);
}

/* What an unconnected socket sent is known to the connection tracking alone. */
static void tracked(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), other = in, out;
	struct sockaddr_storage peer;
	/* A port of its own: what was tracked is remembered longer than a test takes. */
	socklen_t len = socket_address(t, CLIENT, 40123, &peer);
	uint32_t rule = rule_preserve(t);
	int fd = own_socket(t, SOCK_DGRAM);

	assert_int_equal(
		system("nft 'table inet t { chain c { type filter hook output priority 0; ct state new; }; }'"), 0);
	in.sport = 40123;
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&peer, len), 1);
	pass(t, &in);
	other.sport = 40001;
	out = to_target(&other, TARGET, 9000);
	forward_new(t, rule, &other, &out);
	close(fd);
	assert_int_equal(system("nft delete table inet t"), 0);
}

static const struct packet_case host_cases[] = {
	CASE(connected_udp),   CASE(connected_udp_of_a_closed_door),
	CASE(unconnected_udp), CASE(connecting_tcp),
	CASE(listening_tcp),   CASE(tracked),
};

PACKET_SUITE(host);
