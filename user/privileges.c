// SPDX-License-Identifier: GPL-2.0-only
#include "privileges.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "log.h"

static const struct {
	int number;
	const char *name;
} names[] = {
	{CAP_BPF, "CAP_BPF"},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{CAP_PERFMON, "CAP_PERFMON"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"},
};

static uint64_t whole(const __u32 half[2])
{
	return half[0] | (uint64_t)half[1] << 32;
}

static void tell(uint64_t kept)
{
	char text[160] = "";
	size_t i, len = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (kept & PRIVILEGE(names[i].number))
			len += (size_t)snprintf(text + len, sizeof(text) - len, " %s", names[i].name);
	log_debug("capabilities kept:%s", len ? text : " none");
}

/* Needs CAP_SETPCAP, so it comes first; who has not got that has no use for the set either. */
static void drop_bounds(uint64_t keep)
{
	int capability;

	for (capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (!(keep & PRIVILEGE(capability)) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0))
			return;
}

int privileges_keep(uint64_t capabilities, struct xf_error *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint64_t kept;
	int i;

	if (syscall(SYS_capget, &head, data))
		return xf_fail(err, "cannot read the capabilities: %s", strerror(errno));
	drop_bounds(capabilities);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	kept = whole((__u32[]){data[0].permitted, data[1].permitted}) & capabilities;
	for (i = 0; i < 2; i++) {
		data[i].permitted = data[i].effective = (__u32)(kept >> 32 * i);
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return xf_fail(err, "cannot give capabilities away: %s", strerror(errno));
	tell(kept);
	return 0;
}
