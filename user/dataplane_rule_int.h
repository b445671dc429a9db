/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules and flows: what those dataplane*.c files share. As to results, see dataplane_int.h. */
#ifndef XDPFWD_USER_DATAPLANE_RULE_INT_H
#define XDPFWD_USER_DATAPLANE_RULE_INT_H

#include "dataplane_int.h"

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
/* (dataplane_ban.c) Forgets bans that are over, and tells the programs whether there are any. */
int dp_bans_refresh(struct dataplane *dp, struct xf_error *err);

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

/* *n: slots from there on were never used, nor what "flows" has of them. */
int dp_slots_used(struct dataplane *dp, __u32 *n, struct xf_error *err);
/* The half's tuple, IPv4 in the first word of each address. */
struct xf_key6 dp_flow_key(const struct xf_flow *flow);
/* Judged by this half alone; now is in jiffies. */
bool dp_flow_expired(const struct xf_flow *half, __u32 now);
/* Is it of a rule that still stands? */
bool dp_flow_has_rule(const struct dp_ruleset *set, const struct xf_flow *flow);
/* Calls fn for a copy of each half of each flow of both families, until it returns something else than 0. */
typedef int (*dp_half_fn)(const struct xf_flow *half, void *arg);
int dp_halves(struct dataplane *dp, dp_half_fn fn, void *arg, struct xf_error *err);

#endif
