// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often: buckets of rules and of sources. A flow costs so much here that
 * nothing is refilled while a case runs; time passes where a case says so, by
 * what it puts into a bucket.
 */
#include <pthread.h>
#include <sched.h>

#include "policy.h"

#define BURST 3

static uint32_t limited(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	policy_put(t, rule, &(struct xf_policy){.rate_cost = COST, .rate_burst = BURST * COST});
	return rule;
}

static uint32_t source_limited(struct test *t)
{
	uint32_t rule = rule_preserve(t);

	policy_put(t, rule, &(struct xf_policy){.source_rate_cost = COST, .source_rate_burst = BURST * COST});
	return rule;
}

/* So many flows, each from another port, and not one more. */
static void check_opens_only(struct test *t, uint32_t rule, struct talk k, unsigned int flows)
{
	for (unsigned int i = 0; i < flows; i++, k.in.sport++, k.out.sport++) {
		k.back = answer(&k.out);
		k.got = to_client(&k.back, &k.in);
		check_opens(t, rule, k);
	}
}

static uint16_t next_port(void)
{
	static uint16_t port;

	port = port < 10000 || port > 60000 ? 10000 : port + 10;
	return port;
}

static struct talk by(const struct test *t, enum host host)
{
	return talk_from(t, host_addr(host, t->family), next_port());
}

static struct xf_source_key source_of(const struct test *t, uint32_t rule, const struct talk *k)
{
	return (struct xf_source_key){.addr = t->family == XF_IPV4 ? k->in.saddr : addr_first(t, k->in.saddr, 64),
				      .rule = XF_RULE_TAG(rule, rule + 1)};
}

#define opens_only(t, rule, k, flows) (at(__FILE__, __LINE__), check_opens_only(t, rule, k, flows))

static void rule_rate(struct test *t)
{
	uint32_t rule = limited(t);
	struct talk k = by(t, CLIENT);

	opens_only(t, rule, k, BURST);
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, CLIENT));
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, CLIENT2));
	forward(t, rule, &k.in, &k.out);
	reply(t, rule, &k.back, &k.got);
}

/* As time goes by; what is refused costs nothing, and saves nothing up. */
static void rule_refill(struct test *t)
{
	uint32_t rule = limited(t);

	opens_only(t, rule, by(t, CLIENT), BURST);
	rule_bucket_put(rule, ticks_now() + (BURST - 1) * COST);
	opens_only(t, rule, by(t, CLIENT), 1);
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, CLIENT));
	rule_bucket_put(rule, ticks_now() + (BURST - 1) * COST + COST / 2);
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, CLIENT));
	rule_bucket_put(rule, ticks_now() + (BURST - 2) * COST);
	opens_only(t, rule, by(t, CLIENT), 2);
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, CLIENT));
}

/* However long nobody came, no more than the burst is saved up. */
static void rule_full(struct test *t)
{
	uint32_t rule = limited(t);

	opens_only(t, rule, by(t, CLIENT), 1);
	rule_bucket_put(rule, 1);
	opens_only(t, rule, by(t, CLIENT), BURST);
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, CLIENT));
}

/* The rule was slower before: whoever comes waits for a flow's cost, not for what was owed under the old rate. */
static void rule_was_slower(struct test *t)
{
	uint32_t rule = limited(t);
	struct talk k = by(t, CLIENT);
	uint64_t owed;

	rule_bucket_put(rule, ticks_now() + 1000 * COST);
	drop(t, rule, XF_REASON_RATE_LIMITED, &k.in);
	owed = rule_bucket(rule) - ticks_now();
	assert_true(owed <= BURST * COST && owed > (BURST - 1) * COST);
	refused(t, rule, XF_REASON_RATE_LIMITED, k);
	rule_bucket_put(rule, ticks_now() + (BURST - 1) * COST);
	opens(t, rule, k);
}

static void two_rules(struct test *t)
{
	uint32_t rule = limited(t), second;
	struct talk k = by(t, CLIENT);

	second = rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
					    .host = ROUTER,
					    .port = 8001,
					    .target = TARGET,
					    .target_port = 9000,
					    .source = XF_SOURCE_PRESERVE});
	policy_put(t, second,
		   &(struct xf_policy){
			   .rate_cost = COST, .rate_burst = COST, .source_rate_cost = COST, .source_rate_burst = COST});
	opens_only(t, rule, k, BURST);
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, CLIENT));
	k = by(t, CLIENT);
	k.in.dport = k.got.sport = 8001;
	opens(t, second, k);
	k.in.sport++;
	refused(t, second, XF_REASON_SOURCE_RATE_LIMITED, k);
}

