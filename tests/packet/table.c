// SPDX-License-Identifier: GPL-2.0-only
/* The flow table seen from above: states, slots, counts, and the sweeper. */
#include <string.h>
#include <bpf/bpf.h>

#include "maps.h"
#include "table.h"

void check_states_are(struct test *t, const struct talk *k, uint8_t state)
{
	struct xf_flow client, target;

	if (!flow_get(t, &k->in, &client) || !flow_get(t, &k->back, &target))
		fail_at("there is no such flow");
	if (client.state != state || target.state != state)
		fail_at("states %u and %u instead of %u", client.state, target.state, state);
}

bool is_there(struct test *t, const struct packet *in)
{
	struct xf_flow flow;

	return flow_get(t, in, &flow);
}

struct xf_slot slot_of(struct test *t, const struct packet *in)
{
	struct xf_flow flow;
	struct xf_slot slot;

	assert_true(flow_get(t, in, &flow));
	assert_int_equal(bpf_map_lookup_elem(map_fd("slots"), &flow.slot, &slot), 0);
	return slot;
}

void slot_put(struct test *t, const struct packet *in, const struct xf_slot *slot)
{
	struct xf_flow flow;

	assert_true(flow_get(t, in, &flow));
	map_put("slots", &flow.slot, slot);
}

struct xf_cursor cursor_get(void)
{
	struct xf_cursor cursor;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(map_fd("cursor"), &zero, &cursor), 0);
	return cursor;
}

void cursor_put(const struct xf_cursor *cursor)
{
	uint32_t zero = 0;

	map_put("cursor", &zero, cursor);
}

uint32_t sweep_now(void)
{
	uint8_t in[64] = {0}, out[64];
	struct xf_sweep_request request = {.flags = XF_SWEEP_ALL};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = sizeof(in), .data_out = out,
		    .data_size_out = sizeof(out));

	memcpy(in, &request, sizeof(request));
	assert_int_equal(bpf_prog_test_run_opts(prog_fd("xf_sweep"), &opts), 0);
	memcpy(&request, out, sizeof(request));
	return request.ended;
}

void check_sweep(struct test *t, uint32_t ended)
{
	uint32_t n = sweep_now();

	if (n != ended)
		fail_at("the sweeper ended %u flows instead of %u", n, ended);
	t->ledger.flows -= n;
}

void set_max_flows(struct test *t, uint32_t n)
{
	t->config.max_flows = n;
	config_put(t);
}

void make_pending(struct test *t, uint32_t rule, const struct talk *k)
{
	check_forward_new(t, rule, &k->in, &k->out);
}

void make_established(struct test *t, uint32_t rule, struct talk *k)
{
	set_tcp_flags(k, TCP_SYN, TCP_SYN | TCP_ACK);
	check_forward_new(t, rule, &k->in, &k->out);
	check_reply(t, rule, &k->back, &k->got);
	set_tcp_flags(k, TCP_ACK, TCP_ACK);
	check_forward(t, rule, &k->in, &k->out);
	states_are(t, k, XF_FLOW_ESTABLISHED);
}

void make_closed(struct test *t, uint32_t rule, struct talk *k)
{
	make_established(t, rule, k);
	set_tcp_flags(k, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK);
	check_forward(t, rule, &k->in, &k->out);
	check_reply(t, rule, &k->back, &k->got);
	states_are(t, k, XF_FLOW_CLOSED);
	set_tcp_flags(k, TCP_SYN, TCP_SYN | TCP_ACK);
}

void goes_on(struct test *t, uint32_t rule, const struct talk *k)
{
	check_forward(t, rule, &k->in, &k->out);
	check_reply(t, rule, &k->back, &k->got);
	states_are(t, k, XF_FLOW_ESTABLISHED);
}

struct talk talk_masqueraded(const struct test *t, enum host client, uint8_t proto, uint16_t port)
{
	struct talk k = {.in = packet_from(t, client, ROUTER)};

	k.in.proto = proto;
	k.out = to_target(&k.in, TARGET, 9000);
	k.out.saddr = host_addr(ROUTER_LAN, t->family);
	k.out.sport = port;
	k.back = answer(&k.out);
	k.got = to_client(&k.back, &k.in);
	return k;
}
