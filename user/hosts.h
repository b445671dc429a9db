/* SPDX-License-Identifier: GPL-2.0-only */
/* Host names of targets, what they mean, and when to ask again. Pure. */
#ifndef XDPFWD_USER_HOSTS_H
#define XDPFWD_USER_HOSTS_H

#include "addr.h"

/* An answer is good as long as it says, but within these; seconds. */
#define HOST_TTL_MIN 5
#define HOST_TTL_MAX 3600
/* After a failure: at first the shortest, then twice as long each time, up to this. */
#define HOST_RETRY_MAX 60

#define RESOLVE_ADDRESSES_MAX 16

/* n 0: there is none, and `why` says why. */
struct resolve_answer {
	struct xf_address addr[RESOLVE_ADDRESSES_MAX];
	size_t n;
	uint32_t ttl; /* seconds: how long it is good for */
	const char *why;
};

struct host {
	char name[XF_HOST_LEN];
	uint8_t family;
	struct xf_address addr; /* family 0: not known yet */
	int64_t next;		/* when to ask again, in milliseconds of the caller's clock */
	uint32_t failures;	/* in a row */
	bool asking;		/* a question is under way; the caller's */
	bool wanted;
};

/* All zero is none. A host stays where it is until it is swept. */
struct hosts {
	struct host **host;
	size_t n, room;
};

/* The host of that name and family, made if need be: to be asked for at once. NULL: memory ran out. */
struct host *hosts_want(struct hosts *hosts, const char *name, uint8_t family);
/* NULL: there is none. */
struct host *hosts_find(const struct hosts *hosts, const char *name, uint8_t family);
/* Drops those that nobody has wanted since the last time. */
void hosts_sweep(struct hosts *hosts);
/* One whose time has come and that is not being asked for; else NULL, and *next (or INT64_MAX) says when. */
struct host *hosts_due(const struct hosts *hosts, int64_t now, int64_t *next);
void hosts_free(struct hosts *hosts);

enum host_news {
	HOST_SAME,
	HOST_MOVED,  /* or known for the first time */
	HOST_FAILED, /* for the first time in a row: it keeps the address that it had */
};
/* Of several addresses the one that it has stays: the order of answers means nothing. */
enum host_news host_take(struct host *host, const struct resolve_answer *answer, int64_t now);

#endif
