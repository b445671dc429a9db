// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiving ends: they count and drop, or check every octet that matters.
 * The target can also answer, so that flows become established.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "sink.h"

const volatile struct bench_kind kind;
const volatile __u32 rules = 1;
const volatile __u8 ttl = BENCH_TTL; /* with which the router's packets must arrive at the target */
const volatile __u32 masquerade; /* the source that the target must see, host order; 0: the client's, and its port */
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

/* A frame of the benchmark's, and what it is to be. */
struct arrival {
	void *frame;
	bool ipv6, tcp;
	const volatile __u8 *mac;
	__u8 ttl;
};

/* Sum of the 16-bit words, in host order, from start to end of the frame. */
static __always_inline __u32 sum_words(const void *frame, int start, int end)
{
	const __be16 *words = frame;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < (int)BENCH_MAX_SIZE / 2; i++)
		if (i * 2 >= start && i * 2 < end)
			sum += bpf_ntohs(words[i]);
	return sum;
}

static __always_inline int checksums(const struct arrival *a)
{
	const int l4 = BENCH_L4_AT(a->ipv6), end = BENCH_SIZE(a->ipv6, a->tcp);
	const int addresses = BENCH_IP_AT + (a->ipv6 ? 8 : 12);
	__u32 pseudo = sum_words(a->frame, addresses, l4) + (a->tcp ? IPPROTO_TCP : IPPROTO_UDP) + end - l4;
	__be16 check = *(__be16 *)(a->frame + l4 + BENCH_CHECK_AT(a->tcp));

	if (!a->ipv6 && bench_fold(sum_words(a->frame, BENCH_IP_AT, l4)) != 0xffff)
		return BENCH_WRONG_IP_CHECKSUM;
	/* UDP: a zero would mean that there is none: then the sum cannot come out right either. */
	if ((!a->tcp && !check) || bench_fold(pseudo + sum_words(a->frame, l4, end)) != 0xffff)
		return BENCH_WRONG_L4_CHECKSUM;
	return BENCH_RIGHT;
}

static __always_inline bool header4(const struct arrival *a)
{
	const struct iphdr *ip = a->frame + BENCH_IP_AT;

	return ip->version == 4 && ip->ihl == 5 && ip->protocol == (a->tcp ? IPPROTO_TCP : IPPROTO_UDP) &&
	       bpf_ntohs(ip->tot_len) == BENCH_SIZE(a->ipv6, a->tcp) - BENCH_IP_AT;
}

static __always_inline bool header6(const struct arrival *a)
{
	const struct ipv6hdr *ip = a->frame + BENCH_IP_AT;

	return ip->version == 6 && ip->nexthdr == (a->tcp ? IPPROTO_TCP : IPPROTO_UDP) &&
	       bpf_ntohs(ip->payload_len) == BENCH_SIZE(a->ipv6, a->tcp) - BENCH_L4_AT(a->ipv6);
}

static __always_inline bool l4_header(const struct arrival *a)
{
	const __u8 *l4 = a->frame + BENCH_L4_AT(a->ipv6);

	if (a->tcp)
		return l4[12] == 5 << 4 && l4[13] == kind.tcp_flags;
	return (l4[4] << 8 | l4[5]) == BENCH_SIZE(a->ipv6, a->tcp) - BENCH_L4_AT(a->ipv6);
}

static __always_inline int headers(const struct arrival *a)
{
	const struct ethhdr *eth = a->frame;

#pragma unroll
	for (int i = 0; i < 6; i++)
		if (eth->h_dest[i] != a->mac[i])
			return BENCH_WRONG_MAC;
	if (!(a->ipv6 ? header6(a) : header4(a)) || !l4_header(a))
		return BENCH_WRONG_HEADER;
	if (((__u8 *)a->frame)[BENCH_IP_AT + (a->ipv6 ? 7 : 8)] != a->ttl)
		return BENCH_WRONG_TTL;
	return checksums(a);
}

static __always_inline int tuple(const struct arrival *a, const struct bench_tuple *want)
{
	const __be32 *saddr = a->frame + BENCH_IP_AT + (a->ipv6 ? 20 : 12);
	const __be32 *daddr = a->frame + BENCH_IP_AT + (a->ipv6 ? 36 : 16);
	const __be16 *ports = a->frame + BENCH_L4_AT(a->ipv6);

	if (*saddr != bpf_htonl(want->saddr) || *daddr != bpf_htonl(want->daddr))
		return BENCH_WRONG_ADDRESS;
	/* Which port a masqueraded packet gets, the router chooses. */
	if ((want->sport && ports[0] != bpf_htons(want->sport)) || ports[1] != bpf_htons(want->dport))
		return BENCH_WRONG_PORT;
	return BENCH_RIGHT;
}

