/* SPDX-License-Identifier: GPL-2.0-only */
/* Capabilities, asked before the kernel says no more than EPERM. */
#include "caps.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

/* The user namespace that the kernel made at boot has this number on every machine. */
#define INITIAL_USER_NAMESPACE "user:[4026531837]"

static const struct {
	unsigned int flag;
	int cap;
	bool in_sys_admin; /* CAP_SYS_ADMIN does as well */
	const char *name;
} known[] = {
	{CAPS_BPF, CAP_BPF, true, "CAP_BPF"},
	{CAPS_NET_ADMIN, CAP_NET_ADMIN, false, "CAP_NET_ADMIN"},
	{CAPS_PERFMON, CAP_PERFMON, true, "CAP_PERFMON"},
};

static bool has(const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3], int cap)
{
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

int caps_check(unsigned int needed, const char *what, struct xf_error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	char missing[64] = "";
	size_t i, len = 0;

	/* Where the kernel does not tell, it will say no by itself. */
	if (syscall(SYS_capget, &header, data))
		return 0;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!(needed & known[i].flag) || has(data, known[i].cap) ||
		    (known[i].in_sys_admin && has(data, CAP_SYS_ADMIN)))
			continue;
		len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s%s", len ? ", " : "", known[i].name);
	}
	if (!len)
		return 0;
	return xf_fail(err, "%s takes %s, which this process has not got: run as root, or grant it", what, missing);
}

const char *caps_remedy(void)
{
	char name[64];
	ssize_t len = readlink("/proc/self/ns/user", name, sizeof(name) - 1);

	name[len > 0 ? len : 0] = '\0';
	if (len > 0 && strcmp(name, INITIAL_USER_NAMESPACE) != 0)
		return "the capabilities of a user namespace do not count: they must be the machine's own";
	return "the kernel's verifier may have refused the programs: --verbose shows its log";
}
