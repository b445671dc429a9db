/* SPDX-License-Identifier: GPL-2.0-only */
/* VLAN devices on top of an interface, and who takes the tags off. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "netdev_int.h"

#define LIST_TRIES 64 /* interfaces may come and go during each attempt to list them */

struct vlan_search {
	unsigned int below;
	bool found;
};

static bool is_vlan(const struct nlattr *info)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			return !strcmp(mnl_attr_get_str(attr), "vlan");
	}
	return false;
}

static int match_vlan(const struct nlmsghdr *nlh, void *arg)
{
	struct vlan_search *search = arg;
	const struct nlattr *attr;
	unsigned int below = 0;
	bool vlan = false;

	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_LINK)
			below = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			vlan = is_vlan(attr);
	}
	search->found |= vlan && below == search->below;
	return MNL_CB_OK;
}

int nd_vlan_exists_on(unsigned int ifindex)
{
	struct vlan_search search = {.below = ifindex};
	struct nd_request req;
	int rc, tries = LIST_TRIES;

	nd_request_init(&req, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(&req.nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	do
		rc = nd_talk(NETLINK_ROUTE, &req, match_vlan, &search);
	while (rc && errno == EINTR && --tries);
	return rc ? -1 : search.found;
}

int nd_tags_taken_off(const char *ifname)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq ifr = {.ifr_data = (char *)&flags};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -1;
	memcpy(ifr.ifr_name, ifname, strnlen(ifname, sizeof(ifr.ifr_name) - 1));
	rc = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return rc ? -1 : !!(flags.data & ETH_FLAG_RXVLAN);
}
