/* SPDX-License-Identifier: GPL-2.0-only */
/* What holds for whatever is imported: each rule is one that we would take, and reads back as it is printed. */
#ifndef XDPFWD_TESTS_FUZZ_IMPORT_PROPERTY_H
#define XDPFWD_TESTS_FUZZ_IMPORT_PROPERTY_H

#include "import.h"
#include "property.h"

/* As `key: "TEXT"`, on a line of its own. */
static inline void property_printed(const struct buf *config, const char *key, const char *text)
{
	char line[160];

	snprintf(line, sizeof(line), "    %s: \"%s\"\n", key, text);
	PROPERTY(strstr(config->data, line));
}

static inline void property_rule(const struct import *im, size_t i, const struct buf *config)
{
	const struct xf_rule_spec *spec = &im->rule[i].spec;
	char text[XF_ENDPOINT_STRLEN];
	struct xf_listen listen;
	struct xf_target target;
	size_t j;

	PROPERTY(!xf_rule_check(spec, NULL) && !xf_name_check(spec->name, NULL));
	PROPERTY(!xf_comment_check(spec->comment, NULL));
	for (j = 0; j < i && i < 200; j++) {
		PROPERTY(strcmp(spec->name, im->rule[j].spec.name));
		PROPERTY(!xf_rule_conflicts(spec, &im->rule[j].spec));
	}
	xf_listen_format(&spec->listen, text, sizeof(text));
	PROPERTY(!xf_listen_parse(text, &listen, NULL) && listen.kind == spec->listen.kind);
	if (i < 20 && !strpbrk(text, "\"\\\xef"))
		property_printed(config, "listen", text);
	xf_target_format(&spec->target, text, sizeof(text));
	PROPERTY(!xf_target_parse(text, &target, NULL) && xf_address_equal(&target.addr, &spec->target.addr));
	for (j = 0; j < im->rule[i].n_allow; j++)
		PROPERTY(im->rule[i].allow[j].addr.family == spec->target.addr.family);
}

/* Lines of printable text, and nothing else. */
static inline void property_lines(const char *text)
{
	size_t n;

	for (; text && *text; text += n) {
		n = *text == '\n' ? 1 : xf_utf8_printable(text);
		PROPERTY(n);
	}
}

static inline void property_import(struct import *im, int rc, const struct xf_error *err)
{
	struct buf config = {0};
	size_t i;

	if (rc) {
		property_error(err);
	} else {
		import_finish(im);
		PROPERTY(!im->failed);
		import_print(im, "fuzz", &config);
		for (i = 0; i < im->n; i++)
			property_rule(im, i, &config);
		property_lines(config.data);
		property_lines(im->notes.data);
	}
	buf_free(&config);
	import_free(im);
}

/* A fuzzer of the one reader: its input without a NUL at the end, as a file is. */
#define IMPORT_FUZZER(call)                                                          \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);                \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                 \
	{                                                                            \
		static const struct import_zone zones[] = {{"wan", 3, "eth1"}, {0}}; \
		struct import im = {.input = "in", .zones = zones};                  \
		char *text = malloc(size + !size);                                   \
		struct xf_error err;                                                 \
                                                                                     \
		PROPERTY(text);                                                      \
		if (size)                                                            \
			memcpy(text, data, size);                                    \
		memset(&err, 0xff, sizeof(err));                                     \
		property_import(&im, call, &err);                                    \
		free(text);                                                          \
		return 0;                                                            \
	}

#endif
