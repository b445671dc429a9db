/* SPDX-License-Identifier: GPL-2.0-only */
/* The instance's settings, as the stages ask for them. */
#ifndef XDPFWD_BPF_CFG_H
#define XDPFWD_BPF_CFG_H

#include "maps.h"
#include "pkt.h"

/* Does this kernel let programs ask its connection tracking? Set at load. */
__weak const volatile bool cfg_conntrack;

static __always_inline const struct xf_config *cfg_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline struct xf_rule *rule_get(__u32 id)
{
	return bpf_map_lookup_elem(&rules, &id);
}

#endif
