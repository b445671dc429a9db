// SPDX-License-Identifier: GPL-2.0-only
#include "echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not in the headers of the C library. */
#define ICMP_FILTER_OPTION 1

/* Both families have the same eight octets here; only the types differ. */
struct message {
	struct icmphdr icmp;
	uint64_t secret; /* by which an answer is known to be one */
};

struct echo {
	struct loop *loop;
	struct echo_options options;
	struct loop_fd fd4, fd6;
	uint16_t id;
	uint64_t secret;
};

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *words++;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

int echo_ask(const struct echo *e, const struct xf_address *addr, uint16_t number)
{
	struct message m = {.icmp.un.echo = {.id = e->id, .sequence = htons(number)}, .secret = e->secret};
	struct sockaddr_in6 sa6 = {.sin6_family = AF_INET6};
	struct sockaddr_in sa4 = {.sin_family = AF_INET};
	ssize_t sent;

	if (addr->family == XF_IPV4) {
		m.icmp.type = ICMP_ECHO;
		m.icmp.checksum = checksum(&m, sizeof(m));
		sa4.sin_addr.s_addr = addr->addr.v4;
		sent = sendto(e->fd4.fd, &m, sizeof(m), MSG_DONTWAIT, (struct sockaddr *)&sa4, sizeof(sa4));
	} else {
		m.icmp.type = ICMP6_ECHO_REQUEST; /* the kernel does the checksum */
		memcpy(&sa6.sin6_addr, addr->addr.v6, sizeof(sa6.sin6_addr));
		sent = sendto(e->fd6.fd, &m, sizeof(m), MSG_DONTWAIT, (struct sockaddr *)&sa6, sizeof(sa6));
	}
	return sent < 0 ? -1 : 0;
}

static void take_message(const struct echo *e, const struct xf_address *from, const char *data, size_t len)
{
	struct message m;

	if (len < sizeof(m))
		return;
	memcpy(&m, data, sizeof(m));
	if (m.icmp.type == (from->family == XF_IPV4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
	    m.icmp.un.echo.id == e->id && m.secret == e->secret)
		e->options.answered(from, ntohs(m.icmp.un.echo.sequence), e->options.arg);
}

/* A raw IPv4 socket gives the IP header too. */
static void receive4(struct loop_fd *fd, uint32_t events)
{
	struct xf_address from = {.family = XF_IPV4};
	struct iphdr ip;
	char buf[1500];
	ssize_t len;

	(void)events;
	len = recv(fd->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (len < (ssize_t)sizeof(ip))
		return;
	memcpy(&ip, buf, sizeof(ip));
	from.addr.v4 = ip.saddr;
	if (len > ip.ihl * 4)
		take_message(fd->arg, &from, buf + ip.ihl * 4, (size_t)len - ip.ihl * 4u);
}

static void receive6(struct loop_fd *fd, uint32_t events)
{
	struct xf_address from = {.family = XF_IPV6};
	struct sockaddr_in6 sa;
	socklen_t sa_len = sizeof(sa);
	char buf[1500];
	ssize_t len;

	(void)events;
	len = recvfrom(fd->fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&sa, &sa_len);
	if (len < 0)
		return;
	memcpy(from.addr.v6, &sa.sin6_addr, sizeof(from.addr.v6));
	take_message(fd->arg, &from, buf, (size_t)len);
}

/* Else every ICMP message of this machine would wake us. */
static int filter(int fd4, int fd6)
{
	uint32_t others = ~(1u << ICMP_ECHOREPLY);
	struct icmp6_filter filter6;

	ICMP6_FILTER_SETBLOCKALL(&filter6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter6);
	return setsockopt(fd4, SOL_RAW, ICMP_FILTER_OPTION, &others, sizeof(others)) ||
	       (fd6 >= 0 && setsockopt(fd6, IPPROTO_ICMPV6, ICMP6_FILTER, &filter6, sizeof(filter6)));
}

/* A machine without IPv6 has no socket for it, and no targets either. */
static int open_sockets(struct echo *e)
{
	int type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;

	e->fd4.fd = socket(AF_INET, type, IPPROTO_ICMP);
	if (e->fd4.fd < 0)
		return -1;
	e->fd6.fd = socket(AF_INET6, type, IPPROTO_ICMPV6);
	if (e->fd6.fd < 0 && errno != EAFNOSUPPORT)
		return -1;
	if (filter(e->fd4.fd, e->fd6.fd) || loop_watch(e->loop, &e->fd4, EPOLLIN))
		return -1;
	return e->fd6.fd < 0 ? 0 : loop_watch(e->loop, &e->fd6, EPOLLIN);
}

int echo_new(struct echo **out, struct loop *loop, const struct echo_options *options, struct xf_error *err)
{
	struct echo *e = calloc(1, sizeof(*e));

	if (!e)
		return xf_fail(err, "out of memory");
	e->loop = loop;
	e->options = *options;
	e->fd4 = (struct loop_fd){.fd = -1, .ready = receive4, .arg = e};
	e->fd6 = (struct loop_fd){.fd = -1, .ready = receive6, .arg = e};
	if (getrandom(&e->secret, sizeof(e->secret), 0) != sizeof(e->secret) || open_sockets(e)) {
		xf_fail(err, "cannot ping: %s", strerror(errno));
		echo_free(e);
		return -1;
	}
	e->id = (uint16_t)(e->secret ^ e->secret >> 32);
	*out = e;
	return 0;
}

void echo_free(struct echo *e)
{
	if (!e)
		return;
	if (e->fd4.fd >= 0)
		close(e->fd4.fd);
	if (e->fd6.fd >= 0)
		close(e->fd6.fd);
	free(e);
}
