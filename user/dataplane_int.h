/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the dataplane*.c files share, and nobody else includes: the instance, its
 * maps and programs. Interfaces are in dataplane_iface_int.h, rules and flows in
 * dataplane_rule_int.h.
 *
 * Functions return 0, or -1 with err filled, unless their comment says otherwise.
 * Without an err they return 0 or a negative errno.
 */
#ifndef XDPFWD_USER_DATAPLANE_INT_H
#define XDPFWD_USER_DATAPLANE_INT_H

#include <limits.h>
#include <linux/bpf.h>

#include "dataplane.h"
#include "names.h"
#include "netdev.h"
#include "xdpfwd/flow.h"
#include "xdpfwd/policy.h"
#include "xdpfwd/refusal.h"
#include "xdpfwd/watch.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- maps (dataplane_map.c): X(NAME, pin, BPF_MAP_TYPE_*, key size, value size) */

/* clang-format off */
#define DP_MAPS(X)                                                                                            \
	X(CONFIG,        config,        ARRAY,        sizeof(__u32),                sizeof(struct xf_config))        \
	X(PORTS,         ports,         ARRAY,        sizeof(__u32),                sizeof(struct xf_ports))         \
	X(RULES,         rules,         ARRAY,        sizeof(__u32),                sizeof(struct xf_rule))          \
	X(RULE_META,     rule_meta,     HASH,         sizeof(__u32),                sizeof(struct xf_rule_meta))     \
	X(RULE_COUNTERS, rule_counters, PERCPU_ARRAY, sizeof(__u32),                sizeof(struct xf_rule_counters)) \
	X(RULE_DROPS,    rule_drops,    PERCPU_HASH,  sizeof(struct xf_drop_key),   sizeof(__u64))                   \
	X(DROPS,         drops,         PERCPU_ARRAY, sizeof(__u32),                sizeof(__u64))                   \
	X(LISTEN,        listen,        HASH,         sizeof(struct xf_listen_key), sizeof(__u32))                   \
	X(LISTEN_RANGES, listen_ranges, LPM_TRIE,     sizeof(struct xf_range_key),  sizeof(__u32))                   \
	X(FLOWS,         flows,         ARRAY,        sizeof(__u32),                sizeof(struct xf_flow))          \
	X(BUCKETS,       buckets,       ARRAY,        sizeof(__u32),                sizeof(struct xf_bucket))        \
	X(SLOTS,         slots,         ARRAY,        sizeof(__u32),                sizeof(struct xf_slot))          \
	X(FREE_SLOTS,    free_slots,    STACK,        0,                            sizeof(__u32))                   \
	X(CURSOR,        cursor,        ARRAY,        sizeof(__u32),                sizeof(struct xf_cursor))        \
	X(EVICTABLE,     evictable,     ARRAY,        sizeof(__u32),                sizeof(__u32))                   \
	X(UDP_PORTS,     udp_ports,     HASH,         sizeof(struct xf_port_key),   sizeof(struct xf_port_owner))    \
	X(SWEEPER,       sweeper,       ARRAY,        sizeof(__u32),                sizeof(struct xf_sweeper))       \
	X(INTERFACES,    interfaces,    HASH,         sizeof(__u32),                sizeof(struct xf_iface))         \
	X(LOCAL_ADDRS,   local_addrs,   HASH,         sizeof(struct xf_local_key),  sizeof(struct xf_local))         \
	X(NEIGHBOURS,    neighbours,    HASH,         sizeof(struct xf_neigh_key),  sizeof(__u32))                   \
	X(EGRESS,        egress,        DEVMAP_HASH,  sizeof(__u32),                sizeof(__u32))                   \
	X(FRAG_HOSTS,    frag_hosts,    LRU_HASH,     sizeof(struct xf_local_key),  sizeof(__u32))                   \
	X(POLICIES,      policies,      ARRAY,        sizeof(__u32),                sizeof(struct xf_policy))        \
	X(RULE_STATES,   rule_states,   ARRAY,        sizeof(__u32),                sizeof(struct xf_rule_state))    \
	X(PREFIXES4,     prefixes4,     LPM_TRIE,     sizeof(struct xf_prefix4),    sizeof(struct xf_prefix))        \
	X(PREFIXES6,     prefixes6,     LPM_TRIE,     sizeof(struct xf_prefix6),    sizeof(struct xf_prefix))        \
	X(PREFIX_SETS,   prefix_sets,   HASH,         sizeof(__u32),                sizeof(struct xf_prefix_set))    \
	X(SOURCE_BUCKETS, source_buckets, LRU_HASH,   sizeof(struct xf_source_key), sizeof(__u64))                   \
	X(SOURCE_FLOWS,  source_flows,  HASH,         sizeof(struct xf_source_key), sizeof(__u64))                   \
	X(SYN_PROOFS,    syn_proofs,    LRU_HASH,     sizeof(struct xf_source_key), sizeof(struct xf_syn_proof))     \
	X(SKETCHES,      sketches,      LRU_HASH,     sizeof(__u32),                sizeof(struct xf_sketch))        \
	X(SOURCES,       sources,       LRU_HASH,     sizeof(struct xf_source_key), sizeof(struct xf_source_count)) \
	X(REFUSALS,      refusals,      ARRAY,        sizeof(__u32),                sizeof(struct xf_refusal))       \
	X(CHANGES,       changes,       ARRAY,        sizeof(__u32),                sizeof(struct xf_changes))       \
	X(RULE_HOSTS,    rule_hosts,    HASH,         sizeof(__u32),                sizeof(struct xf_rule_host))     \
	X(TARGET_HEALTH, target_health, HASH,         sizeof(__u32),                sizeof(struct xf_target_health))
