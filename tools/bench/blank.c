// SPDX-License-Identifier: GPL-2.0-only
#include "blank.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/bpf_endian.h>
#include <linux/tcp.h>

static uint32_t sum_words(const void *data, size_t size)
{
	const uint8_t *octets = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)octets[i] << 8 | octets[i + 1];
	return sum;
}

static void put_ethernet(void *at, const struct port *from, const struct port *to, uint16_t type)
{
	struct ethhdr eth = {.h_proto = bpf_htons(type)};

	memcpy(eth.h_dest, to->mac, sizeof(to->mac));
	memcpy(eth.h_source, from->mac, sizeof(from->mac));
	memcpy(at, &eth, sizeof(eth));
}

static void put_ipv4(void *at, uint8_t protocol, size_t l4_len)
{
	const struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof(ip) + l4_len),
		.frag_off = bpf_htons(0x4000), /* don't fragment */
		.ttl = BENCH_TTL,
		.protocol = protocol,
	};

	memcpy(at, &ip, sizeof(ip));
}

static void put_ipv6(void *at, uint8_t protocol, size_t l4_len)
{
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = bpf_htons(l4_len),
		.nexthdr = protocol,
		.hop_limit = BENCH_TTL,
	};

	ip.saddr.in6_u.u6_addr32[0] = bpf_htonl(BENCH_PREFIX);
	ip.daddr.in6_u.u6_addr32[0] = bpf_htonl(BENCH_PREFIX);
	memcpy(at, &ip, sizeof(ip));
}

static void put_l4(void *at, const struct bench_kind *kind, size_t l4_len)
{
	if (kind->tcp) {
		/* The same in both directions, so that turning a packet round makes a sensible answer. */
		struct tcphdr tcp = {.seq = bpf_htonl(1), .ack_seq = bpf_htonl(1), .doff = 5, .window = 0xffff};

		((uint8_t *)&tcp)[13] = kind->tcp_flags;
		memcpy(at, &tcp, sizeof(tcp));
	} else {
		const struct udphdr udp = {.len = bpf_htons(l4_len)};

		memcpy(at, &udp, sizeof(udp));
	}
}

struct bench_blank blank_make(const struct bench_kind *kind, const struct port *from, const struct port *to)
{
	const struct bench_tag tag = {.magic = bpf_htonl(BENCH_MAGIC)};
	const uint8_t protocol = kind->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	const size_t ip_at = BENCH_IP_AT, l4_at = BENCH_L4_AT(kind->ipv6);
	const size_t l4_len = BENCH_SIZE(kind->ipv6, kind->tcp) - l4_at;
	uint8_t frame[BENCH_MAX_SIZE] = {0};
	struct bench_blank blank = {0};

	put_ethernet(frame, from, to, kind->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	if (kind->ipv6)
		put_ipv6(frame + ip_at, protocol, l4_len);
	else
		put_ipv4(frame + ip_at, protocol, l4_len);
	put_l4(frame + l4_at, kind, l4_len);
	memcpy(frame + BENCH_TAG_AT(kind->ipv6, kind->tcp), &tag, sizeof(tag));
	memcpy(blank.words, frame, sizeof(frame));
	blank.ip_sum = kind->ipv6 ? 0 : sum_words(frame + ip_at, sizeof(struct iphdr));
	blank.l4_sum = sum_words(frame + l4_at, l4_len) + protocol + (uint32_t)l4_len;
	if (kind->ipv6)
		blank.l4_sum += 2 * (BENCH_PREFIX >> 16) + 2 * (BENCH_PREFIX & 0xffff);
	return blank;
}
