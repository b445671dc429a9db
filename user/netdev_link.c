/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces: what they are, what runs on them, what XDP can do with them. */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netdev_int.h"

/*
 * The generic netlink family "netdev" (Linux 6.3): Documentation/netlink/specs/netdev.yaml.
 * Debian 12 has no linux/netdev.h yet.
 */
#define NETDEV_FAMILY	      "netdev"
#define NETDEV_VERSION	      1
#define NETDEV_CMD_DEV_GET    1
#define NETDEV_A_IFINDEX      1
#define NETDEV_A_XDP_FEATURES 3

static void copy_text(char *out, size_t size, const struct nlattr *attr)
{
	size_t len = strnlen(mnl_attr_get_str(attr), mnl_attr_get_payload_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(out, mnl_attr_get_str(attr), len);
	out[len] = '\0';
}

static void read_kind(struct nd_link *link, const struct nlattr *info)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			copy_text(link->kind, sizeof(link->kind), attr);
	}
}

/*
 * IFLA_XDP_PROG_ID is left out under XDP_ATTACHED_MULTI (one program in the
 * hardware and another in the driver or the stack); those of the modes are
 * always there, in the order of this switch. The first one is the software's.
 */
static void read_xdp(struct nd_link *link, const struct nlattr *xdp)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, xdp) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_XDP_ATTACHED:
			link->xdp_attached = mnl_attr_get_u8(attr);
			break;
		case IFLA_XDP_DRV_PROG_ID:
		case IFLA_XDP_SKB_PROG_ID:
		case IFLA_XDP_HW_PROG_ID:
			if (!link->xdp_prog_id)
				link->xdp_prog_id = mnl_attr_get_u32(attr);
			break;
		}
	}
}

static int read_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct nd_link *link = arg;

	link->ifindex = (unsigned int)ifi->ifi_index;
	link->up = ifi->ifi_flags & IFF_UP;
	link->loopback = ifi->ifi_flags & IFF_LOOPBACK;
	link->l3 = ifi->ifi_type != ARPHRD_ETHER && ifi->ifi_type != ARPHRD_LOOPBACK;
	link->unresolved = ifi->ifi_flags & (IFF_NOARP | IFF_LOOPBACK | IFF_POINTOPOINT);
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			copy_text(link->name, sizeof(link->name), attr);
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
				memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
			break;
		case IFLA_MTU:
			link->mtu = mnl_attr_get_u32(attr);
			break;
		case IFLA_MASTER:
			link->master = mnl_attr_get_u32(attr);
			break;
		case IFLA_LINKINFO:
			read_kind(link, attr);
			break;
		case IFLA_XDP:
			read_xdp(link, attr);
			break;
		}
	}
	return MNL_CB_OK;
}

static int get_link(struct nd_request *req, struct nd_link *link)
{
	/* Counters are most of the answer, and nobody here wants them. */
	mnl_attr_put_u32(&req->nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	memset(link, 0, sizeof(*link));
	return nd_talk(NETLINK_ROUTE, req, read_link, link);
}

int nd_link_by_name(const char *name, struct nd_link *link, struct xf_error *err)
{
	struct nd_request req;

	if (!*name || strlen(name) >= IFNAMSIZ)
		return xf_fail(err, "no interface \"%.64s\": a name has 1 to %d characters", name, IFNAMSIZ - 1);
	nd_request_init(&req, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&req.nlh, IFLA_IFNAME, name);
	if (!get_link(&req, link))
		return 0;
	if (errno == ENODEV)
		return xf_fail(err, "no interface %s", name);
	return xf_fail(err, "interface %s cannot be read: %s", name, strerror(errno));
}

int nd_link_by_index(unsigned int ifindex, struct nd_link *link, struct xf_error *err)
{
	struct nd_request req;
	struct ifinfomsg *ifi = nd_request_init(&req, RTM_GETLINK, 0, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	if (!get_link(&req, link))
		return 0;
	/* Index 0 is "no index given" to the kernel: EINVAL. */
	if (errno == ENODEV || !ifindex)
		return xf_fail(err, "no interface with index %u", ifindex);
	return xf_fail(err, "interface with index %u cannot be read: %s", ifindex, strerror(errno));
}

static int read_family_id(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(uint16_t *)arg = mnl_attr_get_u16(attr);
	}
	return MNL_CB_OK;
}

static int netdev_family_id(uint16_t *id)
{
	struct nd_request req;
	struct genlmsghdr *genl = nd_request_init(&req, GENL_ID_CTRL, 0, sizeof(*genl));

	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(&req.nlh, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	return nd_talk(NETLINK_GENERIC, &req, read_family_id, id);
}

struct features {
	bool told;
	uint64_t bits;
};

static int read_features(const struct nlmsghdr *nlh, void *arg)
{
	struct features *features = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == NETDEV_A_XDP_FEATURES) {
			features->told = true;
			features->bits = mnl_attr_get_u64(attr);
		}
	}
	return MNL_CB_OK;
}

int nd_xdp_features(unsigned int ifindex, uint64_t *features)
{
	struct features got = {0};
	struct genlmsghdr *genl;
	struct nd_request req;
	uint16_t family = 0;

	if (netdev_family_id(&family))
		return -1;
	genl = nd_request_init(&req, family, 0, sizeof(*genl));
	genl->cmd = NETDEV_CMD_DEV_GET;
	genl->version = NETDEV_VERSION;
	mnl_attr_put_u32(&req.nlh, NETDEV_A_IFINDEX, ifindex);
	if (nd_talk(NETLINK_GENERIC, &req, read_features, &got))
		return -1;
	if (!got.told) {
		errno = EOPNOTSUPP;
		return -1;
	}
	*features = got.bits;
	return 0;
}
