/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet means for the state of its flow. Nearly always nothing: that is
 * found out here; the rest is a function of its own.
 *
 * UDP is established by the first answer. TCP is when the client acknowledges
 * what the other side sent: a SYN-ACK says only that somebody listens, and a
 * flood of forged SYNs gets it, too. A RST counts only where its receiver expects
 * the next octet (RFC 5961, 3.2): not every RST that somebody forges shortens a
 * connection's life. And even then the flow waits (RFC 7857, 2.2).
 */
#ifndef XDPFWD_BPF_FLOW_STATE_H
#define XDPFWD_BPF_FLOW_STATE_H

#include "cfg.h"
#include "flow_count.h"
#include "flow_slot.h"
#include "flow_table.h"
#include "pkt.h"

#define TCP_FLIGHT  (1u << 20) /* octets that may be on their way, not yet acknowledged */
#define TIME_WAIT_S 120	       /* seconds for which the other side may keep its end of a connection (RFC 6888, REQ-8) */

struct tcp_numbers {
	__u32 seq, ack;
};

/* Jiffies without a packet after which a flow in this state is over. */
static __always_inline __u32 flow_timeout(__u32 tag, __u8 proto, __u8 state)
{
	const struct xf_policy *policy = count_policy(tag, half_now());
	const struct xf_config *cfg = cfg_get();
	__u32 kind;

	if (proto == IPPROTO_TCP)
		kind = state == XF_FLOW_ESTABLISHED ? XF_TIMEOUT_TCP_ESTABLISHED : XF_TIMEOUT_TCP_TRANSITORY;
	else
		kind = state == XF_FLOW_ESTABLISHED ? XF_TIMEOUT_UDP : XF_TIMEOUT_UDP_PENDING;
	if (policy && policy->timeout[kind])
		return policy->timeout[kind];
	return cfg ? cfg->timeout[kind] : 0;
}

/* Brings both halves to that state, and to its time-out. */
static __always_inline void flow_set_state(struct xf_flow *f, struct xf_flow *twin, __u8 proto, __u8 state)
{
	__u32 timeout = flow_timeout(f->rule, proto, state);

	f->state = state;
	f->timeout = timeout;
	if (twin) {
		twin->state = state;
		twin->timeout = timeout;
	}
}

/* ---- the slot, which goes through BUSY: another CPU that looks at it just now leaves the change to a later packet */

/*
 * The flow in a slot that is BUSY on our account is answered, or heard of again
 * after its end: if its rule and source may have it, no newcomer displaces it
 * from now on.
 */
static __always_inline int slot_establish(struct xf_slot *slot, __u32 was, __u32 now)
{
	int reason = count_establish(slot);

	if (!reason) {
		count_flow(slot->rule, was, -1);
		slot->check_at = now;
	}
	return reason;
}

/* Its end is seen: it may be displaced, but its masquerade port must rest. */
static __always_inline void slot_close(struct xf_slot *slot, const struct xf_flow *f, __u32 now)
{
	const struct xf_config *cfg = cfg_get();
	struct xf_source_key key;
	__u32 index = f->slot;

	count_disestablish(slot, &key);
	count_flow(slot->rule, XF_SLOT_CLOSED, 1);
	slot->check_at = now;
	if (cfg && f->flags & XF_FLOW_MASQUERADED)
		slot->check_at += TIME_WAIT_S * cfg->hz;
	if (cfg)
		queue_push(slot, index, cfg->max_flows);
	slot_release(slot, XF_SLOT_CLOSED);
}

/* ---- events */

static __always_inline int flow_established(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p, __u8 state)
{
	__u32 index = f->slot;
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	int reason;

	if (!slot || !slot_claim(slot, XF_SLOT_PENDING))
		return XF_REASON_NONE;
	reason = slot_establish(slot, XF_SLOT_PENDING, p->now);
	if (!reason)
		flow_set_state(f, twin, p->tuple.proto, state);
	slot_release(slot, reason ? XF_SLOT_PENDING : XF_SLOT_ESTABLISHED);
	return reason;
}

static __always_inline void flow_closed(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p)
{
	__u32 index = f->slot;
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot || !slot_claim(slot, XF_SLOT_ESTABLISHED))
		return;
	flow_set_state(f, twin, IPPROTO_TCP, XF_FLOW_CLOSED);
	slot_close(slot, f, p->now);
}

/* The receiver of a RST speaks on: it was not for it. But others may have its place by now. */
static __always_inline int flow_reopened(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p)
{
	__u32 index = f->slot;
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);
	int reason;

	if (!slot || !slot_claim(slot, XF_SLOT_CLOSED))
		return XF_REASON_NONE;
	reason = slot_establish(slot, XF_SLOT_CLOSED, p->now);
	if (!reason) {
		twin->flags &= ~XF_FLOW_RST;
		flow_set_state(f, twin, IPPROTO_TCP, XF_FLOW_ESTABLISHED);
	}
	slot_release(slot, reason ? XF_SLOT_CLOSED : XF_SLOT_ESTABLISHED);
	return reason;
}

/* One side will send no more. */
static __always_inline void flow_closing(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p)
{
	__u32 index = f->slot;
	struct xf_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot || !slot_claim(slot, XF_SLOT_ESTABLISHED))
		return;
	flow_set_state(f, twin, IPPROTO_TCP, XF_FLOW_CLOSING);
	/* Its time is shorter from now on: who looks for room shall look at it again. */
	slot->check_at = p->now;
	slot_release(slot, XF_SLOT_ESTABLISHED);
}