/* clang-format on */

enum dp_map {
#define X(id, pin, type, key, value) DP_MAP_##id,
	DP_MAPS(X)
#undef X
	DP_MAP_COUNT
};

struct dp_map_spec {
	const char *name; /* of the map, and of its pin */
	__u32 type, key_size, value_size;
};
extern const struct dp_map_spec dp_map_specs[DP_MAP_COUNT];

enum dp_prog {
	DP_PROG_XDP,
	DP_PROG_TC_L2,
	DP_PROG_TC_L3,
	DP_PROG_TC_OUT_L2,
	DP_PROG_TC_OUT_L3,
	DP_PROG_CLOCK,
	DP_PROG_SWEEP,
	DP_PROG_ADOPT,
	DP_PROG_COUNT
};
struct dp_prog_spec {
	const char *name; /* of the program */
	const char *pin;
};
extern const struct dp_prog_spec dp_prog_specs[DP_PROG_COUNT];

struct dataplane {
	char dir[PATH_MAX];
	int dir_fd; /* the state directory; holds the lock of a writer */
	bool writes;
	int map[DP_MAP_COUNT];
	int prog[DP_PROG_COUNT]; /* opened when first needed */
	struct xf_config config;
	__u32 set; /* the rule set in force: config.set, or the one before */
};

/* Opens one pinned map, or fails: missing (errno ENOENT), or not what this version pins there. */
int dp_map_open(struct dataplane *dp, enum dp_map map, struct xf_error *err);
/* Fills dp->config; of another ABI only abi, netns and version of it. */
int dp_config_open(struct dataplane *dp, struct xf_error *err);
int dp_maps_open(struct dataplane *dp, struct xf_error *err);
/* The same for a map that a command that was killed has left beside the pin, see dataplane_upgrade.c. */
int dp_map_open_pin(struct dataplane *dp, enum dp_map map, const char *pin, struct xf_error *err);
/* Is this map under this pin? Of an instance of another version, it may have other sizes. */
bool dp_map_pin_is_ours(const struct dataplane *dp, const char *pin, enum dp_map map);
/* Is a map of that name under this pin, of whatever kind? */
bool dp_map_pin_is_named(const struct dataplane *dp, const char *pin, const char *name);
int dp_config_write(struct dataplane *dp, struct xf_error *err);
/*
 * Calls fn for each element, in batches; a non-zero return stops, a negative one
 * is returned. Elements that come or go meanwhile may be missed, no other. 0 or
 * a negative errno.
 */
typedef int (*dp_walk_fn)(const void *key, const void *value, void *arg);
int dp_map_walk(int map_fd, dp_walk_fn fn, void *arg);
/* An array's elements in this process' memory; munmap with that length. NULL with err. */
void *dp_map_mmap(struct dataplane *dp, enum dp_map map, size_t *len, struct xf_error *err);

/* Keys that are written or removed many at a time. All functions return 0 or a negative errno. */
struct dp_batch {
	int map;
	__u32 key_size, value_size, n;
	bool remove;
	unsigned char *keys, *values;
};
int dp_batch_begin(struct dp_batch *b, int map_fd, bool remove);
/* Keys to be written must be new. */
int dp_batch_add(struct dp_batch *b, const void *key, const void *value);
/* What is left of it, unless rc says that it failed before; returns what went wrong first. */
int dp_batch_end(struct dp_batch *b, int rc);

/* ---- other versions' maps (dataplane_abi.c) */

/* What becomes of a map whose layout has changed. Those that are not mentioned stay. */
enum dp_carry {
	DP_CARRY_COPY,	  /* only the tool writes it, and it holds the lock */
	DP_CARRY_FLOWS,	  /* "flows", which programs write all the time */
	DP_CARRY_NOTHING, /* it begins anew; "buckets" must where "flows" do */
};

struct dp_abi_change {
	enum dp_map map;
	enum dp_carry how;
	__u32 key_size, value_size; /* as they were */
	void (*convert)(const void *key, const void *value, void *new_key, void *new_value);
};

/* From one older ABI to this one. */
struct dp_abi_step {
	__u32 abi;
	__u32 config_size;
	void (*config)(const void *old, struct xf_config *config);
	const struct dp_abi_change *changes; /* one with key_size 0 and value_size 0 ends them */
};

