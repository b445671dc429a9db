/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs and maps in this binary: opened, sized or put over pinned maps, loaded, pinned. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/bpf_common.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "xdpfwd.skel.h"

#include "caps.h"
#include "dataplane_int.h"
#include "log.h"

struct dp_object {
	struct xdpfwd_bpf *skel;
};

/* What of a map's size follows from the limits; 0: as it is written in the program. */
static __u32 map_entries(const struct xf_config *config, enum dp_map map)
{
	switch (map) {
	case DP_MAP_RULE_COUNTERS:
	case DP_MAP_RULE_STATES:
	case DP_MAP_TARGET_HEALTH:
		return config->max_rules;
	case DP_MAP_RULES: /* two sets */
	case DP_MAP_RULE_META:
	case DP_MAP_RULE_HOSTS:
	case DP_MAP_POLICIES:
	case DP_MAP_RULE_DROPS: /* grows as drops come; one of a hundred rules has every reason */
		return 2 * config->max_rules;
	case DP_MAP_LISTEN: /* grows with the rules; TCP and UDP, without state also for answers, in two sets at once */
		return 8 * config->max_rules;
	case DP_MAP_LISTEN_RANGES: /* no more than so many prefixes for either protocol */
		return config->max_rules < 65536 / 16 ? 2 * 65536 : 2 * 16 * config->max_rules;
	case DP_MAP_FLOWS:
		return 2 * config->max_flows;
	case DP_MAP_BUCKETS:
		return XF_BUCKETS(config->max_flows) + XF_BUCKETS_NEAR - 1;
	case DP_MAP_SLOTS:
	case DP_MAP_FREE_SLOTS:
	case DP_MAP_EVICTABLE:
	case DP_MAP_UDP_PORTS:
		return config->max_flows;
	case DP_MAP_REFUSALS:
		return (__u32)libbpf_num_possible_cpus() * XF_REFUSALS;
	case DP_MAP_SKETCHES: /* 4 KiB each */
		return config->max_rules < 512 ? 512 : config->max_rules < 4096 ? config->max_rules : 4096;
	default:
		return 0;
	}
}

/* Before 5.11 maps were charged against this limit, and its default is small. */
static void raise_memlock(void)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &unlimited))
		log_debug("cannot raise RLIMIT_MEMLOCK: %s", strerror(errno));
}

static enum dp_map map_by_name(const char *name)
{
	int i;

	for (i = 0; i < DP_MAP_COUNT; i++)
		if (!strcmp(dp_map_specs[i].name, name))
			break;
	return (enum dp_map)i;
}

/* What the programs know of incomplete datagrams, and where they found something: with new programs, it begins anew. */
static const char *const passing[] = {"fragments", "held", "held_tickets", "ways", "flow_hints"};

