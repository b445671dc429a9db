/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps, shared by both objects: one sentence each. Sizes are set at load. */
#ifndef XDPFWD_BPF_MAPS_H
#define XDPFWD_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "policy_maps.h"
#include "xdpfwd/abi.h"
#include "xdpfwd/follow.h"
#include "xdpfwd/flow.h"

/* What the instance is set to: limits, time-outs, the rule set in force. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_config);
} config SEC(".maps") __weak;

/* Which ports concern us at all. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_ports);
} ports SEC(".maps") __weak;

/* The rules, by place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_rule);
} rules SEC(".maps") __weak;

/* What only people read of a rule; no program looks here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_rule_meta);
} rule_meta SEC(".maps") __weak;

/* Packets, octets and flows of each rule. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_rule_counters);
} rule_counters SEC(".maps") __weak;

/* Packets refused on account of a rule, by reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct xf_drop_key);
	__type(value, __u64);
} rule_drops SEC(".maps") __weak;

/* Packets refused that no rule can be charged with, by reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XF_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps") __weak;

/* Single listen ports to rule ids. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct xf_listen_key);
	__type(value, __u32);
} listen SEC(".maps") __weak;

/* Ranges of listen ports to rule ids. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct xf_range_key);
	__type(value, __u32);
} listen_ranges SEC(".maps") __weak;

/* Both halves of all flows, by slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_flow);
} flows SEC(".maps") __weak;

/* Tuples to elements of "flows": a hash table, see flow_bucket.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_bucket);
} buckets SEC(".maps") __weak;

/* Which element a tuple of this hash was found at last: only a hint, since the element itself has the tuple. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XF_HINTS_LEAST);
	__type(key, __u32);
	__type(value, __u32);
} flow_hints SEC(".maps") __weak;

/* One slot for each flow there can be. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_slot);
} slots SEC(".maps") __weak;

/* Slots that were used and are free again. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_slots SEC(".maps") __weak;

/* Where to look for a slot next. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_cursor);
} cursor SEC(".maps") __weak;

/* Slots whose flows may go when room is needed, the oldest first: a ring. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} evictable SEC(".maps") __weak;

/* Masquerade ports that UDP clients have. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct xf_port_key);
	__type(value, struct xf_port_owner);
} udp_ports SEC(".maps") __weak;

/* What is attached where, and by which link address it is reached. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct xf_iface);
} interfaces SEC(".maps") __weak;

/* This machine's own addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct xf_local_key);
	__type(value, struct xf_local);
} local_addrs SEC(".maps") __weak;

/* Neighbours kept resolved by the kernel on our account; no program looks here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct xf_neigh_key);
	__type(value, __u32);
} neighbours SEC(".maps") __weak;

/* Names of targets, and whether targets answer; no program looks here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_rule_host);
} rule_hosts SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_target_health);
} target_health SEC(".maps") __weak;

/* The interfaces that take XDP frames: what is not in here belongs to the full tier. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} egress SEC(".maps") __weak;

/* Where a client's search for a masquerade port begins, and how it goes on. */
struct port_choice {
	__u32 start;
	__u32 stride;
	__u32 ports;
	/* Where all that were tried are taken: how many by flows without an answer, and the oldest of those. */
	__u32 holders;
	__u32 oldest;
	__u32 choice;
};

/* The addresses between which a CPU has made its last flow, and when: see frag_hosts.h. */
struct frag_pair {
	union xf_addr target;
	union xf_addr listen;
	__u32 at; /* jiffies */
};

#define NO_SLOT 0xffffffffu

/* A flow in the making: too large for the stack. */
struct flow_draft {
	struct xf_flow client;
	struct xf_flow reply;
	struct xf_key6 client_key;
	struct xf_key6 reply_key;
	__u32 in_the_way; /* slot of the flow that has the drafted one's place; NO_SLOT: there is none */
	struct port_choice port;
	struct frag_pair noted; /* outlives the draft */
	__u8 family;
	__u8 masquerade; /* the target is to see this machine, and a port of it */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow_draft);
} draft SEC(".maps") __weak;

/* Keys of a flow that is being made or ended: deep down in the calls there is no stack for them. */
struct end_keys {
	struct xf_key6 twin;
	struct xf_source_key source;
	struct xf_port_key port;
	struct xf_port_owner owner;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct end_keys);
} end_keys SEC(".maps") __weak;

static __always_inline struct end_keys *end_keys_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&end_keys, &zero);
}

/* A question to the routing table, and the next hop whose link address the kernel is to find. */
struct route_query {
	struct bpf_fib_lookup fib;
	struct bpf_redir_neigh nh;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct route_query);
} route_query SEC(".maps") __weak;

#endif
