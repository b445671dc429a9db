// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both tiers at once on all CPUs: packets of few flows, in a small table, under
 * rules with small limits that change all the time. What comes out of it is
 * nobody's to foretell; but when it is over, the table must be in order, and
 * when its flows have ended, empty. STRESS_SEED chooses other packets, and
 * STRESS_PACKETS how many each thread sends.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "maps.h"
#include "policy.h"
#include "rest.h"
#include "table.h"

#define THREADS		    4
#define PACKETS		    8000
#define RULES		    6
#define SPORTS		    6
#define TABLE		    32
#define PORTS		    12
#define LIFE		    30 /* jiffies: flows of that age are over */
#define MAX_FLOWS_OF_RULE   5
#define MAX_FLOWS_OF_SOURCE 3

struct thread {
	pthread_t id;
	const struct test *t;
	uint64_t rng;
	uint32_t number;
	uint32_t packets;
	uint32_t failures; /* of BPF_PROG_RUN */
};

static uint32_t rnd(struct thread *w, uint32_t n)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return (w->rng >> 32) % n;
}

/* Rules in pairs: without and with limits; preserving, masquerading, and masquerading towards the same target. */
static void make_rules(struct test *t)
{
	static const struct xf_policy limits = {
		.max_flows = MAX_FLOWS_OF_RULE,
		.max_flows_per_source = MAX_FLOWS_OF_SOURCE,
		.timeout = {LIFE, LIFE, LIFE, LIFE},
	};

	for (int i = 0; i < RULES; i++) {
		uint32_t id = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
							 .host = ROUTER,
							 .port = 8000 + i,
							 .target = TARGET,
							 .target_port = i < 2 ? 9000 + i : 9000,
							 .source = i < 2 ? XF_SOURCE_PRESERVE : XF_SOURCE_MASQUERADE,
							 .masquerade = i < 2 ? 0 : ROUTER_LAN});

		if (i & 1)
			policy_put(t, id, &limits);
	}
}

/* ---- packets */

static void run_on(struct thread *w, enum hook hook, const struct packet *p)
{
	struct frame frame;
	uint8_t out[FRAME_MAX];
	uint32_t ifindex = dev_ifindex(memcmp(p->dmac, dev_mac(LAN0), 6) ? WAN0 : LAN0);
	struct __sk_buff skb = {.ifindex = ifindex, .ingress_ifindex = ifindex};
	struct xdp_md xdp = {.ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .data_out = out, .data_size_out = sizeof(out));

	build_frame(p, &frame);
	opts.data_size_in = frame.len;
	xdp.data_end = frame.len;
	opts.ctx_in = hook == HOOK_XDP ? (void *)&xdp : &skb;
	opts.ctx_size_in = hook == HOOK_XDP ? sizeof(xdp) : sizeof(skb);
	if (bpf_prog_test_run_opts(prog_fd(hook == HOOK_XDP ? "xf_xdp" : "xf_tc_l2"), &opts))
		w->failures++;
}

static struct packet client_packet(struct thread *w)
{
	static const uint8_t flags[] = {TCP_SYN,	   TCP_SYN, TCP_ACK, TCP_ACK,
					TCP_ACK | TCP_FIN, TCP_RST, TCP_ACK, TCP_SYN | TCP_ACK};
	struct packet p = packet_from(w->t, rnd(w, 2) ? CLIENT : CLIENT2, ROUTER);

	p.proto = rnd(w, 2) ? IPPROTO_TCP : IPPROTO_UDP;
	p.sport = 40000 + rnd(w, SPORTS);
	p.dport = 8000 + rnd(w, RULES);
	p.tcp_flags = flags[rnd(w, sizeof(flags))];
	if (!rnd(w, 16))
		p.seq += rnd(w, 0x7fffffff);
	if (!rnd(w, 16))
		p.ack += rnd(w, 0x7fffffff);
	return p;
}

