// SPDX-License-Identifier: GPL-2.0-only
/*
 * tunpipe NETNS1 DEV1 NETNS2 DEV2
 *
 * A point-to-point link between two network namespaces that is made of two tun
 * devices: L3 interfaces, no Ethernet header, no XDP. Says "ready" when both
 * are there and carries packets until it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/if.h>
#include <linux/if_tun.h>

static void die(const char *what)
{
	fprintf(stderr, "tunpipe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int tun_in(const char *netns, const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int ns = open(netns, O_RDONLY | O_CLOEXEC), fd;

	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(netns);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/net/tun");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		die(name);
	return fd;
}

/* A full queue or a device that is down loses the packet, as a wire would. */
static void carry(int from, int to)
{
	static char packet[65536];
	ssize_t len = read(from, packet, sizeof(packet));

	if (len < 0 && errno != EAGAIN && errno != EINTR)
		die("read");
	if (len > 0 && write(to, packet, len) < 0 && errno != EIO && errno != EAGAIN && errno != EINVAL)
		die("write");
}

int main(int argc, char **argv)
{
	struct pollfd p[2];

	if (argc != 5) {
		fprintf(stderr, "usage: tunpipe NETNS1 DEV1 NETNS2 DEV2\n");
		return 2;
	}
	p[0] = (struct pollfd){.fd = tun_in(argv[1], argv[2]), .events = POLLIN};
	p[1] = (struct pollfd){.fd = tun_in(argv[3], argv[4]), .events = POLLIN};
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(p, 2, -1) < 0)
			die("poll");
		for (int i = 0; i < 2; i++) {
			if (p[i].revents)
				carry(p[i].fd, p[!i].fd);
		}
	}
}
