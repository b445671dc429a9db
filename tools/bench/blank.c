// SPDX-License-Identifier: GPL-2.0-only
#include "blank.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/bpf_endian.h>

static uint32_t sum_words(const void *data, size_t size)
{
	const uint8_t *octets = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)octets[i] << 8 | octets[i + 1];
	return sum;
}

static struct ethhdr ethernet(const struct port *from, const struct port *to, uint16_t type)
{
	struct ethhdr eth = {.h_proto = bpf_htons(type)};

	memcpy(eth.h_dest, to->mac, sizeof(to->mac));
	memcpy(eth.h_source, from->mac, sizeof(from->mac));
	return eth;
}

struct bench_blank blank_ipv4(const struct port *from, const struct port *to)
{
	const uint16_t udp_len = sizeof(struct bench_frame) - offsetof(struct bench_frame, udp);
	const struct bench_frame frame = {
		.eth = ethernet(from, to, ETH_P_IP),
		.ip =
			{
				.version = 4,
				.ihl = 5,
				.tot_len = bpf_htons(sizeof(frame) - sizeof(frame.eth)),
				.frag_off = bpf_htons(0x4000), /* don't fragment */
				.ttl = BENCH_TTL,
				.protocol = IPPROTO_UDP,
			},
		.udp.len = bpf_htons(udp_len),
		.tag.magic = bpf_htonl(BENCH_MAGIC),
	};
	struct bench_blank blank = {
		.ip_sum = sum_words(&frame.ip, sizeof(frame.ip)),
		.udp_sum = sum_words(&frame.udp, udp_len) + IPPROTO_UDP + udp_len,
	};

	memcpy(blank.words, &frame, sizeof(frame));
	return blank;
}

struct bench_blank blank_ipv6(const struct port *from, const struct port *to)
{
	const uint16_t udp_len = sizeof(struct bench_frame6) - offsetof(struct bench_frame6, udp);
	struct bench_frame6 frame = {
		.eth = ethernet(from, to, ETH_P_IPV6),
		.ip =
			{
				.version = 6,
				.payload_len = bpf_htons(udp_len),
				.nexthdr = IPPROTO_UDP,
				.hop_limit = BENCH_TTL,
			},
		.udp.len = bpf_htons(udp_len),
		.tag.magic = bpf_htonl(BENCH_MAGIC),
	};
	struct bench_blank blank;

	frame.ip.saddr.in6_u.u6_addr32[0] = bpf_htonl(BENCH_PREFIX);
	frame.ip.daddr.in6_u.u6_addr32[0] = bpf_htonl(BENCH_PREFIX);
	memcpy(blank.words, &frame, sizeof(frame));
	blank.ip_sum = 0; /* IPv6 has none */
	blank.udp_sum = sum_words(&frame.ip.saddr, 2 * sizeof(frame.ip.saddr)) + sum_words(&frame.udp, udp_len) +
			IPPROTO_UDP + udp_len;
	return blank;
}
