/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses, ports and endpoints as text, and back. Pure: no system call, no
 * terminal. Every parser takes the whole string or refuses it: "80abc" is not 80.
 */
#ifndef XDPFWD_USER_ADDR_H
#define XDPFWD_USER_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdpfwd/abi.h"
#include "xdpfwd/follow.h"

/* One line that says what is wrong: filled on failure by whoever knows the value. */
struct xf_error {
	char text[320];
};

/*
 * Formats into err->text and returns -1, so that a caller can `return xf_fail(err, ...)`.
 * err may be NULL, and err->text may be among the arguments. What is not printable
 * UTF-8 becomes '?': an error is one line, also when it quotes a hostile value.
 */
int xf_fail(struct xf_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Octets of the UTF-8 character at text; 0 if it is malformed, a control character, or the NUL. */
size_t xf_utf8_printable(const char *text);

/* An address and its family; family 0 means "none". */
struct xf_address {
	uint8_t family; /* 0, XF_IPV4 or XF_IPV6 */
	union xf_addr addr;
};

/* Host byte order; a single port has lo == hi. */
struct xf_port_range {
	uint16_t lo;
	uint16_t hi;
};

struct xf_listen {
	enum xf_listen_kind kind;
	struct xf_address addr;	    /* XF_LISTEN_ADDR */
	char ifname[XF_IFNAME_LEN]; /* XF_LISTEN_IFACE */
	struct xf_port_range ports;
};

struct xf_target {
	struct xf_address addr; /* of a host name: as it is resolved; all zero but perhaps the family: not yet */
	uint16_t port;		/* host order; of a range, where its first port goes. 0: the same port */
	char host[XF_HOST_LEN]; /* empty: an address was given */
};

/* Room for any text that the *_format functions write. */
#define XF_ENDPOINT_STRLEN (XF_HOST_LEN + 16)

/* All return 0, or -1 with err filled. They never read past the NUL and change *out only on success. */
int xf_u32_parse(const char *text, uint32_t min, uint32_t max, uint32_t *out, struct xf_error *err);
int xf_address_parse(const char *text, struct xf_address *out, struct xf_error *err);
int xf_ports_parse(const char *text, struct xf_port_range *out, struct xf_error *err);
int xf_listen_parse(const char *text, struct xf_listen *out, struct xf_error *err);
int xf_target_parse(const char *text, struct xf_target *out, struct xf_error *err);
/* Letters, digits, '-', '_' and dots, as names in DNS are; and no IPv4 address, not even a part of one. */
int xf_host_check(const char *name, struct xf_error *err);
/* "tcp", "udp" or "tcp+udp" to XF_PROTO_* bits. */
int xf_protos_parse(const char *text, uint8_t *out, struct xf_error *err);

/* What the kernel takes as an interface's name, less what no one could print. */
bool xf_ifname_is_valid(const char *name);
/* 127/8 or ::1. */
bool xf_address_is_loopback(const struct xf_address *a);
bool xf_address_equal(const struct xf_address *a, const struct xf_address *b);
/* 0/8, ::, loopback, multicast, broadcast, 240/4 or fe80::/10: nothing that traffic can be forwarded to. */
bool xf_address_is_unusable(const struct xf_address *a);
/* "is a multicast address" and so on, to follow the address in an error; NULL: it is usable. */
const char *xf_address_unusable_why(const struct xf_address *a);
bool xf_ports_overlap(struct xf_port_range a, struct xf_port_range b);
uint32_t xf_ports_count(struct xf_port_range r);

/* Write the contract's spelling ("[2001:db8::1]:443", ":443", "eth0:1-9"); return buf. */
const char *xf_address_format(const struct xf_address *a, char *buf, size_t len);
const char *xf_ports_format(struct xf_port_range r, char *buf, size_t len);
const char *xf_listen_format(const struct xf_listen *l, char *buf, size_t len);
const char *xf_target_format(const struct xf_target *t, char *buf, size_t len);
/* ADDR:PORT or [ADDR6]:PORT; port in host order. */
const char *xf_endpoint_format(const struct xf_address *a, uint16_t port, char *buf, size_t len);
const char *xf_protos_format(uint8_t protos);

#endif
