/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How what older versions have pinned becomes what this one pins. A version that
 * raises XF_ABI_VERSION adds a step from the one before, with the sizes and the
 * layouts as they were; an ABI without a step is refused.
 */
#include <string.h>

#include "dataplane_int.h"

#ifdef XF_TEST_ABI
/* From the layout without XF_TEST_FIELD. */
#define FLOW_BEFORE   (sizeof(struct xf_flow) - 2 * XF_TEST_OCTETS)
#define LISTEN_BEFORE (sizeof(struct xf_listen_key) - XF_TEST_OCTETS)
#define LISTEN_FRONT  __builtin_offsetof(struct xf_listen_key, test)
#define RANGE_FRONT   __builtin_offsetof(struct xf_range_key, listen)

static void convert_flow(const void *key, const void *value, void *new_key, void *new_value)
{
	memcpy(new_key, key, sizeof(__u32));
	memcpy((char *)new_value + 2 * XF_TEST_OCTETS, value, FLOW_BEFORE);
}

static void convert_listen(const void *key, const void *value, void *new_key, void *new_value)
{
	memcpy(new_key, key, LISTEN_FRONT);
	memcpy((char *)new_key + LISTEN_FRONT + XF_TEST_OCTETS, (const char *)key + LISTEN_FRONT,
	       LISTEN_BEFORE - LISTEN_FRONT);
	memcpy(new_value, value, sizeof(__u32));
}

static void convert_range(const void *key, const void *value, void *new_key, void *new_value)
{
	struct xf_range_key *range = new_key;

	memcpy(range, key, RANGE_FRONT);
	range->prefixlen += XF_TEST_OCTETS * 8;
	convert_listen((const char *)key + RANGE_FRONT, value, &range->listen, new_value);
}

static void convert_config(const void *old, struct xf_config *config)
{
	memcpy(config, old, sizeof(*config));
}

static const struct dp_abi_change test_changes[] = {
	{DP_MAP_FLOWS, DP_CARRY_FLOWS, sizeof(__u32), FLOW_BEFORE, convert_flow},
	{DP_MAP_BUCKETS, DP_CARRY_NOTHING, sizeof(__u32), sizeof(struct xf_bucket), NULL},
	{DP_MAP_LISTEN, DP_CARRY_COPY, LISTEN_BEFORE, sizeof(__u32), convert_listen},
	{DP_MAP_LISTEN_RANGES, DP_CARRY_COPY, RANGE_FRONT + LISTEN_BEFORE, sizeof(__u32), convert_range},
	{0},
};
#endif

/* The last one, of ABI 0, ends them. */
static const struct dp_abi_step steps[] = {
#ifdef XF_TEST_ABI
	{XF_ABI_VERSION - 1, sizeof(struct xf_config), convert_config, test_changes},
#endif
	{0},
};

const struct dp_abi_step *dp_abi_step(__u32 abi)
{
	const struct dp_abi_step *step;

	for (step = steps; step->abi; step++)
		if (step->abi == abi)
			return step;
	return NULL;
}

const struct dp_abi_change *dp_abi_change(const struct dp_abi_step *step, enum dp_map map)
{
	const struct dp_abi_change *change;

	for (change = step->changes; change->key_size || change->value_size; change++)
		if (change->map == map)
			return change;
	return NULL;
}
