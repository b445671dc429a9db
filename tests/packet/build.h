/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets as tests state them, and the octets that they are on the wire. All
 * lengths and checksums are computed here from scratch, by code that shares
 * nothing with bpf/: what the programs reach by difference must equal it.
 */
#ifndef XDPFWD_TESTS_PACKET_BUILD_H
#define XDPFWD_TESTS_PACKET_BUILD_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

#include "xdpfwd/abi.h"

#define FRAME_MAX   9100
#define ETH_HEADER  14
#define EXT_MAX	    4
#define TCP_HEADER  20
#define UDP_HEADER  8
#define IPV4_HEADER 20
#define IPV6_HEADER 40

struct frame {
	uint32_t len;
	uint8_t data[FRAME_MAX];
};

enum csum_kind {
	CSUM_RIGHT,
	CSUM_PSEUDO, /* only the pseudo header's sum, as CHECKSUM_PARTIAL leaves it */
	CSUM_NONE,   /* UDP: zero, "not computed" */
};

#define DONT_FRAGMENT 0x4000 /* in packet.frag, of IPv4 */

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* An IPv6 extension header: its type and its length in units of 8 octets. */
struct ext {
	uint8_t type;
	uint8_t units;
};

/* What a packet says. A field that a test leaves zero gets the sane value. */
struct packet {
	uint8_t dmac[6];
	uint8_t smac[6];
	uint16_t ethertype; /* 0: that of the family */
	uint16_t vlan;	    /* 0: no tag */
	uint8_t family;	    /* XF_IPV4 or XF_IPV6 */
	uint8_t proto;
	uint8_t ttl;
	uint8_t tos;
	union xf_addr saddr;
	union xf_addr daddr;
	uint16_t sport;
	uint16_t dport;
	uint32_t seq; /* TCP: of the first octet of payload; a SYN stands one before it */
	uint32_t ack;
	uint8_t tcp_flags;
	uint8_t tcp_reserved; /* the four bits before the flags */
	uint16_t tcp_urgent;
	bool tcp_window_closed;
	uint8_t options; /* octets of IPv4 options, a multiple of 4 */
	uint8_t tcp_options;
	uint8_t n_ext;
	struct ext ext[EXT_MAX];
	uint8_t segments_left; /* of routing headers */
	uint16_t frag;	       /* IPv4: flags and offset; IPv6: those of the fragment header, if there is one */
	uint16_t piece_len;    /* a fragment of so many octets; 0: a whole packet */
	uint16_t piece_off;    /* and from there on; in IPv6 counted from behind the fragment header in ext */
	uint16_t payload_len;
	uint16_t payload_word; /* its first two octets; the others follow from seed */
	uint32_t seed;
	enum csum_kind csum;
	uint16_t csum_error; /* added to the right checksum: a packet that was broken before it came to us */
	uint16_t trailer;    /* octets behind the IP packet, as short frames have */
	/* lies */
	int ip_len_add;
	int udp_len_add;
	uint8_t tcp_doff; /* 0: the true one */
	uint8_t ihl;	  /* 0: the true one */
	uint8_t version;  /* 0: the true one */
	bool piece_more;  /* a last fragment that says that there are more, and the other way round */
	uint16_t cut;	  /* octets that are missing at the end of the frame */
};

void build_frame(const struct packet *p, struct frame *f);

/* The IP packet's octets: what counters count. */
uint32_t packet_ip_len(const struct packet *p);

/* Before it is fragmented; how much of that each fragment has anew; and the rest, which is divided among them. */
uint32_t packet_whole_len(const struct packet *p);
uint32_t packet_piece_headers(const struct packet *p);
uint32_t packet_pieces_len(const struct packet *p);

/* Cuts a whole frame, whose IP header is at `ip`, down to the fragment that is asked for. */
void cut_piece(const struct packet *p, struct frame *f, uint32_t ip);

/* The TCP or UDP checksum that build_frame() writes, in host order. */
uint16_t packet_checksum(const struct packet *p);

/* Chooses the payload's first word so that the transport checksum becomes this, before UDP's rule for 0. */
void packet_make_checksum(struct packet *p, uint16_t checksum);
void packet_make_checksum_zero(struct packet *p);

/* Sum in one's complement of octets as big-endian words, not folded; len may be odd only in the last call. */
uint32_t sum_octets(uint32_t sum, const void *octets, uint32_t len);
uint16_t sum_fold(uint32_t sum);

#endif
