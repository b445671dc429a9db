/* SPDX-License-Identifier: GPL-2.0-only */
/* The loaded programs and their maps, for the harness; cases speak of rules, packets and flows instead. */
#ifndef XDPFWD_TESTS_PACKET_MAPS_H
#define XDPFWD_TESTS_PACKET_MAPS_H

#include <stdint.h>

#include "harness.h"

void maps_open(void);
void maps_close(void);
int map_fd(const char *name);
int prog_fd(const char *name);

/* The state after `load`: this machine's addresses, devices, limits; no rule, no flow, nothing counted. */
void maps_reset(struct test *t);

/* Values of a per-CPU map, added up word by word. */
void map_sum(const char *name, const void *key, uint64_t *sum, unsigned int words);
void map_put(const char *name, const void *key, const void *value);

/* What was changed other than by map_put() is told to the programs, as the tool does, before the next packet. */
void maps_change(void);
void maps_tell_changes(void);

/* Adds what refusals that are remembered have counted to the other counters. */
void refusals_settle(void);

#endif
