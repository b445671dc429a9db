// SPDX-License-Identifier: GPL-2.0-only
/* User-space half of the generator: one thread that runs the program over live frames. */
#include "blank.h"
#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "frame.h"

#include "gen.skel.h"

/*
 * A veth's ring holds 256 frames, and there are two on the way: with fewer
 * frames under way than one ring holds, none can overflow, however late the
 * receiver gets its turn. What is sent arrives, and nobody works in vain.
 */
#define WINDOW	240
#define BATCH	256 /* frames that the kernel makes at once, and pages that it keeps for more */
#define FOREVER 0x7fffffff

struct generator {
	struct bench_gen *skel;
	struct bench_blank blank;
	struct port from;
	const struct traffic *traffic;
	pthread_t thread;
};

static void *run(void *arg)
{
	struct generator *generator = arg;
	const struct bench_kind *kind = &generator->traffic->kind;
	struct xdp_md ctx = {.data_end = BENCH_SIZE(kind->ipv6, kind->tcp)};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &generator->blank, .data_size_in = ctx.data_end, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = FOREVER, .batch_size = BATCH,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	port_enter(&generator->from);
	/* It ends by the signal of generator_stop. */
	if (bpf_prog_test_run_opts(bpf_program__fd(generator->skel->progs.bench_generate), &opts) && errno != EINTR)
		die("cannot generate frames: %s", strerror(errno));
	return NULL;
}

static void wake(int signal)
{
	(void)signal;
}

struct generator *generator_start(const struct port *from, const struct port *to, const struct traffic *traffic,
				  const struct sink *sink)
{
	const struct sigaction action = {.sa_handler = wake};
	struct generator *generator = calloc(1, sizeof(*generator));

	if (!generator || !(generator->skel = bench_gen__open()))
		die("generator: %s", strerror(errno));
	generator->from = *from;
	generator->traffic = traffic;
	generator->blank = blank_make(&traffic->kind, from, to);
	*(struct bench_kind *)&generator->skel->rodata->kind = traffic->kind;
	*(struct bench_blank *)&generator->skel->rodata->blank = generator->blank;
	generator->skel->rodata->flows = traffic->flows;
	generator->skel->rodata->rules = traffic->rules;
	generator->skel->rodata->window = traffic->lossy ? 0 : WINDOW;
	generator->skel->bss->next = traffic->first;
	if (bpf_map__reuse_fd(generator->skel->maps.ends, sink_ends_fd(sink)) || bench_gen__load(generator->skel))
		die("cannot load the generator: %s", strerror(errno));
	port_lead(from, bpf_map__fd(generator->skel->maps.wire));
	if (sigaction(SIGUSR1, &action, NULL) || pthread_create(&generator->thread, NULL, run, generator))
		die("cannot start the generator's thread");
	return generator;
}

void generator_in_order(struct generator *generator, enum bench_which clock, __u64 frames)
{
	generator->skel->bss->clock = clock;
	generator->skel->bss->quota = frames;
}

void generator_at_full_rate(struct generator *generator)
{
	generator->skel->data->in_order = generator->traffic->lossy;
	generator->skel->bss->clock = BENCH_TARGET;
	generator->skel->bss->quota = ~0ull;
}

__u64 generator_sent(const struct generator *generator)
{
	return generator->skel->bss->sent;
}

void generator_stop(struct generator *generator)
{
	struct timespec soon;

	generator->skel->bss->quota = 0;
	/* Again until it is heard: a signal that comes before the system call is lost. */
	do {
		pthread_kill(generator->thread, SIGUSR1);
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += 10000000;
		soon.tv_sec += soon.tv_nsec / 1000000000;
		soon.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(generator->thread, NULL, &soon) == ETIMEDOUT);
}
