/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nft's JSON, shared by its parts: import_nft.c follows the chains,
 * import_nft_match.c reads conditions, import_nft_target.c what is translated.
 */
#ifndef XDPFWD_USER_IMPORT_NFT_H
#define XDPFWD_USER_IMPORT_NFT_H

#include <jansson.h>

#include "import.h"

#define NFT_SETS_MAX 1024

struct nft_rule {
	const char *family, *table, *chain;
	const json_t *json;
	size_t number;
	bool seen;
};

struct nft {
	struct import *im;
	struct nft_rule *rule; /* by family, table, chain, number */
	size_t n;
	const json_t *set[NFT_SETS_MAX]; /* and maps */
	size_t n_sets;
};

/* The member's text, or "". */
const char *nft_text(const json_t *object, const char *key);
/* Objects of nft have one member, which says what they are. NULL: this one is none of those. */
const char *nft_kind(const json_t *object, const json_t **value);

/* What a right side or a map lists: its elements; "@NAME" is a set of the rule's table. */
struct nft_list {
	const json_t *whole; /* an array, or the one element */
	size_t n;
	bool is_array;
};
struct nft_list nft_list(const struct nft *nft, const struct nft_rule *rule, const json_t *value);
const json_t *nft_element(const struct nft_list *list, size_t i);

/* One condition: `left`, an operator, and what it is compared with. */
struct nft_match {
	const json_t *left;
	const char *op;
	const json_t *right;
};
void nft_match(const struct nft *nft, const struct nft_rule *rule, const struct nft_match *match,
	       struct import_cond *cond);

/* dnat and redirect, to each target of a map too; snat and masquerade. */
void nft_forward(struct nft *nft, const struct nft_rule *rule, const json_t *to, const struct import_cond *cond);
void nft_translate(struct nft *nft, const json_t *to, const struct import_cond *cond);

#endif
