/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules without state: both directions are read from the rule alone, so that no
 * flood can fill anything, any number of machines can share the work, and none of
 * them is missed when it dies. What becomes of a packet is put together in the
 * shape of a flow, and the packet goes on as if it had one. Nothing is learned
 * from the client: its answers go by the routing table.
 */
#ifndef XDPFWD_BPF_STATELESS_H
#define XDPFWD_BPF_STATELESS_H

/* pipeline.h includes the stages before. */

#define WAYS_BITS     14
#define WAYS	      (1 << WAYS_BITS)
#define NOT_STATELESS (-1)

/*
 * What was found for a listen endpoint, or back, for a target's endpoint and a client.
 * A CPU has its own, and who comes to the same place later has it. The rule is only
 * a hint, since the rule itself tells whether it is the one. All that the packet gets
 * stands here, so that it is not waited for while the rule is read.
 */
struct way {
	struct xf_flow flow;
	__u64 hint;	  /* the id of the rule found last, and in the upper half in which rule set */
	__u32 port;	  /* that the packet was for, or back, from; as it stands in the header */
	__u32 in_ifindex; /* a packet that came in here, for this address of the link, was for this machine */
	__u8 in_mac[ETH_ALEN];
	__u8 pad[2];
};

#define NO_PORT 0xffffffffu

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WAYS);
	__type(key, __u32);
	__type(value, struct way);
} ways SEC(".maps") __weak;

/* Addresses that differ in one octet only, whichever, must not meet: so the upper bits of the product. */
static __always_inline __u32 way_index(__u32 tag, const union xf_addr *to, const __u8 family)
{
	__u64 h = to->w[0];

	if (family == XF_IPV6)
		h = (h << 32 | to->w[1]) * 0xff51afd7ed558ccdULL + ((__u64)to->w[2] << 32 | to->w[3]);
	return (h ^ (__u64)tag << 32) * 0x9e3779b97f4a7c15ULL >> (64 - WAYS_BITS);
}

/*
 * Is this the rule that a look-up would find? Nothing can stand before a rule that
 * listens on an address itself, nor has another one its target's address and port.
 */
static __always_inline bool hint_is_right(const struct pkt *p, const struct xf_rule *rule, bool back, const __u8 family)
{
	const __u32 flags = XF_RULE_LIVE | XF_RULE_STATELESS;
	__u16 span = rule->listen_hi - rule->listen_lo;

	if ((rule->flags & flags) != flags || rule->family != family ||
	    !(rule->protos & (p->tuple.proto == IPPROTO_TCP ? XF_PROTO_TCP : XF_PROTO_UDP)))
		return false;
	if (back)
		return (__u16)(bpf_ntohs(p->tuple.sport) - rule->target_lo) <= span &&
		       addr_equal(&p->tuple.saddr, &rule->target, family);
	return (__u16)(bpf_ntohs(p->tuple.dport) - rule->listen_lo) <= span && rule->listen_kind == XF_LISTEN_ADDR &&
	       addr_equal(&p->tuple.daddr, &rule->masquerade, family);
}

/* What is known of the packet at hand. */
struct stateless {
	const struct xf_config *cfg;
	const struct xf_rule *rule; /* that it meets */
	struct way *way;	    /* that it goes */
};

/* Back, it is one of the client's that a target's endpoint has. */
static __always_inline __u32 way_index_of(const struct pkt *p, bool back, const __u8 family)
{
	const __u32 source = p->tuple.saddr.w[family == XF_IPV6 ? 3 : 0];

	return way_index(back ? ~(source ^ (__u32)p->tuple.sport << 16) : p->tuple.dport, &p->tuple.daddr, family);
}

/* The rule that has the packet's destination, or, of one that goes back, its source. */
static __always_inline bool stateless_rule(struct pkt *p, struct stateless *s, bool back, const __u8 family)
{
	__u32 index = way_index_of(p, back, family);
	struct way *w = bpf_map_lookup_elem(&ways, &index);
	__u32 set = cfg_set(s->cfg, p->half);

	if (!w)
		return false;
	s->way = w;
	p->rule = w->hint;
	s->rule = w->hint >> 32 == set ? cfg_rule(s->cfg, p->rule, p->half) : NULL;
	if (s->rule && hint_is_right(p, s->rule, back, family))
		return true;
	p->rule = back ? rule_find_target(p, set, family) : rule_find(p, set, family);
	w->hint = (__u64)set << 32 | p->rule;
	s->rule = cfg_rule(s->cfg, p->rule, p->half);
	return s->rule && s->rule->flags & XF_RULE_STATELESS;
}

static __always_inline enum verdict way_route(ctx_t *ctx, struct pkt *p, struct way *w, const __u8 family)
{
	enum xf_reason reason = route_find(ctx, &w->flow, p, family);

	if (reason != XF_REASON_NONE)
		return refuse(p, reason);
	w->flow.state = XF_FLOW_ESTABLISHED;
	return SEND;
}

/* Rare, and so apart from what each packet runs through. */
__noinline int TIER(way_route_ipv4)(ctx_t *ctx, struct pkt *p, struct way *w)
{
	return p && w ? way_route(ctx, p, w, XF_IPV4) : PASS;
}

__noinline int TIER(way_route_ipv6)(ctx_t *ctx, struct pkt *p, struct way *w)
{
	return p && w ? way_route(ctx, p, w, XF_IPV6) : PASS;
}

