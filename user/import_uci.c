// SPDX-License-Identifier: GPL-2.0-only
/* UCI: "config KIND [NAME]" and, below it, "option KEY VALUE" and "list KEY VALUE". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_fw4.h"

struct reader {
	struct import *im;
	struct uci_section *section;
	bool is_open, quiet;
	bool is_lost; /* until the next one begins */
	uci_take take;
	void *arg;
	size_t sections;
};

static void end_section(struct reader *r)
{
	if (!r->is_open)
		return;
	import_at(r->im, "%u", r->section->line);
	r->take(r->section, r->arg);
	r->is_open = false;
}

static bool begin_section(struct reader *r, const struct import_words *w, unsigned int number)
{
	struct uci_section *s = r->section;

	end_section(r);
	import_at(r->im, "%u", number);
	r->is_lost = false;
	if (w->n < 2 || w->n > 3)
		return false;
	memset(s, 0, sizeof(*s));
	s->line = number;
	if ((size_t)snprintf(s->kind, sizeof(s->kind), "%s", w->word[1]) >= sizeof(s->kind) ||
	    (size_t)snprintf(s->name, sizeof(s->name), "%s", w->n > 2 ? w->word[2] : "") >= sizeof(s->name))
		return false;
	r->sections++;
	r->is_open = true;
	return true;
}

static bool add_option(struct reader *r, const struct import_words *w)
{
	struct uci_section *s = r->section;
	struct uci_option *o = &s->option[s->n];

	if (w->n != 3 || !r->is_open || s->n == UCI_OPTIONS_MAX)
		return false;
	if ((size_t)snprintf(o->key, sizeof(o->key), "%s", w->word[1]) >= sizeof(o->key) ||
	    (size_t)snprintf(o->value, sizeof(o->value), "%s", w->word[2]) >= sizeof(o->value))
		return false;
	s->n++;
	return true;
}

/* Without one of its lines a section means something else. */
static void lose_section(struct reader *r, const char *why)
{
	if (!r->quiet && !r->is_lost)
		import_lost(r->im, "the section around it: %s", why);
	r->is_open = false;
	r->is_lost = true;
}

static void read_line(struct reader *r, const struct import_line *line, unsigned int number)
{
	struct import_words w;
	struct xf_error err;
	bool understood = false;

	import_at(r->im, "%u", number);
	if (import_words(line, &w, &err)) {
		lose_section(r, err.text);
		return;
	}
	if (!w.n || !strcmp(w.word[0], "package"))
		return;
	if (!strcmp(w.word[0], "config"))
		understood = begin_section(r, &w, number);
	else if (!strcmp(w.word[0], "option") || !strcmp(w.word[0], "list"))
		understood = add_option(r, &w);
	if (!understood)
		lose_section(r, "no line that we understand");
}

size_t uci_read(const struct uci_text *uci, uci_take take, void *arg)
{
	struct reader r = {.im = uci->im, .quiet = uci->quiet, .take = take, .arg = arg};
	const char *text = uci->whole.text;
	struct import_line line;
	unsigned int number = 0;
	size_t len = uci->whole.len;

	r.section = malloc(sizeof(*r.section));
	if (!r.section) {
		uci->im->failed = true;
		return 0;
	}
	while (number < IMPORT_LINES_MAX && import_line(&text, &len, &line))
		read_line(&r, &line, ++number);
	if (len && !uci->quiet)
		import_lost(uci->im, "what follows: more than %d lines", IMPORT_LINES_MAX);
	end_section(&r);
	free(r.section);
	return r.sections;
}

const char *uci_get(const struct uci_section *s, const char *key)
{
	const char *value = "";
	int i;

	/* The last one counts. */
	for (i = 0; i < s->n; i++)
		if (!strcmp(s->option[i].key, key))
			value = s->option[i].value;
	return value;
}

bool uci_words(const struct uci_section *s, const char *key, uci_take_word take, void *arg)
{
	char copy[UCI_TEXT_MAX], *rest, *word;
	int i;

	for (i = 0; i < s->n; i++) {
		if (strcmp(s->option[i].key, key))
			continue;
		memcpy(copy, s->option[i].value, sizeof(copy));
		rest = copy;
		while ((word = strsep(&rest, " \t")))
			if (*word && !take(word, arg))
				return false;
	}
	return true;
}
