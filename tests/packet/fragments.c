// SPDX-License-Identifier: GPL-2.0-only
/* Datagrams in fragments, and what is given back to an interface. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <bpf/bpf.h>

#include "fragments.h"
#include "maps.h"

#define TAP_MS 10000 /* an event; only a failure takes so long */

static bool has_fragment_header(const struct packet *p)
{
	for (int i = 0; i < p->n_ext; i++)
		if (p->ext[i].type == IPPROTO_FRAGMENT)
			return true;
	return p->family == XF_IPV4;
}

struct packet piece(const struct packet *whole, uint32_t off, uint32_t len)
{
	struct packet p = *whole;

	if (!has_fragment_header(&p)) {
		assert_true(p.n_ext < EXT_MAX);
		p.ext[p.n_ext++] = (struct ext){IPPROTO_FRAGMENT, 1};
	}
	p.piece_off = off;
	p.piece_len = len;
	return p;
}

struct pieces cut(const struct packet *whole, uint32_t step)
{
	struct packet first = piece(whole, 0, step);
	uint32_t all = packet_pieces_len(&first);
	struct pieces c = {0};

	assert_true(step % 8 == 0 && all > step);
	for (uint32_t off = 0; off < all; off += step) {
		assert_true(c.n < PIECES_MAX);
		c.p[c.n++] = piece(whole, off, all - off < step ? all - off : step);
	}
	return c;
}

static struct tap open_tap(enum dev dev, uint8_t type)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct tap tap = {.type = type, .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
	int room = 1 << 22;

	sll.sll_ifindex = dev_ifindex(dev);
	assert_true(tap.fd >= 0);
	assert_int_equal(setsockopt(tap.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
	assert_int_equal(bind(tap.fd, (struct sockaddr *)&sll, sizeof(sll)), 0);
	return tap;
}

struct tap tap_open(enum dev dev)
{
	return open_tap(dev, PACKET_HOST);
}

struct tap tap_open_out(enum dev dev)
{
	return open_tap(dev, PACKET_OUTGOING);
}

void tap_close(struct tap *tap)
{
	close(tap->fd);
}

/* The next packet to this machine, or from it; the kernel's own neighbour discovery is none of our business. */
static bool is_noise(const struct frame *f)
{
	return f->data[0] & 1;
}

void tap_read(const struct tap *tap, struct frame *f)
{
	struct pollfd p = {.fd = tap->fd, .events = POLLIN};
	struct sockaddr_ll from;

	do {
		socklen_t len = sizeof(from);
		ssize_t got;

		if (poll(&p, 1, TAP_MS) != 1)
			fail_msg("nothing more came to the interface");
		memset(f, 0, sizeof(*f));
		got = recvfrom(tap->fd, f->data, sizeof(f->data), 0, (struct sockaddr *)&from, &len);
		assert_true(got > 0);
		f->len = got;
	} while (from.sll_pkttype != tap->type || is_noise(f));
}

void check_tap(const struct tap *tap, const struct packet *want)
{
	struct frame wanted, got;

	build_frame(want, &wanted);
	tap_read(tap, &got);
	check_frame(&wanted, &got);
}

void check_kept(struct test *t, const struct packet *in)
{
	run(t, in);
	check_verdict(t, "drop");
}

struct packet large_packet(const struct test *t, uint16_t payload)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.payload_len = payload;
	return in;
}

void forward_pieces(struct test *t, uint32_t rule, const struct pieces *c, bool is_new)
{
	for (unsigned int i = 0; i < c->n; i++) {
		struct packet out = to_target(&c->p[i], TARGET, 9000);

		if (!i && is_new)
			forward_new(t, rule, &c->p[i], &out);
		else
			forward(t, rule, &c->p[i], &out);
	}
}

void reply_pieces(struct test *t, uint32_t rule, const struct pieces *c, const struct packet *asked)
{
	for (unsigned int i = 0; i < c->n; i++) {
		struct packet got = to_client(&c->p[i], asked);

		reply(t, rule, &c->p[i], &got);
	}
}

void drop_pieces(struct test *t, uint32_t rule, enum xf_reason reason, const struct pieces *c)
{
	for (unsigned int i = 0; i < c->n; i++)
		drop(t, rule, reason, &c->p[i]);
}

void pass_pieces(struct test *t, const struct pieces *c)
{
	for (unsigned int i = 0; i < c->n; i++)
		pass(t, &c->p[i]);
}

void keep_reversed(struct test *t, const struct pieces *c)
{
	for (unsigned int i = c->n - 1; i; i--)
		kept(t, &c->p[i]);
}

void release_pieces(struct test *t, const struct pieces *c, enum dev dev)
{
	struct tap tap = tap_open(dev);
	struct packet late;

	kept(t, &c->p[0]);
	tap_gets(&tap, &c->p[0]);
	for (unsigned int i = c->n - 1; i; i--) {
		late = c->p[i];
		/* The frame is the first one's. */
		memcpy(late.smac, c->p[0].smac, 6);
		tap_gets(&tap, &late);
	}
	tap_close(&tap);
}

/* The members of the program's map that tests know of; the rest is carried along. */
struct entry {
	uint32_t state;
	uint32_t created;
	uint8_t rest[4000];
};

void age_fragments(uint32_t jiffies)
{
	uint8_t key[64], *from = NULL;
	struct entry e;

	while (!bpf_map_get_next_key(map_fd("fragments"), from, key)) {
		from = key;
		assert_int_equal(bpf_map_lookup_elem(map_fd("fragments"), key, &e), 0);
		e.created -= jiffies;
		assert_int_equal(bpf_map_update_elem(map_fd("fragments"), key, &e, BPF_EXIST), 0);
	}
}

uint32_t fragments_known(void)
{
	uint8_t key[64], *from = NULL;
	uint32_t n = 0;

	while (!bpf_map_get_next_key(map_fd("fragments"), from, key)) {
		from = key;
		n++;
	}
	return n;
}
