// SPDX-License-Identifier: GPL-2.0-only
/* Runs packets through the programs and compares what comes out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "harness.h"
#include "maps.h"

static struct {
	const char *file;
	int line;
} place = {"?", 0};

void at(const char *file, int line)
{
	place.file = file;
	place.line = line;
}

#define fail_here(...)                         \
	do {                                   \
		print_error(__VA_ARGS__);      \
		print_error("\n");             \
		_fail(place.file, place.line); \
	} while (0)

void fail_at(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprint_error(format, args);
	va_end(args);
	print_error("\n");
	_fail(place.file, place.line);
	abort();
}

static enum dev dev_of_mac(const uint8_t mac[6])
{
	for (enum dev d = 0; d < DEVS; d++)
		if (!memcmp(dev_mac(d), mac, 6))
			return d;
	return WAN0; /* not to this machine at link level, or to a group */
}

struct packet packet_from(const struct test *t, enum host from, enum host to)
{
	struct packet p = {
		.family = t->family,
		.proto = IPPROTO_UDP,
		.ttl = 64,
		.saddr = host_addr(from, t->family),
		.daddr = host_addr(to, t->family),
		.sport = 40000,
		.dport = 8000,
		.payload_len = 32,
		.payload_word = 0x1234,
		.seed = 99,
		.seq = CLIENT_SEQ,
		.ack = TARGET_SEQ,
		.tcp_flags = TCP_SYN,
	};

	memcpy(p.smac, host_mac(from), 6);
	memcpy(p.dmac, dev_mac(host_dev(from)), 6);
	return p;
}

struct packet passed_on(const struct packet *in, enum host host)
{
	struct packet out = *in;

	memcpy(out.smac, dev_mac(host_dev(host)), 6);
	memcpy(out.dmac, host_mac(host), 6);
	out.ttl--;
	return out;
}

struct packet to_target(const struct packet *in, enum host target, uint16_t port)
{
	struct packet out = passed_on(in, target);

	out.daddr = host_addr(target, in->family);
	out.dport = port;
	return out;
}

struct packet answer(const struct packet *got)
{
	struct packet p = *got;

	memcpy(p.smac, got->dmac, 6);
	memcpy(p.dmac, got->smac, 6);
	p.saddr = got->daddr;
	p.daddr = got->saddr;
	p.sport = got->dport;
	p.dport = got->sport;
	p.ttl = 64;
	p.seed = got->seed + 1;
	p.seq = got->ack;
	p.ack = got->seq;
	p.payload_len = 77;
	p.tcp_flags = TCP_SYN | TCP_ACK;
	return p;
}

struct packet to_client(const struct packet *answer, const struct packet *asked)
{
	struct packet out = *answer;

	memcpy(out.smac, asked->dmac, 6);
	memcpy(out.dmac, asked->smac, 6);
	out.saddr = asked->daddr;
	out.daddr = asked->saddr;
	out.sport = asked->dport;
	out.dport = asked->sport;
	out.ttl--;
	return out;
}

static void run_xdp(struct test *t, enum dev dev, int times)
{
	struct xdp_md ctx = {.data_end = t->sent.len, .ingress_ifindex = dev_ifindex(dev)};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->sent.data, .data_size_in = t->sent.len,
		    .data_out = t->got.data, .data_size_out = FRAME_MAX, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		    .repeat = times);

	if (bpf_prog_test_run_opts(prog_fd("xf_xdp"), &opts))
		fail_here("BPF_PROG_RUN: %s", strerror(errno));
	t->retval = opts.retval;
	t->got.len = opts.data_size_out;
}

static void run_tc(struct test *t, enum dev dev, int times)
{
	struct __sk_buff ctx = {
		.ifindex = dev_ifindex(dev),
		.ingress_ifindex = dev_ifindex(dev),
		.gso_size = t->gso_size,
		.gso_segs = t->gso_size ? 2 : 0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->sent.data, .data_size_in = t->sent.len,
		    .data_out = t->got.data, .data_size_out = FRAME_MAX, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		    .repeat = times);

	if (bpf_prog_test_run_opts(prog_fd("xf_tc_l2"), &opts))
		fail_here("BPF_PROG_RUN: %s", strerror(errno));
	t->retval = opts.retval;
	t->got.len = opts.data_size_out;
}

