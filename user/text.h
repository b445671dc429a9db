/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and foreign strings as people read them. Pure. All write into buf and return it. */
#ifndef XDPFWD_USER_TEXT_H
#define XDPFWD_USER_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Room for what any of the number formatters writes. */
#define TEXT_NUMBER_LEN 32

/* Exact below 10,000; then "12.3k", "4.56M", "7.89G". */
const char *text_count(uint64_t n, char *buf, size_t len);
/* "512 B", "20.1 MiB". */
const char *text_bytes(uint64_t n, char *buf, size_t len);
/* "0.4s", "12s", "3m10s", "5h02m", "8d03h". */
const char *text_duration(double seconds, char *buf, size_t len);
/*
 * A copy fit for a terminal, for JSON and for Prometheus: what is a control
 * character or no valid UTF-8 becomes '?'. Interface names may hold both.
 */
const char *text_scrub(const char *text, char *buf, size_t len);

#endif
