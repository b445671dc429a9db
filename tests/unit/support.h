/* SPDX-License-Identifier: GPL-2.0-only */
/* What the unit tests share: includes in cmocka's order, errors by their words, repeatable random numbers. */
#ifndef XDPFWD_TESTS_UNIT_SUPPORT_H
#define XDPFWD_TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "addr.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Fails unless err is one line that has every one of the words (split at '|') in it. */
void assert_error(const char *input, const struct xf_error *err, const char *words);

/* Copies the text to the very end of an allocation: reading past the NUL is an ASan report. */
char *tight(const char *text);

/* The same numbers in every run and with every libc; random_restart() before a test that draws. */
void random_restart(void);
uint32_t random_below(uint32_t n);

#endif
