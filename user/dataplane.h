/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one facade between the commands and the kernel's BPF side: programs,
 * maps, links and pins. All state is in the pinned maps; a handle is only file
 * descriptors. Nothing here prints but notes through log.h.
 *
 * Every function returns 0, or -1 with err filled by one line that names the
 * thing at fault, and then has changed nothing.
 */
#ifndef XDPFWD_USER_DATAPLANE_H
#define XDPFWD_USER_DATAPLANE_H

#include "cidr.h"
#include "rule.h"
#include "xdpfwd/flow.h"

struct dataplane;

#define DP_DEFAULT_STATE     "/sys/fs/bpf/xdpfwd"
#define DP_DEFAULT_MAX_RULES 65536
#define DP_DEFAULT_MAX_FLOWS 262144
#define DP_MAX_RULES_LIMIT   1048576
#define DP_MAX_FLOWS_LIMIT   16777216

enum dp_mode {
	DP_MODE_AUTO,
	DP_MODE_NATIVE,
	DP_MODE_GENERIC,
	DP_MODE_TC,
};

struct dp_load_options {
	const char *const *ifnames;
	size_t n_ifnames;
	enum dp_mode mode;
	bool dispatcher; /* go through libxdp's dispatcher even where the interface is free */
	bool no_auto_attach;
	bool discard_state; /* of another version, if it cannot be taken over */
	uint32_t max_rules; /* 0: keep, or the default for a new instance */
	uint32_t max_flows;
	struct xf_port_range masquerade_ports; /* lo 0: keep, or the default */
	uint32_t timeout[XF_TIMEOUT_COUNT];    /* seconds; 0: keep, or the default */
};

/*
 * Attaches, making the instance first where there is none (bpffs included).
 * All interfaces or none: those attached by this call are detached when one fails.
 */
int dp_load(const char *state, const struct dp_load_options *options, struct xf_error *err);
/* Detaches these interfaces; the rest of the instance stays. */
int dp_unload(const char *state, const char *const *ifnames, size_t n, struct xf_error *err);
/* Removes every link, filter, qdisc, pin and managed neighbour of the instance. None there: no error. */
int dp_unload_all(const char *state, struct xf_error *err);

/*
 * Opens a loaded instance. With write, takes the lock on the state directory
 * until dp_close (waits up to 10 s for another command) and makes sure that the
 * caller is in the instance's network namespace.
 */
int dp_open(struct dataplane **dp, const char *state, bool write, struct xf_error *err);
void dp_close(struct dataplane *dp);

/* (dataplane_resync.c) An interface that is to be attached whenever it is there. */
enum dp_followed_state {
	DP_FOLLOWED_NEW,
	DP_FOLLOWED_ATTACHED,
	DP_FOLLOWED_ABSENT,
	DP_FOLLOWED_REFUSED, /* why says why */
};

struct dp_followed {
	char name[XF_IFNAME_LEN];
	enum dp_mode mode;
	enum dp_followed_state state;
	uint32_t ifindex; /* while it is attached */
	struct xf_error why;
};

/* Brings a handle that may write to how the network is now; what could not be followed is told as a warning. */
int dp_resync(struct dataplane *dp, struct dp_followed *wanted, size_t n, struct xf_error *err);

/* ---- rules */

enum dp_health {
	DP_HEALTH_UNKNOWN, /* nobody looks */
	DP_HEALTH_DOWN,
	DP_HEALTH_UP,
};

struct dp_rule {
	uint32_t id, tag;
	struct xf_rule_spec spec;
	struct xf_pool masquerade; /* the sources in use; stateless: that clients know; else none unless masquerading */
	bool local;		   /* the target is this machine */
	enum dp_health health;
	bool expired;
	const char *allow, *deny;	/* as they were stated; NULL: not asked for */
	uint64_t allow_hash, deny_hash; /* xf_prefixes_hash of their networks */
	uint64_t created_unix;
	uint64_t packets_in, bytes_in, packets_out, bytes_out, flows_created, fast_packets;
	double last_hit_unix; /* seconds since 1970; 0: never */
	uint64_t sources;     /* distinct ones in the last one to two hours, estimated */
	uint32_t flows_established, flows_pending;
	uint64_t drops[XF_REASON_COUNT];
};

/* (dataplane_target.c) What has to be known of a rule to look after its target. */
struct dp_target {
	uint32_t id, tag;
	char name[XF_NAME_LEN]; /* the rule's */
	uint8_t protos;
	struct xf_target target;
	uint16_t port; /* the first one */
	bool local;    /* it is this machine */
};
/* Those of all live rules, in no order; free with free(). */
int dp_targets(struct dataplane *dp, struct dp_target **targets, size_t *n, struct xf_error *err);
/*
 * Sends the rule's newcomers to another address of the same family; its flows
 * stay where they are. Refuses what could not be added so.
 */
int dp_target_move(struct dataplane *dp, const struct dp_target *target, const struct xf_address *to,
		   struct xf_error *err);
/* Notes whether it answers, which is good for so many milliseconds; forgets all that was noted. */
int dp_health_note(struct dataplane *dp, const struct dp_target *target, bool up, uint32_t good_ms);
void dp_health_forget(struct dataplane *dp);

/* Adds the rule; force: even if it shadows a local socket. Fills in a missing name in *rule. */
int dp_rule_add(struct dataplane *dp, struct xf_rule_spec *rule, bool force, struct xf_error *err);
/* keep_flows: its flows live out instead of ending now. */
int dp_rule_del(struct dataplane *dp, const char *name, bool keep_flows, struct xf_error *err);
int dp_rule_set_disabled(struct dataplane *dp, const char *name, bool disabled, struct xf_error *err);
/* All live rules in the order of their names' first listen port, with counters; free with free(). */
int dp_rules(struct dataplane *dp, struct dp_rule **rules, size_t *n, struct xf_error *err);