/* The way out, found again when it is old, or was towards another address. */
static __always_inline enum verdict way_find(ctx_t *ctx, struct pkt *p, struct stateless *s, const __u8 family)
{
	struct way *w = s->way;

	if (w->flow.state == XF_FLOW_ESTABLISHED && p->now - w->flow.routed_at < s->cfg->route_ttl &&
	    (CTX_IS_FAST || w->flow.flags & XF_FLOW_L2))
		return SEND;
	return family == XF_IPV6 ? TIER(way_route_ipv6)(ctx, p, w) : TIER(way_route_ipv4)(ctx, p, w);
}

/* Was it towards another address before? Then nothing of before counts. The way back has the tag inverted. */
static __always_inline void way_towards(struct way *w, __u32 tag, const union xf_addr *to, const __u8 family)
{
	if (w->flow.rule == tag && addr_equal(flow_daddr(&w->flow, family), to, family))
		return;
	w->flow.rule = tag;
	w->flow.state = XF_FLOW_PENDING;
	w->port = NO_PORT;
	w->in_ifindex = 0;
	flow_set_daddr(&w->flow, to, family);
}

/* Frames of other stations that we overhear are no business of ours; asked again for each other address only. */
__noinline int TIER(way_is_for_us)(ctx_t *ctx, struct way *w, const struct pkt *p)
{
	__u8 dest[ETH_ALEN], source[ETH_ALEN];

	if (!w || !p)
		return false;
	if (!ctx_l2_addresses(ctx, dest, source, p->l3))
		return ctx_is_for_us(ctx);
	if (!ctx_is_for_us(ctx))
		return false;
	__builtin_memcpy(w->in_mac, dest, ETH_ALEN);
	w->in_ifindex = ctx_ingress(ctx);
	return true;
}

/* Is all that is asked there known from a packet before? */
static __always_inline bool way_is_known(ctx_t *ctx, const struct way *w, const struct pkt *p)
{
	const struct ethhdr *eth = ctx_header(ctx, 0, sizeof(*eth));

	return p->l3 && eth && w->in_ifindex == ctx_ingress(ctx) && mac_equal(eth->h_dest, w->in_mac);
}

/* From the client to the target. */
static __always_inline enum verdict way_in(ctx_t *ctx, struct pkt *p, struct stateless *s, const __u8 family)
{
	const struct xf_rule *rule = s->rule;
	struct way *w = s->way;
	enum verdict v;

	way_towards(w, rule->tag, &rule->target, family);
	/* Of an interface with several addresses: an answer has but one to come from. */
	if (!addr_equal(&p->tuple.daddr, &rule->masquerade, family) ||
	    (!p->is_error && !way_is_known(ctx, w, p) && !TIER(way_is_for_us)(ctx, w, p)))
		return PASS;
	v = p->is_error ? policy_rule(p, rule) : policy_stateless(p, s->cfg, rule, family);
	if (v != SEND)
		return v;
	flow_set_saddr(&w->flow, &p->tuple.saddr, family);
	w->flow.sport = p->tuple.sport;
	if (w->port != p->tuple.dport) {
		w->port = p->tuple.dport;
		w->flow.dport = bpf_htons(rule->target_lo + (bpf_ntohs(p->tuple.dport) - rule->listen_lo));
	}
	w->flow.flags = (w->flow.flags & XF_FLOW_WAY) | XF_FLOW_STATELESS;
	return way_find(ctx, p, s, family);
}

/* And back. A rule without state has in "masquerade" the address that clients know. */
static __always_inline enum verdict way_back(ctx_t *ctx, struct pkt *p, struct stateless *s, const __u8 family)
{
	const struct xf_rule *rule = s->rule;
	enum verdict v = policy_rule(p, rule);
	struct way *w = s->way;

	if (v != SEND)
		return v;
	way_towards(w, ~rule->tag, &p->tuple.daddr, family);
	if (!addr_equal(flow_saddr(&w->flow, family), &rule->masquerade, family))
		flow_set_saddr(&w->flow, &rule->masquerade, family);
	if (w->port != p->tuple.sport) {
		w->port = p->tuple.sport;
		w->flow.sport = bpf_htons(rule->listen_lo + (bpf_ntohs(p->tuple.sport) - rule->target_lo));
	}
	w->flow.dport = p->tuple.dport;
	w->flow.flags = (w->flow.flags & XF_FLOW_WAY) | XF_FLOW_STATELESS;
	v = way_find(ctx, p, s, family);
	w->flow.flags |= XF_FLOW_REPLY;
	return v;
}

static __always_inline int stateless_way(ctx_t *ctx, struct pkt *p, struct stateless *s, const __u8 family)
{
	if (p->listen_ports & XF_PORT_LISTEN_STATELESS && stateless_rule(p, s, false, family))
		return s->rule->flags & XF_RULE_LIVE ? way_in(ctx, p, s, family) : PASS;
	if (p->listen_ports & XF_PORT_TARGET_STATELESS && stateless_rule(p, s, true, family))
		return s->rule->flags & XF_RULE_LIVE ? way_back(ctx, p, s, family) : PASS;
	p->rule = NO_RULE;
	return NOT_STATELESS;
}

/* Is the packet one of a rule without state? SEND: *flow is what becomes of it. NOT_STATELESS: it is not. */
static __always_inline int stateless_get(ctx_t *ctx, struct pkt *p, struct xf_flow **flow, const __u8 family)
{
	struct stateless s = {.cfg = cfg_get()};
	int v = s.cfg ? stateless_way(ctx, p, &s, family) : PASS;

	*flow = v == SEND && s.way ? &s.way->flow : NULL;
	return v;
}

#endif
