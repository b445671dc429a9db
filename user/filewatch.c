// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory is watched, not the file: what is renamed over a file is another
 * one. Where the path is a symbolic link, the directory that it leads to as well.
 */
#include "filewatch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS (IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)

/* What tells one content from another. All zero: there is no file. */
struct identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
};

struct filewatch {
	struct loop *loop;
	struct filewatch_options options;
	struct identity seen, last; /* last: when something happened in the directories last */
	struct loop_fd fd;
	struct loop_timer timer;
};

static struct identity look(const char *path)
{
	struct identity id;
	struct stat st;

	memset(&id, 0, sizeof(id));
	if (stat(path, &st))
		return id;
	id.device = st.st_dev;
	id.inode = st.st_ino;
	id.size = st.st_size;
	id.written = st.st_mtim;
	return id;
}

static int watch_directory(const struct filewatch *w, const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(copy, path);
	return inotify_add_watch(w->fd.fd, dirname(copy), EVENTS) < 0 ? -1 : 0;
}

/* A directory that is watched already stays so: there is no harm in asking again. */
static int watch_directories(const struct filewatch *w)
{
	char behind[PATH_MAX];

	if (realpath(w->options.path, behind))
		watch_directory(w, behind);
	return watch_directory(w, w->options.path);
}

static void settle(struct loop_timer *timer)
{
	struct filewatch *w = timer->arg;
	struct identity now = look(w->options.path);

	watch_directories(w);
	if (!memcmp(&now, &w->seen, sizeof(now)))
		return;
	w->seen = now;
	w->options.changed(w->options.arg);
}

static void receive(struct loop_fd *fd, uint32_t events)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct filewatch *w = fd->arg;
	struct identity now;

	(void)events;
	while (read(fd->fd, buf, sizeof(buf)) > 0)
		;
	now = look(w->options.path);
	/* Put off while the file changes, but not by what happens to others in its directory. */
	if (memcmp(&now, &w->last, sizeof(now)))
		loop_timer_set(w->loop, &w->timer, w->options.quiet_ms);
	w->last = now;
}

int filewatch_new(struct filewatch **out, struct loop *loop, const struct filewatch_options *options,
		  struct xf_error *err)
{
	struct filewatch *w = calloc(1, sizeof(*w));

	if (!w)
		return xf_fail(err, "out of memory");
	w->loop = loop;
	w->options = *options;
	w->timer = (struct loop_timer){.due = settle, .arg = w};
	w->fd = (struct loop_fd){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .ready = receive, .arg = w};
	filewatch_seen(w);
	if (w->fd.fd < 0 || watch_directories(w) || loop_watch(loop, &w->fd, EPOLLIN)) {
		xf_fail(err, "%.200s: cannot follow its changes: %s", options->path, strerror(errno));
		filewatch_free(w);
		return -1;
	}
	*out = w;
	return 0;
}

void filewatch_seen(struct filewatch *w)
{
	w->seen = w->last = look(w->options.path);
}

void filewatch_free(struct filewatch *w)
{
	if (!w)
		return;
	loop_timer_stop(w->loop, &w->timer);
	if (w->fd.fd >= 0)
		close(w->fd.fd);
	free(w);
}