static void source_rate(struct test *t)
{
	uint32_t rule = source_limited(t);
	struct talk k = by(t, CLIENT), far = talk_from(t, host_addr(FAR, t->family), next_port());

	opens_only(t, rule, k, BURST);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, by(t, CLIENT));
	opens_only(t, rule, far, BURST);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, by(t, FAR));
	forward(t, rule, &k.in, &k.out);
	assert_int_equal(source_buckets(), 2);
}

/* What its source owes to a rule that is gone, it does not owe to the next one with its id. */
static void source_of_a_former_rule(struct test *t)
{
	uint32_t rule = source_limited(t);
	struct xf_rule next;

	opens_only(t, rule, by(t, CLIENT), BURST);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, by(t, CLIENT));
	rule_get(t, rule, &next);
	next.tag = XF_RULE_TAG(rule, 50);
	rule_put(t, rule, &next);
	opens_only(t, rule, by(t, CLIENT), BURST);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, by(t, CLIENT));
}

static void source_refill(struct test *t)
{
	uint32_t rule = source_limited(t);
	struct talk k = by(t, CLIENT);
	struct xf_source_key source = source_of(t, rule, &k);

	opens_only(t, rule, k, BURST);
	source_bucket_put(source, ticks_now() + (BURST - 1) * COST);
	opens_only(t, rule, by(t, CLIENT), 1);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, by(t, CLIENT));
	source_bucket_put(source, 1);
	opens_only(t, rule, by(t, CLIENT), BURST);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, by(t, CLIENT));
}

/* One source is what one subscriber has: an IPv4 address, an IPv6 /64. */
static void source_width(struct test *t)
{
	uint32_t rule = source_limited(t);
	struct talk k = by(t, CLIENT), neighbour = by(t, CLIENT2), outside;

	opens_only(t, rule, k, BURST);
	if (t->family == XF_IPV4) {
		opens_only(t, rule, neighbour, BURST);
		return;
	}
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, neighbour);
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, talk_from(t, addr_first(t, k.in.saddr, 64), next_port()));
	refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, talk_from(t, addr_last(t, k.in.saddr, 64), next_port()));
	outside = talk_from(t, addr_step(t, addr_last(t, k.in.saddr, 64), 1), next_port());
	opens_only(t, rule, outside, BURST);
	outside = talk_from(t, addr_step(t, addr_first(t, k.in.saddr, 64), -1), next_port());
	opens_only(t, rule, outside, BURST);
	assert_int_equal(source_buckets(), 3);
}

/* One source that is refused uses nothing up of what the rule has for all. */
static void source_before_rule(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	uint64_t before;

	policy_put(t, rule,
		   &(struct xf_policy){.rate_cost = COST,
				       .rate_burst = BURST * COST,
				       .source_rate_cost = COST,
				       .source_rate_burst = COST});
	opens_only(t, rule, by(t, CLIENT), 1);
	before = rule_bucket(rule);
	for (int i = 0; i < 10; i++)
		refused(t, rule, XF_REASON_SOURCE_RATE_LIMITED, by(t, CLIENT));
	assert_int_equal(rule_bucket(rule), before);
	opens_only(t, rule, by(t, FAR), 1);
	opens_only(t, rule, by(t, STRANGER), 1);
	refused(t, rule, XF_REASON_RATE_LIMITED, by(t, SLOW));
	assert_int_equal(source_buckets(), 3);
}

/*
 * Whom the rule's bucket refuses, gets back what its own has paid. It is asked
 * before it has to pay; the bucket of another rate says nothing until then.
 */
static void source_paid_back(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = by(t, CLIENT);
	struct xf_source_key source = source_of(t, rule, &k);
	uint64_t full_at;

	policy_put(t, rule,
		   &(struct xf_policy){
			   .rate_cost = COST, .rate_burst = COST, .source_rate_cost = COST, .source_rate_burst = COST});
	rule_bucket_put(rule, ticks_now() + 1000 * COST);
	drop(t, rule, XF_REASON_RATE_LIMITED, &k.in);
	assert_true(source_bucket(source, &full_at));
	assert_true(full_at <= ticks_now());
	rule_bucket_put(rule, 0);
	opens(t, rule, k);
}

/* A flow that is not made for another reason costs nothing. */
static void not_made(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_add(
		t,
		&(struct rule){
			.kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = NOWHERE, .target_port = 9000});

	policy_put(t, rule,
		   &(struct xf_policy){
			   .rate_cost = COST, .rate_burst = COST, .source_rate_cost = COST, .source_rate_burst = COST});
	drop(t, rule, XF_REASON_NO_ROUTE, &in);
	drop(t, rule, XF_REASON_NO_ROUTE, &in);
	assert_int_equal(rule_bucket(rule), 0);
	assert_int_equal(source_buckets(), 0);
}