void run_often(struct test *t, int times)
{
	enum dev dev = dev_of_mac(t->sent.data);

	maps_tell_changes();
	memset(&t->got, 0, sizeof(t->got));
	if (t->hook == HOOK_XDP)
		run_xdp(t, dev, times);
	else
		run_tc(t, dev, times);
}

void run_sent(struct test *t)
{
	run_often(t, 1);
}

void run(struct test *t, const struct packet *in)
{
	build_frame(in, &t->sent);
	run_sent(t);
}

static const char *verdict_name(const struct test *t)
{
	if (t->hook == HOOK_XDP) {
		static const char *const names[] = {"aborted", "drop", "pass", "tx", "redirect"};

		return t->retval <= XDP_REDIRECT ? names[t->retval] : "unknown";
	}
	switch ((int)t->retval) {
	case TC_ACT_UNSPEC:
		return "pass";
	case TC_ACT_SHOT:
		return "drop";
	case TC_ACT_REDIRECT:
		return "redirect";
	default:
		return "unknown";
	}
}

void check_verdict(const struct test *t, const char *want)
{
	if (strcmp(verdict_name(t), want))
		fail_here("verdict %s (%d) instead of %s", verdict_name(t), (int)t->retval, want);
}

static void print_row(const char *name, const struct frame *f, uint32_t row)
{
	print_error("%s %04x ", name, row);
	for (uint32_t i = row; i < row + 16 && i < f->len; i++)
		print_error(" %02x", f->data[i]);
	print_error("\n");
}

static void print_difference(const struct frame *want, const struct frame *got)
{
	uint32_t longest = want->len > got->len ? want->len : got->len;

	for (uint32_t row = 0; row < longest; row += 16) {
		if (!memcmp(want->data + row, got->data + row, 16)) {
			print_row("   ", want, row);
			continue;
		}
		print_row("  -", want, row);
		print_row("  +", got, row);
	}
}

void check_frame(const struct frame *want, const struct frame *got)
{
	uint32_t at = 0;

	while (at < want->len && at < got->len && want->data[at] == got->data[at])
		at++;
	if (at == want->len && at == got->len)
		return;
	print_difference(want, got);
	fail_here("%u octets expected (-), %u came out (+), first difference at offset %u", want->len, got->len, at);
}

static void run_and_compare(struct test *t, const struct packet *in, const struct packet *out)
{
	struct frame want;

	run(t, in);
	check_verdict(t, "redirect");
	build_frame(out, &want);
	check_frame(&want, &t->got);
}

void check_forward(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out)
{
	run_and_compare(t, in, out);
	ledger_in(t, rule, in);
}

void check_forward_new(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out)
{
	check_forward(t, rule, in, out);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
}

void check_reply(struct test *t, uint32_t rule, const struct packet *in, const struct packet *out)
{
	run_and_compare(t, in, out);
	ledger_out(t, rule, in);
}

void check_pass(struct test *t, const struct packet *in)
{
	run(t, in);
	check_verdict(t, "pass");
	check_frame(&t->sent, &t->got);
}

void check_drop(struct test *t, uint32_t rule, enum xf_reason reason, const struct packet *in)
{
	run(t, in);
	check_verdict(t, "drop");
	if (rule == NO_RULE)
		t->ledger.drops[reason]++;
	else
		t->ledger.rule_drops[rule][reason]++;
}

uint64_t clock_jiffies(void)
{
	struct xf_clock clock = {0};
	uint8_t in[64] = {0}, out[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = sizeof(in), .data_out = out,
		    .data_size_out = sizeof(out));

	if (bpf_prog_test_run_opts(prog_fd("xf_clock"), &opts))
		fail_here("BPF_PROG_RUN of xf_clock: %s", strerror(errno));
	memcpy(&clock, out, sizeof(clock));
	assert_true(clock.jiffies && clock.monotonic_ns);
	return clock.jiffies;
}
