/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Config files; what follows a NUL is the text of every file that they name.
 * What is refused has errors, each one line with a place that the text has, in
 * order, none twice. What is taken is rules that can stand side by side, and
 * written, it is read back to the same text and without a difference.
 */
#include "property.h"

#include "config.h"
#include "plan.h"

#define NOW 1800000000

static const char *file_text;
static size_t file_len;

static int read_file(const char *path, struct xf_prefix_file *file, struct xf_error *err)
{
	char clean[200];
	size_t i;

	/* As the real one: what is remembered can be stated again. */
	snprintf(clean, sizeof(clean), "%.150s", path);
	for (i = 0; clean[i]; i += xf_utf8_printable(clean + i))
		if (!xf_utf8_printable(clean + i) || clean[i] == ',')
			return xf_fail(err, "%.80s: the name of the file has an unprintable character", path);
	memcpy(file->name, clean, sizeof(clean));
	file->len = file_len;
	file->text = malloc(file_len ? file_len : 1);
	PROPERTY(file->text);
	if (file_len)
		memcpy(file->text, file_text, file_len);
	return 0;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t i, n = 2; /* one after the last newline, too */

	/* What YAML takes for the end of a line, in any of its spellings. */
	for (i = 0; i < len; i++)
		n += text[i] == '\n' || text[i] == '\r' || (unsigned char)text[i] >= 0x80;
	return n;
}

static void refused(const struct config *config, const struct config_errors *errors, size_t lines)
{
	static const struct config empty;
	size_t i;

	PROPERTY(!memcmp(config, &empty, sizeof(empty)));
	PROPERTY(errors->n && !errors->failed);
	for (i = 0; i < errors->n; i++) {
		const struct config_error *e = &errors->error[i], *before = i ? e - 1 : NULL;
		struct xf_error err = {""};

		PROPERTY(e->at.line >= 1 && e->at.line <= lines && e->at.column >= 1);
		PROPERTY(strlen(e->text) < sizeof(err.text));
		strcpy(err.text, e->text);
		property_error(&err);
		PROPERTY(!before || before->at.line <= e->at.line);
		PROPERTY(!before || before->at.line < e->at.line || before->at.column <= e->at.column);
		PROPERTY(!before || before->at.line < e->at.line || before->at.column < e->at.column ||
			 strcmp(before->text, e->text));
	}
}

static void rules_hold(const struct config *config)
{
	size_t i, j;

	for (i = 0; i < config->n_rules; i++) {
		PROPERTY(!xf_rule_check(&config->rules[i], NULL));
		PROPERTY(!xf_name_check(config->rules[i].name, NULL));
		PROPERTY(!xf_comment_check(config->rules[i].comment, NULL));
		PROPERTY(config->places[i].line && config->places[i].column);
		for (j = 0; j < i && i < 100; j++) {
			PROPERTY(strcmp(config->rules[i].name, config->rules[j].name));
			PROPERTY(!xf_rule_conflicts(&config->rules[i], &config->rules[j]));
		}
	}
}

static void no_difference(const struct config *a, const struct config *b)
{
	struct plan_rule *x = malloc((a->n_rules + 1) * sizeof(*x)), *y = malloc((b->n_rules + 1) * sizeof(*y));
	struct plan plan;

	PROPERTY(x && y);
	plan_rules(a->rules, a->n_rules, x);
	plan_rules(b->rules, b->n_rules, y);
	PROPERTY(!plan_make(&(struct plan_set){x, a->n_rules}, &(struct plan_set){y, b->n_rules}, &plan, NULL));
	PROPERTY(!plan.n && plan.unchanged == a->n_rules);
	plan_free(&plan);
	free(x);
	free(y);
}

static void taken(struct config *config)
{
	struct buf text = {0}, again = {0};
	struct config_errors errors;
	struct config back;

	rules_hold(config);
	config_write(config, &text);
	PROPERTY(!buf_failed(&text));
	PROPERTY(!config_parse(&(struct config_source){text.data, text.len, NOW, read_file}, &back, &errors));
	no_difference(config, &back);
	config_write(&back, &again);
	PROPERTY(!strcmp(text.data, again.data));
	config_free(&back);
	buf_free(&text);
	buf_free(&again);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Dates without an offset are local time. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	char *text = malloc(len ? len : 1);
	struct config_errors errors;
	struct config config;

	PROPERTY(text);
	if (len)
		memcpy(text, data, len);
	file_text = nul ? (const char *)nul + 1 : NULL;
	file_len = nul ? size - len - 1 : 0;
	if (config_parse(&(struct config_source){text, len, NOW, read_file}, &config, &errors))
		refused(&config, &errors, count_lines(text, len));
	else
		taken(&config);
	config_errors_free(&errors);
	config_free(&config);
	free(text);
	return 0;
}
