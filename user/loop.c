// SPDX-License-Identifier: GPL-2.0-only
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct loop {
	int epoll;
	bool stopped;
	struct loop_timer *timers; /* a handful, in no order */
};

int64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int loop_new(struct loop **out, struct xf_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return xf_fail(err, "out of memory");
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		xf_fail(err, "cannot wait for events: %s", strerror(errno));
		free(loop);
		return -1;
	}
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll);
	free(loop);
}

int loop_watch(struct loop *loop, struct loop_fd *fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = fd};

	if (!epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd->fd, &event))
		return 0;
	return errno == EEXIST ? epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd->fd, &event) : -1;
}

void loop_forget(struct loop *loop, const struct loop_fd *fd)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd->fd, NULL);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t ms)
{
	timer->at = loop_now() + ms;
	if (timer->set)
		return;
	timer->set = true;
	timer->next = loop->timers;
	loop->timers = timer;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer **at = &loop->timers;

	if (!timer->set)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->set = false;
}

/* The first of those that are due; any call may change the list. */
static struct loop_timer *due(const struct loop *loop, int64_t now)
{
	struct loop_timer *timer, *first = NULL;

	for (timer = loop->timers; timer; timer = timer->next)
		if (timer->at <= now && (!first || timer->at < first->at))
			first = timer;
	return first;
}

/* Those that are due at one moment; what they set anew waits for the descriptors' turn. */
static void run_timers(struct loop *loop)
{
	int64_t now = loop_now();
	struct loop_timer *timer;

	while (!loop->stopped && (timer = due(loop, now))) {
		loop_timer_stop(loop, timer);
		timer->due(timer);
		if (timer->set && timer->at <= now)
			break;
	}
}

static int wait_ms(const struct loop *loop)
{
	const struct loop_timer *timer;
	int64_t first = INT64_MAX, left;

	for (timer = loop->timers; timer; timer = timer->next)
		if (timer->at < first)
			first = timer->at;
	if (first == INT64_MAX)
		return -1;
	left = first - loop_now();
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int loop_run(struct loop *loop, struct xf_error *err)
{
	struct epoll_event event;
	struct loop_fd *fd;
	int n;

	loop->stopped = false;
	while (!loop->stopped) {
		/* One at a time: whatever is called may have forgotten and freed the next one. */
		n = epoll_wait(loop->epoll, &event, 1, wait_ms(loop));
		if (n < 0 && errno != EINTR)
			return xf_fail(err, "cannot wait for events: %s", strerror(errno));
		if (n > 0) {
			fd = event.data.ptr;
			fd->ready(fd, event.events);
		}
		run_timers(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
