/* SPDX-License-Identifier: GPL-2.0-only */
/* Neighbours that the kernel keeps resolved for us (NTF_EXT_MANAGED, Linux 5.16). */
#include <errno.h>
#include <string.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "netdev_int.h"

struct neigh_entry {
	bool found;
	uint16_t state;	   /* NUD_* */
	uint32_t extended; /* NTF_EXT_* */
};

static struct ndmsg *neigh_request(struct nd_request *req, uint16_t type, unsigned int ifindex,
				   const struct xf_address *addr)
{
	struct ndmsg *ndm = nd_request_init(req, type, 0, sizeof(*ndm));

	ndm->ndm_family = (__u8)nd_family_to_af(addr->family);
	ndm->ndm_ifindex = (__s32)ifindex;
	nd_request_put_address(req, NDA_DST, addr);
	return ndm;
}

static int read_neigh(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct neigh_entry *entry = arg;
	const struct nlattr *attr;

	entry->found = true;
	entry->state = ndm->ndm_state;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm)) {
		if (mnl_attr_get_type(attr) == NDA_FLAGS_EXT)
			entry->extended = mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

/* 0 with entry->found, or -1 with errno. */
static int neigh_get(unsigned int ifindex, const struct xf_address *addr, struct neigh_entry *entry)
{
	struct nd_request req;

	memset(entry, 0, sizeof(*entry));
	neigh_request(&req, RTM_GETNEIGH, ifindex, addr);
	if (nd_talk(NETLINK_ROUTE, &req, read_neigh, entry) && errno != ENOENT)
		return -1;
	return 0;
}

static int neigh_add(unsigned int ifindex, const struct xf_address *addr)
{
	struct neigh_entry entry;
	struct nd_request req;
	struct ndmsg *ndm = neigh_request(&req, RTM_NEWNEIGH, ifindex, addr);

	/*
	 * A kernel before 5.16 ignores NDA_FLAGS_EXT. With NTF_USE all that it does
	 * then is to resolve the neighbour once; without, it would spoil the entry.
	 */
	ndm->ndm_flags = NTF_USE;
	req.nlh.nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
	mnl_attr_put_u32(&req.nlh, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	if (nd_talk(NETLINK_ROUTE, &req, NULL, NULL) || neigh_get(ifindex, addr, &entry))
		return -1;
	if (entry.extended & NTF_EXT_MANAGED)
		return 0;
	errno = EOPNOTSUPP;
	return -1;
}

static int neigh_fail(const char *verb, unsigned int ifindex, const struct xf_address *addr, struct xf_error *err)
{
	char text[XF_ENDPOINT_STRLEN];
	struct xf_error ignored;
	struct nd_link link;
	int error = errno;

	xf_address_format(addr, text, sizeof(text));
	if (nd_link_by_index(ifindex, &link, &ignored))
		xf_fail(err, "neighbour %s cannot be %s: %s", text, verb, ignored.text);
	else if (error == EOPNOTSUPP)
		xf_fail(err, "neighbour %s on %s cannot be %s: managed neighbours need Linux 5.16", text, link.name,
			verb);
	else
		xf_fail(err, "neighbour %s on %s cannot be %s: %s", text, link.name, verb, strerror(error));
	errno = error; /* part of the contract: the caller goes on without on EOPNOTSUPP */
	return -1;
}

int nd_neigh_manage(unsigned int ifindex, const struct xf_address *addr, struct xf_error *err)
{
	struct neigh_entry entry;
	struct nd_link link;

	if (nd_link_by_index(ifindex, &link, err))
		return -1;
	/* There the kernel would make an entry under another address, which could not be found again. */
	if (link.unresolved)
		return 0;
	if (neigh_get(ifindex, addr, &entry))
		return neigh_fail("kept resolved", ifindex, addr, err);
	if (entry.state & NUD_PERMANENT)
		return 0;
	if (neigh_add(ifindex, addr))
		return neigh_fail("kept resolved", ifindex, addr, err);
	return 0;
}

int nd_neigh_forget(unsigned int ifindex, const struct xf_address *addr, struct xf_error *err)
{
	struct neigh_entry entry;
	struct nd_request req;

	if (neigh_get(ifindex, addr, &entry)) {
		/* With its interface went the neighbour. */
		if (errno == ENODEV)
			return 0;
		return neigh_fail("forgotten", ifindex, addr, err);
	}
	if (!entry.found || !(entry.extended & NTF_EXT_MANAGED))
		return 0;
	neigh_request(&req, RTM_DELNEIGH, ifindex, addr);
	if (!nd_talk(NETLINK_ROUTE, &req, NULL, NULL) || errno == ENOENT || errno == ENODEV)
		return 0;
	return neigh_fail("forgotten", ifindex, addr, err);
}
