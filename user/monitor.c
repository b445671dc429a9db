// SPDX-License-Identifier: GPL-2.0-only
#include "monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "log.h"

#define RECEIVE_OCTETS 32768
/* So many messages at a time: a full routing table that is being filled must not keep others waiting. */
#define RECEIVE_MAX 64

struct monitor {
	struct loop *loop;
	struct monitor_options options;
	struct mnl_socket *nl;
	struct loop_fd fd;
	struct loop_timer timer;
};

static const unsigned int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
				      RTNLGRP_IPV6_ROUTE};

static void tell(struct loop_timer *timer)
{
	struct monitor *m = timer->arg;

	m->options.changed(m->options.arg);
}

static void note_change(struct monitor *m)
{
	/* Not put off by what comes meanwhile: a network that never rests is followed, too. */
	if (!m->timer.set)
		loop_timer_set(m->loop, &m->timer, m->options.quiet_ms);
}

/* What is in the messages does not matter: what counts is how things stand when they are looked at. */
static void receive(struct loop_fd *fd, uint32_t events)
{
	struct monitor *m = fd->arg;
	char buf[RECEIVE_OCTETS];
	int i;

	(void)events;
	for (i = 0; i < RECEIVE_MAX; i++) {
		if (recv(fd->fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0) {
			note_change(m);
			continue;
		}
		if (errno == ENOBUFS) {
			log_debug("the kernel had more changes of the network to tell than there was room for");
			note_change(m);
		} else if (errno != EINTR) {
			return;
		}
	}
}

static int open_socket(struct monitor *m, struct xf_error *err)
{
	int fd, size = (int)m->options.buffer_size;
	size_t i;

	m->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!m->nl || mnl_socket_bind(m->nl, 0, MNL_SOCKET_AUTOPID))
		return xf_fail(err, "cannot follow changes of the network: %s", strerror(errno));
	fd = mnl_socket_get_fd(m->nl);
	if (size)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (mnl_socket_setsockopt(m->nl, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i], sizeof(groups[i])))
			return xf_fail(err, "cannot follow changes of the network: %s", strerror(errno));
	m->fd = (struct loop_fd){.fd = fd, .ready = receive, .arg = m};
	if (loop_watch(m->loop, &m->fd, EPOLLIN))
		return xf_fail(err, "cannot follow changes of the network: %s", strerror(errno));
	return 0;
}

int monitor_new(struct monitor **out, struct loop *loop, const struct monitor_options *options, struct xf_error *err)
{
	struct monitor *m = calloc(1, sizeof(*m));

	if (!m)
		return xf_fail(err, "out of memory");
	m->loop = loop;
	m->options = *options;
	m->timer = (struct loop_timer){.due = tell, .arg = m};
	if (open_socket(m, err)) {
		monitor_free(m);
		return -1;
	}
	*out = m;
	return 0;
}

void monitor_free(struct monitor *m)
{
	if (!m)
		return;
	loop_timer_stop(m->loop, &m->timer);
	if (m->nl)
		mnl_socket_close(m->nl); /* which the loop notices by itself */
	free(m);
}
