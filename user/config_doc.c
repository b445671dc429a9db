// SPDX-License-Identifier: GPL-2.0-only
/* The stream of libyaml's events to a tree. */
#include "config_doc.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "names.h"

struct level {
	uint32_t node, last;
	uint64_t before;     /* what `expanded` was */
	struct name *anchor; /* NULL: it has none */
};

struct builder {
	struct doc *doc;
	struct config_errors *errors;
	struct level level[DOC_DEPTH_MAX];
	unsigned int depth;
	unsigned int documents;
	uint64_t expanded;    /* nodes, with all that aliases stand for */
	struct names anchors; /* at: the node; size: nodes in it, 0 while it is open */
};

static struct config_place place_of(yaml_mark_t mark)
{
	return (struct config_place){.line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

/* Nothing after this is read. */
static int stop(struct builder *b, struct config_place at, const char *why)
{
	config_errors_add(b->errors, at, "%s", why);
	return -1;
}

/* 0: there is no room. */
static uint32_t node_new(struct builder *b, enum doc_kind kind, struct config_place at)
{
	struct doc *doc = b->doc;
	uint32_t room = doc->room ? 2 * doc->room : 256;
	struct doc_node *grown;

	if (doc->n + 1 >= doc->room) {
		grown = realloc(doc->node, room * sizeof(*grown));
		if (!grown)
			return 0;
		doc->node = grown;
		doc->room = room;
	}
	doc->node[++doc->n] = (struct doc_node){.at = at, .kind = (uint8_t)kind};
	b->expanded++;
	return doc->n;
}

static void node_hang(struct builder *b, uint32_t i)
{
	struct level *in = b->depth ? &b->level[b->depth - 1] : NULL;

	if (!in)
		b->doc->root = i;
	else if (in->last)
		b->doc->node[in->last].next = i;
	else
		b->doc->node[in->node].first = i;
	if (in)
		in->last = i;
}

static uint32_t node_add(struct builder *b, enum doc_kind kind, struct config_place at)
{
	uint32_t i = node_new(b, kind, at);

	if (!i)
		b->errors->failed = true;
	else
		node_hang(b, i);
	return i;
}

static int anchor_set(struct builder *b, const yaml_char_t *text, uint32_t node, struct name **anchor)
{
	*anchor = NULL;
	if (!text)
		return 0;
	*anchor = names_add(&b->anchors, (const char *)text);
	if (!*anchor) {
		b->errors->failed = true;
		return -1;
	}
	(*anchor)->at = node;
	(*anchor)->size = 0;
	return 0;
}

static void refuse_tag(struct builder *b, const yaml_char_t *tag, struct config_place at)
{
	if (tag)
		config_errors_add(b->errors, at, "tags, such as %.80s here, are not supported: leave it out",
				  (const char *)tag);
}

static int take_scalar(struct builder *b, const yaml_event_t *event)
{
	struct config_place at = place_of(event->start_mark);
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	uint32_t i = node_add(b, DOC_SCALAR, at);
	struct name *anchor;

	if (!i || anchor_set(b, event->data.scalar.anchor, i, &anchor))
		return -1;
	refuse_tag(b, event->data.scalar.tag, at);
	if (anchor)
		anchor->size = 1;
	if (len > DOC_SCALAR_MAX) {
		config_errors_add(b->errors, at, "a text of %zu octets is too long: at most %d", len, DOC_SCALAR_MAX);
		b->doc->node[i].cut = true;
	} else if (memchr(text, '\0', len)) {
		config_errors_add(b->errors, at, "there is a NUL character in the text");
		b->doc->node[i].cut = true;
	}
	b->doc->node[i].plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	b->doc->node[i].first = (uint32_t)b->doc->text.len;
	buf_add(&b->doc->text, text, b->doc->node[i].cut ? 0 : len);
	buf_add(&b->doc->text, "", 1);
	return 0;
}

static int take_alias(struct builder *b, const yaml_event_t *event)
{
	struct config_place at = place_of(event->start_mark);
	const char *text = (const char *)event->data.alias.anchor;
	const struct name *anchor = names_find(&b->anchors, text);
	uint32_t i;

	if (!anchor || !anchor->size) {
		config_errors_add(b->errors, at, "*%.80s: %s", text,
				  anchor ? "what it stands for has this very alias in it" :
					   "nothing before it has the anchor of that name");
		/* An empty text in its place: keys and values still take turns. */
		i = node_add(b, DOC_SCALAR, at);
		if (!i)
			return -1;
		b->doc->node[i].cut = true;
		b->doc->node[i].first = (uint32_t)b->doc->text.len;
		buf_add(&b->doc->text, "", 1);
		return 0;
	}
	i = node_add(b, DOC_ALIAS, at);
	if (!i)
		return -1;
	b->doc->node[i].first = anchor->at;
	b->expanded += anchor->size;
	return 0;
}

static int open_level(struct builder *b, enum doc_kind kind, const yaml_event_t *event)
{
	bool map = kind == DOC_MAP;
	struct config_place at = place_of(event->start_mark);
	struct level *level = &b->level[b->depth];
	uint64_t before = b->expanded;
	uint32_t i;

	if (b->depth == DOC_DEPTH_MAX)
		return stop(b, at, "this is nested too deeply");
	i = node_add(b, kind, at);
	if (!i)
		return -1;
	refuse_tag(b, map ? event->data.mapping_start.tag : event->data.sequence_start.tag, at);
	b->depth++;
	*level = (struct level){.node = i, .before = before};
	b->doc->node[i].cut = true;
	return anchor_set(b, map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, i,
			  &level->anchor);
}

static void close_level(struct builder *b)
{
	struct level *level = &b->level[--b->depth];

	b->doc->node[level->node].cut = false;
	/* The name may have been given to something in it meanwhile. */
	if (level->anchor && level->anchor->at == level->node)
		level->anchor->size = (uint32_t)(b->expanded - level->before);
}

static int take_event(struct builder *b, const yaml_event_t *event)
{
	int rc = 0;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++)
			rc = stop(b, place_of(event->start_mark), "a second document begins here: write one only");
		break;
	case YAML_SCALAR_EVENT:
		rc = take_scalar(b, event);
		break;
	case YAML_ALIAS_EVENT:
		rc = take_alias(b, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		rc = open_level(b, DOC_LIST, event);
		break;
	case YAML_MAPPING_START_EVENT:
		rc = open_level(b, DOC_MAP, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_level(b);
		break;
	default:
		break;
	}
	if (!rc && b->expanded > DOC_NODES_MAX)
		rc = stop(b, place_of(event->start_mark), "this is too much, counting what aliases stand for");
	return rc;
}

/* ---- what is no YAML */

static struct config_place place_at(const char *text, size_t offset)
{
	struct config_place at = {1, 1};
	size_t i;

	for (i = 0; i < offset; i++) {
		if (text[i] == '\n')
			at = (struct config_place){at.line + 1, 1};
		else if ((text[i] & 0xc0) != 0x80)
			at.column++;
	}
	return at;
}

static void blame(struct builder *b, const yaml_parser_t *parser, const char *text, size_t len)
{
	const char *problem = parser->problem ? parser->problem : "?";
	struct config_place at;

	if (parser->error == YAML_MEMORY_ERROR) {
		b->errors->failed = true;
		return;
	}
	if (parser->error == YAML_READER_ERROR)
		at = place_at(text, parser->problem_offset < len ? parser->problem_offset : len);
	else
		at = place_of(parser->problem_mark);
	if (parser->context && parser->error != YAML_READER_ERROR)
		config_errors_add(b->errors, at, "this is not YAML: %s, %s that begins in line %zu", problem,
				  parser->context, parser->context_mark.line + 1);
	else
		config_errors_add(b->errors, at, "this is not YAML: %s", problem);
}

/* Nothing that we read needs them, and libyaml compares each with all before it. */
static bool has_directives(const char *text, size_t len, struct config_errors *errors)
{
	const char *at = text, *end = text + len;

	while (at && at < end) {
		if (*at == '%') {
			config_errors_add(errors, place_at(text, (size_t)(at - text)),
					  "directives, lines that begin with %%, are not supported: leave it out");
			return true;
		}
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	return false;
}

/* ---- */

static void read_events(struct builder *b, const char *text, size_t len)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool end = false;

	if (!yaml_parser_initialize(&parser)) {
		b->errors->failed = true;
		return;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (!end) {
		if (!yaml_parser_parse(&parser, &event)) {
			blame(b, &parser, text, len);
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		if (take_event(b, &event))
			break;
		yaml_event_delete(&event);
	}
	b->doc->cut = !end;
	if (!end && parser.error == YAML_NO_ERROR)
		yaml_event_delete(&event);
	yaml_parser_delete(&parser);
}

void doc_read(struct doc *doc, const char *text, size_t len, struct config_errors *errors)
{
	struct builder b = {.doc = doc, .errors = errors};

	memset(doc, 0, sizeof(*doc));
	doc->cut = true;
	if (len > DOC_TEXT_MAX) {
		config_errors_add(errors, (struct config_place){1, 1}, "the file is too large: %zu octets, at most %u",
				  len, DOC_TEXT_MAX);
		return;
	}
	if (has_directives(text, len, errors))
		return;
	read_events(&b, text, len);
	names_free(&b.anchors);
	if (buf_failed(&doc->text)) {
		errors->failed = true;
		doc->root = 0;
	}
}

void doc_free(struct doc *doc)
{
	free(doc->node);
	buf_free(&doc->text);
	memset(doc, 0, sizeof(*doc));
}
