/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state directory: where it may be, who may own it, and the lock on it.
 * Whoever can write to a pinned map decides where packets go, so nothing in a
 * directory that is not root's alone is believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "dataplane_int.h"
#include "log.h"

#define BPFFS_ROOT    "/sys/fs/bpf"
#define LOCK_WAIT_SEC 10

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

static bool is_below_default_root(const char *dir)
{
	return !strncmp(dir, BPFFS_ROOT "/", sizeof(BPFFS_ROOT));
}

static void parent_of(const char *dir, char parent[PATH_MAX])
{
	const char *slash = strrchr(dir, '/');

	if (!slash)
		strcpy(parent, ".");
	else if (slash == dir)
		strcpy(parent, "/");
	else
		snprintf(parent, PATH_MAX, "%.*s", (int)(slash - dir), dir);
}

/*
 * A mount that only this process' mount namespace sees goes with it, and all
 * pins with the mount: `ip netns exec` makes such a namespace for each command.
 */
static void warn_if_private(void)
{
	struct stat ours, init;

	if (!stat("/proc/self/ns/mnt", &ours) && !stat("/proc/1/ns/mnt", &init) && ours.st_ino != init.st_ino)
		log_warning("a bpffs was mounted on " BPFFS_ROOT
			    " in a mount namespace of its own (ip netns exec?): what "
			    "is loaded may go with it; use nsenter --net=/run/netns/NAME");
}

static int mount_default_root(struct xf_error *err)
{
	if (mount("bpf", BPFFS_ROOT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return xf_fail(err,
			       "cannot mount a bpffs on " BPFFS_ROOT ": %s%s; try: mount -t bpf bpf " BPFFS_ROOT
			       ", or hand one to the container",
			       strerror(errno), errno == EPERM ? ", it takes CAP_SYS_ADMIN" : "");
	warn_if_private();
	return 0;
}

static int check_trust(const char *dir, int fd, struct xf_error *err)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return xf_fail(err, "cannot look at %s: %s", dir, strerror(errno));
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return xf_fail(err, "%s is not on a bpffs: pins cannot be kept there", dir);
	if (st.st_uid != 0)
		return xf_fail(err, "%s belongs to uid %u, not to root: its pins are not trusted", dir, st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return xf_fail(err, "%s can be written by others than root (mode %04o): its pins are not trusted", dir,
			       st.st_mode & 07777);
	return 0;
}

int state_open(const char *dir, int *fd, struct xf_error *err)
{
	char parent[PATH_MAX];

	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return xf_fail(err, "%s is not a directory (nor may it be a symbolic link)", dir);
	if (*fd < 0 && errno == EACCES)
		return xf_fail(err, "cannot open %s: %s; run as root", dir, strerror(errno));
	if (*fd < 0 && errno == EPERM)
		return xf_fail(err, "cannot open %s: a bpffs takes no names with a dot in them", dir);
	if (*fd < 0 && errno != ENOENT)
		return xf_fail(err, "cannot open %s: %s", dir, strerror(errno));

	parent_of(dir, parent);
	if (!is_bpffs(parent) && !(*fd < 0 && is_below_default_root(dir))) {
		if (is_bpffs(dir))
			xf_fail(err, "%s is a bpffs as a whole: give --state a directory in it, like %s/xdpfwd", dir,
				dir);
		else
			xf_fail(err, "%s is not on a bpffs: give --state a directory in one, like " DP_DEFAULT_STATE,
				dir);
		goto refuse;
	}
	if (*fd >= 0 && check_trust(dir, *fd, err))
		goto refuse;
	return 0;
refuse:
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return -1;
}

/* Nothing is made or mounted for a directory that could not be made then. */
static int check_parent(const char *dir, struct xf_error *err)
{
	char parent[PATH_MAX];

	parent_of(dir, parent);
	if (!strcmp(parent, BPFFS_ROOT) || is_bpffs(parent))
		return 0;
	return xf_fail(err, "cannot make %s: there is no %s", dir, parent);
}

int state_create(const char *dir, int *fd, struct xf_error *err)
{
	if (state_open(dir, fd, err))
		return -1;
	if (*fd >= 0)
		return 0;
	if (check_parent(dir, err))
		return -1;
	/* state_open lets a missing bpffs pass only here. */
	if (is_below_default_root(dir) && !is_bpffs(BPFFS_ROOT) && mount_default_root(err))
		return -1;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return xf_fail(err, "cannot make %s: %s%s", dir, strerror(errno),
			       errno == EACCES ? "; run as root" : "");
	if (state_open(dir, fd, err))
		return -1;
	if (*fd < 0)
		return xf_fail(err, "%s vanished while it was being made", dir);
	return 0;
}

static void on_alarm(int sig)
{
	(void)sig; /* it only has to interrupt flock() */
}

/* flock() with an end: a timer that interrupts this thread, again each second in case it was not waiting yet. */
static int flock_for(int fd, time_t seconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
	struct itimerspec when = {.it_value.tv_sec = seconds, .it_interval.tv_sec = 1};
	struct sigaction act = {.sa_handler = on_alarm}, old;
	timer_t timer;
	int rc, error;

	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		return -errno;
	sigaction(SIGALRM, &act, &old);
	timer_settime(timer, 0, &when, NULL);
	rc = flock(fd, LOCK_EX);
	error = errno;
	timer_delete(timer);
	sigaction(SIGALRM, &old, NULL);
	return rc ? -error : 0;
}

/* Whom we waited for may have removed the directory: then the lock is on nothing. */
static bool is_still_there(const char *dir, int fd)
{
	struct stat ours, there;

	return !fstat(fd, &ours) && !lstat(dir, &there) && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

int state_lock(const char *dir, bool create, int *fd, struct xf_error *err)
{
	int rc;

	for (;;) {
		if (create ? state_create(dir, fd, err) : state_open(dir, fd, err))
			return -1;
		if (*fd < 0)
			return 0;
		rc = flock_for(*fd, LOCK_WAIT_SEC);
		if (!rc && is_still_there(dir, *fd))
			return 0;
		close(*fd);
		*fd = -1;
		if (rc == -EINTR)
			return xf_fail(err, "another xdpfwd command holds %s; it did not finish within %d s", dir,
				       LOCK_WAIT_SEC);
		if (rc)
			return xf_fail(err, "cannot lock %s: %s", dir, strerror(-rc));
	}
}
