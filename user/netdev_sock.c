/* SPDX-License-Identifier: GPL-2.0-only */
/* Local sockets that a rule would shadow, and whose they are. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "netdev_int.h"

/* The loopback interface has this index in every network namespace. */
#define LOOPBACK_IFINDEX 1

struct socket_search {
	uint8_t family; /* of the packets */
	const struct xf_address *addr;
	struct xf_port_range ports;
	bool found;
	uint32_t inode;
	struct nd_socket *socket;
};

/* A v6 socket may be bound to ::ffff:192.0.2.1; what it receives is IPv4. */
static void bound_address(const struct inet_diag_msg *msg, struct xf_address *bound)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *octets = (const uint8_t *)msg->id.idiag_src;

	if (msg->idiag_family == AF_INET6 && !memcmp(octets, mapped, sizeof(mapped)))
		nd_address_set(bound, XF_IPV4, octets + sizeof(mapped));
	else
		nd_address_set(bound, nd_family_from_af(msg->idiag_family), octets);
}

static bool is_any(const struct xf_address *a)
{
	return !(a->addr.w[0] | a->addr.w[1] | a->addr.w[2] | a->addr.w[3]);
}

/* Loopback or multicast: no packet from outside to an address of this machine arrives there. */
static bool is_out_of_reach(const struct xf_address *a)
{
	static const struct xf_address loopback6 = {.family = XF_IPV6, .addr.v6 = {[15] = 1}};
	const uint8_t first = a->addr.v6[0];

	if (a->family == XF_IPV4)
		return first == 127 || (first & 0xf0) == 224;
	return first == 0xff || !memcmp(&a->addr, &loopback6.addr, sizeof(a->addr));
}

/* The kernel tells INET_DIAG_SKV6ONLY for v6 sockets that listen or are not connected. */
static bool is_v6only(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct inet_diag_msg)) {
		if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY)
			return mnl_attr_get_u8(attr);
	}
	return false;
}

static bool address_matches(const struct socket_search *search, const struct xf_address *bound,
			    const struct nlmsghdr *nlh)
{
	if (is_any(bound))
		return bound->family == search->family || (bound->family == XF_IPV6 && !is_v6only(nlh));
	if (bound->family != search->family)
		return false;
	if (search->addr)
		return !memcmp(&bound->addr, &search->addr->addr, nd_family_octets(bound->family));
	return !is_out_of_reach(bound);
}

static int match_socket(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	uint16_t port = ntohs(msg->id.idiag_sport);
	struct socket_search *search = arg;
	struct xf_address bound;

	if (port < search->ports.lo || port > search->ports.hi)
		return MNL_CB_OK;
	/* SO_BINDTODEVICE to lo hides it from outside as an address of 127/8 would. */
	if (msg->id.idiag_if == LOOPBACK_IFINDEX)
		return MNL_CB_OK;
	bound_address(msg, &bound);
	if (!address_matches(search, &bound, nlh))
		return MNL_CB_OK;
	search->found = true;
	search->inode = msg->idiag_inode;
	search->socket->port = port;
	search->socket->addr = bound;
	return MNL_CB_STOP;
}

/* Sockets of one family that wait for whoever comes: TCP listeners, unconnected UDP. */
static int list_sockets(int af, uint8_t proto, mnl_cb_t fn, void *arg)
{
	struct inet_diag_req_v2 *diag;
	struct nd_request req;

	diag = nd_request_init(&req, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*diag));
	diag->sdiag_family = (__u8)af;
	diag->sdiag_protocol = proto;
	diag->idiag_states = 1u << (proto == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE);
	return nd_talk(NETLINK_SOCK_DIAG, &req, fn, arg);
}

static int note_port(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	uint8_t *ports = arg;

	ports[ntohs(msg->id.idiag_sport)] = 1;
	return MNL_CB_OK;
}

static bool holds_socket(int proc, const char *pid, const char *link)
{
	char path[300], target[64];
	struct dirent *entry;
	bool holds = false;
	ssize_t len;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!holds && (entry = readdir(dir))) {
		len = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		holds = !strcmp(target, link);
	}
	closedir(dir);
	return holds;
}

/* A process may call itself anything, terminal escapes included. */
static void read_comm(int proc, const char *pid, char *comm, size_t size)
{
	char path[300];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, comm, size - 1);
	close(fd);
	if (len <= 0)
		return;
	comm[len] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	for (; *comm; comm++) {
		if (!isprint((unsigned char)*comm))
			*comm = '?';
	}
}

/* Best effort: another user's process, or one in a hidden /proc, stays unknown. */
static void find_process(uint32_t inode, struct nd_socket *socket)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char link[32];

	if (!proc)
		return;
	snprintf(link, sizeof(link), "socket:[%u]", inode);
	while (!socket->pid && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !holds_socket(dirfd(proc), entry->d_name, link))
			continue;
		socket->pid = atoi(entry->d_name);
		read_comm(dirfd(proc), entry->d_name, socket->comm, sizeof(socket->comm));
	}
	closedir(proc);
}

int nd_socket_find(uint8_t proto, uint8_t family, const struct xf_address *addr, struct xf_port_range ports,
		   struct nd_socket *found, struct xf_error *err)
{
	struct socket_search search = {.family = family, .addr = addr, .ports = ports, .socket = found};
	int rc = 0;

	memset(found, 0, sizeof(*found));
	/* IPv4 packets reach sockets of both families, IPv6 packets only their own. */
	if (family == XF_IPV4)
		rc = list_sockets(AF_INET, proto, match_socket, &search);
	if (!rc && !search.found)
		rc = list_sockets(AF_INET6, proto, match_socket, &search);
	if (rc)
		return xf_fail(err, "local %s sockets cannot be listed: %s", proto == IPPROTO_TCP ? "TCP" : "UDP",
			       strerror(errno));
	if (search.found)
		find_process(search.inode, found);
	return search.found;
}

int nd_socket_ports(uint8_t proto, uint8_t family, uint8_t ports[65536], struct xf_error *err)
{
	int rc = family == XF_IPV4 ? list_sockets(AF_INET, proto, note_port, ports) : 0;

	if (!rc)
		rc = list_sockets(AF_INET6, proto, note_port, ports);
	if (rc)
		return xf_fail(err, "local %s sockets cannot be listed: %s", proto == IPPROTO_TCP ? "TCP" : "UDP",
			       strerror(errno));
	return 0;
}
