// SPDX-License-Identifier: GPL-2.0-only
#include "prefix_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

/* Far more than all networks that there is room for; whoever names a device or a disk image is told so. */
#define FILE_MAX (128u << 20)

static int remember_name(const char *path, struct xf_prefix_file *file, struct xf_error *err)
{
	char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
	int n = snprintf(file->name, sizeof(file->name), "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", path);
	const char *at = file->name;
	size_t octets;

	free(cwd);
	if (n < 0 || (size_t)n >= sizeof(file->name))
		return xf_fail(err, "%.80s...: the name of the file is too long", path);
	for (; *at; at += octets) {
		octets = xf_utf8_printable(at);
		if (!octets || *at == ',')
			return xf_fail(
				err,
				"%.200s: the name of the file has a comma or an unprintable character in it; give "
				"it another one",
				file->name);
	}
	return 0;
}

static int read_all(FILE *from, struct buf *b)
{
	char chunk[65536];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), from)) > 0) {
		buf_add(b, chunk, n);
		if (buf_failed(b))
			return ENOMEM;
		if (b->len > FILE_MAX)
			return EFBIG;
	}
	return ferror(from) ? errno : 0;
}

int prefix_file_read(const char *path, struct xf_prefix_file *file, struct xf_error *err)
{
	struct buf b = {0};
	int error;
	FILE *from;

	if (remember_name(path, file, err))
		return -1;
	from = fopen(path, "re");
	if (!from)
		return xf_fail(err, "cannot read %.200s: %s", path, strerror(errno));
	error = read_all(from, &b);
	fclose(from);
	if (error) {
		buf_free(&b);
		return xf_fail(err, "cannot read %.200s: %s", path, strerror(error));
	}
	file->text = b.data;
	file->len = b.len;
	return 0;
}
