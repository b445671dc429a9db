/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network namespace for a test program, gone with the process however it
 * ends: nothing has a name outside.
 */
#ifndef XDPFWD_TEST_SANDBOX_H
#define XDPFWD_TEST_SANDBOX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Moves the caller into a network namespace of its own. */
static inline int sandbox_enter(void)
{
	return unshare(CLONE_NEWNET);
}

/* Runs lines of `ip -batch`; in the namespace of process pid, or here with pid 0. */
static inline int sandbox_ip(pid_t pid, const char *lines)
{
	char command[64] = "ip -batch -";
	FILE *ip;

	if (pid)
		snprintf(command, sizeof(command), "nsenter --net=/proc/%d/ns/net ip -batch -", pid);
	ip = popen(command, "w");
	if (!ip)
		return -1;
	fputs(lines, ip);
	return pclose(ip);
}

/* Does the output of a command contain the text? */
static inline bool sandbox_shows(const char *command, const char *text)
{
	char output[8192];
	FILE *f = popen(command, "r");
	size_t len;

	if (!f)
		return false;
	len = fread(output, 1, sizeof(output) - 1, f);
	output[len] = '\0';
	pclose(f);
	return strstr(output, text) != NULL;
}

/* A process that does nothing but hold another network namespace; -1 where that fails. */
static inline pid_t sandbox_neighbour(void)
{
	int ready[2];
	char octet;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (sandbox_enter() || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &octet, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static inline void sandbox_neighbour_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
