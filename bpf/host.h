/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is this packet the host's own? An answer to a connection that this machine
 * made, or that netfilter masquerades for a machine behind it, may have a rule's
 * port as its destination; it is not the rule's to take. Asked only before a
 * flow is made, and never of a SYN, which answers nothing.
 */
#ifndef XDPFWD_BPF_HOST_H
#define XDPFWD_BPF_HOST_H

#include "cfg.h"
#include "pkt.h"

#define HOST_CURRENT_NETNS (-1)
#define HOST_TCP_LISTEN	   10	    /* net/tcp_states.h */
#define HOST_SEEN_REPLY	   (1 << 1) /* IPS_SEEN_REPLY of nf_conntrack_common.h */
#define HOST_DIR_REPLY	   1	    /* IP_CT_DIR_REPLY */

static __always_inline __u32 host_tuple(struct bpf_sock_tuple *t, const struct pkt *p, const __u8 family)
{
	if (family == XF_IPV6) {
		__builtin_memcpy(t->ipv6.saddr, p->tuple.saddr.w, sizeof(t->ipv6.saddr));
		__builtin_memcpy(t->ipv6.daddr, p->tuple.daddr.w, sizeof(t->ipv6.daddr));
		t->ipv6.sport = p->tuple.sport;
		t->ipv6.dport = p->tuple.dport;
		return sizeof(t->ipv6);
	}
	t->ipv4.saddr = p->tuple.saddr.v4;
	t->ipv4.daddr = p->tuple.daddr.v4;
	t->ipv4.sport = p->tuple.sport;
	t->ipv4.dport = p->tuple.dport;
	return sizeof(t->ipv4);
}

/* A socket of this machine that is connected to just this peer. */
static __always_inline bool host_has_tcp_socket(ctx_t *ctx, struct bpf_sock_tuple *t, __u32 len)
{
	struct bpf_sock *sk = bpf_skc_lookup_tcp(ctx, t, len, HOST_CURRENT_NETNS, 0);
	bool connected;

	if (!sk)
		return false;
	connected = sk->state != HOST_TCP_LISTEN;
	bpf_sk_release(sk);
	return connected;
}

static __always_inline bool host_has_udp_socket(ctx_t *ctx, struct bpf_sock_tuple *t, __u32 len)
{
	struct bpf_sock *sk = bpf_sk_lookup_udp(ctx, t, len, HOST_CURRENT_NETNS, 0);
	bool connected;

	if (!sk)
		return false;
	connected = sk->dst_port != 0;
	bpf_sk_release(sk);
	return connected;
}

static __always_inline bool host_has_socket(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	struct bpf_sock_tuple t = {};
	__u32 len = host_tuple(&t, p, family);

	return p->tuple.proto == IPPROTO_TCP ? host_has_tcp_socket(ctx, &t, len) : host_has_udp_socket(ctx, &t, len);
}

/* What of the kernel's structs is looked at; relocated to the running kernel's (CO-RE). */
struct nf_conn {
	unsigned long status;
} __attribute__((preserve_access_index));

struct host_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir; /* out: which direction of the connection the packet is */
	__u8 reserved[2];
};

void bpf_ct_release(struct nf_conn *ct) CTX_KSYM_ONCE __weak;

/*
 * A connection that netfilter knows, and that this packet answers, or that was
 * answered before the rule came. What only ever went unanswered is no connection.
 * On loopback netfilter saw the packet before us, and our answers to it too, so
 * that there a connection's own direction says nothing.
 */
static __always_inline bool host_has_connection(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	struct host_ct_opts opts = {.netns_id = HOST_CURRENT_NETNS, .l4proto = p->tuple.proto};
	struct bpf_sock_tuple t = {};
	__u32 len = host_tuple(&t, p, family);
	struct nf_conn *ct;
	bool answered;

	ct = ctx_ct_lookup(ctx, &t, len, &opts);
	if (!ct)
		return false;
	answered = opts.dir == HOST_DIR_REPLY || (ct->status & HOST_SEEN_REPLY && ctx_ingress(ctx) != LOOPBACK_IFINDEX);
	bpf_ct_release(ct);
	return answered;
}

static __always_inline bool host_owns(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return false;
	return host_has_socket(ctx, p, family) || (cfg_conntrack && host_has_connection(ctx, p, family));
}

#endif