static __always_inline int check(const struct arrival *a, const struct bench_tuple *want)
{
	int wrong = headers(a);

	return wrong ? wrong : tuple(a, want);
}

static __always_inline __u32 flow_of(const struct arrival *a)
{
	const struct bench_tag *tag = a->frame + BENCH_TAG_AT(a->ipv6, a->tcp);

	return bpf_ntohl(tag->flow);
}

static __always_inline bool ours(struct xdp_md *ctx, const struct arrival *a)
{
	const struct ethhdr *eth = a->frame;
	const struct bench_tag *tag = a->frame + BENCH_TAG_AT(a->ipv6, a->tcp);

	return a->frame + BENCH_SIZE(a->ipv6, a->tcp) <= (void *)(long)ctx->data_end &&
	       eth->h_proto == bpf_htons(a->ipv6 ? ETH_P_IPV6 : ETH_P_IP) && tag->magic == bpf_htonl(BENCH_MAGIC);
}

/*
 * Turned round, sums stay what they were. Not by XDP_TX: veth wakes the other
 * end for that only if an XDP program runs there.
 */
static __always_inline int turn_round(const struct arrival *a)
{
	__be32 *saddr = a->frame + BENCH_IP_AT + (a->ipv6 ? 20 : 12);
	__be32 *daddr = a->frame + BENCH_IP_AT + (a->ipv6 ? 36 : 16), address = *daddr;
	__be16 *ports = a->frame + BENCH_L4_AT(a->ipv6), port = ports[1];
	struct ethhdr *eth = a->frame;
	__u8 mac[6];

	__builtin_memcpy(mac, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, eth->h_source, 6);
	__builtin_memcpy(eth->h_source, mac, 6);
	*daddr = *saddr;
	*saddr = address;
	ports[1] = ports[0];
	ports[0] = port;
	return bpf_redirect_map(&back, 0, 0);
}

static __always_inline struct bench_end *end_of(__u32 which)
{
	return bpf_map_lookup_elem(&ends, &which);
}

static __always_inline int at_target(struct xdp_md *ctx, const bool ipv6, const bool tcp)
{
	const struct arrival a = {(void *)(long)ctx->data, ipv6, tcp, target_mac, ttl};
	struct bench_end *end = end_of(BENCH_TARGET);
	struct bench_tuple want;
	int wrong;

	if (!end || !ours(ctx, &a))
		return XDP_DROP;
	if (!verify) {
		end->frames++;
		return XDP_DROP;
	}
	want = bench_forwarded(bench_tuple(flow_of(&a), rules));
	if (masquerade) {
		want.saddr = masquerade;
		want.sport = 0;
	}
	wrong = check(&a, &want);
	end->verdicts[wrong & (BENCH_VERDICTS - 1)]++;
	end->frames++;
	return answer && !wrong ? turn_round(&a) : XDP_DROP;
}

static __always_inline int at_client(struct xdp_md *ctx, const bool ipv6, const bool tcp)
{
	const struct arrival a = {(void *)(long)ctx->data, ipv6, tcp, client_mac, ttl - 1};
	struct bench_end *end = end_of(BENCH_CLIENT);
	struct bench_tuple sent, want;
	int wrong;

	if (!end || !ours(ctx, &a))
		return XDP_DROP;
	sent = bench_tuple(flow_of(&a), rules);
	if (kind.direct)
		sent = bench_forwarded(sent);
	want = (struct bench_tuple){sent.daddr, sent.saddr, sent.dport, sent.sport};
	wrong = check(&a, &want);
	end->verdicts[wrong & (BENCH_VERDICTS - 1)]++;
	end->frames++;
	return XDP_DROP;
}

SEC("xdp")
int bench_target(struct xdp_md *ctx)
{
	if (kind.ipv6)
		return kind.tcp ? at_target(ctx, true, true) : at_target(ctx, true, false);
	return kind.tcp ? at_target(ctx, false, true) : at_target(ctx, false, false);
}

SEC("xdp")
int bench_client(struct xdp_md *ctx)
{
	if (kind.ipv6)
		return kind.tcp ? at_client(ctx, true, true) : at_client(ctx, true, false);
	return kind.tcp ? at_client(ctx, false, true) : at_client(ctx, false, false);
}

char _license[] SEC("license") = "GPL";
