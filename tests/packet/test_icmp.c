// SPDX-License-Identifier: GPL-2.0-only
/* ICMP errors about forwarded packets: translated inside and outside, in both directions (RFC 5508, 4). */
#include <string.h>

#include "scene.h"

static void play_every_kind(const struct scene *s)
{
	struct error target = by_target(s), client = by_client(s);

	for (int i = 0; i < COMPLAINTS; i++) {
		error_says(&target, i);
		inwards(s, &target);
		error_says(&client, i);
		outwards(s, &client);
	}
}

static void every_kind(struct test *t)
{
	in_each_scene(t, play_every_kind);
}

/* Any router on the way may be the one who complains. */
static void play_from_elsewhere(const struct scene *s)
{
	struct error target = error_about(s->t, FAR, &s->k.out);
	struct error client = error_about(s->t, STRANGER, &s->k.got);

	error_says(&target, TOO_BIG);
	target.inner.ttl = 1;
	target.outer.tos = 0xc0;
	inwards(s, &target);
	error_says(&client, TIME_EXCEEDED);
	client.inner.ttl = 1;
	client.outer.tos = 0xc0;
	outwards(s, &client);
}

static void from_elsewhere(struct test *t)
{
	in_each_scene(t, play_from_elsewhere);
}

/* From just the ports to the whole packet: TCP's checksum is quoted, or not. */
static void play_truncated(const struct scene *s)
{
	static const uint16_t beyond_ip[] = {8, 9, 12, 15, 16, 18, 19, 20, 21, 28};
	struct error target = by_target(s), client = by_client(s);

	for (unsigned int i = 0; i < sizeof(beyond_ip) / sizeof(beyond_ip[0]); i++) {
		target.quote = inner_header_len(&target) + beyond_ip[i];
		inwards(s, &target);
		client.quote = inner_header_len(&client) + beyond_ip[i];
		outwards(s, &client);
		/* What Ethernet adds is not quoted. */
		target.outer.trailer = client.outer.trailer = 16;
		inwards(s, &target);
		outwards(s, &client);
		target.outer.trailer = client.outer.trailer = 0;
	}
}

static void truncated(struct test *t)
{
	in_each_scene(t, play_truncated);
}

/* Half a checksum cannot be translated; all the rest is. */
static void half_a_checksum(struct test *t)
{
	struct scene s = open_scene(t, IPPROTO_TCP, false);
	struct error e = by_target(&s), out = as_the_client_sees(&s, &e);
	struct frame want;
	uint32_t last;

	e.quote = out.quote = inner_header_len(&e) + 17;
	build_error(&e, &t->sent);
	run_sent(t);
	assert_verdict(t, "redirect");
	build_error(&out, &want);
	last = want.len - 1;
	want.data[last] = t->sent.data[last];
	error_finish(&out, &want);
	assert_frame(&want, &t->got);
}

static void play_large(const struct scene *s)
{
	struct error target = by_target(s), client = by_client(s);

	target.inner.payload_len = client.inner.payload_len = 1400;
	target.quote = client.quote = s->t->family == XF_IPV4 ? 548 : 1232;
	inwards(s, &target);
	outwards(s, &client);
}

/* As much as an error may quote. */
static void large(struct test *t)
{
	in_each_scene(t, play_large);
}

/* Those of the other family mean nothing in this one. */
static void set_headers(struct packet *p, uint8_t options, struct ext ext)
{
	if (p->family == XF_IPV4) {
		p->options = options;
		return;
	}
	p->n_ext = 2;
	p->ext[0] = (struct ext){IPPROTO_HOPOPTS, 1};
	p->ext[1] = ext;
}

static void play_options(const struct scene *s)
{
	static const struct ext routing = {IPPROTO_ROUTING, 3}, destination = {IPPROTO_DSTOPTS, 2};
	struct error target = by_target(s), client = by_client(s);

	set_headers(&target.outer, 4, routing);
	inwards(s, &target);
	set_headers(&target.inner, 40, destination);
	inwards(s, &target);
	set_headers(&target.outer, 40, destination);
	inwards(s, &target);
	target.quote = inner_header_len(&target) + 8;
	inwards(s, &target);

	set_headers(&client.inner, 8, destination);
	outwards(s, &client);
	set_headers(&client.outer, 12, routing);
	outwards(s, &client);
	client.quote = inner_header_len(&client) + 8;
	outwards(s, &client);
}

/* IP options and extension headers, inside and outside. */
static void options(struct test *t)
{
	in_each_scene(t, play_options);
}

/* RFC 768's "not computed" stays so inside too. */
static void inner_udp_none(struct test *t)
{
	for (int masquerade = 0; masquerade < 2; masquerade++) {
		struct scene s = open_scene(t, IPPROTO_UDP, masquerade);
		struct error target = by_target(&s), client = by_client(&s);

		target.inner.csum = client.inner.csum = CSUM_NONE;
		inwards(&s, &target);
		outwards(&s, &client);
		age_both(t, &s.k, t->config.timeout[XF_TIMEOUT_COUNT - 1]);
		pass(t, &s.k.back);
		t->ledger.flows--;
	}
}

/* Inside, a checksum that comes out as zero is written as 0xffff, for it was not "not computed". */
static void inner_udp_becomes_zero(struct test *t)
{
	struct scene s = open_scene(t, IPPROTO_UDP, false);
	struct error target = by_target(&s), out;

	packet_make_checksum_zero(&s.k.in);
	target.inner.payload_word = s.k.in.payload_word;
	out = as_the_client_sees(&s, &target);
	assert_int_equal(packet_checksum(&out.inner), 0xffff);
	inwards(&s, &target);
}

