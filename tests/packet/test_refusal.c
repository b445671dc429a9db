// SPDX-License-Identifier: GPL-2.0-only
/* What was refused just now is refused again without a question, as long as the answer would be the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "maps.h"
#include "policy.h"
#include "xdpfwd/refusal.h"
#include "xdpfwd/watch.h"

#define DENIED_SET XF_SET_FIRST
#define OFTEN	   100

/* Nothing is forgotten by itself as long as a case takes. */
static void remember_for_long(struct test *t)
{
	t->config.hz = 1u << 24;
	config_put(t);
}

static void deny(struct test *t, uint32_t rule, enum host host)
{
	set_add(t, net_of_host(t, DENIED_SET, host), FOR_GOOD);
	policy_put(t, rule, &(struct xf_policy){.deny = DENIED_SET});
}

static uint32_t rule_that_denies_the_client(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	remember_for_long(t);
	deny(t, rule, CLIENT);
	return rule;
}

/* Packets that only refusals have counted so far. */
static uint64_t pending(void)
{
	uint32_t n = (uint32_t)libbpf_num_possible_cpus() * XF_REFUSALS;
	struct xf_refusal r;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(bpf_map_lookup_elem(map_fd("refusals"), &i, &r), 0);
		if ((int32_t)(r.count - r.settled) > 0)
			sum += r.count - r.settled;
	}
	return sum;
}

/* Sends it that many times, and once before, by which it is remembered: perhaps on another CPU. Each must be refused. */
static void flood(struct test *t, uint32_t rule, enum xf_reason reason, const struct packet *in)
{
	drop(t, rule, reason, in);
	build_frame(in, &t->sent);
	run_often(t, OFTEN);
	assert_verdict(t, "drop");
	t->ledger.rule_drops[rule][reason] += OFTEN;
}

static uint64_t refused_of(const struct test *t, uint32_t rule, const struct packet *in)
{
	struct xf_source_key key = {.addr = in->saddr, .rule = rule};
	struct xf_source_count count;

	if (t->family == XF_IPV6)
		key.addr.w[2] = key.addr.w[3] = 0;
	refusals_settle();
	assert_int_equal(bpf_map_lookup_elem(map_fd("sources"), &key, &count), 0);
	return count.refused;
}

/* Nobody is asked, and nothing is lost: the rule, the source and the ban have every packet. */
static void counted(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), tcp = in;
	struct net ban = net_of_host(t, XF_SET_BANS, CLIENT);
	uint32_t rule = rule_that_denies_the_client(t);

	tcp.proto = IPPROTO_TCP;
	flood(t, rule, XF_REASON_DENIED, &in);
	assert_in_range(pending(), OFTEN - 1, OFTEN);
	assert_int_equal(refused_of(t, rule, &in), OFTEN + 1);
	assert_int_equal(pending(), 0);
	set_add(t, ban, FOR_GOOD);
	flood(t, rule, XF_REASON_BANNED, &in);
	flood(t, rule, XF_REASON_BANNED, &tcp);
	assert_in_range(pending(), 2 * OFTEN - 2, 2 * OFTEN);
	assert_int_equal(set_hits(t, ban), 2 * OFTEN + 2);
	assert_int_equal(refused_of(t, rule, &in), 3 * OFTEN + 3);
}

/* The next packet after the change passes, or is refused for the new reason. */
static void lifted(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_that_denies_the_client(t);
	struct xf_rule r;

	flood(t, rule, XF_REASON_DENIED, &k.in);
	rule_get(t, rule, &r);
	r.flags |= XF_RULE_DISABLED;
	rule_put(t, rule, &r);
	flood(t, rule, XF_REASON_DISABLED, &k.in);
	r.flags &= ~XF_RULE_DISABLED;
	rule_put(t, rule, &r);
	flood(t, rule, XF_REASON_DENIED, &k.in);
	rule_expire(t, rule, OVER);
	set_del(t, net_of_host(t, DENIED_SET, CLIENT));
	flood(t, rule, XF_REASON_EXPIRED, &k.in);
	rule_expire(t, rule, LATER);
	opens(t, rule, k);
}

