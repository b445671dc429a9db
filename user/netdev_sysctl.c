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

/* The kernel names no interface so; whoever asks must not be led elsewhere in /proc. */
static bool is_name(const char *ifname)
{
	if (!strchr(ifname, '/') && strlen(ifname) < XF_IFNAME_LEN)
		return true;
	errno = ENODEV;
	return false;
}

int nd_conf_get(const char *ifname, const char *name)
{
	char path[128], text[16], rest;
	int value;

	if (!is_name(ifname))
		return -1;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", ifname, name);
	if (read_setting(path, text, sizeof(text)) || sscanf(text, "%d%c", &value, &rest) != 1)
		return -1;
	return value;
}

int nd_conf_set(const char *ifname, const char *name, int value, struct xf_error *err)
{
	char path[128], text[16];
	ssize_t len;
	int fd;

	if (!is_name(ifname))
		return xf_fail(err, "%.*s is no interface", XF_IFNAME_LEN, ifname);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", ifname, name);
	snprintf(text, sizeof(text), "%d\n", value);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (len < 0)
		xf_fail(err, "cannot set net.ipv4.conf.%s.%s to %d: %s", ifname, name, value, strerror(errno));
	if (fd >= 0)
		close(fd);
	return len < 0 ? -1 : 0;
}

int nd_forwarding(const char *ifname, uint8_t family)
{
	char path[96], text[16];

	if (!is_name(ifname))
		return -1;
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
