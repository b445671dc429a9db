// SPDX-License-Identifier: GPL-2.0-only
/* Conversations between a client and a target, and how old they are. */
#include <bpf/bpf.h>

#include "maps.h"
#include "talk.h"

struct talk talk_udp(const struct test *t, uint16_t sport)
{
	struct talk k;

	k.in = packet_from(t, CLIENT, ROUTER);
	k.in.sport = sport;
	k.out = to_target(&k.in, TARGET, 9000);
	k.back = answer(&k.out);
	k.got = to_client(&k.back, &k.in);
	return k;
}

struct talk talk_tcp(const struct test *t, uint16_t sport)
{
	struct talk k = talk_udp(t, sport);

	k.in.proto = k.out.proto = k.back.proto = k.got.proto = IPPROTO_TCP;
	return k;
}

void set_tcp_flags(struct talk *k, uint8_t client, uint8_t target)
{
	k->in.tcp_flags = k->out.tcp_flags = client;
	k->back.tcp_flags = k->got.tcp_flags = target;
}

void age(struct test *t, const struct packet *in, uint32_t jiffies)
{
	struct xf_flow flow;

	assert_true(flow_get(t, in, &flow));
	flow.last_seen -= jiffies;
	flow_put(t, in, &flow);
}

void age_both(struct test *t, const struct talk *k, uint32_t jiffies)
{
	struct xf_flow flow;
	struct xf_slot slot;

	age(t, &k->in, jiffies);
	age(t, &k->back, jiffies);
	assert_true(flow_get(t, &k->in, &flow));
	assert_int_equal(bpf_map_lookup_elem(map_fd("slots"), &flow.slot, &slot), 0);
	slot.check_at -= jiffies;
	map_put("slots", &flow.slot, &slot);
}
