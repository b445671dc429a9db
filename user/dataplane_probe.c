/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel offers to the programs, asked of its own type information. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "dataplane_int.h"

#define CONNTRACK_MODULE   "nf_conntrack"
#define CONNTRACK_FUNCTION "bpf_xdp_ct_lookup"

static bool has_function(const struct btf *btf, const char *name)
{
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

static bool module_has_function(struct btf *vmlinux)
{
	struct btf *module = btf__load_module_btf(CONNTRACK_MODULE, vmlinux);
	bool has;

	if (libbpf_get_error(module))
		return false;
	has = has_function(module, CONNTRACK_FUNCTION);
	btf__free(module);
	return has;
}

/* The program that loads modules, as the kernel itself would call it; false: this kernel takes none. */
static bool read_loader(char *path, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/modprobe", "re");
	bool has;

	if (!f)
		return false;
	has = fgets(path, (int)size, f);
	fclose(f);
	path[has ? strcspn(path, "\n") : 0] = '\0';
	return path[0];
}

/* What it has to say is nobody's business: whether the module is there shows when the question is asked again. */
static void load_module(void)
{
	char path[PATH_MAX], *argv[] = {path, "-q", "--", CONNTRACK_MODULE, NULL};
	char *environment[] = {"PATH=/sbin:/usr/sbin:/bin:/usr/bin", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	if (!read_loader(path, sizeof(path)) || posix_spawn_file_actions_init(&actions))
		return;
	if (!posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) &&
	    !posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO) &&
	    !posix_spawn(&pid, path, &actions, NULL, argv, environment))
		waitpid(pid, NULL, 0);
	posix_spawn_file_actions_destroy(&actions);
}

/*
 * Where connection tracking is a module, programs that are loaded before it can
 * never ask it, though a masquerading rule may bring it in a moment later. So it
 * is loaded first; until somebody has a rule that tracks, it does nothing.
 */
bool dp_probe_conntrack(void)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	bool has;

	if (libbpf_get_error(vmlinux))
		return false;
	has = has_function(vmlinux, CONNTRACK_FUNCTION) || module_has_function(vmlinux);
	if (!has) {
		load_module();
		has = module_has_function(vmlinux);
	}
	btf__free(vmlinux);
	return has;
}
