// SPDX-License-Identifier: GPL-2.0-only
/* Rules and flows in the maps, by nothing but the ABI. */
#include <string.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>

#include "harness.h"
#include "buckets.h"
#include "maps.h"

static void listen_single(const struct xf_listen_key *key, uint32_t id)
{
	map_put("listen", key, &id);
}

/* Cuts [lo, hi] into blocks whose size is a power of two and divides their start. */
static void listen_range(struct xf_listen_key key, const struct rule *r, uint32_t id)
{
	uint32_t port = r->port;

	while (port <= r->port_hi) {
		struct xf_range_key range;
		unsigned int bits = 0;

		while (!(port & ((2u << bits) - 1)) && port + (2u << bits) - 1 <= r->port_hi)
			bits++;
		key.port = htons(port);
		range.prefixlen = XF_RANGE_KEY_BITS - bits;
		range.listen = key;
		map_put("listen_ranges", &range, &id);
		port += 1u << bits;
	}
}

/* By which answers find a rule without state. */
static void listen_target(const struct rule *r, const struct xf_rule *rule, uint8_t proto, uint32_t id)
{
	struct rule back = *r;
	struct xf_listen_key key = {
		.set = RULE_SET,
		.ifindex = XF_LISTEN_TARGET,
		.addr = rule->target,
		.family = rule->family,
		.proto = proto,
		.port = htons(rule->target_lo),
	};

	back.port = rule->target_lo;
	back.port_hi = rule->target_lo + (rule->listen_hi - rule->listen_lo);
	if (r->port_hi)
		listen_range(key, &back, id);
	else
		listen_single(&key, id);
}

static void mark_ports(uint8_t *ports, const struct rule *r, const struct xf_rule *rule)
{
	uint8_t mark = r->kind == XF_LISTEN_ADDR ? XF_PORT_LISTEN_ADDR : XF_PORT_LISTEN_WIDE;

	if (r->port_hi)
		mark = XF_PORT_LISTEN_RANGE;
	for (uint32_t i = 0; i <= (uint32_t)(rule->listen_hi - rule->listen_lo); i++) {
		ports[rule->listen_lo + i] |= mark;
		ports[rule->target_lo + i] |= XF_PORT_TARGET;
		if (!(rule->flags & XF_RULE_STATELESS))
			continue;
		ports[rule->listen_lo + i] |= XF_PORT_LISTEN_STATELESS;
		ports[rule->target_lo + i] |= XF_PORT_TARGET_STATELESS;
	}
}

static void listen_proto(const struct rule *r, const struct xf_rule *rule, uint8_t proto, uint32_t id)
{
	struct xf_listen_key key = {
		.set = RULE_SET,
		.family = rule->family,
		.proto = proto,
		.port = htons(r->port),
	};

	if (r->kind == XF_LISTEN_ADDR)
		key.addr = host_addr(r->host, rule->family);
	if (r->kind == XF_LISTEN_IFACE)
		key.ifindex = dev_ifindex(r->dev);
	if (r->port_hi)
		listen_range(key, r, id);
	else
		listen_single(&key, id);
	if (rule->flags & XF_RULE_STATELESS)
		listen_target(r, rule, proto, id);
}

uint32_t rule_add(struct test *t, const struct rule *r)
{
	uint8_t family = r->family ? r->family : t->family;
	struct xf_rule rule = {
		.tag = XF_RULE_TAG(t->rules, t->rules + 1),
		.flags = XF_RULE_LIVE | r->flags,
		.target = host_addr(r->target, family),
		.listen_lo = r->port,
		.listen_hi = r->port_hi ? r->port_hi : r->port,
		.target_lo = r->target_port ? r->target_port : r->port,
		.family = family,
		.source = r->source,
		.protos = r->protos ? r->protos : XF_PROTO_TCP | XF_PROTO_UDP,
		.listen_kind = r->kind,
	};
	uint32_t id = t->rules++, zero = 0;

	assert_true(id < MAX_RULES);
	if (r->flags & XF_RULE_STATELESS)
		rule.masquerade = host_addr(r->host, family);
	else if (r->source == XF_SOURCE_MASQUERADE || r->masquerade)
		rule.masquerade = host_addr(r->masquerade, family);
	map_put("rules", &id, &rule);
	if (rule.protos & XF_PROTO_TCP) {
		mark_ports(t->ports.tcp, r, &rule);
		listen_proto(r, &rule, IPPROTO_TCP, id);
	}
	if (rule.protos & XF_PROTO_UDP) {
		mark_ports(t->ports.udp, r, &rule);
		listen_proto(r, &rule, IPPROTO_UDP, id);
	}
	map_put("ports", &zero, &t->ports);
	return id;
}

uint32_t rule_preserve(struct test *t)
{
	return rule_add(t, &(struct rule){
				   .kind = XF_LISTEN_ADDR,
				   .host = ROUTER,
				   .port = 8000,
				   .target = TARGET,
				   .target_port = 9000,
				   .source = XF_SOURCE_PRESERVE,
			   });
}

uint32_t rule_masquerade(struct test *t)
{
	return rule_add(t, &(struct rule){
				   .kind = XF_LISTEN_ADDR,
				   .host = ROUTER,
				   .port = 8000,
				   .target = TARGET,
				   .target_port = 9000,
				   .source = XF_SOURCE_MASQUERADE,
				   .masquerade = ROUTER_LAN,
			   });
}

void rule_get(struct test *t, uint32_t id, struct xf_rule *rule)
{
	assert_true(id < t->rules);
	assert_int_equal(bpf_map_lookup_elem(map_fd("rules"), &id, rule), 0);
}

void rule_put(struct test *t, uint32_t id, const struct xf_rule *rule)
{
	assert_true(id < t->rules);
	map_put("rules", &id, rule);
}

void config_put(struct test *t)
{
	uint32_t zero = 0;

	map_put("config", &zero, &t->config);
}

/* ---- flows */

static struct xf_key6 flow_key(const struct packet *in)
{
	struct xf_key6 key = {.sport = htons(in->sport), .dport = htons(in->dport), .proto = in->proto};

	if (in->family == XF_IPV4) {
		key.saddr.v4 = in->saddr.v4;
		key.daddr.v4 = in->daddr.v4;
	} else {
		key.saddr = in->saddr;
		key.daddr = in->daddr;
	}
	return key;
}

static bool flow_find(struct test *t, const struct packet *in, uint32_t *index)
{
	const struct xf_key6 key = flow_key(in);

	return buckets_find(&key, t->family, index);
}

bool flow_get(struct test *t, const struct packet *in, struct xf_flow *flow)
{
	uint32_t index;

	return flow_find(t, in, &index) && !bpf_map_lookup_elem(map_fd("flows"), &index, flow);
}

void flow_put(struct test *t, const struct packet *in, const struct xf_flow *flow)
{
	uint32_t index;

	assert_true(flow_find(t, in, &index));
	map_put("flows", &index, flow);
}

const void *flow_from(const struct test *t, const struct xf_flow *flow)
{
	return t->family == XF_IPV4 ? (const void *)&flow->saddr4 : &flow->saddr6;
}

const void *flow_to(const struct test *t, const struct xf_flow *flow)
{
	return t->family == XF_IPV4 ? (const void *)&flow->daddr4 : &flow->daddr6;
}

size_t addr_len(const struct test *t)
{
	return t->family == XF_IPV4 ? 4 : 16;
}

uint32_t flow_entries(struct test *t, uint8_t family)
{
	(void)t;
	return buckets_entries(family);
}
