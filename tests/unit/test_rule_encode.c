/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule's form in the maps, field by field, and the prefixes of port ranges. */
#include "support.h"

#include <arpa/inet.h>

#include "rule.h"

#define RANGES 2000

static void assert_all_zero(const void *p, size_t n)
{
	const uint8_t *c = p;

	while (n--)
		assert_int_equal(*c++, 0);
}

static void test_encode_any(void **state)
{
	struct xf_rule_spec spec = {.name = "web", .comment = "two words", .protos = XF_PROTO_TCP};
	struct xf_rule_meta meta;
	struct xf_rule rule;

	(void)state;
	assert_int_equal(xf_listen_parse(":443", &spec.listen, NULL), 0);
	assert_int_equal(xf_target_parse("192.0.2.10:8443", &spec.target, NULL), 0);
	memset(&rule, 0xa5, sizeof(rule));
	memset(&meta, 0xa5, sizeof(meta));
	xf_rule_encode(&spec, &rule, &meta);

	assert_int_equal(rule.tag, 0);
	assert_int_equal(rule.flags, XF_RULE_LIVE);
	assert_int_equal(rule.target.v4, htonl(0xc000020a));
	assert_all_zero(&rule.target.w[1], 12);
	assert_all_zero(&rule.masquerade, sizeof(rule.masquerade));
	assert_true(rule.listen_lo == 443 && rule.listen_hi == 443 && rule.target_lo == 8443);
	assert_int_equal(rule.family, XF_IPV4);
	assert_int_equal(rule.source, XF_SOURCE_AUTO);
	assert_int_equal(rule.protos, XF_PROTO_TCP);
	assert_all_zero(rule.pad, sizeof(rule.pad));

	assert_string_equal(meta.name, "web");
	assert_all_zero(meta.name + 3, sizeof(meta.name) - 3);
	assert_string_equal(meta.comment, "two words");
	assert_all_zero(meta.comment + 9, sizeof(meta.comment) - 9);
	assert_all_zero(meta.ifname, sizeof(meta.ifname));
	assert_all_zero(&meta.listen, sizeof(meta.listen));
	assert_int_equal(meta.ifindex, 0);
	assert_int_equal(meta.listen_kind, XF_LISTEN_ANY);
	assert_int_equal(meta.masquerade_fixed, 0);
	assert_int_equal(meta.target_port_given, 1);
	assert_int_equal(meta.created_unix, 0);
}

