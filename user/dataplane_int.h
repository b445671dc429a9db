/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the dataplane*.c files share, and nobody else includes.
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
	X(FLOW4,         flow4,         HASH,         sizeof(struct xf_key4),       sizeof(struct xf_flow))          \
	X(FLOW6,         flow6,         HASH,         sizeof(struct xf_key6),       sizeof(struct xf_flow))          \
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
	DP_CARRY_FLOWS,	  /* programs write it all the time */
	DP_CARRY_NOTHING, /* it begins anew */
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

/* ---- attachments (dataplane_attach.c) */

struct dp_attach {
	struct nd_link link;
	enum dp_mode mode;
	bool dispatcher;
	bool automatic; /* for a rule's target: falls back to TC instead of failing */
};

/* One record of "interfaces". */
struct dp_iface_record {
	__u32 ifindex;
	struct xf_iface iface;
};

int dp_attach(struct dataplane *dp, const struct dp_attach *request, struct xf_error *err);
/* As far as it goes: what is gone already is no error. The first other failure is told. */
int dp_detach(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err);
/* Moves an attached interface to the tier that is asked for; on failure it is where it was. */
int dp_attach_switch(struct dataplane *dp, const struct dp_attach *request, struct xf_error *err);
/* Puts the loaded programs in the place of those attached; on failure the old ones are back. */
int dp_attach_replace(struct dataplane *dp, struct dp_object *object, struct xf_error *err);

/* ---- pins (dataplane_unload.c) */

/* Detaches and removes what xdpfwd left there. *foreign: the name of something that is not ours, or empty. */
int dp_state_clean(const char *state, char foreign[NAME_MAX + 1], struct xf_error *err);
/* Removes the state directory, if nothing is in it. */
void dp_state_remove(const char *state);

/* ---- "interfaces" (dataplane_iface.c) */

int dp_ifaces_read(struct dataplane *dp, struct dp_iface_record **records, size_t *n, struct xf_error *err);
bool dp_iface_get(struct dataplane *dp, __u32 ifindex, struct dp_iface_record *record);
int dp_iface_put(struct dataplane *dp, const struct dp_iface_record *record, struct xf_error *err);
void dp_iface_forget(struct dataplane *dp, __u32 ifindex);
/* Is it still attached? Then the record gets the name that it has now. */
bool dp_iface_look(struct dataplane *dp, struct dp_iface_record *record);
/* Drops the records of interfaces that are gone, and what is pinned for them. */
int dp_ifaces_prune(struct dataplane *dp, struct xf_error *err);

/* ---- fast tier of one interface (dataplane_xdp.c, dataplane_dispatcher.c) */

/* Why this interface does not get native XDP by itself; NULL: it may. */
const char *dp_xdp_unfit(const struct nd_link *link, char *buf, size_t len);
/* Are there VLAN devices on it whose tags XDP would not see? */
bool dp_xdp_loses_tags(const struct nd_link *link);
/* 0 or a negative errno. */
int dp_xdp_attach(struct dataplane *dp, __u32 ifindex, enum xf_tier tier);
void dp_xdp_detach(struct dataplane *dp, __u32 ifindex);
/* Negative errno; -ENOLINK: the interface, or the link with it, is gone. */
int dp_xdp_replace(struct dataplane *dp, __u32 ifindex, enum xf_tier tier, int prog_fd);
/* What a failed attachment means to the user. */
void dp_xdp_explain(const char *ifname, bool native, int error, struct xf_error *err);

int dp_dispatcher_attach(struct dataplane *dp, const struct dp_attach *request, struct xf_iface *iface,
			 struct xf_error *err);
int dp_dispatcher_detach(__u32 ifindex, struct xf_error *err);

/* ---- full tier of one interface (dataplane_tc.c) */

enum dp_tc_side {
	DP_TC_IN,
	DP_TC_OUT,
};

