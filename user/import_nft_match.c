// SPDX-License-Identifier: GPL-2.0-only
/* Conditions of nft rules: what is compared, and with what. */
#include <stdio.h>
#include <string.h>

#include "import_nft.h"

#define VALUE_LEN 128

const char *nft_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

const char *nft_kind(const json_t *object, const json_t **value)
{
	void *at = json_object_iter((json_t *)object);

	if (json_object_size(object) != 1)
		return NULL;
	*value = json_object_iter_value(at);
	return json_object_iter_key(at);
}

/* ---- lists */

static const json_t *find_set(const struct nft *nft, const struct nft_rule *rule, const char *name)
{
	size_t i;

	for (i = 0; i < nft->n_sets; i++) {
		const json_t *set = nft->set[i];

		if (!strcmp(nft_text(set, "name"), name) && !strcmp(nft_text(set, "table"), rule->table) &&
		    !strcmp(nft_text(set, "family"), rule->family))
			return json_object_get(set, "elem");
	}
	return NULL;
}

struct nft_list nft_list(const struct nft *nft, const struct nft_rule *rule, const json_t *value)
{
	const char *text = json_string_value(value);
	const json_t *set = json_object_get(value, "set");
	struct nft_list list = {.whole = set ? set : value};

	if (text && *text == '@')
		list.whole = find_set(nft, rule, text + 1);
	list.is_array = json_is_array(list.whole);
	list.n = list.is_array ? json_array_size(list.whole) : list.whole != NULL;
	return list;
}

const json_t *nft_element(const struct nft_list *list, size_t i)
{
	const json_t *element = list->is_array ? json_array_get(list->whole, i) : list->whole;
	const json_t *inner = json_object_get(element, "elem");

	/* Elements with a counter, a comment or a time limit are wrapped. */
	return inner ? json_object_get(inner, "val") : element;
}

/* ---- values */

