/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Under a flood of SYNs, newcomers must show that they receive what is sent to
 * them (--syn-protect). Their SYN is answered with an ACK of a number that they
 * never sent, the cookie. That is what a client hears whose peer still has a
 * former connection: it answers with a reset that carries the number, and sends
 * its SYN again (RFC 9293, 3.5.1 and 3.10.7.3). The reset is ours, and the SYN
 * that follows goes the ordinary way. No state is made for who does not answer.
 *
 * A source that exists, but did not send the SYN, answers too. It does no harm:
 * so it will answer the target's SYN-ACK, and the flow is over.
 */
#ifndef XDPFWD_BPF_SYN_H
#define XDPFWD_BPF_SYN_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "cfg.h"
#include "csum.h"
#include "maps.h"
#include "pkt.h"
#include "source.h"

#define SYN_PERIOD	8   /* seconds after which cookies change; the last one is valid as well */
#define SYN_PROOF_TIME	300 /* seconds for which a source is known */
#define SYN_PROOF_FLOWS 8   /* flows that a right answer is good for */
#define SYN_PROOF_MOST	64  /* that a source can have in reserve: many may share its address */
#define SYN_TTL		64
#define SYN_HASH_WORDS	5
#define SYN_NUMBER	0x3fffffffu /* the bits of a cookie that follow from the hash */

/*
 * How far a cookie is below the SYN's own number, at least; and less than twice
 * that, so that it is an old number to everybody. Some firewalls (pf) want resets
 * exact to the octet if what they answer was within a window of the right number,
 * and answer themselves if it was not.
 */
#define SYN_DISTANCE 0x40000000u

/* The answer, as long as the shortest SYN. */
union syn_answer {
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} v4;
	struct {
		struct ipv6hdr ip;
		struct tcphdr tcp;
	} v6;
};

static __always_inline __u64 syn_rotate(__u64 x, const __u32 bits)
{
	return x << bits | x >> (64 - bits);
}

static __always_inline void syn_hash_round(__u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = syn_rotate(v[1], 13) ^ v[0];
	v[3] = syn_rotate(v[3], 16) ^ v[2];
	v[0] = syn_rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = syn_rotate(v[1], 17) ^ v[2];
	v[3] = syn_rotate(v[3], 21) ^ v[0];
	v[2] = syn_rotate(v[2], 32);
}

static __always_inline __u64 syn_word(const __u32 *w)
{
	return (__u64)w[1] << 32 | w[0];
}

/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of the connection's addresses and
 * ports and of a time: who does not know the secret cannot tell it from chance.
 */
