/* SPDX-License-Identifier: GPL-2.0-only */
/* Source modes: their words, and which addresses masquerading may use. */
#include "rule.h"

#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

/* The 32 bits in which the addresses of a pool differ, in host order. */
static uint32_t last_word(const struct xf_address *a)
{
	return ntohl(a->addr.w[a->family == XF_IPV6 ? 3 : 0]);
}

struct xf_address xf_pool_address(const struct xf_pool *pool, uint8_t i)
{
	struct xf_address a = pool->first;

	a.addr.w[a.family == XF_IPV6 ? 3 : 0] = htonl(last_word(&a) + i);
	return a;
}

const char *xf_pool_format(const struct xf_pool *pool, char *buf, size_t len)
{
	const struct xf_address last = xf_pool_address(pool, pool->more);
	char first[XF_ENDPOINT_STRLEN], end[XF_ENDPOINT_STRLEN];

	xf_address_format(&pool->first, first, sizeof(first));
	if (pool->more)
		snprintf(buf, len, "%.45s-%.45s", first, xf_address_format(&last, end, sizeof(end)));
	else
		snprintf(buf, len, "%s", first);
	return buf;
}

/* From `pool->first` to there. */
static int pool_end(const char *text, const struct xf_address *last, struct xf_pool *pool, struct xf_error *err)
{
	uint32_t more = last_word(last) - last_word(&pool->first);

	if (last->family != pool->first.family)
		return xf_fail(err, "masquerade=%.100s: both addresses have to be of one family", text);
	if (last->family == XF_IPV6 && memcmp(&last->addr, &pool->first.addr, 12))
		return xf_fail(err, "masquerade=%.100s: the addresses may differ in their last 32 bits only", text);
	if (last_word(last) < last_word(&pool->first))
		return xf_fail(err, "masquerade=%.100s ends before it begins: write the lower address first", text);
	if (more > UINT8_MAX)
		return xf_fail(err, "masquerade=%.100s: %llu addresses are too many, write %d at most", text,
			       (unsigned long long)more + 1, UINT8_MAX + 1);
	pool->more = (uint8_t)more;
	return 0;
}

/* ADDR or ADDR-ADDR. */
static int pool_parse(const char *text, struct xf_pool *pool, struct xf_error *err)
{
	const char *dash = strchr(text, '-');
	char first[XF_ENDPOINT_STRLEN];
	struct xf_address last;

	*pool = (struct xf_pool){0};
	if (!dash)
		return xf_address_parse(text, &pool->first, err);
	snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
	if (xf_address_parse(first, &pool->first, err) || xf_address_parse(dash + 1, &last, err))
		return -1;
	return pool_end(text, &last, pool, err);
}

int xf_source_parse(const char *text, enum xf_source *source, struct xf_pool *masquerade, struct xf_error *err)
{
	static const char fixed[] = "masquerade=";
	struct xf_pool pool = {0};
	enum xf_source mode;

	if (!strcmp(text, "auto"))
		mode = XF_SOURCE_AUTO;
	else if (!strcmp(text, "preserve"))
		mode = XF_SOURCE_PRESERVE;
	else if (!strcmp(text, "masquerade") || !strncmp(text, fixed, strlen(fixed)))
		mode = XF_SOURCE_MASQUERADE;
	else
		return xf_fail(err,
			       "%.80s is not a source mode: write auto, preserve, masquerade or masquerade=ADDR[-ADDR]",
			       *text ? text : "\"\"");

	if (mode == XF_SOURCE_MASQUERADE && text[strlen("masquerade")] && pool_parse(text + strlen(fixed), &pool, err))
		return -1;
	*source = mode;
	*masquerade = pool;
	return 0;
}

const char *xf_source_format(enum xf_source source, const struct xf_pool *masquerade, char *buf, size_t len)
{
	char pool[XF_ENDPOINT_STRLEN];

	if (source == XF_SOURCE_MASQUERADE && masquerade->first.family)
		snprintf(buf, len, "masquerade=%s", xf_pool_format(masquerade, pool, sizeof(pool)));
	else if (source == XF_SOURCE_MASQUERADE)
		snprintf(buf, len, "masquerade");
	else
		snprintf(buf, len, source == XF_SOURCE_PRESERVE ? "preserve" : "auto");
	return buf;
}

static const char *family_name(const struct xf_address *a)
{
	return a->family == XF_IPV6 ? "IPv6" : "IPv4";
}

static bool pool_has(const struct xf_pool *pool, const struct xf_address *addr)
{
	unsigned int i;

	for (i = 0; i <= pool->more; i++) {
		struct xf_address member = xf_pool_address(pool, (uint8_t)i);

		if (xf_address_equal(&member, addr))
			return true;
	}
	return false;
}

/* NULL: all of its addresses are usable. Those that are not are in blocks with one of its ends. */
static const char *pool_unusable_why(const struct xf_pool *pool)
{
	const struct xf_address last = xf_pool_address(pool, pool->more);
	const char *why = xf_address_unusable_why(&pool->first);

	return why ? why : xf_address_unusable_why(&last);
}

int xf_source_check(const struct xf_rule_spec *rule, struct xf_error *err)
{
	char source[XF_ENDPOINT_STRLEN], target[XF_ENDPOINT_STRLEN];
	const char *why;

	if (!rule->masquerade.first.family)
		return 0;
	xf_source_format(XF_SOURCE_MASQUERADE, &rule->masquerade, source, sizeof(source));
	xf_target_format(&rule->target, target, sizeof(target));
	if (rule->source != XF_SOURCE_MASQUERADE)
		return xf_fail(err, "%s: only the source mode masquerade takes an address", source);
	why = pool_unusable_why(&rule->masquerade);
	if (why)
		return xf_fail(err, "%s: the address %s; write one of this machine's own", source, why);
	if (rule->masquerade.first.family != rule->target.addr.family)
		return xf_fail(err, "%s is %s, but the target %s is %s: both have to be of one family", source,
			       family_name(&rule->masquerade.first), target, family_name(&rule->target.addr));
	if (pool_has(&rule->masquerade, &rule->target.addr))
		return xf_fail(err, "%s: that is the target's own address; write one of this machine's own", source);
	return 0;
}
