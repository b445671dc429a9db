/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The address that a rule without state listens on. Nothing tells its answers
 * which one the client asked, so there can be only one; where the rule does not
 * name it, it is found out, and again when it may have changed.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane_rule_int.h"
#include "log.h"

/* ---- this machine's addresses, read once however many rules ask */

static int own_add(const struct nd_addr *addr, void *arg)
{
	struct dp_own *own = arg;
	struct nd_addr *grown = realloc(own->addr, (own->n + 1) * sizeof(*grown));

	own->failed = !grown;
	if (!grown)
		return 1;
	own->addr = grown;
	own->addr[own->n++] = *addr;
	return 0;
}

static int own_read(struct dp_own *own, struct xf_error *err)
{
	if (nd_addresses(own_add, own, err))
		return -1;
	return own->failed ? xf_fail(err, "out of memory") : 0;
}

/* Those of one interface; 0: of all. */
static int own_of(const struct dp_own *own, __u32 ifindex, struct xf_addresses *out, struct xf_error *err)
{
	size_t i;

	*out = (struct xf_addresses){.addr = calloc(own->n + 1, sizeof(*out->addr))};
	if (!out->addr)
		return xf_fail(err, "out of memory");
	for (i = 0; i < own->n; i++)
		if (!ifindex || own->addr[i].ifindex == ifindex)
			out->addr[out->n++] = own->addr[i].addr;
	return 0;
}

/* ---- a new rule */

int dp_stateless_judge(struct dp_addition *add, struct xf_error *err)
{
	const struct xf_listen *listen = &add->spec->listen;
	struct xf_addresses candidates = {0};
	struct dp_own *own = &add->machine.own;
	struct nd_link link = {0};
	int rc = 0;

	if (listen->kind == XF_LISTEN_IFACE)
		rc = dp_machine_link(&add->machine, listen->ifname, &link, err);
	if (!rc && listen->kind != XF_LISTEN_ADDR && !own->addr)
		rc = own_read(own, err);
	if (!rc && listen->kind != XF_LISTEN_ADDR)
		rc = own_of(own, link.ifindex, &candidates, err);
	if (!rc)
		rc = xf_stateless_address(add->spec, &candidates, &add->source, err);
	free(candidates.addr);
	return rc;
}

/* ---- and later */

int dp_stateless_follow(struct dataplane *dp, struct dp_own *own, const struct dp_placed *placed, struct xf_error *err)
{
	struct xf_addresses candidates = {0};
	struct xf_rule rule = *placed->rule;
	struct xf_address addr = {0};
	struct xf_rule_spec spec;
	int rc = own->addr ? 0 : own_read(own, err);

	xf_rule_decode(&rule, placed->meta, &spec);
	if (!rc)
		rc = own_of(own, placed->meta->ifindex, &candidates, err);
	if (!rc)
		rc = xf_stateless_address(&spec, &candidates, &addr, err);
	free(candidates.addr);
	if (rc || !memcmp(&rule.masquerade, &addr.addr, sizeof(addr.addr)))
		return rc;
	rule.masquerade = addr.addr;
	if (dp_rule_write(dp, placed->id, &rule))
		log_debug("cannot note which address \"%s\" listens on", placed->meta->name);
	return 0;
}
