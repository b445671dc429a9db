// SPDX-License-Identifier: GPL-2.0-only
/* What nft rules translate to: an address, ports, or a map of them. */
#include <string.h>

#include "import_nft.h"

struct to {
	struct nft *nft;
	const struct nft_rule *rule;
	struct import_forward f;
};

static int read_port(const json_t *value, struct import_target *target, struct xf_error *err)
{
	const json_t *range = json_object_get(value, "range");
	json_int_t lo = json_integer_value(range ? json_array_get(range, 0) : value);
	json_int_t hi = json_integer_value(range ? json_array_get(range, 1) : value);

	if (lo < 1 || hi < lo || hi > 65535)
		return xf_fail(err, "its target's ports are none");
	target->ports.lo = (uint16_t)lo;
	target->ports.hi = (uint16_t)hi;
	return 0;
}

/* An address, ports, or both of them. */
static int read_target(const json_t *value, struct import_target *target, struct xf_error *err)
{
	const json_t *both = json_object_get(value, "concat");
	const char *addr = json_string_value(both ? json_array_get(both, 0) : value);

	if (both && json_array_size(both) != 2)
		return xf_fail(err, "its target is more than an address and a port");
	if (json_is_integer(value))
		return read_port(value, target, err);
	if (json_object_get(value, "range") || json_object_get(value, "prefix"))
		return xf_fail(err, "it spreads over several targets: a rule has one");
	if (!addr)
		return xf_fail(err, "its target is computed");
	if (xf_address_parse(addr, &target->addr, err))
		return -1;
	return both ? read_port(json_array_get(both, 1), target, err) : 0;
}

static void tell(const struct to *to, const json_t *value, const struct import_cond *cond)
{
	struct import_forward f = to->f;
	struct xf_error err;

	f.cond = cond;
	if (read_target(value, &f.target, &err))
		import_lost(to->nft->im, "%s", err.text);
	else
		import_forward(to->nft->im, &f);
}

/* The parts of a key that is put together, each compared with its own. */
static void match_key(const struct to *to, const json_t *key, const json_t *value, struct import_cond *cond)
{
	const json_t *lefts = json_object_get(key, "concat"), *rights = json_object_get(value, "concat");
	struct nft_match match = {.left = key, .op = "==", .right = value};
	size_t i;

	if (!lefts) {
		nft_match(to->nft, to->rule, &match, cond);
		return;
	}
	if (!json_array_size(lefts) || json_array_size(lefts) != json_array_size(rights))
		import_cond_lose(cond, "a map whose keys do not fit");
	for (i = 0; i < json_array_size(lefts) && i < json_array_size(rights); i++) {
		match.left = json_array_get(lefts, i);
		match.right = json_array_get(rights, i);
		nft_match(to->nft, to->rule, &match, cond);
	}
}

static void tell_map(const struct to *to, const json_t *map, const struct import_cond *cond)
{
	struct nft_list list = nft_list(to->nft, to->rule, json_object_get(map, "data"));
	size_t i;

	if (!list.is_array || !list.n)
		import_lost(to->nft->im, "its map has no elements");
	for (i = 0; i < list.n && list.is_array && import_step(to->nft->im); i++) {
		const json_t *pair = json_array_get(list.whole, i);
		struct nft_list key = {.whole = json_array_get(pair, 0), .n = 1};
		struct import_cond narrow = *cond;

		if (json_array_size(pair) != 2)
			continue;
		match_key(to, json_object_get(map, "key"), nft_element(&key, 0), &narrow);
		tell(to, json_array_get(pair, 1), &narrow);
	}
}

void nft_forward(struct nft *nft, const struct nft_rule *rule, const json_t *what, const struct import_cond *cond)
{
	const json_t *addr = json_object_get(what, "addr"), *port = json_object_get(what, "port");
	const json_t *addrs = json_object_get(addr, "map"), *ports = json_object_get(port, "map");
	struct to to = {.nft = nft, .rule = rule, .f = {.comment = nft_text(rule->json, "comment")}};
	struct xf_error err;

	if (addrs && ports) {
		import_lost(nft->im, "a map of addresses and another of ports");
		return;
	}
	if (port && !ports && read_port(port, &to.f.target, &err)) {
		import_lost(nft->im, "%s", err.text);
		return;
	}
	if (addrs) {
		tell_map(&to, addrs, cond);
	} else if (ports) {
		if (addr && read_target(addr, &to.f.target, &err))
			import_lost(nft->im, "%s", err.text);
		else
			tell_map(&to, ports, cond);
	} else if (addr) {
		tell(&to, addr, cond);
	} else {
		to.f.cond = cond;
		import_forward(nft->im, &to.f);
	}
}

void nft_translate(struct nft *nft, const json_t *what, const struct import_cond *cond)
{
	const json_t *addr = json_object_get(what, "addr");
	struct import_target source = {.base = 0};
	struct xf_error err;

	if (addr && read_target(addr, &source, &err))
		import_lost(nft->im, "%s", err.text);
	else
		import_translate(nft->im, cond, &source.addr);
}
