/* SPDX-License-Identifier: GPL-2.0-only */
/* This machine's addresses, and where its routing would send a packet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "netdev_int.h"

/* Addresses may change during every attempt to list them; then it is not worth waiting for a quiet moment. */
#define LIST_TRIES 64

struct addr_list {
	struct nd_addr *addrs;
	size_t n;
	size_t room;
};

static int addr_list_append(struct addr_list *list, const struct nd_addr *addr)
{
	struct nd_addr *grown;

	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		grown = realloc(list->addrs, list->room * sizeof(*grown));
		if (!grown)
			return -1;
		list->addrs = grown;
	}
	list->addrs[list->n++] = *addr;
	return 0;
}

static int read_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct nd_addr addr = {.ifindex = ifa->ifa_index, .prefixlen = ifa->ifa_prefixlen};
	uint8_t family = nd_family_from_af(ifa->ifa_family);
	const struct nlattr *attr;
	bool found = false;

	/* On a point-to-point link IFA_ADDRESS is the peer, and IFA_LOCAL is ours. */
	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			found = nd_address_get(&addr.addr, family, attr) || found;
		else if (mnl_attr_get_type(attr) == IFA_ADDRESS && !found)
			found = nd_address_get(&addr.addr, family, attr);
	}
	if (!found)
		return MNL_CB_OK;
	return addr_list_append(arg, &addr) ? MNL_CB_ERROR : MNL_CB_OK;
}

/* All of them or none; an answer that a change overtook (EINTR) is thrown away. */
static int list_addresses(struct addr_list *list)
{
	struct nd_request req;
	int rc, tries = LIST_TRIES;

	nd_request_init(&req, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	do {
		list->n = 0;
		rc = nd_talk(NETLINK_ROUTE, &req, read_addr, list);
	} while (rc && errno == EINTR && --tries);
	return rc;
}

int nd_addresses(int (*fn)(const struct nd_addr *addr, void *arg), void *arg, struct xf_error *err)
{
	struct addr_list list = {0};
	int rc = 0;

	if (list_addresses(&list))
		rc = xf_fail(err, "this machine's addresses cannot be listed: %s", strerror(errno));
	/* Collected first, so that fn may ask the kernel itself. */
	for (size_t i = 0; !rc && i < list.n; i++) {
		if (fn(&list.addrs[i], arg))
			break;
	}
	free(list.addrs);
	return rc;
}

struct route_answer {
	struct nd_route route;
	uint8_t type; /* RTN_* */
	uint8_t family;
};

/* A next hop of the other family: IPv4 over IPv6 (RFC 5549). */
static void read_via(struct xf_address *gateway, const struct nlattr *attr)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	uint8_t family;

	if (len < sizeof(*via))
		return;
	family = nd_family_from_af(via->rtvia_family);
	if (family && len - sizeof(*via) >= nd_family_octets(family))
		nd_address_set(gateway, family, via->rtvia_addr);
}

static int read_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct route_answer *answer = arg;
	const struct nlattr *attr;

	answer->type = rtm->rtm_type;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			answer->route.ifindex = mnl_attr_get_u32(attr);
			break;
		case RTA_GATEWAY:
			nd_address_get(&answer->route.gateway, answer->family, attr);
			break;
		case RTA_VIA:
			read_via(&answer->route.gateway, attr);
			break;
		case RTA_PREFSRC:
			nd_address_get(&answer->route.prefsrc, answer->family, attr);
			break;
		}
	}
	return MNL_CB_OK;
}

/* Says why the kernel would not route; the errors are those of its route types. */
static int route_fail(const struct xf_address *dst, int error, struct xf_error *err)
{
	char text[XF_ENDPOINT_STRLEN];

	xf_address_format(dst, text, sizeof(text));
	switch (error) {
	case ENETUNREACH:
		return xf_fail(err, "no route to %s: add one with `ip route add`", text);
	case EHOSTUNREACH:
		return xf_fail(err, "no route to %s: a route of type unreachable covers it", text);
	case EACCES:
		return xf_fail(err, "no route to %s: a route of type prohibit covers it", text);
	case EINVAL:
		return xf_fail(err, "no route to %s: a route of type blackhole covers it", text);
	default:
		return xf_fail(err, "no route to %s: %s", text, strerror(error));
	}
}

static int get_route(const struct xf_address *dst, struct route_answer *answer)
{
	struct nd_request req;
	struct rtmsg *rtm = nd_request_init(&req, RTM_GETROUTE, 0, sizeof(*rtm));

	rtm->rtm_family = (unsigned char)nd_family_to_af(dst->family);
	rtm->rtm_dst_len = (unsigned char)(nd_family_octets(dst->family) * 8);
	nd_request_put_address(&req, RTA_DST, dst);
	memset(answer, 0, sizeof(*answer));
	answer->family = dst->family;
	return nd_talk(NETLINK_ROUTE, &req, read_route, answer);
}

int nd_route_get(const struct xf_address *dst, struct nd_route *route, struct xf_error *err)
{
	char text[XF_ENDPOINT_STRLEN];
	struct route_answer answer;

	if (get_route(dst, &answer))
		return route_fail(dst, errno, err);
	switch (answer.type) {
	case RTN_UNICAST:
		break;
	case RTN_LOCAL:
	case RTN_ANYCAST:
		answer.route.local = true;
		break;
	case RTN_BROADCAST:
	case RTN_MULTICAST:
		xf_address_format(dst, text, sizeof(text));
		return xf_fail(err, "%s is a %s address", text,
			       answer.type == RTN_BROADCAST ? "broadcast" : "multicast");
	case RTN_UNREACHABLE:
		return route_fail(dst, EHOSTUNREACH, err);
	case RTN_PROHIBIT:
		return route_fail(dst, EACCES, err);
	case RTN_BLACKHOLE:
		return route_fail(dst, EINVAL, err);
	default:
		return route_fail(dst, ENETUNREACH, err);
	}
	*route = answer.route;
	return 0;
}

struct addr_search {
	const struct xf_address *wanted;
	bool found;
};

static int compare_addr(const struct nd_addr *addr, void *arg)
{
	struct addr_search *search = arg;

	search->found = addr->addr.family == search->wanted->family &&
			!memcmp(&addr->addr.addr, &search->wanted->addr, nd_family_octets(addr->addr.family));
	return search->found;
}

int nd_address_is_local(const struct xf_address *addr, struct xf_error *err)
{
	struct addr_search search = {.wanted = addr};
	struct route_answer answer;

	/* The routing table knows more than the list: 127/8, and prefixes made local by hand. */
	if (!get_route(addr, &answer) && (answer.type == RTN_LOCAL || answer.type == RTN_ANYCAST))
		return 1;
	/* And the list more than the table: addresses of interfaces that are down, or still tentative. */
	if (nd_addresses(compare_addr, &search, err))
		return -1;
	return search.found;
}
