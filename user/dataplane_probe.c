/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel offers to the programs, asked of its own type information. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "dataplane_int.h"

static bool has_function(const struct btf *btf, const char *name)
{
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

bool dp_probe_conntrack(void)
{
	struct btf *vmlinux = btf__load_vmlinux_btf(), *module = NULL;
	bool has;

	if (libbpf_get_error(vmlinux))
		return false;
	has = has_function(vmlinux, "bpf_xdp_ct_lookup");
	if (!has) {
		module = btf__load_module_btf("nf_conntrack", vmlinux);
		if (libbpf_get_error(module))
			module = NULL;
		has = has_function(module, "bpf_xdp_ct_lookup");
	}
	btf__free(module);
	btf__free(vmlinux);
	return has;
}