__weak __noinline __u64 syn_hash(const struct pkt *p, __u64 period)
{
	const struct xf_config *cfg = cfg_get();
	__u64 m, v[4];

	if (!p || !cfg)
		return 0;
	v[0] = cfg->secret[0] ^ 0x736f6d6570736575ULL;
	v[1] = cfg->secret[1] ^ 0x646f72616e646f6dULL;
	v[2] = cfg->secret[0] ^ 0x6c7967656e657261ULL;
	v[3] = cfg->secret[1] ^ 0x7465646279746573ULL;
	for (int i = 0; i < SYN_HASH_WORDS + 1; i++) {
		if (i < 2)
			m = syn_word(&p->tuple.saddr.w[2 * i]);
		else if (i < 4)
			m = syn_word(&p->tuple.daddr.w[2 * (i - 2)]);
		else if (i == 4)
			m = (period << 32) | (__u32)p->tuple.sport << 16 | p->tuple.dport;
		else
			m = (__u64)(SYN_HASH_WORDS * 8) << 56;
		v[3] ^= m;
		syn_hash_round(v);
		syn_hash_round(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		syn_hash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* So many seconds, in jiffies; never 0, since it is divided by. */
static __always_inline __u64 syn_jiffies(__u32 seconds)
{
	const struct xf_config *cfg = cfg_get();

	return cfg && cfg->hz ? (__u64)cfg->hz * seconds : seconds;
}

/* How many half-open flows it takes until sources must prove themselves; 0: they never have to. */
static __always_inline __u32 syn_threshold(__u32 rule)
{
	const struct xf_policy *policy = bpf_map_lookup_elem(&policies, &rule);

	return policy ? policy->syn_threshold : 0;
}

static __always_inline __u32 syn_half_open(__u32 rule)
{
	const struct xf_rule_state *state = bpf_map_lookup_elem(&rule_states, &rule);

	return state ? state->pending : 0;
}

/* Is the source one that has proven itself? Then this is one of the flows that it may open for that. */
static __always_inline bool syn_is_proven(const struct pkt *p, const __u8 family)
{
	struct xf_syn_proof *proof;
	struct xf_source_key key;

	source_key(&key, p->rule, &p->tuple.saddr, family);
	proof = bpf_map_lookup_elem(&syn_proofs, &key);
	if (!proof || proof->left <= 0 || bpf_jiffies64() >= proof->until)
		return false;
	return __sync_fetch_and_add(&proof->left, -1) > 0;
}

static __always_inline void syn_remember(const struct pkt *p, const __u8 family)
{
	__u64 now = bpf_jiffies64();
	struct xf_syn_proof first = {.until = now + syn_jiffies(SYN_PROOF_TIME), .left = SYN_PROOF_FLOWS};
	struct xf_syn_proof *proof;
	struct xf_source_key key;

	source_key(&key, p->rule, &p->tuple.saddr, family);
	proof = bpf_map_lookup_elem(&syn_proofs, &key);
	if (!proof || now >= proof->until || proof->left < 0) {
		bpf_map_update_elem(&syn_proofs, &key, &first, BPF_ANY);
		return;
	}
	proof->until = first.until;
	if (proof->left <= SYN_PROOF_MOST - SYN_PROOF_FLOWS)
		__sync_fetch_and_add(&proof->left, SYN_PROOF_FLOWS);
}

/* Does the reset carry this connection's number, of now or of the period before? */
static __always_inline bool syn_is_answer(ctx_t *ctx, const struct pkt *p)
{
	const struct tcphdr *tcp = ctx_header(ctx, p->l4, sizeof(*tcp));
	__u64 period = bpf_jiffies64() / syn_jiffies(SYN_PERIOD);
	__u32 seq;

	if (!tcp)
		return false;
	seq = bpf_ntohl(tcp->seq);
	return !((seq ^ syn_hash(p, period)) & SYN_NUMBER) || !((seq ^ syn_hash(p, period - 1)) & SYN_NUMBER);
}

/*
 * A packet that may begin a flow (SEND), or a reset without one (PASS). Only a
 * SYN is answered; whatever else comes from a source that we do not know is
 * dropped, or the flood would be one of those.
 */
static __always_inline enum verdict syn_judge(ctx_t *ctx, struct pkt *p, const __u8 family)
{
	__u32 threshold = syn_threshold(p->rule);

	if (p->tcp_flags & TCP_RST) {
		if (!threshold || !syn_is_answer(ctx, p))
			return PASS;
		syn_remember(p, family);
		return refuse(p, XF_REASON_SYN_PROVEN);
	}
	if (!threshold || syn_half_open(p->rule) < threshold || syn_is_proven(p, family))
		return SEND;
	return ctx_can_send_back(ctx) ? refuse(p, XF_REASON_SYN_CHALLENGED) : PASS;
}

/* The number that is acknowledged. */
static __always_inline __u32 syn_cookie(__u32 syn, __u32 hash)
{
	return syn - ((syn - hash) & SYN_NUMBER) - SYN_DISTANCE;
}

/*
 * Its own sequence number is 0, as the acknowledgment in the reset will be:
 * netfilter takes resets with a number that it does not expect if they answer
 * the segment that came last.
 */
static __always_inline void syn_answer_tcp(struct tcphdr *tcp, const struct pkt *p, __u32 syn, const __u8 family)
{
	__u64 hash = syn_hash(p, bpf_jiffies64() / syn_jiffies(SYN_PERIOD));
	__u64 sum = (__u32)bpf_htons(sizeof(*tcp)) + bpf_htons(IPPROTO_TCP);

	tcp->source = p->tuple.dport;
	tcp->dest = p->tuple.sport;
	tcp->ack_seq = bpf_htonl(syn_cookie(syn, hash));
	tcp->doff = sizeof(*tcp) / 4;
	tcp->ack = 1;
	sum = csum_sum_addr(sum, &p->tuple.saddr, family);
	sum = csum_sum_addr(sum, &p->tuple.daddr, family);
	sum += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)tcp, sizeof(*tcp), 0);
	tcp->check = ~csum_fold(sum);
}

static __always_inline int syn_answer_ipv4(ctx_t *ctx, const struct pkt *p, __u32 syn)
{
	union syn_answer a = {};

	a.v4.ip.version = 4;
	a.v4.ip.ihl = 5;
	a.v4.ip.tot_len = bpf_htons(sizeof(a.v4));
	a.v4.ip.frag_off = bpf_htons(0x4000);
	a.v4.ip.ttl = SYN_TTL;
	a.v4.ip.protocol = IPPROTO_TCP;
	a.v4.ip.saddr = p->tuple.daddr.v4;
	a.v4.ip.daddr = p->tuple.saddr.v4;
	a.v4.ip.check = ~csum_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)&a.v4.ip, sizeof(a.v4.ip), 0));
	syn_answer_tcp(&a.v4.tcp, p, syn, XF_IPV4);
	return ctx_answer(ctx, p->l3, &a, sizeof(a.v4));
}

