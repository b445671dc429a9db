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
#include "syn_cookie.h"

#define SYN_PROOF_TIME	300 /* seconds for which a source is known */
#define SYN_PROOF_FLOWS 8   /* flows that a right answer is good for */
#define SYN_PROOF_MOST	64  /* that a source can have in reserve: many may share its address */
#define SYN_TTL		64

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

/* How many half-open flows it takes until sources must prove themselves; 0: they never have to. */
static __always_inline __u32 syn_threshold(const struct pkt *p)
{
	const struct xf_policy *policy = policy_of(p->rule, p->half);

	return policy ? policy->syn_threshold : 0;
}

static __always_inline __u32 syn_half_open(__u32 rule)
{
	const struct xf_rule_state *state = bpf_map_lookup_elem(&rule_states, &rule);

	return state ? state->pending : 0;
}

/* What is left of a source's proof; NULL: it has none that is good for a flow. */
static __always_inline struct xf_syn_proof *syn_proof(const struct pkt *p, __u8 family)
{
	struct xf_syn_proof *proof;
	struct xf_source_key key;

	source_key(&key, p->rule, &p->tuple.saddr, family);
	proof = bpf_map_lookup_elem(&syn_proofs, &key);
	return proof && proof->left > 0 && bpf_jiffies64() < proof->until ? proof : NULL;
}

static __always_inline void syn_remember(const struct pkt *p, __u8 family)
{
	__u64 now = bpf_jiffies64();
	struct xf_syn_proof first = {.until = now + syn_jiffies(SYN_PROOF_TIME), .left = SYN_PROOF_FLOWS};
	struct xf_syn_proof *proof;
	struct xf_source_key key;

	source_key(&key, p->rule, &p->tuple.saddr, family);
	proof = bpf_map_lookup_elem(&syn_proofs, &key);
	if (!proof || proof->left <= 0 || now >= proof->until) {
		bpf_map_update_elem(&syn_proofs, &key, &first, BPF_ANY);
		return;
	}
	proof->until = first.until;
	if (proof->left <= SYN_PROOF_MOST - SYN_PROOF_FLOWS)
		__sync_fetch_and_add(&proof->left, SYN_PROOF_FLOWS);
}

static __always_inline bool syn_is_answer(ctx_t *ctx, const struct pkt *p)
{
	const struct tcphdr *tcp = ctx_header(ctx, p->l4, sizeof(*tcp));

	return tcp && syn_cookie_is_valid(p, bpf_ntohl(tcp->seq));
}

static __always_inline bool syn_is_guarded(const struct pkt *p)
{
	__u32 threshold = syn_threshold(p);

	return threshold && syn_half_open(p->rule) >= threshold;
}

/* The family of the rule, if it may ask for proof; 0: it does not. What this machine itself sends is beyond doubt. */
static __always_inline __u8 syn_family(const struct pkt *p)
{
	const struct xf_rule *rule = rule_get(p);

	return rule && rule->flags & XF_RULE_POLICY && p->tuple.proto == IPPROTO_TCP ? rule->family : 0;
}

/*
 * A reset without a flow: is it an answer to us? Functions of their own, these
 * three, since the one that opens flows has no room left on its stack.
 */
__noinline int TIER(syn_reset)(ctx_t *ctx, struct pkt *p)
{
	__u8 family = p ? syn_family(p) : 0;

	if (!family || !syn_threshold(p) || !syn_is_answer(ctx, p))
		return PASS;
	syn_remember(p, family);
	return refuse(p, XF_REASON_SYN_PROVEN);
}

/*
 * A packet that may begin a flow. Only a SYN is answered; whatever else comes
 * from a source that we do not know is dropped, or the flood would be one of
 * those. PASS: it is for the tier that can answer.
 */
__noinline int TIER(syn_guard)(ctx_t *ctx, struct pkt *p)
{
	__u8 family = p && ctx_ingress(ctx) != LOOPBACK_IFINDEX ? syn_family(p) : 0;

	if (!family || !syn_is_guarded(p) || syn_proof(p, family))
		return SEND;
	return ctx_can_send_back(ctx) ? refuse(p, XF_REASON_SYN_CHALLENGED) : PASS;
}

/* A flow is made: one less that the source may open. */
__weak __noinline int syn_spend(const struct pkt *p)
{
	__u8 family = p ? syn_family(p) : 0;
	struct xf_syn_proof *proof = family && syn_is_guarded(p) ? syn_proof(p, family) : NULL;

	if (proof)
		__sync_fetch_and_add(&proof->left, -1);
	return 0;
}

/*
 * Its own sequence number is 0, as the acknowledgment in the reset will be:
 * netfilter takes resets with a number that it does not expect if they answer
 * the segment that came last.
 */
static __always_inline void syn_answer_tcp(struct tcphdr *tcp, const struct pkt *p, __u32 syn, const __u8 family)
{
	__u64 sum = (__u32)bpf_htons(sizeof(*tcp)) + bpf_htons(IPPROTO_TCP);

	tcp->source = p->tuple.dport;
	tcp->dest = p->tuple.sport;
	tcp->ack_seq = bpf_htonl(syn_cookie(p, syn));
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

/* Is it a whole SYN, and from one station at link level? What says to be from us has been refused before. */
static __always_inline bool syn_has_sender(ctx_t *ctx, const struct pkt *p)
{
	__u8 dest[ETH_ALEN], source[ETH_ALEN];

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN || p->fragment)
		return false;
	return !ctx_l2_addresses(ctx, dest, source, p->l3) || !(source[0] & 1);
}

/* Turns the SYN that was refused into the answer, and sends it back; returns the program's verdict. */
static __always_inline int syn_answer(ctx_t *ctx, const struct pkt *p, const __u8 family)
{
	const struct tcphdr *tcp;
	__u32 syn;

	if (!syn_has_sender(ctx, p))
		return CTX_DROP;
	tcp = ctx_header(ctx, p->l4, sizeof(*tcp));
	if (!tcp)
		return CTX_DROP;
	syn = bpf_ntohl(tcp->seq);
	return family == XF_IPV6 ? syn_answer_ipv6(ctx, p, syn) : syn_answer_ipv4(ctx, p, syn);
}

__noinline int TIER(syn_answer_ipv4)(ctx_t *ctx, struct pkt *p)
{
	return p ? syn_answer(ctx, p, XF_IPV4) : CTX_DROP;
}

__noinline int TIER(syn_answer_ipv6)(ctx_t *ctx, struct pkt *p)
{
	return p ? syn_answer(ctx, p, XF_IPV6) : CTX_DROP;
}

#endif
