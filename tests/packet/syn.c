// SPDX-License-Identifier: GPL-2.0-only
/* Rules under a flood of SYNs, the answers that newcomers get, and their resets. */
#include <string.h>
#include <bpf/bpf.h>

#include "maps.h"
#include "syn.h"
#include "xdpfwd/policy.h"

#define DISTANCE 0x40000000u

void set_threshold(struct test *t, uint32_t rule, uint32_t threshold)
{
	struct xf_policy policy = {.syn_threshold = threshold};
	struct xf_rule r;

	rule_get(t, rule, &r);
	r.flags |= XF_RULE_POLICY;
	rule_put(t, rule, &r);
	map_put("policies", &rule, &policy);
}

void half_open(struct test *t, uint32_t rule, const struct packet *in, uint32_t n)
{
	struct packet one = *in, out;

	one.saddr = host_addr(CLIENT2, t->family);
	memcpy(one.smac, host_mac(CLIENT2), 6);
	for (uint32_t i = 0; i < n; i++) {
		one.sport = in->sport + i;
		out = syn_out(&one);
		forward_new(t, rule, &one, &out);
	}
}

uint32_t rule_flooded(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct packet in = syn(t, 60000);

	set_threshold(t, rule, 3);
	half_open(t, rule, &in, 3);
	return rule;
}

/* By a tick rate under which it is so many seconds and a half since boot. */
void set_second(struct test *t, uint32_t second)
{
	t->config.hz = 2 * clock_jiffies() / (2 * second + 1);
	config_put(t);
}

struct packet syn(const struct test *t, uint16_t sport)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	in.proto = IPPROTO_TCP;
	in.tcp_flags = TCP_SYN;
	in.sport = sport;
	in.payload_len = 0;
	in.tcp_options = 20;
	in.seq = 0x12345678u * sport;
	return in;
}

struct packet syn_out(const struct packet *in)
{
	return to_target(in, TARGET, 9000);
}

struct packet reset(const struct packet *in, uint32_t number)
{
	struct packet p = *in;

	p.tcp_flags = TCP_RST;
	p.tcp_options = 0;
	p.payload_len = 0;
	p.seq = number;
	p.ack = 0;
	return p;
}

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = v >> 8;
	at[1] = v;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void put_sum(uint8_t *at, uint32_t sum, const uint8_t *from, uint32_t len)
{
	put16(at, 0);
	put16(at, (uint16_t)~sum_fold(sum_octets(sum, from, len)));
}

static void build_answer(const struct packet *in, uint32_t number, struct frame *f)
{
	uint32_t ip_len = in->family == XF_IPV4 ? IPV4_HEADER : IPV6_HEADER, addr = in->family == XF_IPV4 ? 4 : 16;
	uint8_t *ip = f->data + ETH_HEADER, *tcp = ip + ip_len, *pair;

	memset(f, 0, sizeof(*f));
	f->len = ETH_HEADER + ip_len + TCP_HEADER;
	memcpy(f->data, in->smac, 6);
	memcpy(f->data + 6, in->dmac, 6);
	put16(f->data + 12, in->family == XF_IPV4 ? 0x0800 : 0x86dd);
	pair = in->family == XF_IPV4 ? ip + 12 : ip + 8;
	memcpy(pair, &in->daddr, addr);
	memcpy(pair + addr, &in->saddr, addr);
	put16(tcp, in->dport);
	put16(tcp + 2, in->sport);
	put16(tcp + 8, number >> 16);
	put16(tcp + 10, number);
	put16(tcp + 12, 5 << 12 | TCP_ACK);
	put_sum(tcp + 16, sum_octets(IPPROTO_TCP + TCP_HEADER, pair, 2 * addr), tcp, TCP_HEADER);
	if (in->family == XF_IPV6) {
		put16(ip, 0x6000);
		put16(ip + 4, TCP_HEADER);
		put16(ip + 6, IPPROTO_TCP << 8 | 64);
		return;
	}
	put16(ip, 0x4500);
	put16(ip + 2, IPV4_HEADER + TCP_HEADER);
	put16(ip + 6, 0x4000);
	put16(ip + 8, 64 << 8 | IPPROTO_TCP);
	put_sum(ip + 10, 0, ip, IPV4_HEADER);
}

uint32_t check_challenged(struct test *t, uint32_t rule, const struct packet *in)
{
	const uint8_t *tcp = t->got.data + ETH_HEADER + (t->family == XF_IPV4 ? IPV4_HEADER : IPV6_HEADER);
	struct frame want;
	uint32_t number;

	run(t, in);
	check_verdict(t, "redirect");
	number = get32(tcp + 8);
	build_answer(in, number, &want);
	check_frame(&want, &t->got);
	if (in->seq - 1 - number < DISTANCE || in->seq - 1 - number >= 2 * DISTANCE)
		fail_msg("%u is not old to who sends %u", number, in->seq - 1);
	t->ledger.rule_drops[rule][XF_REASON_SYN_CHALLENGED]++;
	return number;
}

void check_not_proven(struct test *t, uint32_t rule, const struct packet *in)
{
	check_pass(t, in);
	if (t->hook == HOOK_TC)
		t->ledger.rule_drops[rule][XF_REASON_NO_FLOW]++;
}

void expire_proofs(void)
{
	struct xf_source_key key;
	struct xf_syn_proof proof;

	assert_int_equal(bpf_map_get_next_key(map_fd("syn_proofs"), NULL, &key), 0);
	do {
		assert_int_equal(bpf_map_lookup_elem(map_fd("syn_proofs"), &key, &proof), 0);
		proof.until = clock_jiffies();
		map_put("syn_proofs", &key, &proof);
	} while (!bpf_map_get_next_key(map_fd("syn_proofs"), &key, &key));
}
