// SPDX-License-Identifier: GPL-2.0-only
/* Somebody else's XDP program, for the tests of what load does when there is one. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int someone_else(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
