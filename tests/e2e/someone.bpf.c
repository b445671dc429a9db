// SPDX-License-Identifier: GPL-2.0-only
/* Somebody else's programs, for the tests of what load and unload do beside them. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int someone_else(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int someones_filter(struct __sk_buff *ctx)
{
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