/* The program of that side. */
enum dp_prog dp_tc_prog(const struct xf_iface *iface, enum dp_tc_side side);
int dp_tc_attach(struct dataplane *dp, struct dp_iface_record *record, enum dp_tc_side side, struct xf_error *err);
/* Ingress last: with it goes a clsact qdisc of ours. */
int dp_tc_detach(struct dataplane *dp, const struct dp_iface_record *record, enum dp_tc_side side,
		 struct xf_error *err);
int dp_tc_replace(struct dataplane *dp, const struct dp_iface_record *record, enum dp_tc_side side, int prog_fd);

/* ---- targets and clients on this machine (dataplane_local.c) */

struct dp_ruleset;
#define LOOPBACK_IFINDEX  1	    /* in every network namespace */
#define DP_LOCAL_OUT	  (1u << 0) /* a target is this machine */
#define DP_LOCAL_LOOPBACK (1u << 1) /* and that in 127/8 */
unsigned int dp_local_needs(const struct dp_ruleset *set, const struct xf_rule *more);
/* Brings all attached interfaces to it; or to what the rules need that are there. */
int dp_local_apply(struct dataplane *dp, unsigned int needs, struct xf_error *err);
int dp_local_refresh(struct dataplane *dp, struct xf_error *err);
/* Puts the settings of an interface back that is to be detached. */
void dp_local_restore(const struct dataplane *dp, struct dp_iface_record *record);

/* ---- links (dataplane_link.c) */

void dp_link_pin_name(char name[32], const char *kind, __u32 ifindex);
int dp_link_pin(struct dataplane *dp, int link_fd, const char *kind, __u32 ifindex);
int dp_link_replace(struct dataplane *dp, const char *kind, __u32 ifindex, int prog_fd);
/* Detaches now, not when the last descriptor is gone, and unpins. */
void dp_link_remove(struct dataplane *dp, const char *pin);
/* Is it attached to a device that is still there? */
bool dp_link_is_alive(struct dataplane *dp, const char *pin);

/* ---- the network as the programs see it (dataplane_net.c) */

/* Which interfaces take XDP frames now. */
int dp_egress_refresh(struct dataplane *dp, struct xf_error *err);
int dp_local_addrs_refresh(struct dataplane *dp, struct xf_error *err);
/* (dataplane_neigh.c) Counts one more, one less user of the next hop on a rule's way to its target. */
void dp_neighbour_take(struct dataplane *dp, const struct xf_address *target, const struct nd_route *route);
void dp_neighbour_release(struct dataplane *dp, const struct xf_address *target);
void dp_neighbours_forget(struct dataplane *dp);
/* All users at once: forgets their numbers; counts; forgets the next hops that nobody uses any more. */
void dp_neighbours_recount(struct dataplane *dp);
void dp_neighbour_add(struct dataplane *dp, const struct xf_address *target, const struct nd_route *route, __u32 users);
void dp_neighbours_forget_unused(struct dataplane *dp);
/* Says which attached interfaces do not forward packets of these families (bit 0: IPv4, bit 1: IPv6). */
#define DP_WARN_IPV4 (1u << 0)
#define DP_WARN_IPV6 (1u << 1)
void dp_forwarding_warn(struct dataplane *dp, unsigned int families);

/* ---- rule sets: which one is in force (dataplane_set.c) */

/* Reads the config anew, and from it which set that is now. */
int dp_set_look(struct dataplane *dp, struct xf_error *err);
/*
 * For whoever is going to write: brings a set back whose successor was not
 * confirmed in time, and clears away what a killed command left. Refused while
 * one waits to be confirmed.
 */
