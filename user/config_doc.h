/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A YAML document as a tree of small nodes, with the place of each. What could
 * grow without bound is bounded here: size, nesting, nodes, and nodes that
 * aliases stand for. Pure.
 */
#ifndef XDPFWD_USER_CONFIG_DOC_H
#define XDPFWD_USER_CONFIG_DOC_H

#include "config_error.h"

/* Room for as many rules as an instance can have, with a few options each. */
#define DOC_TEXT_MAX   (128u << 20)
#define DOC_NODES_MAX  (16u << 20)
#define DOC_DEPTH_MAX  32
#define DOC_SCALAR_MAX 4096

enum doc_kind {
	DOC_SCALAR,
	DOC_LIST,
	DOC_MAP,   /* its keys and values take turns */
	DOC_ALIAS, /* first is what it stands for */
};

/* 0 is no node. */
struct doc_node {
	uint32_t first; /* the first of those in it; of a scalar, where its text begins */
	uint32_t next;	/* the next one in what it is in */
	struct config_place at;
	uint32_t note; /* the reader's: a list that is known to be wrong */
	uint8_t kind;  /* enum doc_kind */
	bool plain;    /* a scalar without quotes */
	bool cut;      /* its end was not seen, or what was meant is not known */
	uint8_t pad;
};

struct doc {
	struct doc_node *node;
	uint32_t n, room;
	uint32_t root; /* 0: there is nothing in the document */
	struct buf text;
	bool cut; /* it could be read only in part */
};

/* What can be read, of a broken text too, and what is wrong with it. */
void doc_read(struct doc *doc, const char *text, size_t len, struct config_errors *errors);
void doc_free(struct doc *doc);

/* The node, or what it stands for: never an alias. */
static inline uint32_t doc_resolve(const struct doc *doc, uint32_t i)
{
	return doc->node[i].kind == DOC_ALIAS ? doc->node[i].first : i;
}

static inline const char *doc_scalar(const struct doc *doc, uint32_t i)
{
	return doc->text.data + doc->node[i].first;
}

#endif
