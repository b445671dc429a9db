// SPDX-License-Identifier: GPL-2.0-only
/* The full tier's entries. */
#include <stdbool.h>
#include <stddef.h>

#include "ctx_tc.h"
#include "pipeline.h"
#include "pipeline_out.h"

/* Ingress of devices with Ethernet headers. */
SEC("tc")
int xf_tc_l2(struct __sk_buff *ctx)
{
	return pipeline(ctx, ETH_HLEN);
}

/* Ingress of devices without: tun, WireGuard, PPP. */
SEC("tc")
int xf_tc_l3(struct __sk_buff *ctx)
{
	return pipeline(ctx, 0);
}

/* Egress of both, for what this machine itself sends. */
SEC("tc")
int xf_tc_out_l2(struct __sk_buff *ctx)
{
	return pipeline_out(ctx, ETH_HLEN);
}

SEC("tc")
int xf_tc_out_l3(struct __sk_buff *ctx)
{
	return pipeline_out(ctx, 0);
}

char _license[] SEC("license") = "GPL";
