/* SPDX-License-Identifier: GPL-2.0-only */
/* Was that said already? What does not change need not be said each time that it is looked at. Pure. */
#ifndef XDPFWD_USER_LOG_REPEAT_H
#define XDPFWD_USER_LOG_REPEAT_H

#include <stdbool.h>
#include <time.h>

#define LOG_REPEAT_SECONDS 3600
#define LOG_REPEAT_LINES   64 /* that are remembered */

/* If not, it is from now on, for so long. By one thread at a time. */
bool log_repeat(const char *text, time_t now);

#endif
