/* SPDX-License-Identifier: GPL-2.0-only */
/* One rule of iptables-save, taken apart: import_iptables_rule.c does it, import_iptables.c follows the chains. */
#ifndef XDPFWD_USER_IMPORT_IPTABLES_H
#define XDPFWD_USER_IMPORT_IPTABLES_H

#include "import.h"

struct ipt_rule {
	const char *verdict;	 /* DNAT, RETURN, a chain; empty: it has none */
	bool goes;		 /* -g: it does not come back */
	const char *comment;	 /* or NULL */
	const char *destination; /* --to-destination, --to-source or --to-ports; or NULL */
	bool several;		 /* of them */
	struct import_cond cond;
};

/* The words after "-A CHAIN". All that is said points into them. */
void ipt_rule_read(const struct import_words *words, int first, struct ipt_rule *rule);
/* "192.0.2.10:8443", "[2001:db8::1]:8000-8009/8000", ":80". */
int ipt_destination(const char *text, struct import_target *target, struct xf_error *err);
/* "8000" or "8000-8009". */
int ipt_ports(const char *text, struct import_target *target, struct xf_error *err);

#endif
