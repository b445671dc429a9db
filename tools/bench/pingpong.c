// SPDX-License-Identifier: GPL-2.0-only
/*
 * pingpong serve PORT               answers each octet of one TCP connection after the other; says "ready"
 * pingpong ask ADDR PORT MS         for so long: how long an octet there and back takes, as JSON
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define WARM_UP	   100
#define MAX_ROUNDS 1000000

static __attribute__((noreturn)) void fail(const char *what)
{
	fprintf(stderr, "pingpong: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in endpoint(const char *addr, const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, addr, &at.sin_addr) != 1)
		fail(addr);
	return at;
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		fail("socket");
	return fd;
}

static void serve(const char *port)
{
	struct sockaddr_in at = endpoint("0.0.0.0", port);
	int fd = tcp_socket(), client;
	char octet;

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16))
		fail("listen");
	puts("ready");
	fflush(stdout);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		while (read(client, &octet, 1) == 1 && write(client, &octet, 1) == 1)
			;
		close(client);
	}
	fail("accept");
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double round_trip(int fd, char octet)
{
	double from = now_us();
	char back;

	if (write(fd, &octet, 1) != 1 || read(fd, &back, 1) != 1)
		fail("the connection ended");
	if (back != octet) {
		fprintf(stderr, "pingpong: another octet came back\n");
		exit(1);
	}
	return now_us() - from;
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void ask(const char *addr, const char *port, double ms)
{
	struct sockaddr_in at = endpoint(addr, port);
	double *took = calloc(MAX_ROUNDS, sizeof(*took)), end;
	int fd = tcp_socket();
	size_t rounds = 0;

	if (!took)
		fail("memory");
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		fail("connect");
	for (int i = 0; i < WARM_UP; i++)
		round_trip(fd, (char)i);
	end = now_us() + ms * 1e3;
	do {
		took[rounds] = round_trip(fd, (char)rounds);
	} while (++rounds < MAX_ROUNDS && now_us() < end);
	qsort(took, rounds, sizeof(*took), ascending);
	printf("{\"rounds\": %zu, \"p50_us\": %.2f, \"p99_us\": %.2f}\n", rounds, took[rounds / 2],
	       took[rounds * 99 / 100]);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	else if (argc == 5 && !strcmp(argv[1], "ask"))
		ask(argv[2], argv[3], atof(argv[4]));
	else
		fprintf(stderr, "usage: pingpong serve PORT | ask ADDR PORT MS\n");
	return argc == 5 ? 0 : 2;
}
