// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiving ends: they count and drop, or check every octet that matters.
 * The target can also answer, so that flows become established.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "sink.h"

const volatile __u32 rules = 1;
const volatile __u8 ttl = BENCH_TTL; /* with which the router's packets must arrive at the target */
const volatile __u8 target_mac[6];
const volatile __u8 client_mac[6];

volatile __u32 verify;
volatile __u32 answer;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_ENDS);
	__type(key, __u32);
	__type(value, struct bench_end);
} ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} back SEC(".maps");

/* Sum of the 16-bit words, in host order, from start to end of the frame. */
static __always_inline __u32 sum_words(const struct bench_frame *frame, int start, int end)
{
	const __be16 *words = (const __be16 *)frame;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < (int)sizeof(*frame) / 2; i++)
		if (i * 2 >= start && i * 2 < end)
			sum += bpf_ntohs(words[i]);
	return sum;
}

static __always_inline int checksums(const struct bench_frame *frame)
{
	const int ip = sizeof(struct ethhdr), udp = ip + sizeof(struct iphdr);
	__u32 pseudo = sum_words(frame, ip + 12, udp) + IPPROTO_UDP + bpf_ntohs(frame->udp.len);

	if (bench_fold(sum_words(frame, ip, udp)) != 0xffff)
		return BENCH_WRONG_IP_CHECKSUM;
	/* A zero would mean that there is none: then the sum cannot come out right either. */
	if (!frame->udp.check || bench_fold(pseudo + sum_words(frame, udp, sizeof(*frame))) != 0xffff)
		return BENCH_WRONG_UDP_CHECKSUM;
	return BENCH_RIGHT;
}

static __always_inline int headers(const struct bench_frame *frame, const volatile __u8 *mac)
{
#pragma unroll
	for (int i = 0; i < 6; i++)
		if (frame->eth.h_dest[i] != mac[i])
			return BENCH_WRONG_MAC;
	if (frame->ip.version != 4 || frame->ip.ihl != 5 || frame->ip.protocol != IPPROTO_UDP ||
	    bpf_ntohs(frame->ip.tot_len) != sizeof(*frame) - sizeof(struct ethhdr) ||
	    bpf_ntohs(frame->udp.len) != sizeof(*frame) - sizeof(struct ethhdr) - sizeof(struct iphdr))
		return BENCH_WRONG_HEADER;
	return checksums(frame);
}

static __always_inline int tuple(const struct bench_frame *frame, const struct bench_tuple *want)
{
	if (frame->ip.saddr != bpf_htonl(want->saddr) || frame->ip.daddr != bpf_htonl(want->daddr))
		return BENCH_WRONG_ADDRESS;
	if (frame->udp.source != bpf_htons(want->sport) || frame->udp.dest != bpf_htons(want->dport))
		return BENCH_WRONG_PORT;
	return BENCH_RIGHT;
}

static __always_inline struct bench_frame *ours(struct xdp_md *ctx)
{
	struct bench_frame *frame = (void *)(long)ctx->data;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end || frame->eth.h_proto != bpf_htons(ETH_P_IP) ||
	    frame->tag.magic != bpf_htonl(BENCH_MAGIC))
		return NULL;
	return frame;
}

/*
 * Turned round, sums stay what they were. Not by XDP_TX: veth wakes the other
 * end for that only if an XDP program runs there.
 */
static __always_inline int turn_round(struct bench_frame *frame)
{
	__be32 daddr = frame->ip.daddr;
	__be16 dport = frame->udp.dest;
	__u8 mac[6];

	__builtin_memcpy(mac, frame->eth.h_dest, 6);
	__builtin_memcpy(frame->eth.h_dest, frame->eth.h_source, 6);
	__builtin_memcpy(frame->eth.h_source, mac, 6);
	frame->ip.daddr = frame->ip.saddr;
	frame->ip.saddr = daddr;
	frame->udp.dest = frame->udp.source;
	frame->udp.source = dport;
	return bpf_redirect_map(&back, 0, 0);
}

static __always_inline int check(const struct bench_frame *frame, const struct bench_tuple *want,
				 const volatile __u8 *mac)
{
	int wrong = headers(frame, mac);

	return wrong ? wrong : tuple(frame, want);
}

static __always_inline struct bench_end *end_of(__u32 which)
{
	return bpf_map_lookup_elem(&ends, &which);
}

SEC("xdp")
int bench_target(struct xdp_md *ctx)
{
	struct bench_end *end = end_of(BENCH_TARGET);
	struct bench_frame *frame = ours(ctx);
	struct bench_tuple want;
	int wrong;

	if (!frame || !end)
		return XDP_DROP;
	if (!verify) {
		end->frames++;
		return XDP_DROP;
	}
	want = bench_tuple(bpf_ntohl(frame->tag.flow), rules);
	want.daddr = want.daddr - BENCH_LISTEN_NET - BENCH_LISTEN_HOST + BENCH_TARGET_NET + BENCH_TARGET_HOST;
	want.dport = want.dport - BENCH_LISTEN_PORT + BENCH_TARGET_PORT;
	wrong = check(frame, &want, target_mac);
	if (!wrong && frame->ip.ttl != ttl)
		wrong = BENCH_WRONG_TTL;
	end->verdicts[wrong & (BENCH_VERDICTS - 1)]++;
	end->frames++;
	return answer && !wrong ? turn_round(frame) : XDP_DROP;
}

SEC("xdp")
int bench_client(struct xdp_md *ctx)
{
	struct bench_end *end = end_of(BENCH_CLIENT);
	struct bench_frame *frame = ours(ctx);
	struct bench_tuple sent, want;
	int wrong;

	if (!frame || !end)
		return XDP_DROP;
	sent = bench_tuple(bpf_ntohl(frame->tag.flow), rules);
	want = (struct bench_tuple){sent.daddr, sent.saddr, sent.dport, sent.sport};
	wrong = check(frame, &want, client_mac);
	if (!wrong && frame->ip.ttl != ttl - 1)
		wrong = BENCH_WRONG_TTL;
	end->verdicts[wrong & (BENCH_VERDICTS - 1)]++;
	end->frames++;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
