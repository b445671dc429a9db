/* SPDX-License-Identifier: GPL-2.0-only */
/* Who comes, as JSON objects. */
#ifndef XDPFWD_USER_RECORD_WATCH_H
#define XDPFWD_USER_RECORD_WATCH_H

#include <jansson.h>

#include "dataplane.h"

/*
 * Adds "sources", "flows":{"established","pending"} and "half_open", the share of
 * the pending ones, null without flows, to a rule's record. -1: memory ran out.
 */
int record_watch(json_t *record, const struct dp_rule *rule);
/* A new reference, or NULL where memory ran out. rule_name NULL: of all rules. */
json_t *record_source(const struct dp_source *source, const char *rule_name);
/* Likewise; `now` in seconds since 1970. */
json_t *record_ban(const struct dp_ban *ban, int64_t now);
/* An address, or of IPv6 its /64. */
#define RECORD_SOURCE_LEN 64
const char *source_format(const struct xf_address *addr, char buf[RECORD_SOURCE_LEN]);

#endif
