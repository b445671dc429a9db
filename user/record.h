/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules, flows and status as the contract's JSON objects. Every function
 * returns a new reference, or NULL where memory ran out.
 */
#ifndef XDPFWD_USER_RECORD_H
#define XDPFWD_USER_RECORD_H

#include <jansson.h>

#include "dataplane.h"

json_t *record_counters(const struct dp_rule *rule);
json_t *record_rule(const struct dp_rule *rule);
json_t *record_rules(const struct dp_rule *rules, size_t n);
/* rule_name NULL: the rule is gone and its flows live out. */
json_t *record_flow(const struct dp_flow *flow, const char *rule_name);
json_t *record_status(const struct dp_status *status);

#endif
