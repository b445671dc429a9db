// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

/* A word on the command line, and what it stands for. */
static const struct {
	const char *word;
	struct bench_kind kind;
} kinds[] = {
	{"udp4", {0, 0, 0, 0}},	   {"udp6", {1, 0, 0, 0}},    {"ack4", {0, 1, 0x10, 0}},
	{"ack6", {1, 1, 0x10, 0}}, {"syn4", {0, 1, 0x02, 0}}, {"syn6", {1, 1, 0x02, 0}},
};

static const char *const bares[] = {
	[BARE_REDIRECT] = "redirect",
	[BARE_TC] = "tc",
	[BARE_PASS] = "pass",
	[BARE_DROP] = "drop",
};

static unsigned long number(const char *text, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || *end || end == text || *text == '-' || value < min || value > max)
		die("%s: not a number from %lu to %lu", text, min, max);
	return value;
}

static struct bench_kind kind_named(const char *word)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(word, kinds[i].word))
			return kinds[i].kind;
	die("%s: not a kind of packets", word);
}

static enum bare bare_named(const char *word)
{
	for (size_t i = BARE_REDIRECT; i < sizeof(bares) / sizeof(bares[0]); i++)
		if (!strcmp(word, bares[i]))
			return (enum bare)i;
	die("%s: not a bare program", word);
}

static void add_thread(struct plan *plan, const char *text)
{
	if (plan->n_threads == PLAN_MAX_THREADS)
		die("more than %d threads", PLAN_MAX_THREADS);
	plan->threads[plan->n_threads++] = (pid_t)number(text, 1, INT32_MAX);
}

static void set_port(struct plan *plan, int option, char *value)
{
	switch (option) {
	case 'c':
		return port_find(&plan->client, value);
	case 'i':
		return port_find(&plan->router_in, value);
	case 'o':
		return port_find(&plan->router_out, value);
	default:
		return port_find(&plan->target, value);
	}
}

/* What the packets are. */
static void set_traffic(struct traffic *traffic, int option, const char *value)
{
	switch (option) {
	case 'k':
		traffic->kind = kind_named(value);
		break;
	case 'f':
		traffic->flows = (uint32_t)number(value, 1, BENCH_FLOWS_LIMIT);
		break;
	case 'r':
		traffic->rules = (uint32_t)number(value, 1, BENCH_RULES_LIMIT);
		break;
	case 'm':
		traffic->masquerade = (uint32_t)number(value, 1, UINT32_MAX);
		break;
	case 'n':
		/* Each packet a flow that was not there before, from the given one on. */
		traffic->first = (uint32_t)number(value, 0, BENCH_FLOWS_LIMIT - 1);
		traffic->flows = BENCH_FLOWS_LIMIT;
		traffic->lossy = true;
		break;
	}
}

static void set(struct plan *plan, int option, char *value)
{
	switch (option) {
	case 'p':
		return add_thread(plan, value);
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
		plan->bare = bare_named(value);
		return;
	case 'a':
		plan->answer = true;
		return;
	case 'D':
		plan->direct = true;
		return;
	case 'd':
		plan->dropped = plan->traffic.lossy = true;
		return;
	case 'v':
		plan->always = true;
		return;
	case '?':
		die("see the source for the options");
	default:
		return strchr("ciot", option) ? set_port(plan, option, value) :
						set_traffic(&plan->traffic, option, value);
	}
}

void plan_parse(struct plan *plan, int argc, char **argv)
{
	static const struct option options[] = {
		{"client", 1, NULL, 'c'},
		{"router-in", 1, NULL, 'i'},
		{"router-out", 1, NULL, 'o'},
		{"target", 1, NULL, 't'},
		{"thread", 1, NULL, 'p'},
		{"kind", 1, NULL, 'k'},
		{"flows", 1, NULL, 'f'},
		{"rules", 1, NULL, 'r'},
		{"masquerade", 1, NULL, 'm'},
		{"new-from", 1, NULL, 'n'},
		{"ms", 1, NULL, 's'},
		{"warm-up-ms", 1, NULL, 'w'},
		{"generator-cpu", 1, NULL, 'u'},
		{"bare", 1, NULL, 'b'},
		{"answer", 0, NULL, 'a'},
		{"direct", 0, NULL, 'D'},
		{"dropped", 0, NULL, 'd'},
		{"verify", 0, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*plan = (struct plan){.traffic = {.flows = 1, .rules = 1}, .seconds = 1, .warm_up = 0.2};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		set(plan, option, optarg);
	if (!plan->client.netns || !plan->router_in.netns || !plan->router_out.netns || !plan->target.netns)
		die("--client, --router-in, --router-out and --target are needed");
	plan->traffic.kind.direct = plan->direct;
	/* The bare ones that send leave the TTL alone; what they leave to the kernel, it lowers. */
	plan->traffic.ttl = plan->bare == BARE_REDIRECT || plan->bare == BARE_TC ? BENCH_TTL : BENCH_TTL - 1;
}
