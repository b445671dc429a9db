/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests about configs share: reading a text, and rules at random. */
#ifndef XDPFWD_TESTS_UNIT_CONFIGS_H
#define XDPFWD_TESTS_UNIT_CONFIGS_H

#include "support.h"

#include "config.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */

/* "@FILE" has the networks of `file_text`, and there is no file "missing". */
extern const char *file_text;

/* As the tool would read it. `lines` are the errors as they are printed, of the file "f". */
int config_read(const char *text, size_t len, struct config *config, struct buf *lines);
/* Fails the test unless the text is a config. */
struct config config_of(const char *text);
/* Fails the test unless exactly these lines are printed, each with its newline. */
void assert_errors(const char *text, const char *lines);

/* Rules that could be in a config together, all different; free with config_free. */
struct config random_config(size_t n_rules);

#endif
