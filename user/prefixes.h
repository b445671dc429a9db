/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of networks, as --allow and --deny take them: networks and addresses of
 * either family, and @FILE with one of them a line. Pure: a file is read by
 * whoever calls.
 */
#ifndef XDPFWD_USER_PREFIXES_H
#define XDPFWD_USER_PREFIXES_H

#include "cidr.h"
#include "xdpfwd/policy.h"

/* All zero is an empty list. */
struct xf_prefixes {
	struct cidr *net; /* after xf_prefixes_settle sorted, and none in another */
	size_t n, room;
	char given[XF_GIVEN_LEN]; /* as it was stated: "198.51.100.0/24,@/etc/blocklist" */
};

/* Gives the file's text, to be freed by the caller, and its name as it is to be remembered. 0, or -1 with err. */
struct xf_prefix_file {
	char name[XF_GIVEN_LEN];
	char *text;
	size_t len;
};
typedef int (*xf_prefix_reader)(const char *path, struct xf_prefix_file *file, struct xf_error *err);

/* Adds what `text` lists, its elements separated by commas. On failure the list is to be freed all the same. */
int xf_prefixes_add(struct xf_prefixes *list, const char *text, xf_prefix_reader read, struct xf_error *err);
/* Adds a file's lines; '#' and ';' begin comments. An error names the file and the line. */
int xf_prefixes_add_lines(struct xf_prefixes *list, const struct xf_prefix_file *file, struct xf_error *err);
/* Sorts the list, and takes out what is in it twice or part of another. */
void xf_prefixes_settle(struct xf_prefixes *list);
void xf_prefixes_free(struct xf_prefixes *list);

bool xf_prefixes_has_family(const struct xf_prefixes *list, uint8_t family);
/* Of a settled list's networks: the same for the same ones only, but for an accident in 2^64. */
uint64_t xf_prefixes_hash(const struct xf_prefixes *list);

#endif
