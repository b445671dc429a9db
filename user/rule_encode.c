/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule to its form in the maps and back, and a port range to prefixes. */
#include "rule.h"

#include <string.h>

/* The maps may hold what another version wrote: the NUL is made sure of, never assumed. */
static void text_copy(char *to, const char *from, size_t len)
{
	size_t n = strnlen(from, len - 1);

	memcpy(to, from, n);
	memset(to + n, 0, len - n);
}

void xf_rule_encode(const struct xf_rule_spec *spec, struct xf_rule *rule, struct xf_rule_meta *meta)
{
	*rule = (struct xf_rule){
		.flags = XF_RULE_LIVE | (spec->disabled ? XF_RULE_DISABLED : 0) |
			 (spec->stateless ? XF_RULE_STATELESS : 0),
		.target = spec->target.addr.addr,
		.listen_lo = spec->listen.ports.lo,
		.listen_hi = spec->listen.ports.hi,
		.target_lo = spec->target.port ? spec->target.port : spec->listen.ports.lo,
		.family = spec->target.addr.family,
		.source = (__u8)spec->source,
		.protos = spec->protos,
		.pool = spec->masquerade.more,
		.listen_kind = (__u8)spec->listen.kind,
	};
	*meta = (struct xf_rule_meta){
		.listen_kind = (__u8)spec->listen.kind,
		.masquerade_fixed = spec->masquerade.first.family != 0,
		.target_port_given = spec->target.port != 0,
		.expires_unix = (__u64)spec->expires,
		.expires_by_date = spec->expires_by_date,
		.rate = spec->rate,
		.source_rate = spec->source_rate,
	};
	if (spec->masquerade.first.family)
		rule->masquerade = spec->masquerade.first.addr;
	if (spec->listen.kind == XF_LISTEN_ADDR)
		meta->listen = spec->listen.addr.addr;
	if (spec->listen.kind == XF_LISTEN_IFACE)
		text_copy(meta->ifname, spec->listen.ifname, sizeof(meta->ifname));
	text_copy(meta->name, spec->name, sizeof(meta->name));
	text_copy(meta->comment, spec->comment, sizeof(meta->comment));
}

void xf_rule_decode(const struct xf_rule *rule, const struct xf_rule_meta *meta, struct xf_rule_spec *spec)
{
	*spec = (struct xf_rule_spec){
		.protos = rule->protos,
		.listen.kind = (enum xf_listen_kind)meta->listen_kind,
		.listen.ports = {.lo = rule->listen_lo, .hi = rule->listen_hi},
		.target.addr = {.family = rule->family, .addr = rule->target},
		.target.port = meta->target_port_given ? rule->target_lo : 0,
		.source = (enum xf_source)rule->source,
		.disabled = (rule->flags & XF_RULE_DISABLED) != 0,
		.stateless = (rule->flags & XF_RULE_STATELESS) != 0,
		.expires = (int64_t)meta->expires_unix,
		.expires_by_date = meta->expires_by_date,
		.rate = meta->rate,
		.source_rate = meta->source_rate,
	};
	if (meta->masquerade_fixed)
		spec->masquerade = (struct xf_pool){.first = {.family = rule->family, .addr = rule->masquerade},
						    .more = rule->pool};
	if (meta->listen_kind == XF_LISTEN_ADDR)
		spec->listen.addr = (struct xf_address){.family = rule->family, .addr = meta->listen};
	text_copy(spec->listen.ifname, meta->ifname, sizeof(spec->listen.ifname));
	text_copy(spec->name, meta->name, sizeof(spec->name));
	text_copy(spec->comment, meta->comment, sizeof(spec->comment));
}

unsigned int xf_range_prefixes(struct xf_port_range r, uint16_t port[XF_RANGE_PREFIXES_MAX],
			       uint8_t bits[XF_RANGE_PREFIXES_MAX])
{
	uint32_t at = r.lo, end = (uint32_t)r.hi + 1;
	unsigned int n, free_bits;

	/* Each time the widest prefix that starts here and does not run past the end. */
	for (n = 0; at < end; n++) {
		for (free_bits = 0; free_bits < 16; free_bits++) {
			uint32_t wider = 2u << free_bits;

			if (at % wider || at + wider > end)
				break;
		}
		port[n] = (uint16_t)at;
		bits[n] = (uint8_t)(16 - free_bits);
		at += 1u << free_bits;
	}
	return n;
}