static void test_encode_addr6(void **state)
{
	static const uint8_t listen[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, target[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
	struct xf_rule_spec spec = {.protos = XF_PROTO_TCP | XF_PROTO_UDP, .disabled = true};
	struct xf_rule_meta meta;
	struct xf_rule rule;

	(void)state;
	assert_int_equal(xf_listen_parse("[2001:db8::1]:1000-1999", &spec.listen, NULL), 0);
	assert_int_equal(xf_target_parse("[2001:db8::2]", &spec.target, NULL), 0);
	assert_int_equal(xf_source_parse("masquerade=2001:db8::1", &spec.source, &spec.masquerade, NULL), 0);
	xf_rule_encode(&spec, &rule, &meta);

	assert_int_equal(rule.flags, XF_RULE_LIVE | XF_RULE_DISABLED);
	assert_memory_equal(rule.target.v6, target, 16);
	assert_memory_equal(rule.masquerade.v6, listen, 16);
	assert_true(rule.listen_lo == 1000 && rule.listen_hi == 1999 && rule.target_lo == 1000);
	assert_int_equal(rule.family, XF_IPV6);
	assert_int_equal(rule.source, XF_SOURCE_MASQUERADE);
	assert_int_equal(rule.pool, 0);
	assert_int_equal(rule.protos, XF_PROTO_TCP | XF_PROTO_UDP);
	assert_memory_equal(meta.listen.v6, listen, 16);
	assert_int_equal(meta.listen_kind, XF_LISTEN_ADDR);
	assert_int_equal(meta.masquerade_fixed, 1);
	assert_int_equal(meta.target_port_given, 0);
}

/* Each way to state a rule comes back as it was stated. */
static void test_decode(void **state)
{
	static const struct {
		const char *listen, *target, *source;
	} cases[] = {
		{":443", "192.0.2.10:8443", "auto"},
		{":443", "192.0.2.10:443", "preserve"},
		{"wan0:1-65535", "192.0.2.10", "masquerade"},
		{"203.0.113.7:27000-27015", "192.0.2.20:27000", "masquerade=203.0.113.8"},
		{"abcdefghijklmno:53", "[2001:db8::2]:5353", "masquerade=2001:db8::1"},
		{"[2001:db8::1]:443", "[2001:db8::2]", "auto"},
		{":443", "192.0.2.10", "masquerade=203.0.113.128-203.0.114.127"},
		{":443", "[2001:db8::2]", "masquerade=2001:db8::ffff-2001:db8::1:1"},
	};
	char text[3][XF_ENDPOINT_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_rule_spec spec = {.protos = XF_PROTO_UDP, .disabled = i % 2, .stateless = i / 2 % 2}, back;
		struct xf_rule_meta meta;
		struct xf_rule rule;

		memset(spec.name, 'n', XF_NAME_LEN - 1);
		memset(spec.comment, 'c', XF_COMMENT_LEN - 1);
		assert_int_equal(xf_listen_parse(cases[i].listen, &spec.listen, NULL), 0);
		assert_int_equal(xf_target_parse(cases[i].target, &spec.target, NULL), 0);
		assert_int_equal(xf_source_parse(cases[i].source, &spec.source, &spec.masquerade, NULL), 0);
		xf_rule_encode(&spec, &rule, &meta);
		/* What dataplane.c fills in does not change what was stated. */
		rule.tag = 7;
		meta.ifindex = 3;
		if (!meta.masquerade_fixed)
			memset(&rule.masquerade, 1, sizeof(rule.masquerade));
		xf_rule_decode(&rule, &meta, &back);

		assert_string_equal(back.name, spec.name);
		assert_string_equal(back.comment, spec.comment);
		assert_int_equal(back.protos, XF_PROTO_UDP);
		assert_int_equal(back.disabled, i % 2);
		assert_int_equal(rule.flags & XF_RULE_STATELESS, spec.stateless ? XF_RULE_STATELESS : 0);
		assert_int_equal(back.stateless, spec.stateless);
		assert_int_equal(back.listen.kind, spec.listen.kind);
		assert_string_equal(xf_listen_format(&back.listen, text[0], XF_ENDPOINT_STRLEN), cases[i].listen);
		assert_string_equal(xf_target_format(&back.target, text[1], XF_ENDPOINT_STRLEN), cases[i].target);
		assert_string_equal(xf_source_format(back.source, &back.masquerade, text[2], XF_ENDPOINT_STRLEN),
				    cases[i].source);
	}
}

/* A map that something else wrote to: strings end all the same. */
static void test_decode_hostile(void **state)
{
	struct xf_rule_spec spec;
	struct xf_rule_meta meta;
	struct xf_rule rule;

	(void)state;
	memset(&rule, 0xff, sizeof(rule));
	memset(&meta, 'x', sizeof(meta));
	xf_rule_decode(&rule, &meta, &spec);
	assert_int_equal(strlen(spec.name), XF_NAME_LEN - 1);
	assert_int_equal(strlen(spec.comment), XF_COMMENT_LEN - 1);
	assert_int_equal(strlen(spec.listen.ifname), XF_IFNAME_LEN - 1);
}

/* Every port of the range is in exactly one prefix, every other port in none: all 65536 are tried. */
static void check_prefixes(struct xf_port_range r)
{
	static uint8_t covered[65536];
	uint16_t port[XF_RANGE_PREFIXES_MAX];
	uint8_t bits[XF_RANGE_PREFIXES_MAX];
	unsigned int n, i;
	uint32_t p;

	n = xf_range_prefixes(r, port, bits);
	assert_in_range(n, 1, XF_RANGE_PREFIXES_MAX);
	memset(covered, 0, sizeof(covered));
	for (i = 0; i < n; i++) {
		uint32_t width = 65536u >> bits[i];

		assert_in_range(bits[i], 0, 16);
		assert_int_equal(port[i] % width, 0);
		for (p = port[i]; p < port[i] + width; p++)
			covered[p]++;
	}
	for (p = 0; p < 65536; p++)
		if (covered[p] != (p >= r.lo && p <= r.hi))
			fail_msg("%u-%u: port %u is in %u prefixes", r.lo, r.hi, p, covered[p]);
}

static void test_prefixes(void **state)
{
	static const struct xf_port_range edges[] = {
		{1, 65535}, {0, 65535}, {1, 65534}, {0, 0},	    {65535, 65535}, {443, 443},
		{0, 32767}, {1, 1},	{1, 2},	    {32768, 65535}, {32767, 32768}, {27000, 27015},
	};
	uint16_t port[XF_RANGE_PREFIXES_MAX];
	uint8_t bits[XF_RANGE_PREFIXES_MAX];
	struct xf_port_range r;
	uint32_t a, b;
	size_t i;

	(void)state;
	random_restart();
	for (i = 0; i < ARRAY_SIZE(edges); i++)
		check_prefixes(edges[i]);
	for (i = 0; i < RANGES; i++) {
		a = random_below(65536);
		b = random_below(65536);
		r.lo = (uint16_t)(a < b ? a : b);
		r.hi = (uint16_t)(a < b ? b : a);
		check_prefixes(r);
	}
	/* The smallest sets, known by hand. */
	assert_int_equal(xf_range_prefixes((struct xf_port_range){1, 65534}, port, bits), 30);
	assert_int_equal(xf_range_prefixes((struct xf_port_range){0, 65535}, port, bits), 1);
	assert_int_equal(bits[0], 0);
	assert_int_equal(xf_range_prefixes((struct xf_port_range){27000, 27015}, port, bits), 2);
	assert_true(port[0] == 27000 && bits[0] == 13 && port[1] == 27008 && bits[1] == 13);
	assert_int_equal(xf_range_prefixes((struct xf_port_range){9, 8}, port, bits), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode_any), cmocka_unit_test(test_encode_addr6),
		cmocka_unit_test(test_decode),	   cmocka_unit_test(test_decode_hostile),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests_name("rule_encode", tests, NULL, NULL);
}
