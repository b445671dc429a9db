/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces, XDP, qdiscs and settings, against what `ip` and `tc` set up. */
#include "sandbox.h"

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include "netdev.h"

static int setup(void **state)
{
	(void)state;
	if (sandbox_enter())
		return -1;
	return sandbox_ip(0, "link set lo up\n"
			     "link add wan0 mtu 1400 type veth peer name wan1\n"
			     "link add port0 type veth peer name port1\n"
			     "link add br0 type bridge\n"
			     "link set port0 master br0\n"
			     "link add mv.5 link wan0 type macvlan\n"
			     "tuntap add tun0 mode tun\n"
			     "tuntap add tap0 mode tap\n"
			     "link set tap0 arp off\n"
			     "link property add dev port1 altname port-one\n"
			     "link set wan0 up\n");
}

/* ---- interfaces */

static void link_get(const char *name, struct nd_link *link)
{
	struct nd_link by_index;
	struct xf_error err = {""};

	if (nd_link_by_name(name, link, &err))
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(link->ifindex, if_nametoindex(name));
	assert_int_equal(nd_link_by_index(link->ifindex, &by_index, &err), 0);
	assert_memory_equal(link, &by_index, sizeof(by_index));
}

static void test_link_kinds(void **state)
{
	static const struct {
		const char *name, *kind;
		bool up, l3, loopback, unresolved;
		unsigned int mtu;
	} cases[] = {
		{"lo", "", true, false, true, true, 65536},
		{"wan0", "veth", true, false, false, false, 1400},
		{"br0", "bridge", false, false, false, false, 1500},
		{"mv.5", "macvlan", false, false, false, false, 1400},
		{"tun0", "tun", false, true, false, true, 1500},
		{"tap0", "tun", false, false, false, true, 1500},
	};
	struct nd_link link;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		link_get(cases[i].name, &link);
		assert_string_equal(link.name, cases[i].name);
		assert_string_equal(link.kind, cases[i].kind);
		assert_int_equal(link.up, cases[i].up);
		assert_int_equal(link.l3, cases[i].l3);
		assert_int_equal(link.loopback, cases[i].loopback);
		assert_int_equal(link.unresolved, cases[i].unresolved);
		assert_int_equal(link.mtu, cases[i].mtu);
		assert_int_equal(link.master, 0);
		assert_int_equal(link.xdp_attached, XDP_ATTACHED_NONE);
		assert_int_equal(link.xdp_prog_id, 0);
	}
}

static void test_link_master_and_altname(void **state)
{
	struct nd_link link;

	(void)state;
	link_get("port0", &link);
	assert_int_equal(link.master, if_nametoindex("br0"));
	link_get("port-one", &link);
	assert_string_equal(link.name, "port1");
}

static void test_link_missing(void **state)
{
	struct nd_link link;
	struct xf_error err;

	(void)state;
	assert_int_equal(nd_link_by_name("wan9", &link, &err), -1);
	assert_string_equal(err.text, "no interface wan9");
	assert_int_equal(nd_link_by_index(9999, &link, &err), -1);
	assert_string_equal(err.text, "no interface with index 9999");
	assert_int_equal(nd_link_by_index(0, &link, &err), -1);
	assert_string_equal(err.text, "no interface with index 0");
	assert_int_equal(nd_link_by_name("", &link, &err), -1);
	assert_string_equal(err.text, "no interface \"\": a name has 1 to 15 characters");
	assert_int_equal(nd_link_by_name("sixteen-letters-", &link, &err), -1);
	assert_string_equal(err.text, "no interface \"sixteen-letters-\": a name has 1 to 15 characters");
}

/* ---- XDP */

/* An XDP program that passes everything; its fd, and its id in *id. */
static int load_xdp_pass(uint32_t *id)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_info info = {0};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)code, .insn_cnt = 2};
	int fd;

	attr.license = (uintptr_t) "GPL";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	assert_true(fd >= 0);
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	assert_int_equal(syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
	*id = info.id;
	return fd;
}