int dp_set_settle(struct dataplane *dp, struct xf_error *err);
/* The next set's number, to be built aside; until it is in force, what is there of it counts as rubbish. */
int dp_set_begin(struct dataplane *dp, __u32 *next, struct xf_error *err);
/* From now on packets meet that set: for good, or for so long unless it is confirmed (seconds 0: for good). */
int dp_set_switch(struct dataplane *dp, __u32 next, __u32 seconds, struct xf_error *err);
/* Clears away all that is of other sets than the one in force. */
int dp_set_clear(struct dataplane *dp, struct xf_error *err);

/* ---- all rules, read at once (dataplane_ruleset.c) */

struct dp_entry {
	__u32 id;
	struct xf_rule_meta meta;
	struct xf_policy policy; /* all zero without XF_RULE_POLICY */
};

struct dp_ruleset {
	struct xf_rule *rules; /* by rule id; neither live nor draining: a free place */
	__u32 max_rules;
	__u32 live, draining;
	__u32 free_id;		  /* the lowest free slot; max_rules: none */
	struct dp_entry *entries; /* what is said of the rules that are there, in no order */
	size_t n_entries, room;
};

int dp_ruleset_read(struct dataplane *dp, struct dp_ruleset *set, struct xf_error *err);
void dp_ruleset_free(struct dp_ruleset *set);
/* One more entry; NULL: out of memory. */
struct dp_entry *dp_ruleset_add(struct dp_ruleset *set, __u32 id);
/* A live rule; NULL with err if there is none of that name. */
const struct dp_entry *dp_ruleset_find(const struct dp_ruleset *set, const char *name, struct xf_error *err);
/* Frees the slots of deleted rules whose last flow is gone. */
int dp_ruleset_reap(struct dataplane *dp, struct dp_ruleset *set, struct xf_error *err);
bool dp_rule_is_there(const struct xf_rule *rule);
/* Where a rule is in the maps that have room for two sets. */
__u32 dp_rule_place(const struct dataplane *dp, __u32 id);
/* Writes the element; 0 or a negative errno. */
int dp_rule_write(struct dataplane *dp, __u32 id, const struct xf_rule *rule);
int dp_meta_write(struct dataplane *dp, __u32 id, const struct xf_rule_meta *meta);
/* A tag for that rule that none of the flows has which were made under it lately. */
__u32 dp_rule_next_tag(const struct dataplane *dp, __u32 id);
/* The same of the tags that it has in both halves. */
__u32 dp_tag_after(__u32 id, __u32 here, __u32 there);
/* Ends a rule for good: its flows are dead with this. */
int dp_rule_free(struct dataplane *dp, __u32 id, struct xf_error *err);
void dp_rule_drops_clear(struct dataplane *dp, __u32 id);

/* ---- sets of networks, shared by rules (dataplane_prefix.c) */

struct dp_prefix_set {
	__u32 id;
	struct xf_prefix_set set;
};

struct dp_prefix_sets {
	struct dp_prefix_set *set; /* by number */
	size_t n, room;
};

int dp_prefix_sets_read(struct dataplane *dp, struct dp_prefix_sets *sets, struct xf_error *err);
void dp_prefix_sets_free(struct dp_prefix_sets *sets);
const struct dp_prefix_set *dp_prefix_set_find(const struct dp_prefix_sets *sets, __u32 id);
/* The set of these networks: the one that is there, or a new one, whole when this returns. NULL list: 0. */
int dp_prefixes_intern(struct dataplane *dp, const struct xf_prefixes *list, __u32 *id, struct xf_error *err);
/* Removes the sets that no live rule of `set` refers to. What cannot be removed now, a later call will. */
void dp_prefixes_clean(struct dataplane *dp, const struct dp_ruleset *set);

/* (dataplane_prefix_map.c) The networks of a set; of sets whose numbers are in order. 0 or a negative errno. */
int dp_networks_write(struct dataplane *dp, const struct xf_prefixes *list, __u32 id);
int dp_networks_remove(struct dataplane *dp, const __u32 *ids, size_t n);

/* ---- what rules ask of newcomers (dataplane_policy.c) */

