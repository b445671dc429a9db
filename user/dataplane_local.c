/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What targets on this machine take, while there are any: the full tier at TC
 * egress of each attached interface, where the answers are met; and of those in
 * 127/8, the kernel's leave to route such addresses there, together with the
 * programs' guard against everybody else's. What was changed is noted in the
 * interface's record, before it is, and put back.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane_iface_int.h"
#include "dataplane_rule_int.h"
#include "log.h"

/* Settings net.ipv4.conf.IFACE.NAME that are turned from 0 to 1. */
static const struct setting {
	__u32 flag; /* in the record: it was 0 */
	const char *name;
} settings[] = {
	{XF_IFACE_ROUTE_LOCALNET, "route_localnet"},
	/* Else the kernel asks for a client's link address in 127.0.0.1's name, and gets no answer. */
	{XF_IFACE_ARP_ANNOUNCE, "arp_announce"},
	/* What another machine answers to a client on this one has a local source when it comes in by loopback. */
	{XF_IFACE_ACCEPT_LOCAL, "accept_local"},
};

static unsigned int needs_of(const struct xf_rule *rule)
{
	const __u8 *octets = (const __u8 *)&rule->target.v4;

	if (!(rule->flags & XF_RULE_LOCAL))
		return 0;
	return DP_LOCAL_OUT | (rule->family == XF_IPV4 && octets[0] == 127 ? DP_LOCAL_LOOPBACK : 0);
}

unsigned int dp_local_needs(const struct dp_ruleset *set, const struct xf_rule *more)
{
	unsigned int needs = more ? needs_of(more) : 0;
	size_t i;

	for (i = 0; i < set->n_entries; i++)
		needs |= needs_of(&set->rules[set->entries[i].id]);
	return needs;
}

/* The settings that this interface has to have changed. */
static __u32 wanted_settings(const struct dp_iface_record *record, unsigned int needs)
{
	if (record->ifindex == LOOPBACK_IFINDEX)
		return XF_IFACE_ACCEPT_LOCAL;
	return needs & DP_LOCAL_LOOPBACK ? XF_IFACE_ROUTE_LOCALNET | XF_IFACE_ARP_ANNOUNCE : 0;
}

static int turn_on(struct dataplane *dp, struct dp_iface_record *record, const struct setting *setting,
		   struct xf_error *err)
{
	if (record->iface.flags & setting->flag || nd_conf_get(record->iface.name, setting->name) != 0)
		return 0;
	record->iface.flags |= setting->flag;
	return dp_iface_put(dp, record, err) || nd_conf_set(record->iface.name, setting->name, 1, err) ? -1 : 0;
}

/* An interface that is gone took its settings with it. */
static void turn_off(struct dp_iface_record *record, const struct setting *setting)
{
	struct xf_error why;

	if (!(record->iface.flags & setting->flag))
		return;
	record->iface.flags &= ~setting->flag;
	if (nd_conf_set(record->iface.name, setting->name, 0, &why))
		log_debug("%s", why.text);
}

void dp_local_restore(const struct dataplane *dp, struct dp_iface_record *record)
{
	size_t i;

	/* Another network namespace may have an interface of that name, too. */
	if (dp->config.netns != dp_netns())
		return;
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		turn_off(record, &settings[i]);
}

/* Only what clients on this machine need is done without. */
static int apply_settings(struct dataplane *dp, struct dp_iface_record *record, unsigned int needs,
			  struct xf_error *err)
{
	__u32 want = wanted_settings(record, needs), before = record->iface.flags;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!(want & settings[i].flag)) {
			turn_off(record, &settings[i]);
			continue;
		}
		if (!turn_on(dp, record, &settings[i], err))
			continue;
		if (record->ifindex != LOOPBACK_IFINDEX)
			return -1;
		log_warning("%s: this machine's own connections to what rules listen on will get no answer (IPv4)",
			    err->text);
	}
	return record->iface.flags == before ? 0 : dp_iface_put(dp, record, err);
}

static int apply_out(struct dataplane *dp, struct dp_iface_record *record, bool want, struct xf_error *err)
{
	if (want == !!(record->iface.flags & XF_IFACE_OUT))
		return 0;
	if (!want) {
		record->iface.flags &= ~XF_IFACE_OUT;
		return dp_tc_detach(dp, record, DP_TC_OUT, err) || dp_iface_put(dp, record, err) ? -1 : 0;
	}
	record->iface.flags |= XF_IFACE_OUT;
	return dp_iface_put(dp, record, err) || dp_tc_attach(dp, record, DP_TC_OUT, err) ||
			       dp_iface_put(dp, record, err) ?
		       -1 :
		       0;
}

static int set_guard(struct dataplane *dp, bool on, struct xf_error *err)
{
	__u32 flags = dp->config.flags & ~XF_CONFIG_GUARD_LOOPBACK;

	if (on)
		flags |= XF_CONFIG_GUARD_LOOPBACK;
	if (flags == dp->config.flags)
		return 0;
	dp->config.flags = flags;
	return dp_config_write(dp, err);
}

int dp_local_apply(struct dataplane *dp, unsigned int needs, struct xf_error *err)
{
	struct dp_iface_record *records;
	size_t n, i;
	int rc = 0;

	/* The guard is there before the gate is open, and until it is shut. */
	if (needs & DP_LOCAL_LOOPBACK && set_guard(dp, true, err))
		return -1;
	if (dp_ifaces_read(dp, &records, &n, err))
		return -1;
	for (i = 0; i < n && !rc; i++)
		rc = apply_out(dp, &records[i], needs & DP_LOCAL_OUT, err) ||
		     apply_settings(dp, &records[i], needs, err);
	free(records);
	if (rc)
		return -1;
	return needs & DP_LOCAL_LOOPBACK ? 0 : set_guard(dp, false, err);
}

int dp_local_refresh(struct dataplane *dp, struct xf_error *err)
{
	struct dp_ruleset set;
	int rc;

	if (dp_ruleset_read(dp, &set, err))
		return -1;
	rc = dp_local_apply(dp, dp_local_needs(&set, NULL), err);
	dp_ruleset_free(&set);
	return rc;
}
