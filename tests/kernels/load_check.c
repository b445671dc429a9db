// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does this kernel's verifier accept our programs, and what do they cost it?
 * One test a program, each loaded alone, so that one refusal does not hide another;
 * without conntrack, and with it where the kernel has what they ask of it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "xdpfwd.skel.h"

#include "dataplane_int.h"

#define LOG_SIZE  (16u << 20) /* what the kernel takes at most is larger, but nobody reads that */
#define LOG_STATS 4u	      /* BPF_LOG_STATS and BPF_LOG_LEVEL1 of the kernel, which no uapi header has */
#define LOG_LEVEL 1u
#define TAIL	  3000 /* octets of a refusal's log that are worth showing */

static char log_buf[LOG_SIZE];

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* Loads all maps and the one program; the verifier's words are in log_buf afterwards. */
static int load_only(const char *name, bool conntrack, __u32 log_level, size_t *insns)
{
	struct xdpfwd_bpf *skel = xdpfwd_bpf__open();
	struct bpf_program *prog;
	int rc;

	if (!skel)
		return -errno;
	skel->rodata->cfg_conntrack = conntrack;
	log_buf[0] = '\0';
	bpf_object__for_each_program(prog, skel->obj) {
		bool wanted = !strcmp(bpf_program__name(prog), name);

		bpf_program__set_autoload(prog, wanted);
		if (!wanted)
			continue;
		bpf_program__set_log_level(prog, log_level);
		bpf_program__set_log_buf(prog, log_buf, sizeof(log_buf));
	}
	rc = xdpfwd_bpf__load(skel);
	if (!rc)
		*insns = bpf_program__insn_cnt(bpf_object__find_program_by_name(skel->obj, name));
	xdpfwd_bpf__destroy(skel);
	return rc;
}

/* The lines of the log's end, as TAP diagnostics. */
static void print_tail(void)
{
	size_t len = strlen(log_buf);
	char *line, *rest = log_buf + (len > TAIL ? len - TAIL : 0);

	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("#   %s\n", line);
}

/* "processed 123 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 2 mark_read 1" */
static const char *processed(void)
{
	char *at = strstr(log_buf, "processed "), *end = at ? strchr(at, '\n') : NULL;

	if (end)
		*end = '\0';
	return at ? at : "no statistics";
}

static bool check(int number, const char *name, bool conntrack)
{
	const char *variant = conntrack ? " with conntrack" : "";
	size_t insns = 0;
	int rc = load_only(name, conntrack, LOG_STATS, &insns);

	if (!rc) {
		printf("ok %d - load %s%s: %zu instructions, %s\n", number, name, variant, insns, processed());
		return true;
	}
	printf("not ok %d - load %s%s: %s\n", number, name, variant, strerror(-rc));
	load_only(name, conntrack, LOG_LEVEL | LOG_STATS, &insns);
	print_tail();
	return false;
}

int main(void)
{
	struct xdpfwd_bpf *skel = xdpfwd_bpf__open();
	bool conntrack = dp_probe_conntrack();
	struct bpf_program *prog;
	int count = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!skel) {
		fprintf(stderr, "load_check: cannot open the programs: %s\n", strerror(errno));
		return 1;
	}
	libbpf_set_print(quiet);
	/* In a module or not, all that these tests run on have them. */
	printf("%s %d - the conntrack functions are there\n", conntrack ? "ok" : "not ok", ++count);
	failed += !conntrack;
	bpf_object__for_each_program(prog, skel->obj) {
		failed += !check(++count, bpf_program__name(prog), false);
		if (conntrack)
			failed += !check(++count, bpf_program__name(prog), true);
	}
	printf("1..%d\n", count);
	xdpfwd_bpf__destroy(skel);
	return failed || !count;
}