/* Of no concern outside of the programs; also per-CPU memory, for want of a stack or as a cache. */
static bool is_private(const struct bpf_map *map)
{
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (!strcmp(bpf_map__name(map), passing[i]))
			return true;
	return map_by_name(bpf_map__name(map)) == DP_MAP_COUNT && bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int prepare_map(struct dataplane *dp, struct bpf_map *map, struct xf_error *err)
{
	enum dp_map id = map_by_name(bpf_map__name(map));
	__u32 entries;
	int rc = 0;

	if (bpf_map__is_internal(map) || is_private(map))
		return 0;
	if (id == DP_MAP_COUNT)
		return xf_fail(err, "the programs have a map \"%s\" that the tool does not know", bpf_map__name(map));
	entries = map_entries(&dp->config, id);
	if (dp->map[id] >= 0)
		rc = bpf_map__reuse_fd(map, dp->map[id]);
	else if (entries)
		rc = bpf_map__set_max_entries(map, entries);
	if (rc)
		return xf_fail(err, "cannot prepare the map \"%s\": %s", bpf_map__name(map), strerror(-rc));
	return 0;
}

/* Before 5.18 a program cannot say that it bears frames of several buffers, and need not. */
static bool kernel_has_frags(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xf_probe", "GPL", pass, ARRAY_SIZE(pass), &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void set_frags(struct dp_object *object, bool frags)
{
	struct bpf_program *p = bpf_object__find_program_by_name(object->skel->obj, dp_prog_specs[DP_PROG_XDP].name);
	__u32 flags = p ? bpf_program__flags(p) & ~(__u32)BPF_F_XDP_HAS_FRAGS : 0;

	if (p)
		bpf_program__set_flags(p, frags ? flags | BPF_F_XDP_HAS_FRAGS : flags);
}

/*
 * To libbpf the section's name says that a program bears frames of several
 * buffers, whatever its flags are; but that depends on where it shall run. A
 * handler of our own for that name leaves it to the flags.
 */
static struct xdpfwd_bpf *open_skeleton(void)
{
	static int handler;

	if (handler <= 0)
		handler = libbpf_register_prog_handler("xdp.frags", BPF_PROG_TYPE_XDP, BPF_XDP, NULL);
	if (handler <= 0) {
		errno = -handler;
		return NULL;
	}
	return xdpfwd_bpf__open();
}

/* A power of two, so many that two flows seldom have the same. */
static int size_hints(struct dp_object *object, __u32 max_flows)
{
	__u32 n = XF_HINTS_LEAST;

	while (n < XF_HINTS_A_SLOT * max_flows && n < 1u << XF_HINT_BITS)
		n *= 2;
	object->skel->rodata->cfg_hints_mask = n - 1;
	return bpf_map__set_max_entries(object->skel->maps.flow_hints, n);
}

/* The same for all programs of the instance, now and later: by these numbers they find what the maps have. */
static void set_hash(struct dp_object *object, const struct xf_config *config)
{
	__u64 mix[3];

	xf_tuple_mix(config->port_secret, mix);
	memcpy((void *)object->skel->rodata->cfg_mix, mix, sizeof(mix));
	object->skel->rodata->cfg_buckets = XF_BUCKETS(config->max_flows);
	object->skel->rodata->cfg_entry_index = xf_entry_index(config->max_flows);
}

int dp_object_open(struct dataplane *dp, struct dp_object **object, struct xf_error *err)
{
	struct dp_object *o = calloc(1, sizeof(*o));
	struct bpf_map *map;

	*object = NULL;
	raise_memlock();
	if (o)
		o->skel = open_skeleton();
	if (!o || !o->skel) {
		free(o);
		return xf_fail(err, "cannot open the programs in this binary: %s", strerror(errno));
	}
	o->skel->rodata->cfg_conntrack = dp_probe_conntrack();
	if (!o->skel->rodata->cfg_conntrack)
		log_debug(
			"this kernel does not let programs ask its connection tracking: a rule's port may take answers "
			"to connections that netfilter masquerades");
	bpf_object__for_each_map(map, o->skel->obj) {
		if (prepare_map(dp, map, err)) {
			dp_object_close(o);
			return -1;
		}
	}
	if (size_hints(o, dp->config.max_flows)) {
		dp_object_close(o);
		return xf_fail(err, "cannot size the map \"flow_hints\"");
	}
	set_hash(o, &dp->config);
	set_frags(o, kernel_has_frags());
	*object = o;
	return 0;
}

struct bpf_program *dp_object_fast_only(struct dp_object *object)
{
	struct bpf_program *p, *fast = NULL;

	bpf_object__for_each_program(p, object->skel->obj) {
		bool is_fast = !strcmp(bpf_program__name(p), dp_prog_specs[DP_PROG_XDP].name);

		bpf_program__set_autoload(p, is_fast);
		if (is_fast)
			fast = p;
	}
	return fast;
}

/*
 * From 6.9 on, generic XDP copies a packet for a program that bears several
 * buffers, and the copy forgets how long its link-layer header was: TC then
 * sees it without. For any other program it only makes the packet linear.
 */
int dp_object_open_generic(struct dataplane *dp, struct dp_object **object, struct xf_error *err)
{
	if (dp_object_open(dp, object, err))
		return -1;
	set_frags(*object, false);
	dp_object_fast_only(*object);
	if (!dp_object_load(*object, err))
		return 0;
	dp_object_close(*object);
	*object = NULL;
	return -1;
}

static const char *load_remedy(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return caps_remedy();
	case ENOMEM:
		return "ask for less with --max-rules or --max-flows";
	default:
		return "--verbose shows what the kernel says";
	}
}

int dp_object_load(struct dp_object *object, struct xf_error *err)
{
	int rc = xdpfwd_bpf__load(object->skel);

	if (rc)
		return xf_fail(err, "the kernel does not take the programs: %s; %s", strerror(-rc), load_remedy(-rc));
	return 0;
}

void dp_object_close(struct dp_object *object)
{
	if (!object)
		return;
	xdpfwd_bpf__destroy(object->skel);
	free(object);
}

struct bpf_object *dp_object_bpf(struct dp_object *object)
{
	return object->skel->obj;
}

int dp_object_prog_fd(struct dp_object *object, enum dp_prog prog)
{
	struct bpf_program *p = bpf_object__find_program_by_name(object->skel->obj, dp_prog_specs[prog].name);

	return p ? bpf_program__fd(p) : -ENOENT;
}

int dp_object_take_map(struct dataplane *dp, struct dp_object *object, enum dp_map map, struct xf_error *err)
{
	const char *name = dp_map_specs[map].name;
	struct bpf_map *m = bpf_object__find_map_by_name(object->skel->obj, name);

	if (!m)
		return xf_fail(err, "the programs have no map \"%s\"", name);
	dp->map[map] = dup(bpf_map__fd(m));
	if (dp->map[map] < 0)
		return xf_fail(err, "cannot keep the map \"%s\": %s", name, strerror(errno));
	return 0;
}

/* All but the config, which the caller pins when all the rest is there: with it the instance exists. */
int dp_object_pin_maps(struct dataplane *dp, struct dp_object *object, struct xf_error *err)
{
	int i;

	for (i = 0; i < DP_MAP_COUNT; i++) {
		if (dp->map[i] >= 0)
			continue;
		if (dp_object_take_map(dp, object, (enum dp_map)i, err))
			return -1;
		if (i != DP_MAP_CONFIG && dp_pin(dp, dp->map[i], dp_map_specs[i].name, err))
			return -1;
	}
	return 0;
}

int dp_object_pin_progs(struct dataplane *dp, struct dp_object *object, struct xf_error *err)
{
	int i, fd;

	for (i = 0; i < DP_PROG_COUNT; i++) {
		fd = dp_object_prog_fd(object, (enum dp_prog)i);
		if (fd < 0)
			return xf_fail(err, "the programs have no \"%s\"", dp_prog_specs[i].name);
		if (dp_pin(dp, fd, dp_prog_specs[i].pin, err))
			return -1;
		if (dp->prog[i] >= 0)
			close(dp->prog[i]);
		dp->prog[i] = dup(fd);
	}
	return 0;
}
