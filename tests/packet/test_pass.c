// SPDX-License-Identifier: GPL-2.0-only
/* What is none of our business leaves as it came, and nothing is counted. */
#include <arpa/inet.h>
#include <string.h>

#include "front.h"
#include "maps.h"

static void not_ip(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.ethertype = 0x0806;
	pass(t, &in);
	in.ethertype = 0x88cc;
	pass(t, &in);
}

static void passes_as_sent(struct test *t)
{
	run_sent(t);
	assert_verdict(t, "pass");
	assert_frame(&t->sent, &t->got);
}

/* `len` octets more, behind the first `off` of the frame. */
static void insert(struct frame *f, uint32_t off, const void *octets, uint32_t len)
{
	assert_true(f->len + len <= FRAME_MAX);
	memmove(f->data + off + len, f->data + off, f->len - off);
	memcpy(f->data + off, octets, len);
	f->len += len;
}

static void each_protocol(struct test *t, void (*change)(struct test *t, struct packet *in))
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	rule_preserve(t);
	for (unsigned int i = 0; i < sizeof(protocols); i++) {
		struct packet in = packet_from(t, CLIENT, ROUTER);

		in.proto = protocols[i];
		change(t, &in);
	}
}

/* The VLAN's own device gets to see them. */
static void tagged_once(struct test *t, struct packet *in)
{
	in->vlan = 42;
	pass(t, in);
	in->vlan = 0x6000; /* only a priority */
	pass(t, in);
}

static void vlan_tagged(struct test *t)
{
	each_protocol(t, tagged_once);
}

static void tagged_twice(struct test *t, struct packet *in)
{
	static const uint8_t outer[][4] = {{0x88, 0xa8, 0, 200}, {0x81, 0, 0, 200}, {0x91, 0, 0, 200}};

	for (unsigned int i = 0; i < sizeof(outer) / sizeof(outer[0]); i++) {
		in->vlan = 42;
		build_frame(in, &t->sent);
		insert(&t->sent, 12, outer[i], sizeof(outer[i]));
		passes_as_sent(t);
	}
}

static void vlan_tagged_twice(struct test *t)
{
	each_protocol(t, tagged_twice);
}

/* The tag is not in the frame any more: the device took it off, or the kernel. */
static void tag_beside(struct test *t, struct packet *in)
{
	static const uint16_t kinds[] = {0x8100, 0x88a8};

	for (unsigned int i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct front front = {.prog = "xf_tc_l2", .dev = WAN0};

		front_call(&front, BPF_FUNC_skb_vlan_push, htons(kinds[i / 2]), 200);
		in->vlan = i & 1 ? 42 : 0;
		build_frame(in, &t->sent);
		front_run(t, &front);
		assert_verdict(t, "pass");
		assert_frame(&t->sent, &t->got);
	}
}

static void vlan_stripped(struct test *t)
{
	each_protocol(t, tag_beside);
}

/* RFC 2516, 4: a session's frames, which are the PPP device's. */
static void in_session(struct test *t, struct packet *in)
{
	uint32_t len = packet_ip_len(in) + 2;
	const uint8_t session[] = {0x88,     0x64, 0x11, 0,
				   0,	     1, /* version, type, code, session */
				   len >> 8, len,  0,	 t->family == XF_IPV4 ? 0x21 : 0x57};

	build_frame(in, &t->sent);
	memmove(t->sent.data + 12, t->sent.data + 14, t->sent.len - 14);
	t->sent.len -= 2;
	insert(&t->sent, 12, session, sizeof(session));
	passes_as_sent(t);
	insert(&t->sent, 12, (uint8_t[]){0x81, 0, 0, 7}, 4);
	passes_as_sent(t);
}

static void pppoe_session(struct test *t)
{
	each_protocol(t, in_session);
}

/* The ethertype of the other family, the packet of this one. */
static void wrong_version(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.ethertype = t->family == XF_IPV4 ? 0x86dd : 0x0800;
	pass(t, &in);
	in.ethertype = 0;
	for (in.version = 1; in.version < 16; in.version++)
		if (in.version != t->family)
			pass(t, &in);
}

