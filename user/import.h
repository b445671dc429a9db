/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port forwards as other tools state them, made rules of ours: one reader for
 * each tool, what they all collect, and the config that comes of it. Pure.
 *
 * A reader walks its input and tells of each forward: under which conditions,
 * where to. What cannot be carried over becomes a note, one line that names the
 * place. A condition that we cannot state loses the whole forward: it must not
 * become open to more than it was.
 */
#ifndef XDPFWD_USER_IMPORT_H
#define XDPFWD_USER_IMPORT_H

#include "buf.h"
#include "cidr.h"
#include "rule.h"

#define IMPORT_INPUT_MAX (16u << 20) /* octets */
#define IMPORT_RULES_MAX 10000
#define IMPORT_STEPS_MAX 100000 /* of rules looked at, jumps followed: chains can call each other in any number */
#define IMPORT_DEPTH_MAX 16
#define IMPORT_LINES_MAX 200000
#define IMPORT_PORTS_MAX 64
#define IMPORT_NETS_MAX	 128
#define IMPORT_IFS_MAX	 8
#define IMPORT_WHERE_LEN 128

struct import_ports {
	struct xf_port_range range[IMPORT_PORTS_MAX];
	size_t n;
};

struct import_nets {
	struct cidr net[IMPORT_NETS_MAX];
	size_t n;
};

struct import_ifs {
	char name[IMPORT_IFS_MAX][XF_IFNAME_LEN];
	size_t n;
};

/* What a forward asks of a packet. All zero: nothing. Each call narrows it further. */
struct import_cond {
	uint8_t family;		     /* 0: either */
	uint8_t protos;		     /* 0: any */
	struct import_ports ports;   /* none: any; and so on */
	struct import_nets to;	     /* destination addresses */
	struct import_nets from;     /* who may */
	struct import_nets not_from; /* who may not */
	struct import_ifs in;
	bool never;	/* nothing meets it */
	char lost[160]; /* the first of it that we cannot state; empty: all of it can be */
	char but[160];	/* what is left out although the rule is carried over; empty: nothing */
};

void import_cond_family(struct import_cond *cond, uint8_t family);
void import_cond_protos(struct import_cond *cond, uint8_t protos);
void import_cond_ports(struct import_cond *cond, const struct import_ports *ports);
void import_cond_to(struct import_cond *cond, const struct import_nets *nets);
void import_cond_from(struct import_cond *cond, const struct import_nets *nets, bool negated);
void import_cond_in(struct import_cond *cond, const struct import_ifs *ifs);
/* All of `more` as well. */
void import_cond_narrow(struct import_cond *cond, const struct import_cond *more);
/* A condition that we cannot state. */
void import_cond_lose(struct import_cond *cond, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One that is left out and does little. */
void import_cond_leave(struct import_cond *cond, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Does it ask nothing at all? */
bool import_cond_is_empty(const struct import_cond *cond);

/* Add to a list; -1 with err if the text is none or the list is full. */
int import_ports_add(struct import_ports *ports, const char *text, struct xf_error *err);
int import_nets_add(struct import_nets *nets, const char *text, struct xf_error *err);
/* All addresses from the first to the last. */
int import_nets_add_range(struct import_nets *nets, const char *first, const char *last, struct xf_error *err);
int import_ifs_add(struct import_ifs *ifs, const char *text, struct xf_error *err);

enum import_shift {
	IMPORT_ANY_OF, /* of several ports, the other tool takes any */
	IMPORT_SHIFT,  /* the port `base` goes to the first of them, the next one to the next */
};

struct import_target {
	struct xf_address addr;	    /* family 0: this machine itself */
	struct xf_port_range ports; /* lo 0: the same port */
	enum import_shift shift;
	uint16_t base; /* 0: the first listen port */
};

struct import_forward {
	const struct import_cond *cond;
	struct import_target target;
	const char *name;    /* any text, or NULL */
	const char *comment; /* any text, or NULL */
	bool disabled;
};

struct import_rule {
	struct xf_rule_spec spec; /* its lists are here: */
	struct cidr *allow, *deny;
	size_t n_allow, n_deny;
	char wish[XF_NAME_LEN]; /* the name it wants; empty: none */
	char where[IMPORT_WHERE_LEN];
};

/* Sources that another tool translates on the way to a target. */
struct import_masquerade {
	struct import_cond cond;
	struct xf_address source; /* family 0: that of the interface */
	char where[IMPORT_WHERE_LEN];
	bool used;
};

/* "eth0" for the zone "wan". */
struct import_zone {
	const char *name;
	size_t name_len;
	const char *ifname;
};

/* All zero, then the name of what is read. */
struct import {
	const char *input;		 /* how notes call it: a file's name */
	const struct import_zone *zones; /* for fw4; the last has no name. NULL: none */
	char where[IMPORT_WHERE_LEN];	 /* where in it the reader is */
	struct import_rule *rule;
	size_t n, room;
	struct import_masquerade *masquerade;
	size_t n_masquerade;
	struct buf notes; /* lines */
	size_t steps;
	bool failed; /* memory ran out */
};

/*
 * The readers. 0: it was read, with whatever was in it; -1: err says why it is
 * not what it should be. Text need not end with a NUL.
 */
int import_nft(struct import *im, const char *text, size_t len, struct xf_error *err);
int import_iptables(struct import *im, const char *text, size_t len, struct xf_error *err);
int import_docker(struct import *im, const char *text, size_t len, struct xf_error *err);
int import_fw4(struct import *im, const char *text, size_t len, struct xf_error *err);

/* ---- for the readers (import_words.c: lines of words) */

#define IMPORT_WORDS_MAX 128
#define IMPORT_LINE_MAX	 4096

struct import_words {
	char text[IMPORT_LINE_MAX];
	char *word[IMPORT_WORDS_MAX];
	int n;
};

struct import_line {
	const char *text;
	size_t len; /* without the line's end */
};

/* The next line of what is left; false: there is none. */
bool import_line(const char **text, size_t *len, struct import_line *line);
/* Takes it apart as a shell would: quotes, backslashes, and "#" for a comment. */
int import_words(const struct import_line *line, struct import_words *words, struct xf_error *err);
/* Is it in the list, which ends with NULL? */
bool import_is_one_of(const char *word, const char *const *words);

/* ---- for the readers */

void import_at(struct import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "INPUT:WHERE: ..." */
void import_note(struct import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "INPUT:WHERE: not carried over: ..." */
void import_lost(struct import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void import_forward(struct import *im, const struct import_forward *forward);
/* A translation of sources on the way out: cond.to and cond.ports are the target's. */
void import_translate(struct import *im, const struct import_cond *cond, const struct xf_address *source);
/* A rule of a forward: where it listens, and the port that the first of those goes to. */
void import_add(struct import *im, const struct import_forward *forward, const struct xf_listen *listen, uint16_t port);
/* Counts; false: it goes on for too long, which was noted. */
bool import_step(struct import *im);
/* Ends it as well: no kernel takes chains that deep, and those that call themselves would go on. */
void import_too_deep(struct import *im);

/* ---- what comes of it */

/* Once after the reader: translations are laid on the rules, neighbours joined, names given. */
void import_finish(struct import *im);
void import_rule_free(struct import_rule *rule);
/* As a config. */
void import_print(const struct import *im, const char *tool, struct buf *out);
void import_free(struct import *im);

#endif
