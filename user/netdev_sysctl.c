/* SPDX-License-Identifier: GPL-2.0-only */
/* Network settings that the kernel shows under /proc/sys only. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netdev.h"

/* The setting's text, without its newline; -1 with errno. */
static int read_setting(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		return -1;
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int nd_forwarding(const char *ifname, uint8_t family)
{
	char path[96], text[16];

	/* The kernel names no interface so; whoever asks must not be led elsewhere in /proc. */
	if (strchr(ifname, '/') || strlen(ifname) >= XF_IFNAME_LEN) {
		errno = ENODEV;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/sys/net/ipv%d/conf/%s/forwarding", family == XF_IPV6 ? 6 : 4, ifname);
	if (read_setting(path, text, sizeof(text)))
		return -1;
	/* IPv6 knows other values than 0 and 1, and they mean "on". */
	return strcmp(text, "0") != 0;
}

int nd_ephemeral_ports(struct xf_port_range *range)
{
	unsigned int lo, hi;
	char text[32], rest;

	if (read_setting("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text)))
		return -1;
	if (sscanf(text, "%u %u%c", &lo, &hi, &rest) != 2 || lo > hi || hi > UINT16_MAX) {
		errno = EINVAL;
		return -1;
	}
	range->lo = (uint16_t)lo;
	range->hi = (uint16_t)hi;
	return 0;
}
