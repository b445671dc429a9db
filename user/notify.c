// SPDX-License-Identifier: GPL-2.0-only
#include "notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "addr.h"
#include "log.h"

/* A path, or with '@' in front a name in the abstract name space. 0: there is none, or none that could be. */
static socklen_t address(struct sockaddr_un *sa)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;

	if (len < 2 || len >= sizeof(sa->sun_path) || (name[0] != '/' && name[0] != '@'))
		return 0;
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	memcpy(sa->sun_path, name, len);
	if (name[0] == '@')
		sa->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void tell(const char *text)
{
	struct sockaddr_un sa;
	socklen_t len = address(&sa);
	int fd;

	if (!len)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A manager that does not listen must not hold us up. */
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&sa, len) < 0)
		log_debug("cannot tell the service manager: %m");
	if (fd >= 0)
		close(fd);
}

void notify_ready(const char *status)
{
	char text[512];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s\n", status);
	tell(text);
}

void notify_reloading(void)
{
	struct timespec now;
	char text[96];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1\n");
}

void notify_watchdog(void)
{
	tell("WATCHDOG=1\n");
}

int64_t notify_watchdog_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long value;
	uint32_t for_pid;
	char *end;

	/* May be hours, which 32 bits do not hold. */
	value = usec ? strtoull(usec, &end, 10) : 0;
	if (!value || *end || value > INT64_MAX)
		return 0;
	if (pid && (xf_u32_parse(pid, 1, UINT32_MAX, &for_pid, NULL) || for_pid != (uint32_t)getpid()))
		return 0;
	return value < 2000 ? 1 : (int64_t)(value / 2 / 1000);
}
