/* SPDX-License-Identifier: GPL-2.0-only */
/* Which sources matter most, of all that dp_sources() gave. Pure. */
#ifndef XDPFWD_USER_SOURCES_H
#define XDPFWD_USER_SOURCES_H

#include "dataplane.h"

/* One entry a source, whichever rules it came to; returns how many are left. Their rule says nothing any more. */
size_t sources_merge(struct dp_source *sources, size_t n);
/* Those of one rule, moved to the front; returns how many. */
size_t sources_of_rule(struct dp_source *sources, size_t n, uint32_t rule);
/* Who came most often first: new flows and refused packets, then flows that stand, then their octets. */
void sources_sort(struct dp_source *sources, size_t n);

#endif
