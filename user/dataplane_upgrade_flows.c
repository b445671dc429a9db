// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an upgrade across a change of layout copies, under traffic, and what it does
 * about flows: they are copied, and what became of them in the old table until no
 * program used that any more is made up for.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"
#include "dataplane_upgrade_int.h"

/* ---- copying */

struct copy {
	struct upgrade *u;
	const struct dp_abi_change *change;
	__u32 slots; /* no more than these were ever used */
};

struct half {
	__u32 index;
	struct xf_flow flow;
};

/* The client's tuple: this half's own key, or what the answers get, turned round. */
static struct xf_key6 client_key(const struct xf_flow *f)
{
	struct xf_key6 key = {.sport = f->dport, .dport = f->sport, .proto = f->proto};

	if (!(f->flags & XF_FLOW_REPLY))
		return dp_flow_key(f);
	if (f->family == XF_IPV4) {
		key.saddr.v4 = f->daddr4;
		key.daddr.v4 = f->saddr4;
	} else {
		key.saddr = f->daddr6;
		key.daddr = f->saddr6;
	}
	return key;
}

/* Is the flow's place still its own? The slots are the same before and after. */
static bool has_slot(const struct upgrade *u, const struct xf_flow *half)
{
	struct xf_key6 client = client_key(half);
	struct xf_slot slot;

	return !bpf_map_lookup_elem(u->dp->map[DP_MAP_SLOTS], &half->slot, &slot) && slot.state != XF_SLOT_FREE &&
	       !memcmp(&slot.key, &client, sizeof(client));
}

/* Runs the program that knows about halves. found: see struct xf_adopt_request. */
static int adopt(const struct upgrade *u, const struct half *half, __u8 what, bool *found)
{
	struct xf_adopt_request request = {.half = half->flow, .index = half->index, .what = what};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &request, .data_size_in = sizeof(request), .data_out = &request,
		    .data_size_out = sizeof(request), .repeat = 1);

	if (bpf_prog_test_run_opts(u->adopt, &opts) || opts.retval != XDP_PASS)
		return errno ? -errno : -EINVAL;
	*found = request.found;
	return 0;
}

/* One that is there is what a former attempt has copied, and programs use by now. */
static int put_half(const struct upgrade *u, const struct half *half)
{
	bool found;
	int rc = adopt(u, half, XF_ADOPT_PUT, &found);

	return rc || found ? rc : -ENOSPC;
}

static int copy_one(const void *key, const void *value, void *arg)
{
	char new_key[KEY_MAX] = {0}, new_value[VALUE_MAX] = {0};
	const struct copy *copy = arg;

	copy->change->convert(key, value, new_key, new_value);
	return bpf_map_update_elem(copy->u->dp->map[copy->change->map], new_key, new_value, BPF_ANY) ? -errno : 0;
}

/* A half of the old table, in the new layout. Returns 1 where there are no more. */
static int old_half(const struct copy *copy, const void *key, const void *value, struct half *half)
{
	memset(half, 0, sizeof(*half));
	memcpy(&half->index, key, sizeof(half->index));
	if (XF_FLOW_SLOT(half->index) >= copy->slots)
		return 1;
	copy->change->convert(key, value, &half->index, &half->flow);
	return 0;
}

static int copy_half(const void *key, const void *value, void *arg)
{
	const struct copy *copy = arg;
	struct half half;

	if (old_half(copy, key, value, &half))
		return 1;
	/* After a former attempt, the new programs may have given its place to another. */
	return half.flow.family && has_slot(copy->u, &half.flow) ? put_half(copy->u, &half) : 0;
}

int upgrade_copy(struct upgrade *u, struct xf_error *err)
{
	struct copy copy = {.u = u, .change = u->step->changes};
	int rc = 0;

	if (dp_slots_used(u->dp, &copy.slots, err))
		return -1;
	for (; copy.change->key_size || copy.change->value_size; copy.change++) {
		if (copy.change->how == DP_CARRY_FLOWS)
			rc = dp_map_walk(u->old[copy.change->map], copy_half, &copy);
		else if (copy.change->how == DP_CARRY_COPY)
			rc = dp_map_walk(u->old[copy.change->map], copy_one, &copy);
		if (rc)
			return xf_fail(err, "cannot copy \"%s\" to its new layout: %s",
				       dp_map_specs[copy.change->map].name, strerror(-rc));
	}
	return 0;
}

/* ---- settling: what became of flows in the old tables while they were copied, and until nobody used them */

static int adopt_half(const void *key, const void *value, void *arg)
{
	const struct copy *copy = arg;
	struct half half;
	bool found;
	int rc;

	if (old_half(copy, key, value, &half))
		return 1;
	if (!half.flow.family)
		return 0;
	rc = adopt(copy->u, &half, XF_ADOPT_COUNT, &found);
	/* Opened after it could be copied. */
	if (!rc && !found && has_slot(copy->u, &half.flow))
		rc = put_half(copy->u, &half);
	return rc;
}

/* One that ended after it was copied. Newer ones are the new programs', and may be in the making. */
static int prune_half(const void *key, const void *value, void *arg)
{
	const struct copy *copy = arg;
	struct half half;
	bool ignored;

	memcpy(&half.index, key, sizeof(half.index));
	memcpy(&half.flow, value, sizeof(half.flow));
	if (XF_FLOW_SLOT(half.index) >= copy->slots)
		return 1;
	if (!half.flow.family || (__s32)(half.flow.created - copy->u->switched_at) >= 0 ||
	    has_slot(copy->u, &half.flow))
		return 0;
	return adopt(copy->u, &half, XF_ADOPT_PRUNE, &ignored);
}

int upgrade_settle(struct upgrade *u, struct xf_error *err)
{
	struct copy copy = {.u = u, .change = u->step->changes};
	int rc = 0;

	if (dp_slots_used(u->dp, &copy.slots, err))
		return -1;
	for (; !rc && (copy.change->key_size || copy.change->value_size); copy.change++) {
		if (copy.change->how != DP_CARRY_FLOWS)
			continue;
		rc = dp_map_walk(u->old[copy.change->map], adopt_half, &copy);
		if (!rc)
			rc = dp_map_walk(u->dp->map[copy.change->map], prune_half, &copy);
	}
	return rc ? xf_fail(err, "cannot take over flows: %s; run `xdpfwd load` again", strerror(-rc)) : 0;
}
