// SPDX-License-Identifier: GPL-2.0-only
/* What a rule asks of newcomers, networks, buckets; and clients from wherever a case wants them. */
#include <arpa/inet.h>
#include <string.h>
#include <bpf/bpf.h>

#include "maps.h"
#include "policy.h"

void policy_put(struct test *t, uint32_t id, const struct xf_policy *policy)
{
	struct xf_rule rule;

	map_put("policies", &id, policy);
	rule_get(t, id, &rule);
	rule.flags |= XF_RULE_POLICY;
	rule_put(t, id, &rule);
}

void rule_expire(struct test *t, uint32_t id, uint64_t jiffies64)
{
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.expires = jiffies64;
	rule_put(t, id, &rule);
}

/* ---- sets */

/* The key of either family, for the map that it returns. */
static const char *prefix_key(const struct test *t, struct net net, struct xf_prefix6 *key)
{
	struct xf_prefix4 *key4 = (struct xf_prefix4 *)key;

	memset(key, 0, sizeof(*key));
	if (t->family == XF_IPV4) {
		*key4 = (struct xf_prefix4){
			.prefixlen = XF_PREFIX4_BITS(net.bits), .set = net.set, .addr = net.addr.v4};
		return "prefixes4";
	}
	key->prefixlen = XF_PREFIX6_BITS(net.bits);
	key->set = net.set;
	memcpy(key->addr, net.addr.v6, sizeof(key->addr));
	return "prefixes6";
}

void set_add(struct test *t, struct net net, uint64_t until)
{
	struct xf_prefix prefix = {.until = until, .bits = net.bits};
	struct xf_prefix6 key;
	const char *map = prefix_key(t, net, &key);

	map_put(map, &key, &prefix);
}

void set_del(struct test *t, struct net net)
{
	struct xf_prefix6 key;
	const char *map = prefix_key(t, net, &key);

	assert_int_equal(bpf_map_delete_elem(map_fd(map), &key), 0);
	maps_change();
}

uint64_t set_hits(struct test *t, struct net net)
{
	struct xf_prefix prefix;
	struct xf_prefix6 key;
	const char *map = prefix_key(t, net, &key);

	refusals_settle();
	assert_int_equal(bpf_map_lookup_elem(map_fd(map), &key, &prefix), 0);
	return prefix.hits;
}

/* ---- addresses */

uint8_t addr_bits(const struct test *t)
{
	return t->family == XF_IPV4 ? 32 : 128;
}

struct net net_of_host(const struct test *t, uint32_t set, enum host host)
{
	return (struct net){.set = set, .addr = host_addr(host, t->family), .bits = addr_bits(t)};
}

struct net net_all(uint32_t set)
{
	return (struct net){.set = set};
}

static union xf_addr fill_host_bits(const struct test *t, union xf_addr addr, uint8_t bits, bool ones)
{
	for (unsigned int i = bits; i < addr_bits(t); i++) {
		uint8_t bit = 0x80 >> i % 8;

		addr.v6[i / 8] = ones ? addr.v6[i / 8] | bit : addr.v6[i / 8] & ~bit;
	}
	return addr;
}

union xf_addr addr_first(const struct test *t, union xf_addr addr, uint8_t bits)
{
	return fill_host_bits(t, addr, bits, false);
}

union xf_addr addr_last(const struct test *t, union xf_addr addr, uint8_t bits)
{
	return fill_host_bits(t, addr, bits, true);
}

union xf_addr addr_step(const struct test *t, union xf_addr addr, int step)
{
	int carry = step;

	for (int i = addr_bits(t) / 8 - 1; i >= 0; i--) {
		int sum = addr.v6[i] + carry;

		addr.v6[i] = sum & 0xff;
		carry = (sum - (sum & 0xff)) / 256;
	}
	return addr;
}

/* ---- clients */

struct talk talk_from(const struct test *t, union xf_addr source, uint16_t sport)
{
	struct talk k;

	k.in = packet_from(t, CLIENT, ROUTER);
	k.in.saddr = source;
	k.in.sport = sport;
	k.out = to_target(&k.in, TARGET, 9000);
	k.back = answer(&k.out);
	k.got = to_client(&k.back, &k.in);
	return k;
}

void check_opens(struct test *t, uint32_t rule, struct talk k)
{
	check_forward_new(t, rule, &k.in, &k.out);
	check_reply(t, rule, &k.back, &k.got);
}

void check_refused(struct test *t, uint32_t rule, enum xf_reason reason, struct talk k)
{
	check_drop(t, rule, reason, &k.in);
	k.in.proto = IPPROTO_TCP;
	k.in.tcp_flags = TCP_SYN;
	check_drop(t, rule, reason, &k.in);
	k.in.tcp_flags = TCP_ACK;
	check_drop(t, rule, reason, &k.in);
	k.in.tcp_flags = TCP_FIN | TCP_ACK;
	check_drop(t, rule, reason, &k.in);
}

/* ---- buckets */

uint64_t ticks_now(void)
{
	return clock_jiffies() << XF_TICK_SHIFT;
}

uint64_t rule_bucket(uint32_t rule)
{
	struct xf_rule_state state;

	assert_int_equal(bpf_map_lookup_elem(map_fd("rule_states"), &rule, &state), 0);
	return state.bucket;
}

void rule_bucket_put(uint32_t rule, uint64_t full_at)
{
	struct xf_rule_state state;

	assert_int_equal(bpf_map_lookup_elem(map_fd("rule_states"), &rule, &state), 0);
	state.bucket = full_at;
	map_put("rule_states", &rule, &state);
}

bool source_bucket(struct xf_source_key key, uint64_t *full_at)
{
	return !bpf_map_lookup_elem(map_fd("source_buckets"), &key, full_at);
}

void source_bucket_put(struct xf_source_key key, uint64_t full_at)
{
	map_put("source_buckets", &key, &full_at);
}

uint32_t source_buckets(void)
{
	struct xf_source_key key, *from = NULL;
	uint32_t n = 0;

	while (!bpf_map_get_next_key(map_fd("source_buckets"), from, &key)) {
		from = &key;
		n++;
	}
	return n;
}
