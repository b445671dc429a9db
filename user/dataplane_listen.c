/* SPDX-License-Identifier: GPL-2.0-only */
/* How a packet's destination leads to a rule: the listen keys, and the octet for each port. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "dataplane_rule_int.h"

/* ---- listen keys */

/* A rule's way into "listen" or "listen_ranges": what to do for each of its keys there. */
struct key_action {
	struct dataplane *dp;
	__u32 id, set;
	bool remove;
	struct dp_batch *batch[2]; /* of "listen" and "listen_ranges": keys go there instead */
};

static struct xf_listen_key base_key(const struct dp_placed *placed, __u32 set, __u8 proto)
{
	struct xf_listen_key key = {.set = set, .family = placed->rule->family, .proto = proto};

	if (placed->meta->listen_kind == XF_LISTEN_ADDR)
		key.addr = placed->meta->listen;
	if (placed->meta->listen_kind == XF_LISTEN_IFACE)
		key.ifindex = placed->meta->ifindex;
	return key;
}

/* A key of ours only: another rule's is neither overwritten nor removed. */
static int act(const struct key_action *action, enum dp_map map, const void *key)
{
	__u32 id;

	if (action->batch[0])
		return dp_batch_add(action->batch[map == DP_MAP_LISTEN_RANGES], key, &action->id);
	if (!action->remove)
		return bpf_map_update_elem(action->dp->map[map], key, &action->id, BPF_NOEXIST) ? -errno : 0;
	if (!bpf_map_lookup_elem(action->dp->map[map], key, &id) && id == action->id)
		bpf_map_delete_elem(action->dp->map[map], key);
	return 0;
}

static int act_on_range(const struct key_action *action, const struct xf_listen_key *base, struct xf_port_range ports)
{
	uint16_t port[XF_RANGE_PREFIXES_MAX];
	uint8_t bits[XF_RANGE_PREFIXES_MAX];
	unsigned int n = xf_range_prefixes(ports, port, bits), i;
	int rc = 0;

	for (i = 0; i < n && !rc; i++) {
		struct xf_range_key key = {.prefixlen = XF_RANGE_KEY_BITS - 16 + bits[i], .listen = *base};

		key.listen.port = htons(port[i]);
		rc = act(action, DP_MAP_LISTEN_RANGES, &key);
	}
	return rc;
}

static int act_on_ports(const struct key_action *action, const struct xf_listen_key *base, struct xf_port_range ports)
{
	struct xf_listen_key key = *base;

	if (ports.lo != ports.hi)
		return act_on_range(action, base, ports);
	key.port = htons(ports.lo);
	return act(action, DP_MAP_LISTEN, &key);
}

static struct xf_port_range listen_ports(const struct xf_rule *rule)
{
	return (struct xf_port_range){.lo = rule->listen_lo, .hi = rule->listen_hi};
}

static struct xf_port_range target_ports(const struct xf_rule *rule)
{
	return (struct xf_port_range){.lo = rule->target_lo,
				      .hi = rule->target_lo + (rule->listen_hi - rule->listen_lo)};
}

/* By which answers find a rule without state; before clients do. */
static int act_on_target(const struct key_action *action, const struct xf_rule *rule, __u8 proto)
{
	struct xf_listen_key key = {
		.set = action->set,
		.ifindex = XF_LISTEN_TARGET,
		.addr = rule->target,
		.family = rule->family,
		.proto = proto,
	};

	return rule->flags & XF_RULE_STATELESS ? act_on_ports(action, &key, target_ports(rule)) : 0;
}

static int act_on_rule(const struct key_action *action, const struct dp_placed *placed)
{
	static const struct {
		__u8 bit, number;
	} protos[] = {{XF_PROTO_TCP, IPPROTO_TCP}, {XF_PROTO_UDP, IPPROTO_UDP}};
	int rc = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protos) && !rc; i++) {
		struct xf_listen_key key;

		if (!(placed->rule->protos & protos[i].bit))
			continue;
		key = base_key(placed, action->set, protos[i].number);
		rc = act_on_target(action, placed->rule, protos[i].number);
		if (!rc)
			rc = act_on_ports(action, &key, listen_ports(placed->rule));
	}
	return rc;
}

int dp_listen_add(struct dataplane *dp, const struct dp_placed *placed, struct xf_error *err)
{
	struct key_action action = {.dp = dp, .id = placed->id, .set = dp->set};
	int rc = act_on_rule(&action, placed);

	if (!rc)
		return 0;
	dp_listen_remove(dp, placed);
	if (rc == -EEXIST)
		return xf_fail(err, "another rule listens there");
	return xf_fail(err, "no room for what the rule listens on: %s", strerror(-rc));
}

void dp_listen_remove(struct dataplane *dp, const struct dp_placed *placed)
{
	struct key_action action = {.dp = dp, .id = placed->id, .set = dp->set, .remove = true};

	act_on_rule(&action, placed);
}

static int add_all(struct key_action *action, const struct dp_ruleset *set)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < set->n_entries && !rc; i++) {
		const struct dp_entry *entry = &set->entries[i];
		const struct dp_placed placed = {.id = entry->id, .rule = &set->rules[entry->id], .meta = &entry->meta};

		action->id = entry->id;
		if (placed.rule->flags & XF_RULE_LIVE)
			rc = act_on_rule(action, &placed);
	}
	return rc;
}