static const char *scalar(const json_t *value, char buf[VALUE_LEN])
{
	*buf = '\0';
	if (json_is_string(value))
		snprintf(buf, VALUE_LEN, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(buf, VALUE_LEN, "%lld", (long long)json_integer_value(value));
	return buf;
}

static int add_port(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	const json_t *range = json_object_get(value, "range");
	char text[2 * VALUE_LEN + 1], lo[VALUE_LEN], hi[VALUE_LEN];

	if (range)
		snprintf(text, sizeof(text), "%s-%s", scalar(json_array_get(range, 0), lo),
			 scalar(json_array_get(range, 1), hi));
	else
		scalar(value, text);
	return import_ports_add(&part->ports, text, err);
}

static int add_net(const json_t *value, struct import_nets *nets, struct xf_error *err)
{
	const json_t *prefix = json_object_get(value, "prefix"), *range = json_object_get(value, "range");
	char text[2 * VALUE_LEN + 1], addr[VALUE_LEN], bits[VALUE_LEN];

	if (range)
		return import_nets_add_range(nets, scalar(json_array_get(range, 0), addr),
					     scalar(json_array_get(range, 1), bits), err);
	if (prefix)
		snprintf(text, sizeof(text), "%s/%s", scalar(json_object_get(prefix, "addr"), addr),
			 scalar(json_object_get(prefix, "len"), bits));
	else
		scalar(value, text);
	return import_nets_add(nets, text, err);
}

static int add_proto(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	char text[VALUE_LEN];

	scalar(value, text);
	if (!strcmp(text, "tcp") || !strcmp(text, "6"))
		part->protos |= XF_PROTO_TCP;
	else if (!strcmp(text, "udp") || !strcmp(text, "17"))
		part->protos |= XF_PROTO_UDP;
	else
		return xf_fail(err, "the protocol is %.40s: only tcp and udp are forwarded", text);
	return 0;
}

static int add_family(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	char text[VALUE_LEN];

	scalar(value, text);
	if (!strcmp(text, "ipv4") || !strcmp(text, "ip"))
		import_cond_family(part, XF_IPV4);
	else if (!strcmp(text, "ipv6") || !strcmp(text, "ip6"))
		import_cond_family(part, XF_IPV6);
	else
		return xf_fail(err, "packets of %.40s", text);
	return 0;
}

static int add_in(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	char text[VALUE_LEN];

	return import_ifs_add(&part->in, scalar(value, text), err);
}

static int add_to(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	return add_net(value, &part->to, err);
}

static int add_from(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	return add_net(value, &part->from, err);
}

/* Only that it is among them counts. */
static int add_new(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	char text[VALUE_LEN];

	(void)err;
	part->never |= !strcmp(scalar(value, text), "new");
	return 0;
}

static int add_local(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	char text[VALUE_LEN];

	(void)part;
	if (strcmp(scalar(value, text), "local"))
		return xf_fail(err, "destinations of the type %.40s", text);
	return 0;
}

static int add_syn(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	char text[VALUE_LEN];

	(void)part;
	if (strcmp(scalar(value, text), "syn"))
		return xf_fail(err, "the TCP flags %.40s", *text ? text : "of several kinds");
	return 0;
}

static int add_nothing(const json_t *value, struct import_cond *part, struct xf_error *err)
{
	(void)value, (void)part, (void)err;
	return 0;
}

/* ---- what is compared */

static const struct left {
	const char *kind, *what, *field;
	int (*add)(const json_t *value, struct import_cond *part, struct xf_error *err);
	uint8_t family, protos; /* implied */
} lefts[] = {
	{"payload", "tcp", "dport", add_port, 0, XF_PROTO_TCP},
	{"payload", "udp", "dport", add_port, 0, XF_PROTO_UDP},
	{"payload", "th", "dport", add_port, 0, 0},
	{"payload", "ip", "daddr", add_to, XF_IPV4, 0},
	{"payload", "ip6", "daddr", add_to, XF_IPV6, 0},
	{"payload", "ip", "saddr", add_from, XF_IPV4, 0},
	{"payload", "ip6", "saddr", add_from, XF_IPV6, 0},
	{"payload", "ip", "protocol", add_proto, XF_IPV4, 0},
	{"payload", "ip6", "nexthdr", add_proto, XF_IPV6, 0},
	{"payload", "tcp", "flags", add_syn, 0, XF_PROTO_TCP},
	{"meta", "l4proto", "", add_proto, 0, 0},
	{"meta", "nfproto", "", add_family, 0, 0},
	{"meta", "protocol", "", add_family, 0, 0},
	{"meta", "iifname", "", add_in, 0, 0},
	{"meta", "iif", "", add_in, 0, 0},
	{"meta", "oifname", "", add_nothing, 0, 0},
	{"meta", "oif", "", add_nothing, 0, 0},
	{"ct", "state", "", add_new, 0, 0},
	{"fib", "type", "", add_local, 0, 0},
};

/* Its words; `field` may be empty. */
struct words {
	const char *kind, *what, *field;
};

static struct words words_of(const json_t *left)
{
	const json_t *value = NULL, *flags;
	struct words w = {nft_kind(left, &value), "", ""};

	if (!w.kind)
		w.kind = "?";
	if (!strcmp(w.kind, "payload")) {
		w.what = nft_text(value, "protocol");
		w.field = nft_text(value, "field");
	} else if (!strcmp(w.kind, "meta") || !strcmp(w.kind, "ct")) {
		w.what = nft_text(value, "key");
	} else if (!strcmp(w.kind, "fib")) {
		flags = json_object_get(value, "flags");
		w.what = nft_text(value, "result");
		/* "type of daddr" alone is what we know. */
		if (json_is_array(flags) && json_array_size(flags) == 1)
			flags = json_array_get(flags, 0);
		if (!json_is_string(flags) || strcmp(json_string_value(flags), "daddr"))
			w.field = "of something else";
	}
	return w;
}

static const struct left *find_left(const struct words *w)
{
	size_t i;

	for (i = 0; i < sizeof(lefts) / sizeof(lefts[0]); i++)
		if (!strcmp(lefts[i].kind, w->kind) && !strcmp(lefts[i].what, w->what) &&
		    !strcmp(lefts[i].field, w->field))
			return &lefts[i];
	return NULL;
}

static bool is_loopback(const struct import_nets *nets)
{
	return nets->n == 1 && nets->net[0].addr.family == XF_IPV4 && xf_address_is_loopback(&nets->net[0].addr);
}

/* "the condition meta mark !=" */
static void lose(struct import_cond *cond, const struct words *w, const char *op)
{
	import_cond_lose(cond, "the condition %.20s%s%.30s%s%.30s%s%.8s", w->kind, *w->what ? " " : "", w->what,
			 *w->field ? " " : "", w->field, *op ? " " : "", op);
}

/* "!=": what can still be said. */
static void negate(const struct left *left, const struct words *w, struct import_cond *part)
{
	char name[XF_IFNAME_LEN];

	if (left->add == add_from) {
		part->not_from = part->from;
	} else if (left->add == add_in) {
		memcpy(name, part->in.name[0], sizeof(name));
		import_cond_leave(part, "for packets from %s as well", name);
	} else if (left->add != add_nothing && !(left->add == add_to && is_loopback(&part->to))) {
		lose(part, w, "!=");
	}
	part->from.n = part->in.n = part->to.n = part->ports.n = part->protos = part->family = 0;
	part->never = false;
}

static void settle(const struct left *left, const struct words *w, const char *op, struct import_cond *part)
{
	if (!strcmp(op, "!=")) {
		negate(left, w, part);
	} else if (strcmp(op, "==") && strcmp(op, "in")) {
		lose(part, w, op);
	} else if (left->add == add_new) {
		if (!part->never)
			import_cond_lose(part, "it is not about new connections");
		part->never = false;
	}
}

void nft_match(const struct nft *nft, const struct nft_rule *rule, const struct nft_match *match,
	       struct import_cond *cond)
{
	struct words w = words_of(match->left);
	const struct left *left = find_left(&w);
	struct nft_list list = nft_list(nft, rule, match->right);
	struct import_cond part = {.family = 0};
	struct xf_error err;
	size_t i;

	if (!left) {
		lose(cond, &w, "");
		return;
	}
	if (!list.n)
		import_cond_lose(cond, "a set without elements, or of another table");
	for (i = 0; i < list.n; i++) {
		if (left->add(nft_element(&list, i), &part, &err)) {
			import_cond_lose(cond, "%.150s", err.text);
			return;
		}
	}
	settle(left, &w, match->op, &part);
	if (left->family)
		import_cond_family(&part, left->family);
	if (left->protos)
		import_cond_protos(&part, left->protos);
	import_cond_narrow(cond, &part);
}
