// SPDX-License-Identifier: GPL-2.0-only
/* From struct packet to octets. */
#include <assert.h>
#include <string.h>

#include "build.h"

/* Where the frame is being written. */
struct cursor {
	struct frame *f;
	uint32_t at;
};

static void put8(struct cursor *c, uint8_t v)
{
	assert(c->at < FRAME_MAX);
	c->f->data[c->at++] = v;
}

static void put16(struct cursor *c, uint16_t v)
{
	put8(c, v >> 8);
	put8(c, v & 0xff);
}

static void put32(struct cursor *c, uint32_t v)
{
	put16(c, v >> 16);
	put16(c, v & 0xffff);
}

static void put_octets(struct cursor *c, const void *from, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		put8(c, ((const uint8_t *)from)[i]);
}

static void poke16(struct frame *f, uint32_t at, uint16_t v)
{
	f->data[at] = v >> 8;
	f->data[at + 1] = v & 0xff;
}

uint32_t sum_octets(uint32_t sum, const void *octets, uint32_t len)
{
	const uint8_t *p = octets;

	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t addr_len(const struct packet *p)
{
	return p->family == XF_IPV4 ? 4 : 16;
}

static uint32_t ext_len(const struct packet *p)
{
	uint32_t len = 0;

	if (p->family == XF_IPV4)
		return p->options;
	for (int i = 0; i < p->n_ext; i++)
		len += 8 * p->ext[i].units;
	return len;
}

static uint32_t l4_len(const struct packet *p)
{
	switch (p->proto) {
	case IPPROTO_TCP:
		return TCP_HEADER + p->tcp_options + p->payload_len;
	default:
		return UDP_HEADER + p->payload_len;
	}
}

uint32_t packet_whole_len(const struct packet *p)
{
	return (p->family == XF_IPV4 ? IPV4_HEADER : IPV6_HEADER) + ext_len(p) + l4_len(p);
}

uint32_t packet_ip_len(const struct packet *p)
{
	return p->piece_len ? packet_piece_headers(p) + p->piece_len : packet_whole_len(p);
}

static void put_ethernet(struct cursor *c, const struct packet *p)
{
	put_octets(c, p->dmac, 6);
	put_octets(c, p->smac, 6);
	if (p->vlan) {
		put16(c, 0x8100);
		put16(c, p->vlan);
	}
	if (p->ethertype)
		put16(c, p->ethertype);
	else
		put16(c, p->family == XF_IPV4 ? 0x0800 : 0x86dd);
}

/* Options that every router may ignore: NOPs and the end of the list. */
static void put_options(struct cursor *c, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		put8(c, i + 1 == len ? 0 : 1);
}

static void put_ipv4(struct cursor *c, const struct packet *p)
{
	uint32_t start = c->at;

	put8(c, (p->version ? p->version : 4) << 4 | (p->ihl ? p->ihl : (IPV4_HEADER + p->options) / 4));
	put8(c, p->tos);
	put16(c, packet_whole_len(p) + p->ip_len_add);
	put16(c, p->seed & 0xffff); /* identification */
	put16(c, p->frag);
	put8(c, p->ttl);
	put8(c, p->proto);
	put16(c, 0);
	put_octets(c, &p->saddr, 4);
	put_octets(c, &p->daddr, 4);
	put_options(c, p->options);
	poke16(c->f, start + 10, ~sum_fold(sum_octets(0, c->f->data + start, c->at - start)));
}

static void put_ext(struct cursor *c, const struct packet *p, int i)
{
	const struct ext *e = &p->ext[i];
	uint32_t len = e->units * 8u;

	assert(e->units >= 1 && e->units <= 32);
	put8(c, i + 1 < p->n_ext ? p->ext[i + 1].type : p->proto);
	/* RFC 4302: AH counts in units of 4 octets, less 2. */
	put8(c, e->type == IPPROTO_AH ? len / 4 - 2 : e->units - 1u);
	switch (e->type) {
	case IPPROTO_FRAGMENT:
		put16(c, p->frag);
		put32(c, p->seed);
		break;
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		put8(c, 1); /* PadN */
		put8(c, len - 4);
		for (; len > 4; len--)
			put8(c, 0);
		break;
	default:
		put8(c, 0); /* a routing header's type */
		put8(c, p->segments_left);
		for (; len > 4; len--)
			put8(c, 0);
	}
}

static void put_ipv6(struct cursor *c, const struct packet *p)
{
	put32(c, (p->version ? p->version : 6u) << 28 | (uint32_t)p->tos << 20 | (p->seed & 0xfffff));
	put16(c, ext_len(p) + l4_len(p) + p->ip_len_add);
	put8(c, p->n_ext ? p->ext[0].type : p->proto);
	put8(c, p->ttl);
	put_octets(c, &p->saddr, 16);
	put_octets(c, &p->daddr, 16);
	for (int i = 0; i < p->n_ext; i++)
		put_ext(c, p, i);
}

static void put_payload(struct cursor *c, const struct packet *p)
{
	uint32_t state = p->seed * 2654435761u + 1;

	for (uint32_t i = 0; i < p->payload_len; i++) {
		state = state * 1664525u + 1013904223u;
		if (i < 2)
			put8(c, i ? p->payload_word & 0xff : p->payload_word >> 8);
		else
			put8(c, state >> 24);
	}
}

static uint32_t pseudo_sum(const struct packet *p)
{
	uint32_t sum = sum_octets(0, &p->saddr, addr_len(p));

	sum = sum_octets(sum, &p->daddr, addr_len(p));
	return sum + p->proto + l4_len(p);
}

/* Where the checksum field lies in the transport header; 0: there is none. */
static uint32_t checksum_offset(const struct packet *p)
{
	switch (p->proto) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

/* One's complement addition: a wrong checksum stays wrong by as much. Of the two zeros the one that is computed. */
static uint16_t checksum_with_error(uint16_t checksum, uint16_t error)
{
	uint16_t sum = sum_fold((uint32_t)checksum + error);

	return sum == 0xffff ? 0 : sum;
}

static uint16_t finish_checksum(const struct packet *p, const uint8_t *l4)
{
	bool pseudo = p->proto != IPPROTO_ICMP;
	uint16_t csum;

	if (p->csum == CSUM_NONE)
		return 0;
	if (p->csum == CSUM_PSEUDO)
		return sum_fold(pseudo_sum(p));
	csum = ~sum_fold(sum_octets(pseudo ? pseudo_sum(p) : 0, l4, l4_len(p)));
	if (p->csum_error)
		csum = checksum_with_error(csum, p->csum_error);
	if (p->proto == IPPROTO_UDP && csum == 0)
		csum = 0xffff; /* RFC 768 */
	return csum;
}

static void put_l4(struct cursor *c, const struct packet *p)
{
	switch (p->proto) {
	case IPPROTO_TCP:
		put16(c, p->sport);
		put16(c, p->dport);
		put32(c, p->seq - !!(p->tcp_flags & TCP_SYN));
		put32(c, p->ack);
		put8(c, (p->tcp_doff ? p->tcp_doff : (TCP_HEADER + p->tcp_options) / 4) << 4 | p->tcp_reserved);
		put8(c, p->tcp_flags);
		put16(c, p->tcp_window_closed ? 0 : 64240);
		put16(c, 0);
		put16(c, p->tcp_urgent);
		put_options(c, p->tcp_options);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put8(c, p->proto == IPPROTO_ICMP ? 8 : 128); /* echo request */
		put8(c, 0);
		put16(c, 0);
		put16(c, p->sport);
		put16(c, 1);
		break;
	default: /* UDP, and protocols whose header begins like it */
		put16(c, p->sport);
		put16(c, p->dport);
		put16(c, l4_len(p) + p->udp_len_add);
		put16(c, 0);
	}
	put_payload(c, p);
}

void build_frame(const struct packet *p, struct frame *f)
{
	struct cursor c = {.f = f};
	uint32_t ip, start;

	memset(f, 0, sizeof(*f));
	put_ethernet(&c, p);
	ip = c.at;
	if (p->family == XF_IPV4)
		put_ipv4(&c, p);
	else
		put_ipv6(&c, p);
	start = c.at;
	put_l4(&c, p);
	if (checksum_offset(p))
		poke16(f, start + checksum_offset(p), finish_checksum(p, f->data + start));
	f->len = c.at;
	if (p->piece_len)
		cut_piece(p, f, ip);
	c.at = f->len;
	for (uint32_t i = 0; i < p->trailer; i++)
		put8(&c, 0xee);
	assert(p->cut < c.at);
	f->len = c.at - p->cut;
}

uint16_t packet_checksum(const struct packet *p)
{
	struct frame f;
	uint32_t at;

	build_frame(p, &f);
	at = f.len + p->cut - p->trailer - l4_len(p) + checksum_offset(p);
	return f.data[at] << 8 | f.data[at + 1];
}

void packet_make_checksum(struct packet *p, uint16_t checksum)
{
	assert(p->payload_len >= 2);
	p->payload_word = 0;
	p->payload_word = sum_fold(packet_checksum(p) + (uint32_t)(uint16_t)~checksum);
}

void packet_make_checksum_zero(struct packet *p)
{
	packet_make_checksum(p, 0);
}
