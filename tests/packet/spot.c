// SPDX-License-Identifier: GPL-2.0-only
/* Programs at a place of one's choice, and rules whose target is this machine. */
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "maps.h"
#include "spot.h"

#define LOOPBACK_IFINDEX 1

struct spot ingress_of(enum dev dev)
{
	return (struct spot){.prog = "xf_tc_l2", .ifindex = dev_ifindex(dev), .came_by = dev_ifindex(dev)};
}

struct spot egress_of(enum dev dev)
{
	return (struct spot){.prog = "xf_tc_out_l2", .ifindex = dev_ifindex(dev)};
}

struct spot loopback_ingress(void)
{
	return (struct spot){.prog = "xf_tc_l2", .ifindex = LOOPBACK_IFINDEX, .came_by = LOOPBACK_IFINDEX};
}

struct spot loopback_egress(void)
{
	return (struct spot){.prog = "xf_tc_out_l2", .ifindex = LOOPBACK_IFINDEX};
}

void run_sent_at(struct test *t, const struct spot *spot)
{
	struct __sk_buff ctx = {
		.ifindex = spot->ifindex,
		.ingress_ifindex = spot->came_by,
		.gso_size = t->gso_size,
		.gso_segs = t->gso_size ? 2 : 0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->sent.data, .data_size_in = t->sent.len,
		    .data_out = t->got.data, .data_size_out = FRAME_MAX, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	memset(&t->got, 0, sizeof(t->got));
	assert_int_equal(bpf_prog_test_run_opts(prog_fd(spot->prog), &opts), 0);
	t->retval = opts.retval;
	t->got.len = opts.data_size_out;
}

void run_at(struct test *t, const struct spot *spot, const struct packet *in)
{
	build_frame(in, &t->sent);
	run_sent_at(t, spot);
}

void check_outcome(struct test *t, const char *verdict, const struct packet *out)
{
	struct frame want;

	check_verdict(t, verdict);
	build_frame(out, &want);
	check_frame(&want, &t->got);
}

void check_pass_at(struct test *t, const struct spot *spot, const struct packet *in)
{
	run_at(t, spot, in);
	check_outcome(t, "pass", in);
}

void count_new(struct test *t, uint32_t rule)
{
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

uint32_t rule_local(struct test *t, enum host target)
{
	return rule_add(t, &(struct rule){
				   .kind = XF_LISTEN_ADDR,
				   .host = ROUTER,
				   .port = 8000,
				   .target = target,
				   .target_port = 9000,
				   .flags = XF_RULE_LOCAL,
			   });
}

struct packet delivered(const struct packet *in, enum host target)
{
	struct packet out = *in;

	out.daddr = host_addr(target, in->family);
	out.dport = 9000;
	/* IPv6's loopback is reached by way of lo only. */
	if (target == LOOPBACK && in->family == XF_IPV6)
		memset(out.dmac, 0, 6);
	return out;
}

void check_delivered(struct test *t, uint32_t rule, const struct packet *in, enum host target)
{
	struct packet out = delivered(in, target);

	run(t, in);
	check_outcome(t, memcmp(out.dmac, in->dmac, 6) ? "redirect" : "pass", &out);
	ledger_in(t, rule, in);
}

struct packet local_answer(const struct packet *in, enum host target)
{
	struct packet got = delivered(in, target);

	memcpy(got.dmac, in->dmac, 6);
	return answer(&got);
}

struct packet as_the_client_knows(const struct packet *answer, const struct packet *asked)
{
	struct packet out = *answer;

	out.saddr = asked->daddr;
	out.sport = asked->dport;
	return out;
}
