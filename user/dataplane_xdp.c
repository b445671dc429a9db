/* SPDX-License-Identifier: GPL-2.0-only */
/* The fast tier of one interface: whether it fits there, and the link that keeps it attached. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>

#include "dataplane_iface_int.h"
#include "log.h"

/* What the kernel does not tell of itself (before 6.3), or tells without the why. */
static const char *unfit_by_kind(const struct nd_link *link)
{
	if (link->loopback)
		return "loopback has no native XDP";
	if (link->l3)
		return "frames without an Ethernet header belong to the full tier";
	if (!strcmp(link->kind, "tun"))
		return "tap device: the full tier keeps its offloads";
	return NULL;
}

static const char *unfit_by_features(const struct nd_link *link, char *buf, size_t len)
{
	bool veth = !strcmp(link->kind, "veth");
	uint64_t features;

	if (nd_xdp_features(link->ifindex, &features))
		return veth ? "veth, and this kernel does not tell whether its peer takes XDP frames" : NULL;
	if ((features & (ND_XDP_BASIC | ND_XDP_REDIRECT)) != (ND_XDP_BASIC | ND_XDP_REDIRECT)) {
		snprintf(buf, len, "%s has no native XDP", link->kind[0] ? link->kind : "the driver");
		return buf;
	}
	if (veth && !(features & ND_XDP_NDO_XMIT))
		return "veth whose peer runs no NAPI: XDP frames cannot leave through it, and TC keeps GSO";
	return NULL;
}

const char *dp_xdp_unfit(const struct nd_link *link, char *buf, size_t len)
{
	const char *why = unfit_by_kind(link);

	return why ? why : unfit_by_features(link, buf, len);
}

/*
 * XDP sees only the frame. A tag that the driver has put beside it is lost on XDP,
 * so that traffic of a VLAN would be taken for that of the device below. On a veth
 * the sender does this, whatever this end is set to.
 */
bool dp_xdp_loses_tags(const struct nd_link *link)
{
	if (link->l3 || link->loopback || nd_vlan_exists_on(link->ifindex) <= 0)
		return false;
	return !strcmp(link->kind, "veth") || nd_tags_taken_off(link->name) > 0;
}

static int link_program(struct dataplane *dp, __u32 ifindex, int prog_fd, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int fd, rc;

	fd = bpf_link_create(prog_fd, (int)ifindex, BPF_XDP, &opts);
	if (fd < 0)
		return -errno;
	rc = dp_link_pin(dp, fd, "xdp", ifindex);
	if (rc)
		bpf_link_detach(fd);
	close(fd);
	return rc;
}

int dp_xdp_attach(struct dataplane *dp, __u32 ifindex, enum xf_tier tier)
{
	struct dp_object *object;
	struct xf_error why;
	int rc;

	if (tier == XF_TIER_NATIVE) {
		int prog_fd = dp_prog_open(dp, DP_PROG_XDP, &why);

		return prog_fd < 0 ? -ENOENT : link_program(dp, ifindex, prog_fd, XDP_FLAGS_DRV_MODE);
	}
	if (dp_object_open_generic(dp, &object, &why)) {
		log_debug("%s", why.text);
		return -EINVAL;
	}
	rc = link_program(dp, ifindex, dp_object_prog_fd(object, DP_PROG_XDP), XDP_FLAGS_SKB_MODE);
	dp_object_close(object);
	return rc;
}

void dp_xdp_detach(struct dataplane *dp, __u32 ifindex)
{
	char pin[32];

	dp_link_pin_name(pin, "xdp", ifindex);
	dp_link_remove(dp, pin);
}

int dp_xdp_replace(struct dataplane *dp, __u32 ifindex, enum xf_tier tier, int prog_fd)
{
	struct dp_object *object;
	struct xf_error why;
	int rc;

	if (tier == XF_TIER_NATIVE)
		return dp_link_replace(dp, "xdp", ifindex, prog_fd);
	if (dp_object_open_generic(dp, &object, &why)) {
		log_debug("%s", why.text);
		return -EINVAL;
	}
	rc = dp_link_replace(dp, "xdp", ifindex, dp_object_prog_fd(object, DP_PROG_XDP));
	dp_object_close(object);
	return rc;
}

void dp_xdp_explain(const char *ifname, bool native, int error, struct xf_error *err)
{
	const char *why = strerror(error), *remedy = native ? "use --mode tc or --mode generic" : "use --mode tc";

	switch (error) {
	case EOPNOTSUPP:
		why = native ? "the driver has no native XDP" : "the interface takes no XDP program";
		break;
	case ERANGE:
	case EINVAL:
		why = native ? "the driver refuses; most often the MTU is too large for native XDP, or LRO is on" :
			       "the kernel refuses";
		break;
	case EBUSY:
	case EEXIST:
		why = "another XDP program is there";
		remedy = "use --mode tc";
		break;
	case EPERM:
		remedy = "run as root";
		break;
	}
	xf_fail(err, "%s: cannot attach %s XDP: %s; %s", ifname, native ? "native" : "generic", why, remedy);
}
