// SPDX-License-Identifier: GPL-2.0-only
#include "opt.h"

#include <string.h>

const struct opt *opt_find(const struct opt *options, const char *name, size_t len)
{
	for (; options->name; options++)
		if (strlen(options->name) == len && !memcmp(options->name, name, len))
			return options;
	return NULL;
}

static int opt_append(const struct opt *opt, const char *value, struct xf_error *err)
{
	struct opt_list *list = opt->value;

	if (list->n == OPT_LIST_MAX)
		return xf_fail(err, "--%s is given more than %d times", opt->name, OPT_LIST_MAX);
	list->text[list->n++] = value;
	return 0;
}

static int opt_set(const struct opt *opt, const char *value, struct xf_error *err)
{
	struct xf_error why;

	switch (opt->kind) {
	case OPT_FLAG:
		*(bool *)opt->value = true;
		return 0;
	case OPT_TEXT:
		*(const char **)opt->value = value;
		return 0;
	case OPT_U32:
		if (xf_u32_parse(value, opt->min, opt->max, opt->value, &why) < 0)
			return xf_fail(err, "--%s: %.200s", opt->name, why.text);
		return 0;
	case OPT_LIST:
		return opt_append(opt, value, err);
	}
	return 0;
}

/* Takes the option at argv[0]; returns how many arguments it used, or -1. */
static int opt_take(const struct opt_command *command, int argc, char **argv, struct xf_error *err)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '=');
	const struct opt *opt = opt_find(command->options, name, equals ? (size_t)(equals - name) : strlen(name));

	if (strncmp(argv[0], "--", 2) || !opt)
		return xf_fail(err, "unknown option %.200s", argv[0]);
	if (opt->kind == OPT_FLAG) {
		if (equals)
			return xf_fail(err, "--%s takes no value", opt->name);
		return opt_set(opt, NULL, err) < 0 ? -1 : 1;
	}
	if (equals)
		return opt_set(opt, equals + 1, err) < 0 ? -1 : 1;
	if (argc < 2)
		return xf_fail(err, "--%s needs a value: --%s %s", opt->name, opt->name, opt->arg);
	return opt_set(opt, argv[1], err) < 0 ? -1 : 2;
}

static bool opt_is_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

/* Enough operands, and not too many? */
static int opt_count(const struct opt_command *command, int n, char **argv, struct xf_error *err)
{
	if (n < command->min_operands)
		return xf_fail(err, "something is missing: it takes %s", command->operands);
	if (command->max_operands >= 0 && n > command->max_operands) {
		if (!command->max_operands && !*command->operands)
			return xf_fail(err, "%.200s is too much: it takes no operands", argv[command->max_operands]);
		return xf_fail(err, "%.200s is too much: it takes %s", argv[command->max_operands], command->operands);
	}
	return 0;
}

enum opt_result opt_parse(const struct opt_command *command, int *argc, char **argv, struct xf_error *err)
{
	struct xf_error ignored, *first = err;
	int n = 0, i = 0, used;
	bool wrong = false;

	while (i < *argc) {
		bool is_option = argv[i][0] == '-' && argv[i][1];

		if (is_option && !strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (!is_option) {
			if (command->stops)
				break;
			argv[n++] = argv[i++];
			continue;
		}
		if (opt_is_help(argv[i]))
			return OPT_HELP;
		used = opt_take(command, *argc - i, argv + i, first);
		if (used < 0) {
			wrong = true;
			first = &ignored;
			used = 1;
		}
		i += used;
	}
	while (i < *argc)
		argv[n++] = argv[i++];
	*argc = n;
	if (wrong || opt_count(command, n, argv, first) < 0)
		return OPT_WRONG;
	return OPT_GO_ON;
}

void opt_help(const struct opt_command *command, FILE *to)
{
	const struct opt *o;
	char left[64];

	fprintf(to, "Usage: xdpfwd%s%s", *command->name ? " " : "", command->name);
	/* Options of what follows a command's name are that command's. */
	if (command->stops)
		fputs(" [OPTIONS]", to);
	if (*command->operands)
		fprintf(to, " %s", command->operands);
	fprintf(to, "%s\n\n%s\n\n", command->stops ? "" : " [OPTIONS]", command->about);
	if (command->more)
		command->more(to);
	fputs("Options:\n", to);
	for (o = command->options; o->name; o++) {
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		fprintf(to, "  %-30s %s\n", left, o->help);
	}
	fprintf(to, "  %-30s %s\n", "--help", "this text");
	if (command->example)
		fprintf(to, "\nExample:\n%s\n", command->example);
}
