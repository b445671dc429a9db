/* SPDX-License-Identifier: GPL-2.0-only */
/* The clsact qdisc of an interface, and whether anyone uses it. */
#include <string.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "netdev_int.h"

struct qdisc_search {
	int ifindex;
	bool found;
};

static int match_clsact(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct qdisc_search *search = arg;
	const struct nlattr *attr;

	if (tcm->tcm_ifindex != search->ifindex)
		return MNL_CB_OK;
	/* The older qdisc "ingress" has the same handle and the same parent. */
	mnl_attr_for_each(attr, nlh, sizeof(*tcm)) {
		if (mnl_attr_get_type(attr) == TCA_KIND && !strcmp(mnl_attr_get_str(attr), "clsact"))
			search->found = true;
	}
	return MNL_CB_OK;
}

int nd_clsact_exists(unsigned int ifindex)
{
	struct qdisc_search search = {.ifindex = (int)ifindex};
	struct nd_request req;

	/* The kernel lists all interfaces, whichever is asked for. */
	nd_request_init(&req, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg));
	return nd_talk(NETLINK_ROUTE, &req, match_clsact, &search) ? -1 : search.found;
}

struct filter_count {
	int n;
	bool of_header; /* the last message was a classifier's own, and it is counted */
};

/*
 * Each classifier is listed once by itself, with handle 0, and then once per
 * filter in it. One without filters counts too: it can match all the same.
 */
static int count_filter(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct filter_count *count = arg;

	if (!count->of_header)
		count->n++;
	count->of_header = !tcm->tcm_handle;
	return MNL_CB_OK;
}

static int count_filters(unsigned int ifindex, uint32_t hook)
{
	struct filter_count count;
	struct nd_request req;
	struct tcmsg *tcm = nd_request_init(&req, RTM_GETTFILTER, NLM_F_DUMP, sizeof(*tcm));

	tcm->tcm_ifindex = (int)ifindex;
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, hook);
	memset(&count, 0, sizeof(count));
	return nd_talk(NETLINK_ROUTE, &req, count_filter, &count) ? -1 : count.n;
}

int nd_clsact_filters(unsigned int ifindex)
{
	int ingress, egress, exists = nd_clsact_exists(ifindex);

	/* Without one, an "ingress" qdisc would answer both questions with the same filters. */
	if (exists <= 0)
		return exists;
	ingress = count_filters(ifindex, TC_H_MIN_INGRESS);
	egress = ingress < 0 ? -1 : count_filters(ifindex, TC_H_MIN_EGRESS);
	return egress < 0 ? -1 : ingress + egress;
}