struct dp_addition;
/* Fills in what the new rule asks for, its sets included; nothing refers to them yet. */
int dp_policy_make(struct dataplane *dp, struct dp_addition *add, struct xf_rule *rule, struct xf_error *err);
/* Writes it for a rule that is not there yet, with a full bucket. */
int dp_policy_write(struct dataplane *dp, __u32 id, const struct xf_policy *policy, struct xf_error *err);
/* The clock may have been set since rules were told at which date to expire: tells them anew. */
int dp_expiry_refresh(struct dataplane *dp, struct xf_error *err);

/* ---- rules without state (dataplane_stateless.c) */

/* This machine's addresses. */
struct dp_own {
	struct nd_addr *addr; /* NULL: not read yet */
	size_t n;
	bool failed;
};

/* ---- what this machine answers to rules (dataplane_machine.c) */

struct dp_answer;
/* All zero: nothing was asked yet. */
struct dp_machine {
	struct names addresses; /* at: index in answers + 1 */
	struct dp_answer *answers;
	size_t n_answers, room;
	struct nd_link link; /* the last one asked for */
	struct names said;   /* what was told the user already */
	struct lockout *lockout;
	struct dp_own own;
};

/* Is it an address of this machine? 1, 0, or -1 with err. */
int dp_machine_owns(struct dp_machine *m, const struct xf_address *addr, struct xf_error *err);
int dp_machine_route(struct dp_machine *m, const struct xf_address *addr, struct nd_route *route, struct xf_error *err);
int dp_machine_link(struct dp_machine *m, const char *ifname, struct nd_link *link, struct xf_error *err);
/* Refuses what takes traffic of a local socket, or of the SSH session in use. */
int dp_machine_locks_out(struct dp_machine *m, const struct xf_rule_spec *rule, struct xf_error *err);
/* True the first time. */
bool dp_machine_says(struct dp_machine *m, const char *what);
void dp_machine_free(struct dp_machine *m);

/* ---- a new rule (dataplane_judge.c) */

/* What is found out about a rule on the way to its place. */
struct dp_addition {
	struct xf_rule_spec *spec;
	bool force; /* even if it shadows a local socket */
	struct dp_ruleset set;
	struct nd_route route;	  /* to the target */
	bool local;		  /* the target is this machine */
	__u32 listen_ifindex;	  /* IFACE:PORT */
	struct xf_address source; /* what the target sees under masquerade; family 0: not known; stateless: clients */
	struct xf_policy policy;
	struct dp_machine machine;
};

/* Refuses what cannot work, against the other rules and against the machine; gives a missing name. Changes nothing. */
int dp_judge_rules(struct dp_addition *add, struct xf_error *err);
int dp_judge_machine(struct dataplane *dp, struct dp_addition *add, struct xf_error *err);
/* Of a rule that is gone, but for its last flows. */
int dp_judge_draining(const struct xf_rule_spec *rule, const struct xf_rule_spec *other, struct xf_error *err);

/* (dataplane_rule.c) Attaches the interface of that route. 1: now, 0: it was, or is not to be, -1 with err. */
int dp_attach_way_out(struct dataplane *dp, const struct nd_route *route, struct xf_error *err);
/* Where this machine's own connections to its addresses come by. 1: attached now, 0: it was, or is not to be. */
int dp_attach_loopback(struct dataplane *dp);

/* ---- a whole set of rules (dataplane_apply.c) */

/* (dataplane_apply_iface.c) What was attached for it, and would be detached if it came to nothing. */
struct dp_attachments {
	__u32 *ifindex;
	size_t n, room;
	__u32 seen; /* the way out of the last rule */
};
int dp_attach_wanted(struct dataplane *dp, const struct dp_apply_options *options, struct dp_attachments *attached,
		     struct xf_error *err);
/* The way out of a rule, and that of this machine's own connections to it. */
int dp_attach_for(struct dataplane *dp, const struct nd_route *route, struct dp_attachments *attached,
		  struct xf_error *err);
