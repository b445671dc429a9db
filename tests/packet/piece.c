// SPDX-License-Identifier: GPL-2.0-only
/* Fragments: pieces of whole frames. */
#include <assert.h>
#include <string.h>

#include "build.h"

static void poke16(struct frame *f, uint32_t at, uint16_t v)
{
	f->data[at] = v >> 8;
	f->data[at + 1] = v & 0xff;
}

uint32_t packet_piece_headers(const struct packet *p)
{
	uint32_t len = IPV6_HEADER;

	if (p->family == XF_IPV4)
		return IPV4_HEADER + p->options;
	for (int i = 0; i < p->n_ext; i++) {
		len += 8u * p->ext[i].units;
		if (p->ext[i].type == IPPROTO_FRAGMENT)
			return len;
	}
	assert(!"a fragment without a fragment header");
	return 0;
}

uint32_t packet_pieces_len(const struct packet *p)
{
	return packet_whole_len(p) - packet_piece_headers(p);
}

static void poke_ipv4(struct frame *f, const struct packet *p, uint32_t ip, bool more)
{
	uint32_t headers = packet_piece_headers(p);

	poke16(f, ip + 2, headers + p->piece_len + p->ip_len_add);
	poke16(f, ip + 6, p->piece_off / 8 | (more ? 0x2000 : 0) | (p->frag & 0x4000));
	poke16(f, ip + 10, 0);
	poke16(f, ip + 10, ~sum_fold(sum_octets(0, f->data + ip, headers)));
}

static void poke_ipv6(struct frame *f, const struct packet *p, uint32_t ip, bool more)
{
	uint32_t headers = packet_piece_headers(p);

	poke16(f, ip + 4, headers - IPV6_HEADER + p->piece_len + p->ip_len_add);
	poke16(f, ip + headers - 6, p->piece_off | (more ? 1 : 0));
}

/* Beyond the end of the datagram there are zeros. */
void cut_piece(const struct packet *p, struct frame *f, uint32_t ip)
{
	uint32_t to = ip + packet_piece_headers(p), from = to + p->piece_off;
	bool more = (p->piece_off + p->piece_len < packet_pieces_len(p)) != p->piece_more;

	assert(to + p->piece_len <= FRAME_MAX && p->piece_off % 8 == 0);
	for (uint32_t i = 0; i < p->piece_len; i++)
		f->data[to + i] = from + i < f->len ? f->data[from + i] : 0;
	f->len = to + p->piece_len;
	memset(f->data + f->len, 0, FRAME_MAX - f->len);
	if (p->family == XF_IPV4)
		poke_ipv4(f, p, ip, more);
	else
		poke_ipv6(f, p, ip, more);
}
