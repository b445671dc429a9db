/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP echo: questions to many, and who answers. */
#ifndef XDPFWD_USER_ECHO_H
#define XDPFWD_USER_ECHO_H

#include "loop.h"

struct echo;

struct echo_options {
	void (*answered)(const struct xf_address *from, uint16_t number, void *arg);
	void *arg;
};

/* Takes CAP_NET_RAW, and after that no more. */
int echo_new(struct echo **echo, struct loop *loop, const struct echo_options *options, struct xf_error *err);
void echo_free(struct echo *echo);
/* 0, or -1 with errno. */
int echo_ask(const struct echo *echo, const struct xf_address *addr, uint16_t number);

#endif