static void header_length_too_small(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.ihl = 4;
	pass(t, &in);
	/* Read with such a length, the destination address would be the ports. */
	rule_add(t, &(struct rule){.port = ntohl(in.daddr.v4) & 0xffff, .target = TARGET});
	pass(t, &in);
	in.proto = IPPROTO_TCP;
	pass(t, &in);
}

static void other_protocols(struct test *t)
{
	static const uint8_t protocols[] = {IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_GRE,  IPPROTO_ESP,
					    IPPROTO_AH,	  IPPROTO_IPIP,	  IPPROTO_NONE, IPPROTO_DCCP, IPPROTO_UDPLITE};

	rule_preserve(t);
	for (unsigned int i = 0; i < sizeof(protocols); i++) {
		struct packet in = packet_from(t, CLIENT, ROUTER);

		in.proto = protocols[i];
		pass(t, &in);
	}
}

/* What an unknown header hides is not to be guessed. */
static void unknown_extension_header(struct test *t)
{
	static const uint8_t types[] = {IPPROTO_AH, IPPROTO_ESP, 135, 139, 140, 253};

	rule_preserve(t);
	for (unsigned int i = 0; i < sizeof(types); i++) {
		struct packet in = packet_from(t, CLIENT, ROUTER);

		in.n_ext = 1;
		in.ext[0] = (struct ext){types[i], 2};
		pass(t, &in);
		in.n_ext = 2;
		in.ext[1] = in.ext[0];
		in.ext[0] = (struct ext){IPPROTO_HOPOPTS, 1};
		pass(t, &in);
	}
}

/* RFC 8200, 4.4: its destination is a stop on the way, not the end that its ports belong to. */
static void segments_left(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.n_ext = 1;
	in.ext[0] = (struct ext){IPPROTO_ROUTING, 3};
	in.segments_left = 1;
	pass(t, &in);
	in.proto = IPPROTO_TCP;
	pass(t, &in);
}

/* More headers than anyone sends. */
static void endless_extension_headers(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.n_ext = 3;
	for (int i = 0; i < 3; i++)
		in.ext[i] = (struct ext){IPPROTO_DSTOPTS, 32};
	pass(t, &in);
}

static void other_ports(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.dport = 8001;
	pass(t, &in);
	in.dport = 0;
	pass(t, &in);
	in.dport = 65535;
	pass(t, &in);
}

static void other_protocol_of_the_port(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_add(t, &(struct rule){.kind = XF_LISTEN_ADDR,
				   .host = ROUTER,
				   .port = 8000,
				   .protos = XF_PROTO_TCP,
				   .target = TARGET});
	pass(t, &in);
}

static void other_addresses(struct test *t)
{
	static const enum host hosts[] = {ROUTER_WAN1, ROUTER_LAN, TARGET, CLIENT2, VIRTUAL, NOWHERE};

	rule_preserve(t);
	for (unsigned int i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct packet in = packet_from(t, CLIENT, hosts[i]);

		pass(t, &in);
		in.proto = IPPROTO_TCP;
		pass(t, &in);
	}
}

static void other_family(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_add(t, &(struct rule){.kind = XF_LISTEN_ANY,
				   .port = 8000,
				   .family = t->family == XF_IPV4 ? XF_IPV6 : XF_IPV4,
				   .target = TARGET});
	pass(t, &in);
}

/* From a target's port, but of no flow: the target's own business. */
static void target_on_its_own(struct test *t)
{
	struct packet in = packet_from(t, TARGET, CLIENT);

	rule_preserve(t);
	in.sport = 9000;
	in.dport = 40000;
	pass(t, &in);
	in.proto = IPPROTO_TCP;
	in.tcp_flags = TCP_SYN | TCP_ACK;
	pass(t, &in);
}