void dp_attachments_undo(struct dataplane *dp, const struct dp_attachments *attached);

/*
 * (dataplane_counts.c) By id: what is counted of these rules begins anew, and
 * these get back what the ones before in their places have spent of their rates.
 */
int dp_counts_begin(struct dataplane *dp, const bool *fresh, const bool *spent, struct xf_error *err);
/* By id: what was refused on account of these rules. 0 or a negative errno. */
int dp_drops_forget(struct dataplane *dp, const bool *ids);

/* ---- rules and a network that has changed (dataplane_follow.c) */

/* What cannot be found out is told as a warning, and stays as it was. */
int dp_follow(struct dataplane *dp, struct xf_error *err);

/* ---- how the programs find a rule (dataplane_listen.c) */

/* A rule, its place and what is said of it: all that its listen keys are made of. */
struct dp_placed {
	__u32 id;
	const struct xf_rule *rule;
	const struct xf_rule_meta *meta;
	const struct xf_policy *policy; /* of a new rule only */
	const char *host;		/* likewise: the name that its target was given as; empty or NULL: none */
};

int dp_listen_add(struct dataplane *dp, const struct dp_placed *placed, struct xf_error *err);
void dp_listen_remove(struct dataplane *dp, const struct dp_placed *placed);
/* Marks the rule's ports; and marks anew from all rules that are left. */
int dp_ports_add(struct dataplane *dp, const struct dp_placed *placed, struct xf_error *err);
int dp_ports_rebuild(struct dataplane *dp, const struct dp_ruleset *set, struct xf_error *err);
/* And from those of two sets. */
int dp_ports_cover(struct dataplane *dp, const struct dp_ruleset *set, const struct dp_ruleset *other,
		   struct xf_error *err);
/* The keys of all live rules of a set that is not in force yet. */
int dp_listen_add_all(struct dataplane *dp, const struct dp_ruleset *set, __u32 number, struct xf_error *err);

/* ---- rules without state */

/* Which address does it listen on? To add->source. */
int dp_stateless_judge(struct dp_addition *add, struct xf_error *err);
/* And which now? The first call reads *own, which is the caller's to free. */
int dp_stateless_follow(struct dataplane *dp, struct dp_own *own, const struct dp_placed *placed, struct xf_error *err);

/* ---- names of targets, and whether they answer (dataplane_target.c) */

/* The name of the target of a rule that is not in force yet; empty or NULL: it has none. */
int dp_host_write(struct dataplane *dp, __u32 tag, const char *name, struct xf_error *err);
void dp_target_forget(struct dataplane *dp, __u32 id);
/* Fills in the rules' names of targets, and which are up. */
void dp_targets_read(struct dataplane *dp, struct dp_rule *rules, size_t n);

/* ---- who comes to a rule (dataplane_watch.c) */

/* Fills in the rules' sources and flows by state. */
int dp_watch_read(struct dataplane *dp, struct dp_rule *rules, size_t n, struct xf_error *err);
/* For a new rule in that place. */
void dp_watch_forget(struct dataplane *dp, __u32 id);

/* ---- flows (dataplane_flow.c) */

/* One half of a flow, as found. */
struct dp_half {
	__u8 family;
	struct xf_key6 key; /* IPv4 in the first word of each address */
	struct xf_flow flow;
};
/* Judged by this half alone; now is in jiffies. */
bool dp_flow_expired(const struct dp_half *half, __u32 now);
/* Is it of a rule that still stands? */
bool dp_flow_has_rule(const struct dp_ruleset *set, const struct xf_flow *flow);
/* Calls fn for each half of each flow of both families. */
typedef int (*dp_half_fn)(const struct dp_half *half, void *arg);
int dp_halves(struct dataplane *dp, dp_half_fn fn, void *arg, struct xf_error *err);

#endif
