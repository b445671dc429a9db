// SPDX-License-Identifier: GPL-2.0-only
/* echo ADDR PORT: gives back what comes, by TCP and by UDP, to any number of clients. Says "ready". */
#include <signal.h>
#include <unistd.h>
#include <sys/epoll.h>

#include "ends.h"

#define EVENTS 64
#define CHUNK  4096

static int listener(const struct endpoint *at, int type)
{
	int fd = socket(at->addr.ss_family, type | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&at->addr, at->len) || (type == SOCK_STREAM && listen(fd, 4096)))
		die("cannot listen");
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
}

static void echo(int fd)
{
	char data[CHUNK];
	ssize_t n = read(fd, data, sizeof(data));

	if (n <= 0 || write(fd, data, (size_t)n) != n)
		close(fd);
}

static void echo_datagram(int fd)
{
	struct endpoint from = {.len = sizeof(from.addr)};
	char data[CHUNK];
	ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from.addr, &from.len);

	if (n >= 0)
		sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from.addr, from.len);
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	int tcp, udp, epoll;
	struct endpoint at;

	if (argc != 3) {
		fprintf(stderr, "usage: echo ADDR PORT\n");
		return 2;
	}
	take_all_files();
	at = endpoint(argv[1], argv[2]);
	tcp = listener(&at, SOCK_STREAM);
	udp = listener(&at, SOCK_DGRAM);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	watch(epoll, tcp);
	watch(epoll, udp);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == tcp) {
				fd = accept4(tcp, NULL, NULL, SOCK_CLOEXEC);
				if (fd >= 0)
					watch(epoll, fd);
			} else if (fd == udp) {
				echo_datagram(udp);
			} else {
				echo(fd);
			}
		}
	}
}
