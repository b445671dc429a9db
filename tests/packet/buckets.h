/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow table's index as the programs keep it. Keys have IPv4 in the first word of each address. */
#ifndef XDPFWD_TESTS_PACKET_BUCKETS_H
#define XDPFWD_TESTS_PACKET_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "xdpfwd/flow.h"

void buckets_clear(void);

/* The bucket in which a tuple belongs. */
uint32_t buckets_home(const struct xf_key6 *key, uint8_t family);

/* The element of "flows" that has this tuple, if the buckets lead there. */
bool buckets_find(const struct xf_key6 *key, uint8_t family, uint32_t *index);

/* Tuples of that family. */
uint32_t buckets_entries(uint8_t family);

/* Of all buckets together: tuples that are not where they belong. */
uint32_t buckets_elsewhere(void);

#endif
