// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 packets that leave in pieces. */
#include <stdio.h>
#include <stdlib.h>

#include "pieces_out.h"

uint32_t rule_between(struct test *t, enum host listen, enum host target)
{
	return rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = listen, .port = 8000, .target = target, .target_port = 9000});
}

void check_left_in_pieces(struct test *t, enum dev dev, const struct pieces *c)
{
	struct tap tap = tap_open_out(dev);
	struct frame want;

	run_sent(t);
	assert_verdict(t, "redirect");
	for (unsigned int i = 0; i + 1 < c->n; i++)
		tap_gets(&tap, &c->p[i]);
	build_frame(&c->p[c->n - 1], &want);
	assert_frame(&want, &t->got);
	tap_close(&tap);
}

bool is_split(struct test *t, const struct packet *in, const struct packet *out, uint32_t step)
{
	struct pieces c = cut(out, step);

	if (t->hook == HOOK_XDP) {
		pass(t, in);
		return false;
	}
	build_frame(in, &t->sent);
	left_in_pieces(t, LAN1, &c);
	return true;
}

struct packet flow_to_narrow(struct test *t, uint32_t *rule)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), out = to_target(&in, NARROW, 9000);

	*rule = rule_between(t, ROUTER, NARROW);
	forward_new(t, *rule, &in, &out);
	return in;
}

void ip(const char *arguments)
{
	char command[128];

	snprintf(command, sizeof(command), "ip %s", arguments);
	assert_int_equal(system(command), 0);
}
