/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One loop for everything that a process waits for: descriptors and times. What
 * is called may add and remove any of them, itself too.
 */
#ifndef XDPFWD_USER_LOOP_H
#define XDPFWD_USER_LOOP_H

#include <sys/epoll.h>

#include "addr.h"

struct loop;

/* Fields are the owner's but in between; `ready` may free it. */
struct loop_fd {
	int fd;
	void (*ready)(struct loop_fd *self, uint32_t events); /* EPOLL* */
	void *arg;
};

struct loop_timer {
	void (*due)(struct loop_timer *self);
	void *arg;
	/* The loop's. */
	int64_t at;
	struct loop_timer *next;
	bool set;
};

int loop_new(struct loop **loop, struct xf_error *err);
/* What was added is the owners' to close. */
void loop_free(struct loop *loop);
/* Adds, or changes what it waits for. 0, or -1 with errno. */
int loop_watch(struct loop *loop, struct loop_fd *fd, uint32_t events);
void loop_forget(struct loop *loop, const struct loop_fd *fd);
/* Once, in so many milliseconds; setting again moves it. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t ms);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);
/* Until loop_stop is called. 0, or -1 with err. */
int loop_run(struct loop *loop, struct xf_error *err);
void loop_stop(struct loop *loop);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t loop_now(void);

#endif