static void group_addresses(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	memset(in.dmac, 0xff, 6);
	pass(t, &in);
	memcpy(in.dmac, (uint8_t[]){1, 0, 0x5e, 0, 0, 1}, 6);
	pass(t, &in);
	memcpy(in.dmac, (uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
	pass(t, &in);
}

/* Frames that end in the middle of the transport header, or before it. */
static void cut_off(struct test *t)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	uint32_t least = ETH_HEADER + (t->family == XF_IPV4 ? IPV4_HEADER : IPV6_HEADER);

	rule_preserve(t);
	for (unsigned int i = 0; i < sizeof(protocols); i++) {
		struct packet in = packet_from(t, CLIENT, ROUTER);
		uint32_t all;

		in.proto = protocols[i];
		in.payload_len = 0;
		all = ETH_HEADER + packet_ip_len(&in);
		for (in.cut = 1; all - in.cut >= least; in.cut++)
			pass(t, &in);
	}
}

/* The IP packet ends before the transport header does, although the frame goes on. */
static void ip_length_too_small(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.ip_len_add = -(int)(in.payload_len + UDP_HEADER);
	pass(t, &in);
	if (t->family == XF_IPV6)
		return;
	in.ip_len_add = -(int)packet_ip_len(&in);
	pass(t, &in);
}

/* Broken, but nobody's. */
static void malformed_but_not_ours(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.dport = 8001;
	in.udp_len_add = 100;
	pass(t, &in);
	in.udp_len_add = 0;
	in.ip_len_add = 100;
	pass(t, &in);
	in = packet_from(t, CLIENT, ROUTER);
	in.proto = IPPROTO_TCP;
	in.dport = 8001;
	in.tcp_doff = 3;
	pass(t, &in);
}

/* A rule of a set that is not in force. */
static void other_rule_set(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	t->config.set = RULE_SET + 1;
	config_put(t);
	pass(t, &in);
}

static void rule_not_live(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t id = rule_preserve(t);
	struct xf_rule rule;

	rule_get(t, id, &rule);
	rule.flags = 0;
	rule_put(t, id, &rule);
	pass(t, &in);
	in.proto = IPPROTO_TCP;
	pass(t, &in);
}

/* Overheard by a promiscuous device: the station that it is for gets it too. */
static void another_station(struct test *t)
{
	struct packet in = packet_from(t, CLIENT, ROUTER);
	uint32_t wan0 = dev_ifindex(WAN0);
	struct xf_iface iface = {.name = "wan0"};

	rule_preserve(t);
	memcpy(iface.mac, dev_mac(WAN0), sizeof(iface.mac));
	map_put("interfaces", &wan0, &iface);
	in.dmac[5] ^= 0x80;
	pass(t, &in);
	in.proto = IPPROTO_TCP;
	pass(t, &in);
}

/* RFC 791, 3.1: the destination is a stop on the way; hosts refuse such packets, or not, by their own settings. */
static void source_routed(struct test *t)
{
	static const uint8_t kinds[] = {131, 137};
	struct packet in = packet_from(t, CLIENT, ROUTER);

	rule_preserve(t);
	in.options = 12;
	for (unsigned int i = 0; i < 2 * sizeof(kinds); i++) {
		uint8_t *option;

		build_frame(&in, &t->sent);
		option = t->sent.data + ETH_HEADER + IPV4_HEADER;
		option[0] = 1; /* padding, for the second half of the runs */
		option += i / sizeof(kinds);
		option[0] = kinds[i % sizeof(kinds)];
		option[1] = 7;
		option[2] = 4;
		passes_as_sent(t);
	}
}

static const struct packet_case pass_cases[] = {
	CASE(not_ip),
	CASE(vlan_tagged),
	CASE(vlan_tagged_twice),
	CASE_ONLY(vlan_stripped, ONLY_TC),
	CASE(pppoe_session),
	CASE(wrong_version),
	CASE_ONLY(header_length_too_small, ONLY_V4),
	CASE(other_protocols),
	CASE_ONLY(unknown_extension_header, ONLY_V6),
	CASE_ONLY(segments_left, ONLY_V6),
	CASE_ONLY(endless_extension_headers, ONLY_V6),
	CASE(other_ports),
	CASE(other_protocol_of_the_port),
	CASE(other_addresses),
	CASE(other_family),
	CASE(target_on_its_own),
	CASE(group_addresses),
	CASE(another_station),
	CASE_ONLY(source_routed, ONLY_V4),
	CASE(cut_off),
	CASE(ip_length_too_small),
	CASE(malformed_but_not_ours),
	CASE(other_rule_set),
	CASE(rule_not_live),
};

PACKET_SUITE(pass);