int dp_listen_add_all(struct dataplane *dp, const struct dp_ruleset *set, __u32 number, struct xf_error *err)
{
	struct dp_batch single, ranges = {0};
	struct key_action action = {.dp = dp, .set = number, .batch = {&single, &ranges}};
	int rc = dp_batch_begin(&single, dp->map[DP_MAP_LISTEN], false), rc_ranges;

	if (!rc)
		rc = dp_batch_begin(&ranges, dp->map[DP_MAP_LISTEN_RANGES], false);
	if (!rc)
		rc = add_all(&action, set);
	rc_ranges = dp_batch_end(&ranges, rc);
	rc = dp_batch_end(&single, rc);
	rc = rc ? rc : rc_ranges;
	return rc ? xf_fail(err, "no room for what the rules listen on: %s", strerror(-rc)) : 0;
}

/* ---- ports: written in place, while programs read */

static struct xf_ports *ports_map(struct dataplane *dp, struct xf_error *err)
{
	void *p = mmap(NULL, sizeof(struct xf_ports), PROT_READ | PROT_WRITE, MAP_SHARED, dp->map[DP_MAP_PORTS], 0);

	if (p != MAP_FAILED)
		return p;
	xf_fail(err, "cannot map the table of ports: %s", strerror(errno));
	return NULL;
}

/* A stretch of ports that get the same bits. */
struct stretch {
	__u16 lo, hi;
	__u8 bits;
};

/* Of a rule whose flows live out, too: a port without a bit is not even looked up in the flow table. */
static void stretches_of(const struct xf_rule *rule, __u8 listen_kind, struct stretch out[2])
{
	struct xf_port_range from = listen_ports(rule), to = target_ports(rule);
	__u8 single = listen_kind == XF_LISTEN_ADDR ? XF_PORT_LISTEN_ADDR : XF_PORT_LISTEN_WIDE;

	out[0] = (struct stretch){
		.lo = from.lo, .hi = from.hi, .bits = from.lo != from.hi ? XF_PORT_LISTEN_RANGE : single};
	out[1] = (struct stretch){.lo = to.lo, .hi = to.hi, .bits = XF_PORT_TARGET};
	if (!(rule->flags & XF_RULE_STATELESS))
		return;
	out[0].bits |= XF_PORT_LISTEN_STATELESS;
	out[1].bits |= XF_PORT_TARGET_STATELESS;
}

int dp_ports_add(struct dataplane *dp, const struct dp_placed *placed, struct xf_error *err)
{
	struct xf_ports *ports = ports_map(dp, err);
	struct stretch stretches[2];
	unsigned int i;
	__u32 port;

	if (!ports)
		return -1;
	stretches_of(placed->rule, placed->meta->listen_kind, stretches);
	for (i = 0; i < ARRAY_SIZE(stretches); i++) {
		for (port = stretches[i].lo; port <= stretches[i].hi; port++) {
			if (placed->rule->protos & XF_PROTO_TCP)
				ports->tcp[port] |= stretches[i].bits;
			if (placed->rule->protos & XF_PROTO_UDP)
				ports->udp[port] |= stretches[i].bits;
		}
	}
	munmap(ports, sizeof(*ports));
	return 0;
}

/* How many rules begin less end with a bit at each port, so that wide ranges cost no more than single ports. */
#define PORT_BITS 6
struct tally {
	__s32 delta[2][PORT_BITS][65536 + 1];
};

static void tally_rule(struct tally *tally, const struct xf_rule *rule, __u8 listen_kind)
{
	struct stretch stretches[2];
	unsigned int i, bit, udp;

	stretches_of(rule, listen_kind, stretches);
	for (i = 0; i < ARRAY_SIZE(stretches); i++) {
		for (bit = 0; bit < PORT_BITS; bit++) {
			if (!(stretches[i].bits & (1u << bit)))
				continue;
			for (udp = 0; udp < 2; udp++) {
				if (!(rule->protos & (udp ? XF_PROTO_UDP : XF_PROTO_TCP)))
					continue;
				tally->delta[udp][bit][stretches[i].lo]++;
				tally->delta[udp][bit][(__u32)stretches[i].hi + 1]--;
			}
		}
	}
}

static void write_octets(__u8 *octets, __s32 delta[PORT_BITS][65536 + 1])
{
	__s32 rules[PORT_BITS] = {0};
	__u32 port, bit;

	for (port = 0; port < 65536; port++) {
		__u8 octet = 0;

		for (bit = 0; bit < PORT_BITS; bit++) {
			rules[bit] += delta[bit][port];
			octet |= rules[bit] > 0 ? 1u << bit : 0;
		}
		if (octets[port] != octet)
			octets[port] = octet;
	}
}

static void tally_set(struct tally *tally, const struct dp_ruleset *set)
{
	size_t i;

	for (i = 0; i < set->n_entries; i++)
		tally_rule(tally, &set->rules[set->entries[i].id], set->entries[i].meta.listen_kind);
}

int dp_ports_rebuild(struct dataplane *dp, const struct dp_ruleset *set, struct xf_error *err)
{
	return dp_ports_cover(dp, set, NULL, err);
}

int dp_ports_cover(struct dataplane *dp, const struct dp_ruleset *set, const struct dp_ruleset *other,
		   struct xf_error *err)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	struct xf_ports *ports;

	if (!tally)
		return xf_fail(err, "out of memory");
	ports = ports_map(dp, err);
	if (ports) {
		tally_set(tally, set);
		if (other)
			tally_set(tally, other);
		write_octets(ports->tcp, tally->delta[0]);
		write_octets(ports->udp, tally->delta[1]);
		munmap(ports, sizeof(*ports));
	}
	free(tally);
	return ports ? 0 : -1;
}