static void play_damaged_inside(const struct scene *s)
{
	struct error target = by_target(s), client = by_client(s);

	target.inner.csum_error = 1;
	inwards(s, &target);
	client.inner.csum_error = 0x1234;
	outwards(s, &client);
}

/* The client gets back what it sent, damage and all. */
static void damaged_inside(struct test *t)
{
	in_each_scene(t, play_damaged_inside);
}

static void play_damaged(const struct scene *s)
{
	static const uint16_t errors[] = {1, 0x100, 0xbeef};
	struct error target = by_target(s), client = by_client(s);

	for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		target.csum_error = client.csum_error = errors[i];
		inwards(s, &target);
		outwards(s, &client);
	}
}

/* Whoever gets an error that was damaged before it came here must see that (RFC 5508, REQ-3). */
static void damage_stays_visible(struct test *t)
{
	in_each_scene(t, play_damaged);
}

/* Only a part of the packet was the error's cause: its first fragment. */
static void about_a_first_fragment(struct test *t)
{
	struct scene s = open_scene(t, IPPROTO_UDP, false);
	struct error e = by_target(&s);

	error_says(&e, REASSEMBLY_TIME);
	e.inner.frag = 0x2000;
	inwards(&s, &e);
}

/* A half that has long been silent is not younger for an error. */
static void refreshes_nothing(struct test *t)
{
	struct scene s = open_scene(t, IPPROTO_UDP, false);
	struct error target = by_target(&s), client = by_client(&s);

	forward(t, s.rule, &s.k.in, &s.k.out);
	age_both(t, &s.k, t->config.timeout[XF_TIMEOUT_UDP] - 10000);
	inwards(&s, &target);
	outwards(&s, &client);
	age_both(t, &s.k, 10000);
	error_pass(t, &target);
	t->ledger.flows--;
	error_pass(t, &client);
	assert_int_equal(flow_entries(t, t->family), 0);
}

/* Not even "host unreachable" ends a flow, pending or established: anyone can send it. */
static void ends_nothing(struct test *t)
{
	struct talk k = talk_tcp(t, 40000);
	struct scene s = {.t = t, .k = k, .rule = rule_preserve(t)};
	struct error target = error_about(t, TARGET, &k.out);

	forward_new(t, s.rule, &k.in, &k.out);
	error_says(&target, HOST_UNREACHABLE);
	inwards(&s, &target);
	reply(t, s.rule, &k.back, &k.got);
	inwards(&s, &target);
	forward(t, s.rule, &k.in, &k.out);
}

/* The way back is where the client's packets come from, not where errors do. */
static void moves_nobody(struct test *t)
{
	struct scene s = open_scene(t, IPPROTO_UDP, false);
	struct error e = error_about(t, STRANGER, &s.k.got), out = as_the_target_sees(&s, &e);
	struct frame want;

	t->config.route_ttl = 0;
	config_put(t);
	build_error(&e, &t->sent);
	run_sent(t);
	assert_verdict(t, "redirect");
	build_error(&out, &want);
	assert_frame(&want, &t->got);
	reply(t, s.rule, &s.k.back, &s.k.got);
}

/*
 * Headers so long that what is inside lies at the edge of what the programs look
 * at, or beyond. They may leave such an error, but must not take for its ports
 * what is somewhere else: here the link addresses hold the ports of the flow.
 */
static void at_the_edge(struct test *t, uint8_t proto)
{
	struct scene s = open_scene(t, proto, false);
	struct error e = by_target(&s), out;
	struct frame want;

	memcpy(e.outer.smac, (const uint8_t[]){s.k.in.sport >> 8, s.k.in.sport & 0xff, 9000 >> 8, 9000 & 0xff}, 4);
	e.outer.n_ext = 2;
	e.outer.ext[0] = (struct ext){IPPROTO_HOPOPTS, 30};
	for (e.outer.ext[1] = (struct ext){IPPROTO_DSTOPTS, 10}; e.outer.ext[1].units <= 30; e.outer.ext[1].units++) {
		build_error(&e, &t->sent);
		run_sent(t);
		out = as_the_client_sees(&s, &e);
		build_error(&out, &want);
		assert_frame(t->got.data[ETH_HEADER + 7] == e.outer.ttl ? &t->sent : &want, &t->got);
	}
}

static void at_the_edge_udp(struct test *t)
{
	at_the_edge(t, IPPROTO_UDP);
}

static void at_the_edge_tcp(struct test *t)
{
	at_the_edge(t, IPPROTO_TCP);
}

static const struct packet_case icmp_cases[] = {
	{"every_kind", every_kind, 0},
	{"from_elsewhere", from_elsewhere, 0},
	{"truncated", truncated, 0},
	{"half_a_checksum", half_a_checksum, 0},
	{"large", large, 0},
	{"options", options, 0},
	{"inner_udp_none", inner_udp_none, 0},
	{"inner_udp_becomes_zero", inner_udp_becomes_zero, 0},
	{"damaged_inside", damaged_inside, 0},
	{"damage_stays_visible", damage_stays_visible, 0},
	{"about_a_first_fragment", about_a_first_fragment, ONLY_V4},
	{"refreshes_nothing", refreshes_nothing, 0},
	{"ends_nothing", ends_nothing, 0},
	{"moves_nobody", moves_nobody, 0},
	{"at_the_edge_udp", at_the_edge_udp, ONLY_V6},
	{"at_the_edge_tcp", at_the_edge_tcp, ONLY_V6},
};

PACKET_SUITE(icmp);
