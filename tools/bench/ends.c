// SPDX-License-Identifier: GPL-2.0-only
/* User-space half of the programs that do not generate: both receiving ends, and the bare ones. */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "bare.skel.h"
#include "sink.skel.h"

struct sink {
	struct bench_sink *skel;
	const volatile struct bench_end *ends;
};

struct sink *sink_attach(const struct port *target, const struct port *client, const struct traffic *traffic)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	struct bench_sink *skel = bench_sink__open();

	if (!sink || !skel)
		die("sink: %s", strerror(errno));
	sink->skel = skel;
	memcpy((void *)skel->rodata->target_mac, target->mac, sizeof(target->mac));
	memcpy((void *)skel->rodata->client_mac, client->mac, sizeof(client->mac));
	*(struct bench_kind *)&skel->rodata->kind = traffic->kind;
	skel->rodata->rules = traffic->rules;
	skel->rodata->masquerade = traffic->masquerade;
	skel->rodata->ttl = traffic->ttl;
	if (bench_sink__load(skel))
		die("cannot load the sink: %s", strerror(errno));
	sink->ends = mmap(NULL, (size_t)getpagesize(), PROT_READ, MAP_SHARED, sink_ends_fd(sink), 0);
	if (sink->ends == MAP_FAILED)
		die("cannot map the sink's counters: %s", strerror(errno));
	port_lead(target, bpf_map__fd(skel->maps.back));
	port_attach(target, bpf_program__fd(skel->progs.bench_target));
	port_attach(client, bpf_program__fd(skel->progs.bench_client));
	return sink;
}

void sink_verify(struct sink *sink, bool on, bool answer)
{
	sink->skel->bss->verify = on;
	sink->skel->bss->answer = answer;
}

/* Member by member: the programs go on writing. */
struct bench_end sink_end(const struct sink *sink, enum bench_which which)
{
	const volatile struct bench_end *end = &sink->ends[which];
	struct bench_end copy = {.frames = end->frames};

	for (int i = 0; i < BENCH_VERDICTS; i++)
		copy.verdicts[i] = end->verdicts[i];
	return copy;
}

int sink_ends_fd(const struct sink *sink)
{
	return bpf_map__fd(sink->skel->maps.ends);
}

static struct bpf_program *bare_program(const struct bench_bare *skel, enum bare which)
{
	switch (which) {
	case BARE_TC:
		return skel->progs.bench_bare_tc;
	case BARE_PASS:
		return skel->progs.bench_bare_pass;
	case BARE_DROP:
		return skel->progs.bench_bare_drop;
	default:
		return skel->progs.bench_bare;
	}
}

int bare_load(enum bare which, const struct bench_kind *kind, const struct port *out, const struct port *target)
{
	struct bench_bare *skel = bench_bare__open();

	if (!skel)
		die("bare program: %s", strerror(errno));
	memcpy((uint8_t *)skel->rodata->macs, target->mac, ETH_ALEN);
	memcpy((uint8_t *)skel->rodata->macs + ETH_ALEN, out->mac, ETH_ALEN);
	*(struct bench_kind *)&skel->rodata->kind = *kind;
	skel->rodata->out = out->ifindex;
	if (bench_bare__load(skel))
		die("cannot load the bare program: %s", strerror(errno));
	port_lead(out, bpf_map__fd(skel->maps.wire));
	return bpf_program__fd(bare_program(skel, which));
}
