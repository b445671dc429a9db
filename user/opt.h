/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of one command: which options and operands it takes, what is
 * wrong with those given, and the text of --help. Pure but for opt_help.
 *
 * Options may come before, between and after the operands; "--" ends them. The
 * value follows as "--name VALUE" or "--name=VALUE". Names are taken in full
 * only: getopt_long's abbreviations would turn every option that a later
 * version adds into a breaking change.
 */
#ifndef XDPFWD_USER_OPT_H
#define XDPFWD_USER_OPT_H

#include <stdio.h>

#include "addr.h"

enum opt_kind {
	OPT_FLAG, /* value: bool *, set to true */
	OPT_TEXT, /* value: const char ** */
	OPT_U32,  /* value: uint32_t *, within min and max */
	OPT_LIST, /* value: struct opt_list *; each time it is given adds to it */
};

#define OPT_LIST_MAX 32
struct opt_list {
	const char *text[OPT_LIST_MAX];
	int n;
};

struct opt {
	const char *name; /* without the dashes */
	const char *arg;  /* how --help calls the value; NULL for a flag */
	const char *help;
	enum opt_kind kind;
	void *value; /* left alone if the option is not given */
	uint32_t min;
	uint32_t max;
};

struct cmd_row;

struct opt_command {
	const char *name;	   /* as typed, "map add"; empty for the tool itself */
	const char *operands;	   /* how --help calls them: "PROTO LISTEN TARGET" */
	const char *about;	   /* lines of --help that say what it does */
	const char *example;	   /* lines of --help, may be NULL */
	void (*more)(FILE *to);	   /* prints further lines of --help after these; may be NULL */
	const struct opt *options; /* ends with an empty one; --help is added by itself */
	int min_operands;
	int max_operands;		/* -1: any number */
	bool stops;			/* options end at the first operand: a command follows */
	const struct cmd_row *commands; /* those that can follow then */
};

enum opt_result {
	OPT_GO_ON,
	OPT_HELP, /* --help was given: whatever else is wrong does not matter */
	OPT_WRONG,
};

/*
 * Takes the arguments after the command's name. On OPT_GO_ON, argv[0] to
 * argv[*argc - 1] are the operands. On OPT_WRONG, err says what the first
 * mistake is, and the options behind it are set all the same: --json tells how
 * to report it.
 */
enum opt_result opt_parse(const struct opt_command *command, int *argc, char **argv, struct xf_error *err);
/* The option of that name; the name is not NUL-terminated. NULL: there is none. */
const struct opt *opt_find(const struct opt *options, const char *name, size_t len);
/* The text of --help. */
void opt_help(const struct opt_command *command, FILE *to);

#endif
