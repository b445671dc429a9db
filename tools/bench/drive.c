// SPDX-License-Identifier: GPL-2.0-only
/*
 * One measurement of one router: checks that each flow's packets come out
 * right, loads the router as much as it takes, and tells as JSON how many
 * packets arrived and how long the router's threads ran for it.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/resource.h>

#include "frame.h"
#include "wire.h"

#define PATIENCE_NS 1000000000ull /* without any progress while flows are made */
#define MAX_THREADS 8

struct plan {
	struct port client, router_in, router_out, target;
	struct traffic traffic;
	pid_t threads[MAX_THREADS]; /* the router's NAPI threads */
	int n_threads;
	double seconds, warm_up;
	int cpu; /* where the generator runs */
	bool bare;
	bool answer; /* the target answers while flows are made */
};

struct run {
	const struct plan *plan;
	struct generator *generator;
	struct sink *sink;
};

struct sample {
	__u64 now, busy, frames;
};

static __u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		die("cannot read a clock: %s", strerror(errno));
	return (__u64)ts.tv_sec * 1000000000u + (__u64)ts.tv_nsec;
}

/* CPU time of the router's threads, up to this moment. */
static __u64 busy_ns(const struct plan *plan)
{
	__u64 sum = 0;

	for (int i = 0; i < plan->n_threads; i++) {
		clockid_t clock;

		if (clock_getcpuclockid(plan->threads[i], &clock))
			die("thread %d of the router is gone", plan->threads[i]);
		sum += clock_ns(clock);
	}
	return sum;
}

static struct sample sample(const struct run *run)
{
	return (struct sample){
		.busy = busy_ns(run->plan),
		.frames = sink_end(run->sink, BENCH_TARGET).frames,
		.now = clock_ns(CLOCK_MONOTONIC),
	};
}

static void pass_time(double seconds)
{
	struct timespec ts = {.tv_sec = (time_t)seconds};

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

/* ---- checks */

static void check_end(const char *where, const struct bench_end *end)
{
	static const char *const names[BENCH_VERDICTS] = {
		[BENCH_WRONG_MAC] = "MAC address",
		[BENCH_WRONG_HEADER] = "header",
		[BENCH_WRONG_IP_CHECKSUM] = "IP checksum",
		[BENCH_WRONG_UDP_CHECKSUM] = "UDP checksum",
		[BENCH_WRONG_ADDRESS] = "address",
		[BENCH_WRONG_PORT] = "port",
		[BENCH_WRONG_TTL] = "TTL",
	};

	for (int i = BENCH_RIGHT + 1; i < BENCH_VERDICTS; i++)
		if (end->verdicts[i])
			die("%llu of %llu packets reached the %s with a wrong %s", end->verdicts[i], end->frames, where,
			    names[i]);
}

/* Sends each flow's first two packets and looks on until all have arrived: not one may be lost or wrong. */
static void make_flows(const struct run *run)
{
	const enum bench_which clock = run->plan->answer ? BENCH_CLIENT : BENCH_TARGET;
	__u64 all = 2ull * run->plan->traffic.flows, seen = 0, progress = clock_ns(CLOCK_MONOTONIC);

	sink_verify(run->sink, true, run->plan->answer);
	generator_in_order(run->generator, clock, all);
	while (seen < all) {
		struct bench_end target = sink_end(run->sink, BENCH_TARGET), client = sink_end(run->sink, BENCH_CLIENT);
		__u64 now = clock_ns(CLOCK_MONOTONIC), frames = clock == BENCH_CLIENT ? client.frames : target.frames;

		check_end("target", &target);
		check_end("client", &client);
		if (frames == seen && now - progress > PATIENCE_NS)
			die("of %llu packets %llu reached the target and %llu answers the client",
			    generator_sent(run->generator), target.frames, client.frames);
		if (frames != seen)
			progress = now;
		seen = frames;
		pass_time(0.001);
	}
	sink_verify(run->sink, true, false);
}

/* ---- load */

/*
 * On this CPU, before all else that has no real-time priority, in a scheduling
 * group of its own where sessions have one. On a quiet machine it changes nothing.
 */
static void stay_on(int cpu)
{
	FILE *group;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %d: %s", cpu, strerror(errno));
	setpriority(PRIO_PROCESS, 0, -20);
	setsid();
	group = fopen("/proc/self/autogroup", "w");
	if (group) {
		fputs("-20", group);
		fclose(group);
	}
}

/* What is still under way when the generator stops gets its time to arrive. */
static __u64 lost(const struct run *run)
{
	__u64 missing = 0;

	for (int ms = 0; ms < 100; ms++) {
		missing = generator_sent(run->generator) - sink_end(run->sink, BENCH_TARGET).frames;
		if (!missing)
			break;
		pass_time(0.001);
	}
	return missing;
}

static void report(const struct run *run, const struct sample *from, const struct sample *to)
{
	struct bench_end target = sink_end(run->sink, BENCH_TARGET), client = sink_end(run->sink, BENCH_CLIENT);

	printf("{\"seconds\": %.6f, \"delivered\": %llu, \"busy_ns\": %llu, \"lost\": %llu, \"checked\": %llu, "
	       "\"answers_checked\": %llu}\n",
	       (double)(to->now - from->now) / 1e9, to->frames - from->frames, to->busy - from->busy, lost(run),
	       target.verdicts[BENCH_RIGHT], client.verdicts[BENCH_RIGHT]);
}

/* Packets are checked while the router warms up, and only counted while it is measured. */
static void measure(struct run *run)
{
	struct bench_end target;
	struct sample from, to;

	generator_at_random(run->generator);
	pass_time(run->plan->warm_up);
	sink_verify(run->sink, false, false);
	pass_time(run->plan->warm_up / 4);
	from = sample(run);
	pass_time(run->plan->seconds);
	to = sample(run);
	generator_stop(run->generator);
	target = sink_end(run->sink, BENCH_TARGET);
	check_end("target", &target);
	if (to.frames == from.frames)
		die("the router forwards nothing any more");
	report(run, &from, &to);
}

/* ---- command line */

static unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value < min || value > max)
		die("%s: not a number from %lu to %lu", text, min, max);
	return value;
}

