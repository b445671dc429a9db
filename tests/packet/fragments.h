/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams in fragments, and what is given back to an interface. */
#ifndef XDPFWD_TESTS_PACKET_FRAGMENTS_H
#define XDPFWD_TESTS_PACKET_FRAGMENTS_H

#include "harness.h"

#define PIECES_MAX 80
#define STEP	   1480 /* octets of a fragment, if it does not matter */

/* A datagram cut into fragments, in order. */
struct pieces {
	unsigned int n;
	struct packet p[PIECES_MAX];
};

/* The fragment of `len` octets at `off`. */
struct packet piece(const struct packet *whole, uint32_t off, uint32_t len);
/* All of them, of `step` octets each, which is a multiple of 8. */
struct pieces cut(const struct packet *whole, uint32_t step);

/* A packet from CLIENT to ROUTER with that much payload. */
struct packet large_packet(const struct test *t, uint16_t payload);

/* All of them, in order: to TARGET, in a new flow or in one that is there; back; dropped; passed. */
void forward_pieces(struct test *t, uint32_t rule, const struct pieces *c, bool is_new);
void reply_pieces(struct test *t, uint32_t rule, const struct pieces *c, const struct packet *asked);
void drop_pieces(struct test *t, uint32_t rule, enum xf_reason reason, const struct pieces *c);
void pass_pieces(struct test *t, const struct pieces *c);
/* All but the first, the last one first: they have to wait. */
void keep_reversed(struct test *t, const struct pieces *c);
/* The first comes: it and those of keep_reversed() are given back to its interface, as they came. */
void release_pieces(struct test *t, const struct pieces *c, enum dev dev);

/* What an interface receives from now on, or what is sent by it. */
struct tap {
	int fd;
	uint8_t type; /* PACKET_HOST or PACKET_OUTGOING */
};

struct tap tap_open(enum dev dev);
struct tap tap_open_out(enum dev dev);
void tap_close(struct tap *tap);
/* The next packet there is this one. */
#define tap_gets(tap, want) (at(__FILE__, __LINE__), check_tap(tap, want))
void check_tap(const struct tap *tap, const struct packet *want);
void tap_read(const struct tap *tap, struct frame *f);

/* Kept until the first fragment comes: gone, and not counted. */
#define kept(t, in) (at(__FILE__, __LINE__), check_kept(t, in))
void check_kept(struct test *t, const struct packet *in);

/* Makes all datagrams look as if their first fragment, of those that came, had come so many jiffies before. */
void age_fragments(uint32_t jiffies);
/* Datagrams of which not all has come. */
uint32_t fragments_known(void);

#endif
