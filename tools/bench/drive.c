// SPDX-License-Identifier: GPL-2.0-only
/*
 * One measurement of one router: checks that each flow's packets come out
 * right, loads the router as much as it takes, and tells as JSON how many
 * packets arrived and how long the router's threads ran for it.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/resource.h>

#include "options.h"
#include "wire.h"

#define PATIENCE_NS 5000000000ull /* without any progress while flows are made */

struct run {
	const struct plan *plan;
	struct generator *generator;
	struct sink *sink;
};

struct sample {
	__u64 now, busy;
	__u64 handled; /* by the router: it received them */
	__u64 frames;  /* at the target */
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
		.handled = port_received(&run->plan->router_in),
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
		[BENCH_WRONG_L4_CHECKSUM] = "UDP or TCP checksum",
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

	printf("{\"seconds\": %.6f, \"delivered\": %llu, \"handled\": %llu, \"busy_ns\": %llu, \"lost\": %llu, "
	       "\"checked\": %llu, \"answers_checked\": %llu}\n",
	       (double)(to->now - from->now) / 1e9, to->frames - from->frames, to->handled - from->handled,
	       to->busy - from->busy, run->plan->traffic.lossy ? 0 : lost(run), target.verdicts[BENCH_RIGHT],
	       client.verdicts[BENCH_RIGHT]);
}

static void check_fate(const struct run *run, const struct sample *from, const struct sample *to)
{
	struct bench_end target = sink_end(run->sink, BENCH_TARGET);

	check_end("target", &target);
	if (to->handled == from->handled)
		die("the router takes nothing any more");
	if (run->plan->dropped && target.frames)
		die("%llu packets reached the target that the router was to drop", target.frames);
	/* New flows may find no port or no room left: then none gets through, and that is told. */
	if (!run->plan->traffic.lossy && to->frames == from->frames)
		die("the router forwards nothing any more");
}

/* Packets are checked while the router warms up, and only counted while it is measured. */
static void measure(struct run *run)
{
	struct sample from, to;

	generator_at_full_rate(run->generator);
	pass_time(run->plan->warm_up);
	sink_verify(run->sink, run->plan->always, false);
	pass_time(run->plan->warm_up / 4);
	from = sample(run);
	pass_time(run->plan->seconds);
	to = sample(run);
	generator_stop(run->generator);
	check_fate(run, &from, &to);
	report(run, &from, &to);
}

static void attach_bare(const struct plan *plan)
{
	int program;

	if (plan->bare == BARE_NONE)
		return;
	program = bare_load(plan->bare, &plan->traffic.kind, &plan->router_out, &plan->target);
	if (plan->bare == BARE_TC)
		port_attach_tc(&plan->router_in, program);
	else
		port_attach(&plan->router_in, program);
}

int main(int argc, char **argv)
{
	struct plan plan;
	struct run run = {.plan = &plan};

	plan_parse(&plan, argc, argv);
	stay_on(plan.cpu);
	attach_bare(&plan);
	run.sink = sink_attach(&plan.target, &plan.client, &plan.traffic);
	run.generator = generator_start(&plan.client, &plan.router_in, &plan.traffic, run.sink);
	if (plan.traffic.lossy)
		sink_verify(run.sink, true, false);
	else
		make_flows(&run);
	measure(&run);
	return 0;
}
