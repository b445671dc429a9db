/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Would rules take traffic that this machine itself waits for: that of the SSH
 * session which the command is given in, or of a local listener?
 */
#ifndef XDPFWD_USER_LOCKOUT_H
#define XDPFWD_USER_LOCKOUT_H

#include "rule.h"

/*
 * All of the rules in one pass, against the caller's network namespace. 0: none
 * would; -1 with err, which names the rule, the port, whose it is, and --force.
 * A rule whose target is the very socket that it would hide takes nothing.
 */
int lockout_check(const struct xf_rule_spec *rules, size_t n, struct xf_error *err);

/* The same rule by rule, for who wants to hear of each: what there is to take is found out once, by lockout_open. */
struct lockout;
struct lockout *lockout_open(struct xf_error *err); /* NULL with err */
int lockout_judge(const struct lockout *lockout, const struct xf_rule_spec *rule, struct xf_error *err);
void lockout_close(struct lockout *lockout);

#endif