/* Does this segment begin where its receiver, whose half is `twin`, may expect it? */
static __always_inline bool tcp_is_expected(const struct xf_flow *twin, __u32 seq)
{
	return seq - twin->ack < TCP_FLIGHT;
}

/* What the client may acknowledge: from one SYN on, which may come again, as may all that follows it. */
static __always_inline void tcp_target_sent(struct xf_flow *f, struct xf_flow *client, const struct pkt *p, __u32 seq)
{
	__u32 payload = p->len > p->hdr_len ? p->len - p->hdr_len : 0;
	__u32 first = p->tcp_flags & TCP_SYN ? seq : seq - 1;
	__u32 end = seq + payload + !!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN);

	if (!(f->next_seq | client->next_seq) || (p->tcp_flags & TCP_SYN && first != f->next_seq)) {
		f->next_seq = first;
		client->next_seq = end;
	} else if ((__s32)(end - client->next_seq) > 0) {
		client->next_seq = end;
	}
}

/*
 * Of a flow without an answer. What the other side sends is kept, first and last,
 * until the client acknowledges some of it: only who receives it can do that.
 */
static __always_inline int tcp_begin(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p,
				     const struct tcp_numbers *n)
{
	const struct xf_policy *policy;

	if (p->tcp_flags & TCP_RST)
		return XF_REASON_NONE;
	if (f->flags & XF_FLOW_REPLY) {
		tcp_target_sent(f, twin, p, n->seq);
		policy = count_policy(f->rule, half_now());
		return policy && count_is_full(f->rule, policy) ? XF_REASON_MAX_FLOWS : XF_REASON_NONE;
	}
	if (!(p->tcp_flags & TCP_ACK) || n->ack == twin->next_seq ||
	    n->ack - twin->next_seq > f->next_seq - twin->next_seq)
		return XF_REASON_NONE;
	return flow_established(f, twin, p, XF_FLOW_ESTABLISHED);
}

static __always_inline void tcp_end(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p,
				    const struct tcp_numbers *n)
{
	if (!tcp_is_expected(twin, n->seq))
		return;
	if (p->tcp_flags & TCP_RST) {
		f->flags |= XF_FLOW_RST;
		flow_closed(f, twin, p);
		return;
	}
	f->flags |= XF_FLOW_FIN;
	if (twin->flags & XF_FLOW_FIN)
		flow_closed(f, twin, p);
	else if (f->state == XF_FLOW_ESTABLISHED)
		flow_closing(f, twin, p);
}

static __always_inline int tcp_advance(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p,
				       const struct tcp_numbers *n)
{
	if (f->state == XF_FLOW_PENDING)
		return tcp_begin(f, twin, p, n);
	if (f->state != XF_FLOW_CLOSED && p->tcp_flags & (TCP_FIN | TCP_RST))
		tcp_end(f, twin, p, n);
	else if (f->state == XF_FLOW_CLOSED && twin->flags & XF_FLOW_RST && !(p->tcp_flags & (TCP_SYN | TCP_RST)))
		return flow_reopened(f, twin, p);
	return XF_REASON_NONE;
}

static __always_inline int udp_advance(struct xf_flow *f, struct xf_flow *twin, const struct pkt *p)
{
	if (f->state == XF_FLOW_PENDING && f->flags & XF_FLOW_REPLY)
		return flow_established(f, twin, p, XF_FLOW_ANSWERED);
	if (f->state == XF_FLOW_ANSWERED && !(f->flags & XF_FLOW_REPLY))
		flow_set_state(f, twin, IPPROTO_UDP, XF_FLOW_ESTABLISHED);
	return XF_REASON_NONE;
}

/* The rare case: the packet may bring its flow to another state. A reason: it is one too many, and goes no further. */
__weak __noinline int flow_advance(const struct pkt *p, struct xf_flow *f, __u32 seq, __u32 ack)
{
	const struct tcp_numbers n = {seq, ack};
	struct xf_flow *twin;

	if (!p || !f)
		return XF_REASON_NONE;
	twin = flow_twin(f);
	if (!twin)
		return XF_REASON_NONE;
	return p->tuple.proto == IPPROTO_TCP ? tcp_advance(f, twin, p, &n) : udp_advance(f, twin, p);
}

/* Can a datagram in this direction change anything? Most flows are established, or go one way and stay unanswered. */
static __always_inline bool udp_advances(const struct xf_flow *f)
{
	return f->state == (f->flags & XF_FLOW_REPLY ? XF_FLOW_PENDING : XF_FLOW_ANSWERED);
}

/* Asked for each packet that is to be sent on. */
static __always_inline enum verdict flow_track(ctx_t *ctx, struct pkt *p, struct xf_flow *f)
{
	const __be32 *header;
	__u32 seq = 0, ack = 0;
	int reason;

	if (p->tuple.proto == IPPROTO_TCP) {
		header = p->frag_off ? NULL : ctx_header(ctx, p->l4, 12);
		if (!header)
			return SEND;
		seq = bpf_ntohl(header[1]);
		ack = bpf_ntohl(header[2]);
		if (p->tcp_flags & TCP_ACK)
			f->ack = ack;
		if ((f->state == XF_FLOW_ESTABLISHED || f->state == XF_FLOW_CLOSING) &&
		    !(p->tcp_flags & (TCP_FIN | TCP_RST)))
			return SEND;
	} else if (!udp_advances(f)) {
		return SEND;
	}
	reason = flow_advance(p, f, seq, ack);
	return reason ? refuse(p, reason) : SEND;
}

#endif
