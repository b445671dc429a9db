// SPDX-License-Identifier: GPL-2.0-only
/* The fast tier's entries. */
#include <stdbool.h>
#include <stddef.h>

#include "adopt.h"
#include "ctx_xdp.h"
#include "pipeline.h"
#include "sweep.h"

/* "frags": also on devices whose MTU is larger than a page. */
SEC("xdp.frags")
int xf_xdp(struct xdp_md *ctx)
{
	return pipeline(ctx, ETH_HLEN);
}

/* Never attached: tells the tool what time it is in jiffies. */
SEC("xdp")
int xf_clock(struct xdp_md *ctx)
{
	struct xf_clock *clock = ctx_header(ctx, 0, sizeof(*clock));

	if (!clock)
		return XDP_ABORTED;
	clock->jiffies = bpf_jiffies64();
	clock->monotonic_ns = bpf_ktime_get_ns();
	return XDP_PASS;
}

/* Never attached: the tool runs it to have flows ended that are over, and refusals forgotten or counted. */
SEC("xdp")
int xf_sweep(struct xdp_md *ctx)
{
	struct xf_sweep_request *request = ctx_header(ctx, 0, sizeof(*request));
	__u32 flags, ended = 0;

	if (!request)
		return XDP_ABORTED;
	flags = request->flags;
	if (flags & XF_SWEEP_START && sweep_start())
		return XDP_ABORTED;
	if (flags & XF_SWEEP_CHANGE)
		refusals_end();
	if (flags & XF_SWEEP_SETTLE)
		refusals_settle();
	if (flags & XF_SWEEP_ALL)
		ended = sweep_all();
	if (flags & XF_SWEEP_BANNED)
		ended += sweep_banned();
	request = ctx_header(ctx, 0, sizeof(*request));
	if (!request)
		return XDP_ABORTED;
	request->ended = ended;
	return XDP_PASS;
}

/* Never attached: the tool runs it for each half of a flow when it changes the table's layout. */
SEC("xdp")
int xf_adopt(struct xdp_md *ctx)
{
	struct xf_adopt_request *request = ctx_header(ctx, 0, sizeof(*request));

	if (!request)
		return XDP_ABORTED;
	adopt(request);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
