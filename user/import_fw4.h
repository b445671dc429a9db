/* SPDX-License-Identifier: GPL-2.0-only */
/* UCI's text as sections: import_uci.c reads it, import_fw4.c knows what the firewall's mean. */
#ifndef XDPFWD_USER_IMPORT_FW4_H
#define XDPFWD_USER_IMPORT_FW4_H

#include "import.h"

#define UCI_OPTIONS_MAX 64
#define UCI_TEXT_MAX	256

struct uci_option {
	char key[32];
	char value[UCI_TEXT_MAX];
};

struct uci_section {
	unsigned int line;
	char kind[32];
	char name[64]; /* empty: it has none */
	struct uci_option option[UCI_OPTIONS_MAX];
	int n; /* a list is an option that is there more than once */
};

struct uci_text {
	struct import *im;
	struct import_line whole;
	bool quiet; /* what is wrong with its lines was said before */
};

/* Calls `take` for each section; lines that are none become notes. Returns how many sections there were. */
typedef void (*uci_take)(const struct uci_section *section, void *arg);
size_t uci_read(const struct uci_text *uci, uci_take take, void *arg);
/* The value, or "". */
const char *uci_get(const struct uci_section *section, const char *key);
/* Each word of each value of `key`, until `take` is false. */
typedef bool (*uci_take_word)(const char *word, void *arg);
bool uci_words(const struct uci_section *section, const char *key, bool (*take)(const char *word, void *arg),
	       void *arg);

#endif