static __always_inline int syn_answer_ipv6(ctx_t *ctx, const struct pkt *p, __u32 syn)
{
	union syn_answer a = {};

	a.v6.ip.version = 6;
	a.v6.ip.payload_len = bpf_htons(sizeof(a.v6.tcp));
	a.v6.ip.nexthdr = IPPROTO_TCP;
	a.v6.ip.hop_limit = SYN_TTL;
	__builtin_memcpy(&a.v6.ip.saddr, p->tuple.daddr.w, sizeof(a.v6.ip.saddr));
	__builtin_memcpy(&a.v6.ip.daddr, p->tuple.saddr.w, sizeof(a.v6.ip.daddr));
	syn_answer_tcp(&a.v6.tcp, p, syn, XF_IPV6);
	return ctx_answer(ctx, p->l3, &a, sizeof(a.v6));
}

/* Is it a whole SYN, from somebody else than us, and from one station at link level? */
static __always_inline bool syn_has_sender(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	struct xf_local_key own = {.family = family};
	__u8 dest[ETH_ALEN], source[ETH_ALEN];

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN || p->fragment)
		return false;
	if (ctx_l2_addresses(ctx, dest, source, p->l3) && source[0] & 1)
		return false;
	addr_copy(&own.addr, &p->tuple.saddr, family);
	return !bpf_map_lookup_elem(&local_addrs, &own);
}

/* Turns the SYN that was refused into the answer, and sends it back; returns the program's verdict. */
static __always_inline int syn_answer(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	const struct tcphdr *tcp;
	__u32 syn;

	if (!syn_has_sender(ctx, p, family))
		return CTX_DROP;
	tcp = ctx_header(ctx, p->l4, sizeof(*tcp));
	if (!tcp)
		return CTX_DROP;
	syn = bpf_ntohl(tcp->seq);
	return family == XF_IPV6 ? syn_answer_ipv6(ctx, p, syn) : syn_answer_ipv4(ctx, p, syn);
}

__noinline int TIER(syn_judge_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p ? syn_judge(ctx, p, XF_IPV4) : PASS;
}

__noinline int TIER(syn_judge_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p ? syn_judge(ctx, p, XF_IPV6) : PASS;
}

__noinline int TIER(syn_answer_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p ? syn_answer(ctx, p, XF_IPV4) : CTX_DROP;
}

__noinline int TIER(syn_answer_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p ? syn_answer(ctx, p, XF_IPV6) : CTX_DROP;
}

/* What the policy said, unless the rule asks for proof. What this machine itself sends is beyond doubt. */
static __always_inline enum verdict syn_guard(ctx_t *ctx, struct pkt *p, const struct xf_rule *rule, enum verdict said)
{
	if (!(rule->flags & XF_RULE_POLICY) || p->tuple.proto != IPPROTO_TCP || ctx_ingress(ctx) == LOOPBACK_IFINDEX)
		return said;
	if (said != SEND && p->reason != XF_REASON_NO_FLOW)
		return said;
	return rule->family == XF_IPV6 ? TIER(syn_judge_ipv6)(ctx, p) : TIER(syn_judge_ipv4)(ctx, p);
}

#endif
