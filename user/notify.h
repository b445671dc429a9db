/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a service tells its manager (sd_notify(3)): datagrams to the socket that
 * NOTIFY_SOCKET names. Without one, nothing is told.
 */
#ifndef XDPFWD_USER_NOTIFY_H
#define XDPFWD_USER_NOTIFY_H

#include <stdint.h>

void notify_ready(const char *status);
/* Until notify_ready: the settings are being read again. */
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);
/* How often the manager wants notify_watchdog, in milliseconds: half of what it waits. 0: not at all. */
int64_t notify_watchdog_interval(void);

#endif
