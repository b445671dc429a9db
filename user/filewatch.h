/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells when a file has another content: written, renamed over, or behind another symbolic link. */
#ifndef XDPFWD_USER_FILEWATCH_H
#define XDPFWD_USER_FILEWATCH_H

#include "loop.h"

struct filewatch;

struct filewatch_options {
	const char *path;
	uint32_t quiet_ms; /* for which nothing has to happen before the call: editors write in several steps */
	void (*changed)(void *arg);
	void *arg;
};

int filewatch_new(struct filewatch **watch, struct loop *loop, const struct filewatch_options *options,
		  struct xf_error *err);
/* As it is now is what later changes are compared with. */
void filewatch_seen(struct filewatch *watch);
void filewatch_free(struct filewatch *watch);

#endif
