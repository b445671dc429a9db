/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers by name. A balanced tree, not a hash: whoever chooses the names cannot
 * make it slow. Pure.
 */
#ifndef XDPFWD_USER_NAMES_H
#define XDPFWD_USER_NAMES_H

#include <stdint.h>

struct name {
	const char *text;
	uint32_t at; /* both are the caller's; 0 at first */
	uint32_t size;
};

/* All zero is empty. */
struct names {
	void *root;
};

/* NULL: there is none. */
struct name *names_find(const struct names *names, const char *text);
/* Finds it or adds it; NULL: not enough memory. It stays where it is until names_free. */
struct name *names_add(struct names *names, const char *text);
void names_free(struct names *names);

#endif
