/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes, as /proc tells: whose a socket is, and who has started whom. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netdev.h"

/* Calls fn for each socket that the process has open; false once it returns false. */
static bool for_each_socket(int pid, bool (*fn)(uint32_t inode, void *arg), void *arg)
{
	char path[40], target[64];
	struct dirent *entry;
	bool go_on = true;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return true;
	while (go_on && (entry = readdir(dir))) {
		unsigned int inode;

		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (sscanf(target, "socket:[%u]", &inode) == 1)
			go_on = fn(inode, arg);
	}
	closedir(dir);
	return go_on;
}

static bool is_other(uint32_t inode, void *arg)
{
	return inode != *(const uint32_t *)arg;
}

bool nd_process_has_socket(int pid, uint32_t inode)
{
	return !for_each_socket(pid, is_other, &inode);
}

static ssize_t read_proc(int pid, const char *name, char *text, size_t size)
{
	char path[40];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return len;
}

/* A process may call itself anything, terminal escapes included. */
static void read_comm(int pid, char comm[16])
{
	char text[32];

	if (read_proc(pid, "comm", text, sizeof(text)) <= 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	snprintf(comm, 16, "%.15s", text);
	for (; *comm; comm++)
		if (!isprint((unsigned char)*comm))
			*comm = '?';
}

void nd_process_of_socket(uint32_t inode, struct nd_process *process)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	memset(process, 0, sizeof(*process));
	if (!proc)
		return;
	while (!process->pid && (entry = readdir(proc))) {
		int pid = atoi(entry->d_name);

		if (pid <= 0 || !nd_process_has_socket(pid, inode))
			continue;
		process->pid = pid;
		read_comm(pid, process->comm);
	}
	closedir(proc);
}

bool nd_process_parent(struct nd_process *process)
{
	char text[512];
	const char *behind_name;
	int parent;

	if (read_proc(process->pid, "stat", text, sizeof(text)) <= 0)
		return false;
	/* What it calls itself stands in parentheses, and may have some in it. */
	behind_name = strrchr(text, ')');
	if (!behind_name || sscanf(behind_name, ") %*c %d", &parent) != 1 || parent <= 0)
		return false;
	memset(process, 0, sizeof(*process));
	process->pid = parent;
	read_comm(parent, process->comm);
	return true;
}
