/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small web server: a table of paths that are read, everything else is
 * refused. It bounds connections, time and size, and takes no request bodies.
 */
#ifndef XDPFWD_USER_HTTPD_H
#define XDPFWD_USER_HTTPD_H

#include "addr.h"
#include "buf.h"

struct httpd_reply {
	unsigned int status; /* 200 unless changed */
	const char *content_type;
	struct buf body;
};

/* `accept` is the request's Accept header or NULL. Called by the server's thread, one request at a time. */
struct httpd_route {
	const char *path;
	void (*make)(const char *accept, struct httpd_reply *reply, void *arg);
};

struct httpd_options {
	struct xf_address addr;
	uint16_t port;			  /* 0: any that is free */
	const struct httpd_route *routes; /* ends with an empty one */
	void *arg;
};

struct httpd;

/*
 * Listens and answers from a thread of its own until httpd_stop. Signals that
 * are to reach the caller must be blocked before. 0, or -1 with err.
 */
int httpd_start(struct httpd **h, const struct httpd_options *options, struct xf_error *err);
/* "127.0.0.1:9977": where it listens, the port as it became. */
const char *httpd_address(const struct httpd *h);
void httpd_stop(struct httpd *h);

#endif
