/* SPDX-License-Identifier: GPL-2.0-only */
/* What both ends of many connections need. */
#ifndef XDPFWD_TESTS_ENDS_H
#define XDPFWD_TESTS_ENDS_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage addr;
	socklen_t len;
};

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A file for each connection, as many as we may have. */
static inline void take_all_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
}

static inline struct endpoint endpoint(const char *addr, const char *port)
{
	struct endpoint e = {0};
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e.addr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&e.addr;

	if (inet_pton(AF_INET6, addr, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(port));
		e.len = sizeof(*v6);
	} else if (inet_pton(AF_INET, addr, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(port));
		e.len = sizeof(*v4);
	} else {
		errno = EINVAL;
		die(addr);
	}
	return e;
}

#endif
