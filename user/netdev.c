/* SPDX-License-Identifier: GPL-2.0-only */
/* One netlink exchange: socket, request, answers. Everything else of netdev.h stands on it. */
#include <errno.h>
#include <string.h>

#include "netdev_int.h"

/* The kernel fills dump messages up to this size; a single link's answer is a few KiB. */
#define RECEIVE_OCTETS 32768

struct receive_buffer {
	union {
		struct nlmsghdr nlh;
		char room[RECEIVE_OCTETS];
	};
};

void *nd_request_init(struct nd_request *req, uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *nlh;

	memset(req, 0, sizeof(*req));
	nlh = mnl_nlmsg_put_header(req->room);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	/* Without an acknowledgement, a lone answer would have no end to wait for. */
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = 1;
	return mnl_nlmsg_put_extra_header(nlh, size);
}

void nd_request_put_address(struct nd_request *req, uint16_t attr, const struct xf_address *addr)
{
	mnl_attr_put(&req->nlh, attr, nd_family_octets(addr->family), &addr->addr);
}

/* Until the end of the answer, the kernel's refusal, or fn's MNL_CB_STOP. */
static int receive(struct mnl_socket *nl, unsigned int seq, mnl_cb_t fn, void *arg)
{
	struct receive_buffer buf;
	ssize_t len;
	int rc;

	do {
		len = mnl_socket_recvfrom(nl, buf.room, sizeof(buf.room));
		if (len < 0)
			return -1;
		rc = mnl_cb_run(buf.room, (size_t)len, seq, mnl_socket_get_portid(nl), fn, arg);
	} while (rc > MNL_CB_STOP);
	return rc;
}

int nd_talk(int bus, struct nd_request *req, mnl_cb_t fn, void *arg)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int rc = -1, saved;

	if (!nl)
		return -1;
	if (!mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) && mnl_socket_sendto(nl, req->room, req->nlh.nlmsg_len) >= 0)
		rc = receive(nl, req->nlh.nlmsg_seq, fn, arg);
	saved = errno;
	mnl_socket_close(nl);
	errno = saved;
	return rc;
}

uint8_t nd_family_from_af(int af)
{
	return af == AF_INET ? XF_IPV4 : af == AF_INET6 ? XF_IPV6 : 0;
}

int nd_family_to_af(uint8_t family)
{
	return family == XF_IPV4 ? AF_INET : family == XF_IPV6 ? AF_INET6 : AF_UNSPEC;
}

size_t nd_family_octets(uint8_t family)
{
	return family == XF_IPV4 ? 4 : family == XF_IPV6 ? 16 : 0;
}

void nd_address_set(struct xf_address *out, uint8_t family, const void *octets)
{
	memset(out, 0, sizeof(*out));
	out->family = family;
	memcpy(&out->addr, octets, nd_family_octets(family));
}

bool nd_address_get(struct xf_address *out, uint8_t family, const struct nlattr *attr)
{
	if (!family || mnl_attr_get_payload_len(attr) != nd_family_octets(family))
		return false;
	nd_address_set(out, family, mnl_attr_get_payload(attr));
	return true;
}
