// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients of tests/e2e/echo.c.
 *
 * crowd hold ADDR PORT IDLE BUSY
 *	opens TCP connections, has each answered, and says "ready". From then on the
 *	busy ones move data without a pause, until SIGTERM; then each of all of them
 *	must answer again. Exit code 1 if one did not, or with other octets.
 * crowd visit ADDR PORT tcp|udp COUNT SECONDS
 *	so many new clients, one after the other, each with so much time for an answer
 *
 * Both print one JSON object in the end.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>

#include "ends.h"

#define BLOCK	  4096 /* octets that a busy connection has under way: both ends' buffers hold them */
#define WORDS	  (BLOCK / sizeof(uint32_t))
#define PATIENCE  30 /* seconds without an answer: the connection is dead */
#define RESEND_MS 250
#define MOST_BUSY 256

struct busy {
	int fd;
	uint32_t number, round, got;
	double since; /* when its block was sent */
	uint32_t words[WORDS];
};

struct held {
	int *idle;
	long n_idle, n_busy, lost;
	struct busy *busy;
	uint64_t octets;
	double longest;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- connections that stay */

static int dial(const struct endpoint *to, int type, int seconds)
{
	struct timeval patience = {.tv_sec = seconds};
	int fd = socket(to->addr.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	/* The time to send is also the time to connect. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (const struct sockaddr *)&to->addr, to->len))
		return fd;
	close(fd);
	return -1;
}

/* Does the other end give the word back? */
static bool answers(int fd, uint64_t word)
{
	uint64_t back = 0;

	return send(fd, &word, sizeof(word), MSG_NOSIGNAL) == sizeof(word) &&
	       recv(fd, &back, sizeof(back), MSG_WAITALL) == sizeof(back) && back == word;
}

static void send_block(struct busy *b)
{
	uint32_t word = b->number << 20 ^ b->round * 2654435761u;

	for (size_t i = 0; i < WORDS; i++) {
		word = word * 1664525u + 1013904223u;
		b->words[i] = word;
	}
	b->got = 0;
	b->since = now();
	if (send(b->fd, b->words, BLOCK, MSG_NOSIGNAL) != BLOCK)
		b->fd = -1;
}

/* Compares what has come with what was sent; a connection that it is not the same on is lost. */
static void receive_block(struct busy *b, struct held *h)
{
	char data[BLOCK];
	ssize_t n = recv(b->fd, data, BLOCK - b->got, 0);

	if (n <= 0 || memcmp(data, (char *)b->words + b->got, (size_t)n)) {
		b->fd = -1;
		return;
	}
	b->got += (uint32_t)n;
	if (b->got < BLOCK)
		return;
	h->octets += BLOCK;
	if (now() - b->since > h->longest)
		h->longest = now() - b->since;
	b->round++;
	if (!stopped)
		send_block(b);
}

static bool has_block_under_way(const struct busy *b)
{
	return b->fd >= 0 && b->got < BLOCK;
}

/* Until it is to stop and all that is under way has come back. */
static void move_data(struct held *h)
{
	struct pollfd fds[MOST_BUSY];
	bool any;

	for (long i = 0; i < h->n_busy; i++)
		send_block(&h->busy[i]);
	do {
		any = false;
		for (long i = 0; i < h->n_busy; i++) {
			bool waits = has_block_under_way(&h->busy[i]);

			/* After so long it is not late but dead. */
			if (waits && now() - h->busy[i].since > PATIENCE)
				h->busy[i].fd = -1;
			fds[i] = (struct pollfd){.fd = waits ? h->busy[i].fd : -1, .events = POLLIN};
			any |= waits;
		}
		if (poll(fds, (nfds_t)h->n_busy, any ? 1000 : 0) <= 0)
			continue;
		for (long i = 0; i < h->n_busy; i++) {
			if (fds[i].fd >= 0 && fds[i].revents)
				receive_block(&h->busy[i], h);
		}
	} while (any);
	for (long i = 0; i < h->n_busy; i++)
		h->lost += h->busy[i].fd < 0;
}

static int open_one(const struct endpoint *to, long number)
{
	int fd = dial(to, SOCK_STREAM, PATIENCE);

	if (fd < 0 || !answers(fd, (uint64_t)number))
		die("cannot open the connections");
	return fd;
}

static int hold(const struct endpoint *to, long idle, long busy)
{
	struct held h = {.n_idle = idle, .n_busy = busy};

	h.idle = calloc((size_t)idle + 1, sizeof(*h.idle));
	h.busy = calloc((size_t)busy + 1, sizeof(*h.busy));
	if (!h.idle || !h.busy || busy > MOST_BUSY)
		die("too many");
	signal(SIGTERM, stop);
	for (long i = 0; i < idle; i++)
		h.idle[i] = open_one(to, i);
	for (long i = 0; i < busy; i++)
		h.busy[i] = (struct busy){.fd = open_one(to, i), .number = (uint32_t)i};
	puts("ready");
	fflush(stdout);
	move_data(&h);
	while (!stopped)
		poll(NULL, 0, 100);
	for (long i = 0; i < idle; i++)
		h.lost += !answers(h.idle[i], (uint64_t)(i + idle));
	printf("{\"idle\": %ld, \"busy\": %ld, \"lost\": %ld, \"octets\": %llu, \"longest_ms\": %.1f}\n", idle, busy,
	       h.lost, (unsigned long long)h.octets, h.longest * 1e3);
	return h.lost != 0;
}

/* ---- clients that come and go */

static bool visit_udp(const struct endpoint *to, uint64_t word, double deadline)
{
	int fd = dial(to, SOCK_DGRAM, PATIENCE);
	bool done = false;
	uint64_t back;

	while (fd >= 0 && !done && now() < deadline) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		send(fd, &word, sizeof(word), 0);
		done = poll(&p, 1, RESEND_MS) == 1 && recv(fd, &back, sizeof(back), 0) == sizeof(back) && back == word;
	}
	close(fd);
	return done;
}

static bool visit_tcp(const struct endpoint *to, uint64_t word, int seconds)
{
	int fd = dial(to, SOCK_STREAM, seconds);
	bool done = fd >= 0 && answers(fd, word);

	close(fd);
	return done;
}

static int ascending(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static int visit(const struct endpoint *to, bool udp, long count, int seconds)
{
	double *took = calloc((size_t)count + 1, sizeof(*took));
	long done = 0;

	if (!took)
		die("too many");
	for (long i = 0; i < count; i++) {
		double begin = now();

		if (udp ? visit_udp(to, (uint64_t)i, begin + seconds) : visit_tcp(to, (uint64_t)i, seconds))
			took[done++] = (now() - begin) * 1e3;
	}
	qsort(took, (size_t)done, sizeof(*took), ascending);
	printf("{\"tried\": %ld, \"succeeded\": %ld, \"median_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n", count,
	       done, took[done / 2], took[done * 99 / 100], done ? took[done - 1] : 0);
	free(took);
	return 0;
}

int main(int argc, char **argv)
{
	struct endpoint at;

	if (argc < 6) {
		fprintf(stderr, "usage: crowd hold|visit ADDR PORT ...\n");
		return 2;
	}
	take_all_files();
	at = endpoint(argv[2], argv[3]);
	if (argc == 6 && !strcmp(argv[1], "hold"))
		return hold(&at, atol(argv[4]), atol(argv[5]));
	if (argc == 7 && !strcmp(argv[1], "visit"))
		return visit(&at, !strcmp(argv[4], "udp"), atol(argv[5]), atoi(argv[6]));
	fprintf(stderr, "crowd: wrong arguments\n");
	return 2;
}
