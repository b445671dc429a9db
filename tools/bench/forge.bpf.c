// SPDX-License-Identifier: GPL-2.0-only
/* Writes a SYN from an invented source, then runs the program under measurement on it. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} subject SEC(".maps");

const volatile __u8 router_mac[ETH_ALEN];
const volatile __u32 listen_addr = 0xcb00710a; /* 203.0.113.10 */
volatile __u16 listen_port;
__u32 seed = 2463534242;

static __always_inline __u32 next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static __always_inline __u32 words_of(__u32 value)
{
	return (value >> 16) + (value & 0xffff);
}

SEC("xdp.frags")
int bench_forge(struct xdp_md *ctx)
{
	struct frame *f = (void *)(long)ctx->data;
	__u32 random = next(), from = 0xc6120000 | (random & 0x1ffff), sum; /* 198.18.0.0/15 */

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	__builtin_memset(f, 0, sizeof(*f));
	for (int i = 0; i < ETH_ALEN; i++)
		f->eth.h_dest[i] = router_mac[i];
	f->eth.h_source[0] = 2;
	f->eth.h_proto = bpf_htons(ETH_P_IP);
	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.ttl = 64;
	f->ip.protocol = IPPROTO_TCP;
	f->ip.tot_len = bpf_htons(sizeof(f->ip) + sizeof(f->tcp));
	f->ip.saddr = bpf_htonl(from);
	f->ip.daddr = bpf_htonl(listen_addr);
	sum = 0x4500 + sizeof(f->ip) + sizeof(f->tcp) + 0x4006 + words_of(from) + words_of(listen_addr);
	sum = (sum & 0xffff) + (sum >> 16);
	f->ip.check = bpf_htons(~((sum & 0xffff) + (sum >> 16)));
	f->tcp.source = bpf_htons(1024 + (random >> 17));
	f->tcp.dest = bpf_htons(listen_port);
	f->tcp.seq = next();
	f->tcp.doff = 5;
	f->tcp.syn = 1;
	/* Nobody verifies it here; it must not be the same each time, or it may look unfinished each time. */
	f->tcp.check = (__u16)random;
	bpf_tail_call(ctx, &subject, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bench_forge_empty(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