static int attach_xdp(int prog, const char *ifname, uint32_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)prog;
	attr.link_create.target_ifindex = if_nametoindex(ifname);
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = flags;
	return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

static void test_link_xdp(void **state)
{
	static const struct {
		uint32_t flags;
		uint8_t attached;
	} modes[] = {{XDP_FLAGS_DRV_MODE, XDP_ATTACHED_DRV}, {XDP_FLAGS_SKB_MODE, XDP_ATTACHED_SKB}};
	struct nd_link link;
	uint32_t id;
	int prog = load_xdp_pass(&id);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd = attach_xdp(prog, "port1", modes[i].flags);

		assert_true(fd >= 0);
		link_get("port1", &link);
		assert_int_equal(link.xdp_attached, modes[i].attached);
		assert_int_equal(link.xdp_prog_id, id);
		close(fd);
		link_get("port1", &link);
		assert_int_equal(link.xdp_attached, XDP_ATTACHED_NONE);
		assert_int_equal(link.xdp_prog_id, 0);
	}
	close(prog);
}

/* This kernel may have no VLAN devices to find; what else is on top of an interface is none. */
static void test_tags(void **state)
{
	(void)state;
	assert_int_equal(nd_vlan_exists_on(if_nametoindex("wan0")), 0);
	assert_int_equal(nd_tags_taken_off("wan0"), 1);
	assert_int_equal(nd_tags_taken_off("tun0"), 0);
	assert_int_equal(nd_tags_taken_off("nosuch0"), -1);
}

/* A veth takes redirected frames only while its peer runs XDP. */
static void test_xdp_features(void **state)
{
	const uint64_t basic = ND_XDP_BASIC | ND_XDP_REDIRECT;
	uint64_t features = ~0ull;
	uint32_t id;
	int prog, fd;

	(void)state;
	assert_int_equal(nd_xdp_features(if_nametoindex("port0"), &features), 0);
	assert_int_equal(features & (basic | ND_XDP_NDO_XMIT), basic);
	prog = load_xdp_pass(&id);
	fd = attach_xdp(prog, "port1", XDP_FLAGS_DRV_MODE);
	assert_int_equal(nd_xdp_features(if_nametoindex("port0"), &features), 0);
	assert_int_equal(features & (basic | ND_XDP_NDO_XMIT), basic | ND_XDP_NDO_XMIT);
	close(fd);
	close(prog);
	assert_int_equal(nd_xdp_features(if_nametoindex("br0"), &features), 0);
	assert_int_equal(features, 0);
	assert_int_equal(nd_xdp_features(9999, &features), -1);
	assert_int_equal(errno, ENODEV);
}

/* ---- qdiscs */

#define ANY_FILTER "bpf bytecode '1,6 0 0 4294967295'"

static void test_clsact(void **state)
{
	unsigned int wan0 = if_nametoindex("wan0");

	(void)state;
	assert_int_equal(system("tc qdisc add dev wan1 clsact"), 0);
	assert_int_equal(nd_clsact_exists(wan0), 0);
	assert_int_equal(nd_clsact_filters(wan0), 0);
	assert_int_equal(system("tc qdisc add dev wan0 clsact"), 0);
	assert_int_equal(nd_clsact_exists(wan0), 1);
	assert_int_equal(nd_clsact_filters(wan0), 0);
	assert_int_equal(system("tc filter add dev wan0 ingress " ANY_FILTER), 0);
	assert_int_equal(nd_clsact_filters(wan0), 1);
	/* Two in one classifier, and another in one of its own. */
	assert_int_equal(system("tc filter add dev wan0 egress pref 7 handle 1 " ANY_FILTER), 0);
	assert_int_equal(system("tc filter add dev wan0 egress pref 7 handle 2 " ANY_FILTER), 0);
	assert_int_equal(system("tc filter add dev wan0 egress pref 8 handle 1 " ANY_FILTER), 0);
	assert_int_equal(nd_clsact_filters(wan0), 4);
	assert_int_equal(system("tc filter del dev wan0 egress"), 0);
	assert_int_equal(nd_clsact_filters(wan0), 1);
	assert_int_equal(nd_clsact_filters(if_nametoindex("wan1")), 0);
	assert_int_equal(system("tc qdisc del dev wan0 clsact && tc qdisc del dev wan1 clsact"), 0);
	assert_int_equal(nd_clsact_exists(wan0), 0);
}

