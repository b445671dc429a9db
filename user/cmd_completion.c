// SPDX-License-Identifier: GPL-2.0-only
/*
 * completion: a script for each shell, and the answer to what these scripts ask.
 * All knowledge is in the tables of commands and options; a script only hands
 * over the words typed so far.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "completion_scripts.h"
#include "operands.h"
#include "ruleset.h"

static const struct opt options[] = {{0}};

static const struct opt_command command = {
	.name = "completion",
	.operands = "bash|zsh|fish|words [WORD...]",
	.about = "Prints a script that lets the shell complete commands, options, interfaces and rules' names.\n"
		 "Names of rules are known to those who may read them.\n\n"
		 "  words   prints what can stand for the last WORD, one a line: what the scripts ask. The\n"
		 "          words are those after xdpfwd, the last one may be empty; an empty line: a file",
	.example = "  source <(xdpfwd completion bash)\n"
		   "  xdpfwd completion zsh > /usr/local/share/zsh/site-functions/_xdpfwd\n"
		   "  xdpfwd completion fish > ~/.config/fish/completions/xdpfwd.fish\n"
		   "  xdpfwd completion words -- map add --",
	.options = options,
	.min_operands = 1,
	.max_operands = -1,
};

/* What the words before the last one mean. */
struct line {
	const struct opt_command *command; /* NULL: there is none of that name */
	const struct opt *option;	   /* whose value comes now */
	bool ended;			   /* by "--": no options any more */
	char **operands;
	int n;
	const char *state;
};

/* The word to complete: what stands before it, such as "--mode=", and what it begins with. */
struct last {
	const char *before;
	size_t before_len;
	const char *begin;
};

static void offer(const struct last *last, const char *text, size_t len, const char *about)
{
	if (strncmp(text, last->begin, strlen(last->begin)) || len < strlen(last->begin))
		return;
	printf("%.*s%.*s\t%s\n", (int)last->before_len, last->before, (int)len, text, about);
}

static void offer_text(const struct last *last, const char *text, const char *about)
{
	offer(last, text, strlen(text), about);
}

/* ---- what names stand for */

/* Interfaces may be called by almost anything; shells get those that need no quotes. */
static bool is_plain(const char *name)
{
	return !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-")];
}

static void offer_interfaces(const struct last *last, const char *end)
{
	struct if_nameindex *list = if_nameindex(), *i;
	char text[IF_NAMESIZE + 1];

	for (i = list; i && i->if_index; i++) {
		snprintf(text, sizeof(text), "%s%s", i->if_name, end);
		if (is_plain(i->if_name))
			offer_text(last, text, "interface");
	}
	if (list)
		if_freenameindex(list);
}

/* None where nothing is loaded or may be read: that is no moment for complaints. */
static void offer_rules(const struct last *last, const char *state)
{
	struct ruleset set = {0};
	struct dataplane *dp;
	struct xf_error err;
	size_t i;

	if (dp_open(&dp, state, false, &err) < 0)
		return;
	if (!dp_rules(dp, &set.rules, &set.n, &err))
		for (i = 0; i < set.n; i++)
			offer_text(last, set.rules[i].spec.name, "rule");
	ruleset_free(&set);
	dp_close(dp);
}

static void offer_kind(const struct last *last, const struct operands_word *kind, const char *state)
{
	if (operands_is(kind, "NAME")) {
		offer_rules(last, state);
	} else if (operands_is(kind, "IFACE")) {
		offer_interfaces(last, "");
	} else if (operands_is(kind, "LISTEN")) {
		offer_interfaces(last, ":");
	} else if (operands_is(kind, "PROTO")) {
		offer_text(last, "tcp", "protocol");
		offer_text(last, "udp", "protocol");
		offer_text(last, "tcp+udp", "both protocols");
	} else if (operands_is(kind, "FILE") || operands_is(kind, "DIR") || operands_is(kind, "FILE.pcapng")) {
		putchar('\n');
	}
}

/* ---- what may stand at a place */

static void offer_next(const struct last *last, const struct operands_next *next, const char *state)
{
	size_t i;

	for (i = 0; i < next->n; i++) {
		const struct operands_word *word = &next->word[i];
		size_t len = 0;

		if (!operands_is_literal(word)) {
			offer_kind(last, word, state);
			continue;
		}
		/* "masquerade[=ADDR]": as far as it is the same for everybody. */
		while (len < word->len && word->text[len] != '[')
			len++;
		offer(last, word->text, len, "");
	}
}