/* The set that comes into force when another was not confirmed: by itself, nobody tells. */
static void other_set(struct test *t)
{
	struct talk k = talk_udp(t, 40000);
	uint32_t rule = rule_that_denies_the_client(t), before = XF_RULE_PLACE(1, MAX_RULES, rule);
	const struct xf_rule none = {0};
	struct xf_config config = t->config;
	uint32_t zero = 0;

	map_put("rules", &before, &none);
	flood(t, rule, XF_REASON_DENIED, &k.in);
	config.set_before = config.set + 1;
	config.set_until = OVER;
	assert_int_equal(bpf_map_update_elem(map_fd("config"), &zero, &config, BPF_ANY), 0);
	pass(t, &k.in);
}

/* A flow that is there asks nobody, whatever its source is told now. */
static void flows_go_on(struct test *t)
{
	struct talk k = talk_udp(t, 40000), other = talk_udp(t, 40001);
	uint32_t rule = rule_preserve(t);

	remember_for_long(t);
	opens(t, rule, k);
	deny(t, rule, CLIENT);
	flood(t, rule, XF_REASON_DENIED, &other.in);
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
}

/* What a rate allows the next time must be asked for. */
static void rates_are_asked(struct test *t)
{
	struct talk k = talk_udp(t, 40000), other = talk_udp(t, 40001);
	uint32_t rule = rule_preserve(t);

	remember_for_long(t);
	policy_put(t, rule, &(struct xf_policy){.rate_cost = COST, .rate_burst = COST});
	opens(t, rule, k);
	flood(t, rule, XF_REASON_RATE_LIMITED, &other.in);
	assert_int_equal(pending(), 0);
}

/* What is wrong with a packet by itself is said of it, whatever its tuple was refused for. */
static void other_faults(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), bad;
	uint32_t rule = rule_that_denies_the_client(t);

	flood(t, rule, XF_REASON_DENIED, &in);
	build_frame(&in, &t->sent);
	t->sent.len -= 4;
	run_sent(t);
	assert_verdict(t, "drop");
	t->ledger.rule_drops[rule][XF_REASON_MALFORMED]++;
	bad = in;
	bad.proto = IPPROTO_TCP;
	bad.tcp_flags = TCP_ACK;
	flood(t, rule, XF_REASON_DENIED, &bad);
	bad.tcp_flags = TCP_RST;
	run(t, &bad);
	assert_verdict(t, "pass");
	t->ledger.rule_drops[rule][XF_REASON_NO_FLOW] += t->hook == HOOK_TC;
}

/* A frame of another station's, overheard. */
static void other_station(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_that_denies_the_client(t), wan0 = dev_ifindex(WAN0);
	struct xf_iface iface = {.name = "wan0"};

	memcpy(iface.mac, dev_mac(WAN0), sizeof(iface.mac));
	map_put("interfaces", &wan0, &iface);
	flood(t, rule, XF_REASON_DENIED, &in);
	in.dmac[5] ^= 0x55;
	pass(t, &in);
	assert_int_equal(bpf_map_delete_elem(map_fd("interfaces"), &wan0), 0);
}

/* A socket of this machine's on the rule's endpoint, connected to the client; of TCP, about to be. */
static int own_socket(const struct test *t, int type)
{
	union xf_addr own = host_addr(ROUTER, t->family), peer = host_addr(CLIENT, t->family);
	bool v4 = t->family == XF_IPV4;
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(8000)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(8000), .sin_addr.s_addr = own.v4};
	struct sockaddr *a = v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
	socklen_t len = v4 ? sizeof(in) : sizeof(in6);
	int fd = socket(a->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(&in6.sin6_addr, own.v6, 16);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, a, len), 0);
	in.sin_addr.s_addr = peer.v4;
	memcpy(&in6.sin6_addr, peer.v6, 16);
	in.sin_port = in6.sin6_port = htons(40000);
	assert_true(!connect(fd, a, len) || errno == EINPROGRESS);
	return fd;
}

