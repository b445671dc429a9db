// SPDX-License-Identifier: GPL-2.0-only
/* The generator: run with live frames, sends each as the next packet of some flow. */
#include "sink.h"
#include "write.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wire SEC(".maps");

const volatile struct bench_kind kind;
const volatile struct bench_blank blank;
const volatile __u32 flows = 1;
const volatile __u32 rules = 1;
const volatile __u32 window; /* how many frames may be under way; 0: send, whether they arrive or not */

/* What the receiving ends have seen so far; they write it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_ENDS);
	__type(key, __u32);
	__type(value, struct bench_end);
} ends SEC(".maps");

/*
 * The tool steers by these while the program runs: starting a run takes
 * milliseconds, so there is one run for everything. One thread generates, so
 * nothing needs to be atomic.
 */
volatile __u32 in_order = 1; /* one flow after the other; else at random, as real traffic comes */
volatile __u32 clock;	     /* the end (enum bench_which) at which a frame counts as arrived */
volatile __u64 quota;	     /* send no more than so many */
volatile __u64 sent;
__u32 next;

__u32 seed = 2463534242;

static __always_inline __u32 next_flow(void)
{
	__u32 flow = next;

	if (in_order) {
		next = flow + 1 < flows ? flow + 1 : 0;
		return flow;
	}
	/* Marsaglia's xorshift; a flow's place in the tables must not be foreseeable by a prefetcher. */
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return (__u64)seed * flows >> 32;
}

static __always_inline bool may_send(void)
{
	__u32 key = clock;
	struct bench_end *end;

	if (sent >= quota)
		return false;
	if (!window)
		return true;
	end = bpf_map_lookup_elem(&ends, &key);
	return end && sent - *(volatile __u64 *)&end->frames < window;
}

static __always_inline int generate(struct xdp_md *ctx, const bool ipv6, const bool tcp)
{
	void *frame = (void *)(long)ctx->data;
	struct bench_tuple tuple;
	__u32 flow;

	if (frame + BENCH_SIZE(ipv6, tcp) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (!may_send())
		return XDP_DROP;
	flow = next_flow();
	tuple = bench_tuple(flow, rules);
	if (kind.direct)
		tuple = bench_forwarded(tuple);
	/* Pages come back as their last receiver left them, so the whole frame is written each time. */
	write_frame(frame, &blank, &tuple, flow, ipv6, tcp);
	sent++;
	return bpf_redirect_map(&wire, 0, 0);
}

SEC("xdp")
int bench_generate(struct xdp_md *ctx)
{
	if (kind.ipv6)
		return kind.tcp ? generate(ctx, true, true) : generate(ctx, true, false);
	return kind.tcp ? generate(ctx, false, true) : generate(ctx, false, false);
}

char _license[] SEC("license") = "GPL";