static void add_thread(struct plan *plan, const char *text)
{
	if (plan->n_threads == MAX_THREADS)
		die("more than %d threads", MAX_THREADS);
	plan->threads[plan->n_threads++] = (pid_t)number(text, 1, INT32_MAX);
}

static void set(struct plan *plan, int option, char *value)
{
	switch (option) {
	case 'c':
		return port_find(&plan->client, value);
	case 'i':
		return port_find(&plan->router_in, value);
	case 'o':
		return port_find(&plan->router_out, value);
	case 't':
		return port_find(&plan->target, value);
	case 'p':
		return add_thread(plan, value);
	case 'f':
		plan->traffic.flows = (uint32_t)number(value, 1, BENCH_FLOWS_LIMIT);
		return;
	case 'r':
		plan->traffic.rules = (uint32_t)number(value, 1, BENCH_RULES_LIMIT);
		return;
	case 's':
		plan->seconds = (double)number(value, 1, 60000) / 1000;
		return;
	case 'w':
		plan->warm_up = (double)number(value, 1, 60000) / 1000;
		return;
	case 'u':
		plan->cpu = (int)number(value, 0, 1023);
		return;
	case 'b':
		plan->bare = true;
		return;
	case 'a':
		plan->answer = true;
		return;
	default:
		die("see the source for the options");
	}
}

static void parse(struct plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{"client", 1, NULL, 'c'},     {"router-in", 1, NULL, 'i'},
		{"router-out", 1, NULL, 'o'}, {"target", 1, NULL, 't'},
		{"thread", 1, NULL, 'p'},     {"flows", 1, NULL, 'f'},
		{"rules", 1, NULL, 'r'},      {"ms", 1, NULL, 's'},
		{"warm-up-ms", 1, NULL, 'w'}, {"generator-cpu", 1, NULL, 'u'},
		{"bare", 0, NULL, 'b'},	      {"answer", 0, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		set(plan, option, optarg);
	if (!plan->client.netns || !plan->router_in.netns || !plan->router_out.netns || !plan->target.netns)
		die("--client, --router-in, --router-out and --target are needed");
}

int main(int argc, char **argv)
{
	struct plan plan = {.traffic = {.flows = 1, .rules = 1}, .seconds = 1, .warm_up = 0.2};
	struct run run = {.plan = &plan};

	parse(&plan, argc, argv);
	plan.traffic.ttl = plan.bare ? BENCH_TTL : BENCH_TTL - 1;
	stay_on(plan.cpu);
	if (plan.bare)
		port_attach(&plan.router_in, bare_load(&plan.router_out, &plan.target));
	run.sink = sink_attach(&plan.target, &plan.client, &plan.traffic);
	run.generator = generator_start(&plan.client, &plan.router_in, &plan.traffic, run.sink);
	make_flows(&run);
	measure(&run);
	return 0;
}
