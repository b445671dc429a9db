/* SPDX-License-Identifier: GPL-2.0-only */
/* Local sockets, as the kernel lists them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "netdev_int.h"

/* The loopback interface has this index in every network namespace. */
#define LOOPBACK_IFINDEX 1

struct socket_list {
	struct nd_socket *socket;
	size_t n, room;
	uint8_t proto;
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

static int append_socket(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	struct socket_list *list = arg;
	struct nd_socket *grown, *s;

	/* SO_BINDTODEVICE to lo hides it from outside as an address of 127/8 would. */
	if (msg->id.idiag_if == LOOPBACK_IFINDEX)
		return MNL_CB_OK;
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		grown = realloc(list->socket, list->room * sizeof(*grown));
		if (!grown)
			return MNL_CB_ERROR;
		list->socket = grown;
	}
	s = &list->socket[list->n++];
	memset(s, 0, sizeof(*s));
	s->proto = list->proto;
	s->port = ntohs(msg->id.idiag_sport);
	s->inode = msg->idiag_inode;
	bound_address(msg, &s->addr);
	/* A v6 socket on any address gets IPv4 packets too, unless it does not want them. */
	s->v4 = s->addr.family == XF_IPV4 || (is_any(&s->addr) && !is_v6only(nlh));
	s->v6 = s->addr.family == XF_IPV6;
	if (is_any(&s->addr))
		s->addr.family = 0;
	return MNL_CB_OK;
}

static int list_family(int af, uint32_t states, struct socket_list *list)
{
	struct inet_diag_req_v2 *diag;
	struct nd_request req;

	diag = nd_request_init(&req, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*diag));
	diag->sdiag_family = (__u8)af;
	diag->sdiag_protocol = list->proto;
	diag->idiag_states = states;
	return nd_talk(NETLINK_SOCK_DIAG, &req, append_socket, list);
}

static int list_proto(uint8_t proto, uint32_t states, struct socket_list *list, struct xf_error *err)
{
	list->proto = proto;
	if (!list_family(AF_INET, states, list) && !list_family(AF_INET6, states, list))
		return 0;
	return xf_fail(err, "local %s sockets cannot be listed: %s", proto == IPPROTO_TCP ? "TCP" : "UDP",
		       strerror(errno));
}

static int compare_sockets(const void *a, const void *b)
{
	const struct nd_socket *x = a, *y = b;

	return x->proto != y->proto ? x->proto - y->proto : x->port - y->port;
}

static int finish(struct socket_list *list, int rc, struct nd_sockets *sockets)
{
	if (rc) {
		free(list->socket);
		return -1;
	}
	if (list->n)
		qsort(list->socket, list->n, sizeof(*list->socket), compare_sockets);
	*sockets = (struct nd_sockets){.socket = list->socket, .n = list->n};
	return 0;
}

int nd_sockets_waiting(struct nd_sockets *sockets, struct xf_error *err)
{
	struct socket_list list = {0};
	int rc = list_proto(IPPROTO_TCP, 1u << TCP_LISTEN, &list, err);

	if (!rc)
		rc = list_proto(IPPROTO_UDP, 1u << TCP_CLOSE, &list, err);
	return finish(&list, rc, sockets);
}

int nd_sockets_connected(struct nd_sockets *sockets, struct xf_error *err)
{
	struct socket_list list = {0};

	return finish(&list, list_proto(IPPROTO_TCP, 1u << TCP_ESTABLISHED, &list, err), sockets);
}
