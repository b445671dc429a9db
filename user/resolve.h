/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks for the addresses of host names, as the system's resolver would, without ever waiting. */
#ifndef XDPFWD_USER_RESOLVE_H
#define XDPFWD_USER_RESOLVE_H

#include "hosts.h"
#include "loop.h"

struct resolver;

typedef void (*resolve_fn)(const struct resolve_answer *answer, void *arg);

int resolver_new(struct resolver **resolver, struct loop *loop, struct xf_error *err);
/* Open questions are never answered. */
void resolver_free(struct resolver *resolver);
/* Calls fn once, perhaps before this returns. */
void resolver_ask(struct resolver *resolver, const char *host, uint8_t family, resolve_fn fn, void *arg);

/* (resolve_once.c) Waits for the answer, at most some seconds; addr->family says which address is wanted. */
int resolve_once(const char *host, struct xf_address *addr, struct xf_error *err);

#endif