/* The full tier makes that flow, and it is paid for there. */
static void left_to_the_full_tier(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t rule = rule_add(
		t, &(struct rule){
			   .kind = XF_LISTEN_ADDR, .host = ROUTER, .port = 8000, .target = SLOW, .target_port = 9000});

	policy_put(t, rule,
		   &(struct xf_policy){
			   .rate_cost = COST, .rate_burst = COST, .source_rate_cost = COST, .source_rate_burst = COST});
	pass(t, &in);
	pass(t, &in);
	assert_int_equal(rule_bucket(rule), 0);
	assert_int_equal(source_buckets(), 0);
}

/* A flood of them is refused like one of SYNs, and leaves nothing behind. */
static void ack_flood(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = talk_tcp(t, 40000);

	policy_put(t, rule,
		   &(struct xf_policy){.rate_cost = COST,
				       .rate_burst = BURST * COST,
				       .source_rate_cost = COST,
				       .source_rate_burst = 2 * BURST * COST});
	set_tcp_flags(&k, TCP_ACK, TCP_ACK);
	opens_only(t, rule, k, BURST);
	for (int i = 0; i < 300; i++) {
		k.in.sport++;
		k.in.saddr = addr_step(t, addr_first(t, k.in.saddr, t->family == XF_IPV4 ? 32 : 64), -1);
		drop(t, rule, XF_REASON_RATE_LIMITED, &k.in);
	}
	assert_int_equal(source_buckets(), 1);
}

/* More sources than there are buckets: each of them begins with a full one, and none is refused. */
static void more_sources_than_buckets(struct test *t)
{
	uint32_t rule = rule_preserve(t);
	struct talk k = by(t, FAR);

	k.in.saddr = host_addr(NOWHERE, t->family); /* below it are no addresses of this machine */
	policy_put(t, rule, &(struct xf_policy){.source_rate_cost = COST, .source_rate_burst = COST});
	for (int i = 0; i < MAX_FLOWS - 1; i++) {
		k.in.saddr = addr_step(t, addr_first(t, k.in.saddr, t->family == XF_IPV4 ? 32 : 64), -1);
		k.out.saddr = k.in.saddr;
		forward_new(t, rule, &k.in, &k.out);
	}
	assert_true(source_buckets() < MAX_FLOWS - 1);
	k.in.sport++;
	drop(t, rule, XF_REASON_SOURCE_RATE_LIMITED, &k.in);
}

struct sender {
	pthread_t thread;
	struct test t;
	int cpu;
};

#define SENDERS 2
#define SENT	100000 /* by each */

static void *send_all(void *arg)
{
	struct sender *s = arg;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(s->cpu, &cpus);
	/* It is the wish that counts: a machine with one CPU has no such race. */
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	run_often(&s->t, SENT);
	return NULL;
}

/*
 * CPUs that pay from one bucket at the same time: nothing that one of them has
 * paid is lost, and none is refused. In a table without room the same packet
 * pays again and again.
 */
static void several_cpus(struct test *t)
{
	static struct sender senders[SENDERS];
	uint64_t start = ticks_now() + COST, full_at;
	uint32_t rule = rule_preserve(t);
	struct talk k = by(t, CLIENT);
	struct xf_source_key source = source_of(t, rule, &k);

	t->config.max_flows = 0;
	config_put(t);
	policy_put(t, rule,
		   &(struct xf_policy){.rate_cost = COST,
				       .rate_burst = XF_BURST_MAX,
				       .source_rate_cost = COST,
				       .source_rate_burst = XF_BURST_MAX});
	rule_bucket_put(rule, start);
	source_bucket_put(source, start);
	build_frame(&k.in, &t->sent);
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.t = *t, .cpu = i};
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
	t->ledger.rule_drops[rule][XF_REASON_FLOW_TABLE_FULL] = SENDERS * SENT;
	assert_int_equal(rule_bucket(rule) - start, SENDERS * SENT * COST);
	assert_true(source_bucket(source, &full_at));
	assert_int_equal(full_at - start, SENDERS * SENT * COST);
}

static const struct packet_case policy_rate_cases[] = {
	CASE(rule_rate),
	CASE(rule_refill),
	CASE(rule_full),
	CASE(rule_was_slower),
	CASE(two_rules),
	CASE(source_rate),
	CASE(source_of_a_former_rule),
	CASE(source_refill),
	CASE(source_width),
	CASE(source_before_rule),
	CASE(source_paid_back),
	CASE(not_made),
	CASE(ack_flood),
	CASE_ONLY(left_to_the_full_tier, ONLY_XDP),
	CASE(more_sources_than_buckets),
	CASE(several_cpus),
};

PACKET_SUITE(policy_rate);