/* What the target answers to that, if there is such a flow; the port that it knows the client by is the flow's. */
static bool target_packet(struct thread *w, const struct packet *in, struct packet *back)
{
	static const uint8_t flags[] = {TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK,
					TCP_ACK | TCP_FIN, TCP_RST | TCP_ACK, TCP_ACK, TCP_SYN};
	struct test t = {.family = w->t->family};
	struct xf_flow flow;
	struct packet out;

	if (!flow_get(&t, in, &flow))
		return false;
	out = to_target(in, TARGET, be16toh(flow.dport));
	memcpy(&out.saddr, flow_from(&t, &flow), addr_len(&t));
	out.sport = be16toh(flow.sport);
	*back = answer(&out);
	back->tcp_flags = flags[rnd(w, sizeof(flags))];
	return true;
}

/* The threads meet only if they run at the same time: each on its CPU, and before all that is not as urgent. */
static void take_a_cpu(const struct thread *w)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->number % (cpus > 0 ? cpus : 1), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	setpriority(PRIO_PROCESS, gettid(), -19);
}

static void *traffic(void *arg)
{
	struct thread *w = arg;

	take_a_cpu(w);
	for (uint32_t i = 0; i < w->packets; i++) {
		struct packet in = client_packet(w), back;
		enum hook hook = rnd(w, 2) ? HOOK_XDP : HOOK_TC;

		if (rnd(w, 2) && target_packet(w, &in, &back))
			run_on(w, hook, &back);
		else
			run_on(w, hook, &in);
	}
	return NULL;
}

/* ---- what goes on beside it */

static void change_a_rule(struct test *t, struct thread *w, uint32_t *given)
{
	uint32_t id = rnd(w, RULES);
	struct xf_rule rule;

	rule_get(t, id, &rule);
	if (rnd(w, 4))
		rule.flags ^= rnd(w, 4) ? 0 : XF_RULE_DISABLED;
	else
		rule.tag = XF_RULE_TAG(id, 100 + (*given)++ % 1000);
	if (rule.flags & XF_RULE_DISABLED && rnd(w, 2))
		rule.flags &= ~XF_RULE_DISABLED;
	rule_put(t, id, &rule);
}

static void end_all(struct test *t)
{
	for (uint32_t id = 0; id < RULES; id++) {
		struct xf_rule rule;

		rule_get(t, id, &rule);
		rule.tag = XF_RULE_TAG(id, 4000);
		rule_put(t, id, &rule);
	}
	sweep_now();
	assert_int_equal(flow_entries(t, XF_IPV4) + flow_entries(t, XF_IPV6), 0);
	check_at_rest(t);
}

static uint32_t env_number(const char *name, uint32_t otherwise)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : otherwise;
}

static void everything_at_once(struct test *t)
{
	uint32_t seed = env_number("STRESS_SEED", clock_jiffies()), given = 0;
	struct thread threads[THREADS], own = {.t = t, .rng = seed * 2654435761u + 88172645463325252ull};

	print_message("STRESS_SEED=%u\n", seed);
	t->config.max_flows = TABLE;
	t->config.port_hi = PORT_LO + PORTS - 1;
	t->config.hz = 1; /* closed connections rest for 120 jiffies */
	for (int i = 0; i < XF_TIMEOUT_COUNT; i++)
		t->config.timeout[i] = LIFE * (i + 2);
	config_put(t);
	make_rules(t);
	for (int i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){.t = t, .number = i, .packets = env_number("STRESS_PACKETS", PACKETS)};
		threads[i].rng = own.rng + (i + 1) * 0x9e3779b97f4a7c15ull;
		assert_int_equal(pthread_create(&threads[i].id, NULL, traffic, &threads[i]), 0);
	}
	for (uint32_t i = 0; i < threads[0].packets / 8; i++) {
		change_a_rule(t, &own, &given);
		sweep_now();
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i].id, NULL);
		own.failures += threads[i].failures;
	}
	assert_int_equal(own.failures, 0);
	check_at_rest(t);
	end_all(t);
	maps_reset(t);
}

static const struct packet_case stress_cases[] = {
	CASE_ONLY(everything_at_once, ONLY_XDP),
};

PACKET_SUITE(stress);