/* This machine's own connections get their answers, however many others the peer sends. */
static void own_connection(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), other = in;
	uint32_t rule = rule_that_denies_the_client(t);
	int fd = own_socket(t, SOCK_DGRAM);

	other.sport = 40001;
	flood(t, rule, XF_REASON_DENIED, &other);
	pass(t, &in);
	flood(t, rule, XF_REASON_DENIED, &other);
	pass(t, &in);
	close(fd);
}

/* A SYN answers nothing, and so nobody asks whom it answers: its refusal is not that of the rest. */
static void own_tcp_connection(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_that_denies_the_client(t);
	int fd = own_socket(t, SOCK_STREAM);

	in.proto = IPPROTO_TCP;
	flood(t, rule, XF_REASON_DENIED, &in);
	in.tcp_flags = TCP_SYN | TCP_ACK;
	pass(t, &in);
	in.tcp_flags = TCP_ACK;
	pass(t, &in);
	close(fd);
}

/*
 * A rule listens on what is a masquerade port, too, and refuses the target, which
 * sends there before there is a flow. Then there is one, and its answers come.
 */
static void answers_of_a_new_flow(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER), stray, out, back, got;
	uint32_t rule = rule_masquerade(t), wide;
	struct xf_flow flow;

	remember_for_long(t);
	wide = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
					  .host = ROUTER_LAN,
					  .port = PORT_LO,
					  .port_hi = PORT_HI,
					  .target = TARGET2,
					  .source = XF_SOURCE_PRESERVE});
	deny(t, wide, TARGET);
	stray = packet_from(t, TARGET, ROUTER_LAN);
	stray.sport = 9000;
	for (stray.dport = PORT_LO; stray.dport <= PORT_HI; stray.dport++) {
		drop(t, wide, XF_REASON_DENIED, &stray);
		drop(t, wide, XF_REASON_DENIED, &stray);
	}
	/* But for those where both places were taken, or the second packet came by another CPU. */
	assert_in_range(pending(), (PORT_HI - PORT_LO) / 2, PORT_HI - PORT_LO + 1);
	run(t, &in);
	assert_true(flow_get(t, &in, &flow));
	out = to_target(&in, TARGET, 9000);
	out.saddr = host_addr(ROUTER_LAN, t->family);
	out.sport = ntohs(flow.sport);
	ledger_in(t, rule, &in);
	t->ledger.rule[rule].flows_created++;
	t->ledger.flows++;
	back = answer(&out);
	got = to_client(&back, &in);
	reply(t, rule, &back, &got);
}

static void changes_put(uint32_t kept, uint32_t settled)
{
	struct xf_changes changes;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(map_fd("changes"), &zero, &changes), 0);
	changes.kept = kept;
	changes.settled = settled;
	map_put("changes", &zero, &changes);
}

/* Who has settled everything need not do so again before something is refused; a little before does not count. */
static void settled_once(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_that_denies_the_client(t), now, soon;

	drop(t, rule, XF_REASON_DENIED, &in);
	drop(t, rule, XF_REASON_DENIED, &in);
	drop(t, rule, XF_REASON_DENIED, &in);
	/* By two CPUs, none but the first of each would be asked about. */
	assert_in_range(pending(), 1, 2);
	now = (uint32_t)clock_jiffies();
	soon = t->config.hz / 16;
	changes_put(now - 2 * soon, now);
	refusals_settle();
	assert_int_not_equal(pending(), 0);
	changes_put(now - soon, now);
	refusals_settle();
	assert_int_equal(pending(), 0);
}

static const struct packet_case refusal_cases[] = {
	CASE(counted),
	CASE(lifted),
	CASE(other_set),
	CASE(flows_go_on),
	CASE(rates_are_asked),
	CASE(other_faults),
	CASE_ONLY(other_station, ONLY_XDP),
	CASE(own_connection),
	CASE(own_tcp_connection),
	CASE(answers_of_a_new_flow),
	CASE(settled_once),
};

PACKET_SUITE(refusal);