/* NULL: state of that ABI cannot be taken over. */
const struct dp_abi_step *dp_abi_step(__u32 abi);
const struct dp_abi_change *dp_abi_change(const struct dp_abi_step *step, enum dp_map map);

/* ---- an upgrade across a change of layout (dataplane_upgrade.c) */

/* Takes over what an older version has loaded, of which dp has the ABI. Done again after a kill, it goes on. */
int dp_upgrade(struct dataplane *dp, const struct dp_load_options *options, struct xf_error *err);
/* Has a newer version begun one, and not come to its end? */
bool dp_upgrade_interrupted(const struct dataplane *dp);
/* Gives the maps of one that is over but for that their names. */
void dp_upgrade_finish(struct dataplane *dp);
/* Removes what one has put aside. */
void dp_upgrade_drop(struct dataplane *dp);

/* ---- state directory (bpffs.c) */

/*
 * Opens the state directory if it is one of ours to trust: on a bpffs, a
 * directory, root's, and nobody else may write. *fd -1: there is none.
 */
int state_open(const char *dir, int *fd, struct xf_error *err);
/* The same, but makes it, and mounts /sys/fs/bpf if that is what is missing. */
int state_create(const char *dir, int *fd, struct xf_error *err);
/* Opens (create: makes) and locks it for writing; waits up to 10 s for another command. *fd -1: there is none. */
int state_lock(const char *dir, bool create, int *fd, struct xf_error *err);

/* ---- handle (dataplane.c) */

struct dataplane *dp_new(const char *state, struct xf_error *err);
const char *dp_path(const struct dataplane *dp, const char *name, char path[PATH_MAX]);
__u64 dp_netns(void);
/* dp_open for writing, whatever set is in force. */
int dp_open_locked(struct dataplane **dp, const char *state, struct xf_error *err);
/* The config and all maps. On failure errno ENOENT says that nothing is loaded, EPROTO that another ABI is. */
int dp_instance_open(struct dataplane *dp, bool write, struct xf_error *err);
/* Program's descriptor, from its pin; -1 with err. It stays the handle's. */
int dp_prog_open(struct dataplane *dp, enum dp_prog prog, struct xf_error *err);
/* Pins, or replaces a pin in one step. */
int dp_pin(struct dataplane *dp, int fd, const char *name, struct xf_error *err);
int dp_clock_read(struct dataplane *dp, struct xf_clock *clock, struct xf_error *err);
/* XF_SWEEP_*: has the programs end the flows that are over; *ended (or NULL): how many. */
int dp_sweep(struct dataplane *dp, __u32 flags, __u32 *ended, struct xf_error *err);
/* Refusals that are remembered have counts of their own: adds them to everybody's, for whoever reads those. */
int dp_refusals_settle(struct dataplane *dp, struct xf_error *err);
/* The same, and none stands any longer: before a rule's counters begin anew. */
void dp_refusals_end(struct dataplane *dp);
__u32 dp_prog_id(int prog_fd); /* 0: not to be had */
/* A program's name by its id, "?" where the kernel does not tell us. */
void dp_prog_name(__u32 id, char name[BPF_OBJ_NAME_LEN]);

/* ---- programs and maps of a new or newer version (dataplane_object.c) */

struct dp_object;

/*
 * Opens the object that is part of this binary, over the handle's maps where it
 * has them, else with new ones of the sizes that dp->config says; loads it
 * unless it is to be loaded by libxdp.
 */
int dp_object_open(struct dataplane *dp, struct dp_object **object, struct xf_error *err);
int dp_object_load(struct dp_object *object, struct xf_error *err);
/* Leaves but the fast tier's program to be loaded, and returns it. */
struct bpf_program *dp_object_fast_only(struct dp_object *object);
/* The fast tier's program alone, loaded as generic XDP needs it. */
int dp_object_open_generic(struct dataplane *dp, struct dp_object **object, struct xf_error *err);
void dp_object_close(struct dp_object *object);
struct bpf_object *dp_object_bpf(struct dp_object *object);
int dp_object_prog_fd(struct dp_object *object, enum dp_prog prog);
/* Takes over the descriptors of newly made maps, and pins them. */
int dp_object_pin_maps(struct dataplane *dp, struct dp_object *object, struct xf_error *err);
/* Makes no pins for maps that the handle has not got, but takes over their descriptors. */
int dp_object_take_map(struct dataplane *dp, struct dp_object *object, enum dp_map map, struct xf_error *err);
int dp_object_pin_progs(struct dataplane *dp, struct dp_object *object, struct xf_error *err);

/* ---- the running kernel (dataplane_probe.c) */

/* May programs ask its connection tracking (6.0, nf_conntrack built in or loaded)? */
bool dp_probe_conntrack(void);

/* ---- a new instance's settings (dataplane_config.c) */

int dp_config_make(const struct dp_load_options *options, struct xf_config *config, struct xf_error *err);
/* What options ask of an instance that is there: refused if it cannot be changed now. */
int dp_config_update(const struct dp_load_options *options, struct xf_config *config, struct xf_error *err);

#endif
