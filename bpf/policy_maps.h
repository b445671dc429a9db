/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps that policy.h and the flow table ask and keep: one sentence each. */
#ifndef XDPFWD_BPF_POLICY_MAPS_H
#define XDPFWD_BPF_POLICY_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "xdpfwd/policy.h"

/* What each rule asks of newcomers. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_policy);
} policies SEC(".maps") __weak;

/* How many flows each rule has, and its bucket. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_rule_state);
} rule_states SEC(".maps") __weak;

/* IPv4 networks that are allowed, denied or banned. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct xf_prefix4);
	__type(value, struct xf_prefix);
} prefixes4 SEC(".maps") __weak;

/* The same for IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct xf_prefix6);
	__type(value, struct xf_prefix);
} prefixes6 SEC(".maps") __weak;

/* What the sets in there are; no program looks here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 16);
	__type(key, __u32);
	__type(value, struct xf_prefix_set);
} prefix_sets SEC(".maps") __weak;

/* Buckets of sources, of rules that limit their rate; the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, struct xf_source_key);
	__type(value, __u64);
} source_buckets SEC(".maps") __weak;

/* Answered flows of sources, of rules that limit their number; in the lower half, see share.h. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct xf_source_key);
	__type(value, __u64);
} source_flows SEC(".maps") __weak;

/* Sources that have proven themselves to a rule under a flood of SYNs; the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, struct xf_source_key);
	__type(value, struct xf_syn_proof);
} syn_proofs SEC(".maps") __weak;

#endif