static void test_ingress_is_not_clsact(void **state)
{
	unsigned int port1 = if_nametoindex("port1");

	(void)state;
	assert_int_equal(system("tc qdisc add dev port1 ingress"), 0);
	assert_int_equal(system("tc filter add dev port1 ingress " ANY_FILTER), 0);
	assert_int_equal(nd_clsact_exists(port1), 0);
	assert_int_equal(nd_clsact_filters(port1), 0);
	assert_int_equal(system("tc qdisc del dev port1 ingress"), 0);
}

/* ---- settings */

static void write_setting(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_conf(void **state)
{
	struct xf_error err;

	(void)state;
	write_setting("/proc/sys/net/ipv4/conf/mv.5/route_localnet", "1");
	assert_int_equal(nd_conf_get("mv.5", "route_localnet"), 1);
	assert_int_equal(nd_conf_get("wan0", "route_localnet"), 0);
	assert_int_equal(nd_conf_set("wan0", "route_localnet", 1, &err), 0);
	assert_int_equal(nd_conf_get("wan0", "route_localnet"), 1);
	assert_int_equal(nd_conf_set("wan0", "route_localnet", 0, &err), 0);
	assert_int_equal(nd_conf_get("wan0", "route_localnet"), 0);

	assert_int_equal(nd_conf_get("wan9", "route_localnet"), -1);
	assert_int_equal(nd_conf_get("../conf/wan0", "route_localnet"), -1);
	assert_int_equal(nd_conf_set("wan9", "route_localnet", 1, &err), -1);
	assert_non_null(strstr(err.text, "net.ipv4.conf.wan9.route_localnet"));
	assert_int_equal(nd_conf_set("../conf/wan0", "route_localnet", 1, &err), -1);
	assert_int_equal(nd_conf_get("wan0", "route_localnet"), 0);
}

static void test_forwarding(void **state)
{
	(void)state;
	write_setting("/proc/sys/net/ipv4/conf/mv.5/forwarding", "1");
	write_setting("/proc/sys/net/ipv6/conf/mv.5/forwarding", "0");
	write_setting("/proc/sys/net/ipv4/conf/wan0/forwarding", "0");
	write_setting("/proc/sys/net/ipv6/conf/wan0/forwarding", "1");
	assert_int_equal(nd_forwarding("mv.5", XF_IPV4), 1);
	assert_int_equal(nd_forwarding("mv.5", XF_IPV6), 0);
	assert_int_equal(nd_forwarding("wan0", XF_IPV4), 0);
	assert_int_equal(nd_forwarding("wan0", XF_IPV6), 1);
	assert_int_equal(nd_forwarding("wan9", XF_IPV4), -1);
	assert_int_equal(nd_forwarding("../conf/wan0", XF_IPV6), -1);
}

static void test_ephemeral_ports(void **state)
{
	struct xf_port_range range;

	(void)state;
	write_setting("/proc/sys/net/ipv4/ip_local_port_range", "40001 50002");
	assert_int_equal(nd_ephemeral_ports(&range), 0);
	assert_int_equal(range.lo, 40001);
	assert_int_equal(range.hi, 50002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_kinds),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_link_master_and_altname),
		cmocka_unit_test(test_link_missing),
		cmocka_unit_test(test_link_xdp),
		cmocka_unit_test(test_xdp_features),
		cmocka_unit_test(test_clsact),
		cmocka_unit_test(test_ingress_is_not_clsact),
		cmocka_unit_test(test_conf),
		cmocka_unit_test(test_forwarding),
		cmocka_unit_test(test_ephemeral_ports),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