/* ---- a whole set of rules */

enum dp_fate {
	DP_FATE_NEW,	    /* there is no rule of that name */
	DP_FATE_SAME,	    /* it stays as it is */
	DP_FATE_CONDITIONS, /* it goes on with other conditions: its flows do not notice */
	DP_FATE_OTHER,	    /* it is another one of that name: flows end, counters go on */
};

struct dp_wanted {
	const struct xf_rule_spec *spec;
	uint32_t id; /* of the rule of that name; for DP_FATE_NEW of no account */
	enum dp_fate fate;
};

struct dp_iface_wanted {
	const char *name;
	enum dp_mode mode;
};

struct dp_apply_options {
	const struct dp_iface_wanted *ifaces; /* attached if they are not */
	size_t n_ifaces;
	bool force;		  /* even if rules shadow local sockets */
	bool keep_flows;	  /* flows of rules that go live out */
	bool dry_run;		  /* find out whether it could be done, and change nothing */
	uint32_t confirm_seconds; /* the former rules are back after so long, unless it is confirmed; 0: for good */
	/* Told each of the wanted rules that cannot be, and why; NULL: the first one is the error. */
	void (*blame)(size_t wanted, const struct xf_error *why, void *arg);
	void *arg;
};

/* What is wanted, and nothing else: rules that are there and in no dp_wanted go. */
struct dp_apply_set {
	const struct dp_wanted *wanted;
	size_t n;
};
/*
 * Makes the rules equal to the set, in one step for the traffic. `dp` was opened
 * for writing, and the ids are of dp_rule_specs() under the same handle.
 */
int dp_apply(struct dataplane *dp, const struct dp_apply_set *set, const struct dp_apply_options *options,
	     struct xf_error *err);
/* What was applied last stays. */
int dp_confirm(const char *state, struct xf_error *err);
/* As dp_rules, without what was counted, but with the hashes of lists. */
int dp_rule_specs(struct dataplane *dp, struct dp_rule **rules, size_t *n, struct xf_error *err);

/* ---- flows */

struct dp_flow {
	uint32_t rule; /* rule id */
	uint8_t proto; /* IPPROTO_* */
	enum xf_flow_state state;
	struct xf_address client, listen, target, translated; /* translated: the source that the target sees */
	uint16_t client_port, listen_port, target_port, translated_port;
	double age_seconds, idle_seconds;
	uint64_t packets_in, packets_out, bytes_in, bytes_out;
};

/* Calls fn for each living flow; a non-zero return stops (and is no error). */
typedef int (*dp_flow_fn)(const struct dp_flow *flow, void *arg);
int dp_flows(struct dataplane *dp, dp_flow_fn fn, void *arg, struct xf_error *err);
/* Ends all flows of one rule, or of all rules (name NULL). */
int dp_flows_flush(struct dataplane *dp, const char *name, struct xf_error *err);

/* ---- sources */

/* Who came to a rule: an IPv4 address, or an IPv6 /64. */
struct dp_source {
	uint32_t rule;
	struct xf_address addr;
	uint64_t flows_created, refused; /* of those that are remembered: who comes often, or came last */
	uint64_t flows;			 /* that it has now, and their octets */
	uint64_t bytes_in, bytes_out;
	double last_seen_unix;
};

/* All that are known, in no order; free with free(). */
int dp_sources(struct dataplane *dp, struct dp_source **sources, size_t *n, struct xf_error *err);

/* ---- bans */

struct dp_ban {
	struct cidr net;
	int64_t until_unix; /* seconds since 1970; 0: for good */
	uint64_t packets;   /* refused on its account */
	bool over;
};

/* Those that hold now, in order; free with free(). */
int dp_bans(struct dataplane *dp, struct dp_ban **bans, size_t *n, struct xf_error *err);
/* All or none; those that are banned already are given that time. *ended: their flows, which end with it. */
struct dp_ban_request {
	const struct cidr *nets;
	size_t n;
	uint64_t seconds; /* 0: for good */
};
int dp_ban(struct dataplane *dp, const struct dp_ban_request *request, uint32_t *ended, struct xf_error *err);
int dp_ban_lift(struct dataplane *dp, const struct cidr *net, struct xf_error *err);

/* ---- instance */

struct dp_iface {
	uint32_t ifindex;
	char name[XF_IFNAME_LEN];
	enum xf_tier tier;
	bool dispatcher;
	bool automatic;
	char reason[100];
};

struct dp_status {
	char version[32]; /* of the tool that loaded the programs */
	struct dp_iface *ifaces;
	size_t n_ifaces;
	uint32_t max_rules, max_flows;
	uint32_t rules;
	uint64_t flows_established, flows_pending;
	uint64_t memory_bytes; /* of all maps */
	struct xf_port_range masquerade_ports;
	uint32_t timeout[XF_TIMEOUT_COUNT]; /* seconds */
	uint64_t drops[XF_REASON_COUNT];    /* those that no rule is charged with */
};
int dp_status(struct dataplane *dp, struct dp_status *status, struct xf_error *err);
/* The same without what is counted: interfaces, limits, time-outs. */
int dp_settings(struct dataplane *dp, struct dp_status *status, struct xf_error *err);
void dp_status_free(struct dp_status *status);

/* Word of the contract for a tier, a reason, a flow state. */
const char *dp_tier_name(enum xf_tier tier);
const char *dp_reason_label(enum xf_reason reason);
const char *dp_flow_state_name(enum xf_flow_state state);

#endif
