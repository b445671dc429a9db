/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Would rules take traffic that this machine itself waits for: that of the SSH
 * session which the command is given in, or of a local listener?
 */
#ifndef XDPFWD_USER_LOCKOUT_H
#define XDPFWD_USER_LOCKOUT_H

#include "rule.h"

/*
 * What there is to take, in the caller's network namespace, is found out once for
 * any number of rules. lockout_judge: 0 if the rule takes none of it; -1 with err,
 * which names the port, whose it is, and --force. A rule whose target is the very
 * socket that it would hide takes nothing.
 */
struct lockout;
struct lockout *lockout_open(struct xf_error *err); /* NULL with err */
int lockout_judge(const struct lockout *lockout, const struct xf_rule_spec *rule, struct xf_error *err);
void lockout_close(struct lockout *lockout);

#endif
