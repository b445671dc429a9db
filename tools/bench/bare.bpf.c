// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical limit: rewrites MAC addresses, destination address and port by
 * constants, sends the frame out, looks at nothing. It knows that every frame
 * it sees is the generator's, and leaves the TTL alone. And what it costs to
 * look at a packet and then leave it to the kernel, or drop it.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame.h"
#include "shift.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wire SEC(".maps");

const volatile struct bench_kind kind;
const volatile __u32 out;		     /* the way out, an interface */
const volatile __u32 macs[2 * ETH_ALEN / 4]; /* target's, then the way out's, octets in order */

static __always_inline bool rewrite(void *data, void *data_end, const bool ipv6, const bool tcp)
{
	__u32 *eth = data, *daddr = data + BENCH_IP_AT + (ipv6 ? 36 : 16);
	__be16 *port = data + BENCH_L4_AT(ipv6) + 2, *check = data + BENCH_L4_AT(ipv6) + BENCH_CHECK_AT(tcp);

	if (data + BENCH_SIZE(ipv6, tcp) > data_end)
		return false;
	for (int i = 0; i < 3; i++)
		eth[i] = macs[i];
	*daddr = bpf_htonl(bpf_ntohl(*daddr) + ADDR_SHIFT);
	*port = bpf_htons(bpf_ntohs(*port) + PORT_SHIFT);
	if (!ipv6) {
		struct iphdr *ip = data + BENCH_IP_AT;

		ip->check = grown(ip->check, FOLDED(ADDR_GROWTH));
	}
	*check = grown(*check, FOLDED(ADDR_GROWTH + PORT_SHIFT));
	if (!*check)
		*check = 0xffff;
	return true;
}

static __always_inline bool rewrite_kind(void *data, void *data_end)
{
	if (kind.ipv6)
		return kind.tcp ? rewrite(data, data_end, true, true) : rewrite(data, data_end, true, false);
	return kind.tcp ? rewrite(data, data_end, false, true) : rewrite(data, data_end, false, false);
}

SEC("xdp.frags")
int bench_bare(struct xdp_md *ctx)
{
	if (!rewrite_kind((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return XDP_PASS;
	return bpf_redirect_map(&wire, 0, 0);
}

SEC("tc")
int bench_bare_tc(struct __sk_buff *ctx)
{
	if (!rewrite_kind((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return TC_ACT_OK;
	return bpf_redirect(out, 0);
}

/* Is it UDP or TCP with a port as the generator's packets have? All of them are. */
static __always_inline bool parse(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct udphdr *ports = (void *)(ip + 1);
	__u8 proto;

	if ((void *)(ip + 1) > data_end)
		return false;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		if (ip->version != 4 || ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
			return false;
		proto = ip->protocol;
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		if ((void *)(ip6 + 1) > data_end)
			return false;
		ports = (void *)(ip6 + 1);
		proto = ip6->nexthdr;
	} else {
		return false;
	}
	if ((proto != IPPROTO_TCP && proto != IPPROTO_UDP) || (void *)(ports + 1) > data_end)
		return false;
	return bpf_ntohs(ports->dest) >= BENCH_LISTEN_PORT;
}

SEC("xdp.frags")
int bench_bare_drop(struct xdp_md *ctx)
{
	return parse(ctx) ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags")
int bench_bare_pass(struct xdp_md *ctx)
{
	return parse(ctx) ? XDP_PASS : XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
