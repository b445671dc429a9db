// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a fresh packet, then runs the program under measurement on it. Without
 * that, the second run would find the packet as the first one has rewritten it.
 */
#include "write.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} subject SEC(".maps");

const volatile struct bench_blank blank4;
const volatile struct bench_blank blank6;

volatile __u32 flows = 1;
volatile __u32 in_order;  /* one flow after the other; else at random */
volatile __u32 reply;	  /* as the target answers; else as the client sends */
volatile __u16 port_move; /* added to the ports: leads to another rule, or to a port that no rule has */
volatile __u32 base;	  /* number of the first flow */
volatile __u32 next;
__u32 seed = 2463534242;

static __always_inline __u32 next_flow(void)
{
	__u32 flow = next;

	if (in_order) {
		next = flow + 1 < flows ? flow + 1 : 0;
		return flow;
	}
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return (__u64)seed * flows >> 32;
}

static __always_inline struct bench_tuple tuple_of(__u32 flow)
{
	struct bench_tuple sent = bench_tuple(flow, 1), got;

	sent.dport += port_move;
	if (!reply)
		return sent;
	got = bench_forwarded(sent);
	return (struct bench_tuple){got.daddr, got.saddr, got.dport, got.sport};
}

static __always_inline int call_with_frame(struct xdp_md *ctx, const volatile struct bench_blank *blank,
					   const bool ipv6)
{
	void *frame = (void *)(long)ctx->data;
	__u32 flow = base + next_flow();
	struct bench_tuple tuple = tuple_of(flow);

	if (frame + BENCH_SIZE(ipv6, false) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	write_frame(frame, blank, &tuple, flow, ipv6, false);
	bpf_tail_call(ctx, &subject, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bench_cost4(struct xdp_md *ctx)
{
	return call_with_frame(ctx, &blank4, false);
}

SEC("xdp.frags")
int bench_cost6(struct xdp_md *ctx)
{
	return call_with_frame(ctx, &blank6, true);
}

SEC("xdp.frags")
int bench_empty(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