static void offer_values(const struct last *last, const struct opt *option, const char *state)
{
	struct operands_next next;

	operands_next(option->arg, NULL, 0, &next);
	offer_next(last, &next, state);
}

static void offer_options(const struct last *last, const struct opt_command *of)
{
	const struct opt *o;
	char text[64];

	for (o = of->options; o->name; o++) {
		snprintf(text, sizeof(text), "--%s", o->name);
		offer_text(last, text, o->help);
	}
	offer_text(last, "--help", "what it does, with an example");
}

static void offer_commands(const struct last *last, const struct cmd_row *row)
{
	for (; row->name; row++)
		offer_text(last, row->name, row->about);
}

/* ---- the words */

/* The option of "--name" or "--name=VALUE" that takes a value, or NULL. */
static const struct opt *valued(const struct line *line, const char *word)
{
	const struct opt *option = NULL;

	if (!line->ended && !strncmp(word, "--", 2))
		option = opt_find(line->command->options, word + 2, strcspn(word + 2, "="));
	return option && option->kind != OPT_FLAG ? option : NULL;
}

static void take_value(struct line *line, const struct opt *option, const char *value)
{
	if (line->command == &cmd_tool && !strcmp(option->name, "state"))
		line->state = value;
}

static void take_operand(struct line *line, char *word)
{
	const struct cmd_row *row;
	struct xf_error err;

	if (!line->command->commands) {
		line->operands[line->n++] = word;
		return;
	}
	row = cmd_find(line->command->commands, word, &err);
	line->command = row ? cmd_describe(row) : NULL;
	line->ended = false;
}

static void take_word(struct line *line, char *word)
{
	const struct opt *option = line->option;
	const char *equals = strchr(word, '=');

	line->option = NULL;
	if (option) {
		take_value(line, option, word);
	} else if (line->ended || word[0] != '-' || !word[1]) {
		take_operand(line, word);
	} else if (!strcmp(word, "--")) {
		line->ended = true;
	} else {
		option = valued(line, word);
		if (option && equals)
			take_value(line, option, equals + 1);
		else
			line->option = option;
	}
}

static void offer_last(const struct line *line, const char *word)
{
	struct last last = {.before = word, .begin = word};
	const char *equals = strchr(word, '=');
	struct operands_next next;

	if (line->option) {
		offer_values(&last, line->option, line->state);
	} else if (equals && valued(line, word)) {
		last.before_len = (size_t)(equals + 1 - word);
		last.begin = equals + 1;
		offer_values(&last, valued(line, word), line->state);
	} else if (word[0] == '-' && !line->ended) {
		offer_options(&last, line->command);
	} else if (line->command->commands) {
		offer_commands(&last, line->command->commands);
	} else {
		operands_next(line->command->operands, line->operands, line->n, &next);
		offer_next(&last, &next, line->state);
	}
}

static int complete(const char *state, int argc, char **argv)
{
	struct line line = {.command = &cmd_tool, .state = state};
	struct xf_error err;
	int i;

	line.operands = calloc((size_t)argc + 1, sizeof(*line.operands));
	if (!line.operands) {
		xf_fail(&err, "not enough memory");
		return out_fail(CMD_FAILED, &err);
	}
	for (i = 0; i < argc - 1 && line.command; i++)
		take_word(&line, argv[i]);
	if (line.command)
		offer_last(&line, argc ? argv[argc - 1] : "");
	free(line.operands);
	return CMD_DONE;
}

static const struct script {
	const char *shell;
	const char *text;
} scripts[] = {{"bash", COMPLETION_BASH}, {"zsh", COMPLETION_ZSH}, {"fish", COMPLETION_FISH}, {NULL, NULL}};

int cmd_completion(const char *state, int argc, char **argv)
{
	const struct script *script = scripts;
	struct xf_error err;
	int ret = cmd_begin(&command, &argc, argv);

	if (ret != CMD_GO_ON)
		return ret;
	if (!strcmp(argv[0], "words"))
		return complete(state, argc - 1, argv + 1);
	while (script->shell && strcmp(script->shell, argv[0]))
		script++;
	if (!script->shell)
		xf_fail(&err, "%.80s is no shell that it knows: write bash, zsh or fish", *argv[0] ? argv[0] : "\"\"");
	else if (argc > 1)
		xf_fail(&err, "%.200s is too much: it takes %s", argv[1], command.operands);
	else
		return fputs(script->text, stdout) < 0 ? CMD_FAILED : CMD_DONE;
	return cmd_misuse(&command, &err);
}
