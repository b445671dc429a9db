// SPDX-License-Identifier: GPL-2.0-only
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The rename itself is on disk only when its directory is. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd, ret;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = fsync(fd);
	close(fd);
	return ret;
}

int textfile_replace(const char *path, const struct buf *text, struct xf_error *err)
{
	char temp[PATH_MAX];
	int fd, cause;

	/* In the same directory, or rename() could not do it; no *.prom, or node_exporter would read it. */
	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= (int)sizeof(temp))
		return xf_fail(err, "%.100s...: the name is too long", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return xf_fail(err, "cannot write %s: %s", path, strerror(errno));
	/* node_exporter runs as somebody else. */
	if (write_all(fd, text->data ? text->data : "", text->len) < 0 || fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		goto fail;
	if (rename(temp, path) < 0)
		goto fail;
	close(fd);
	sync_directory(path);
	return 0;
fail:
	cause = errno;
	close(fd);
	unlink(temp);
	return xf_fail(err, "cannot write %s: %s", path, strerror(cause));
}
