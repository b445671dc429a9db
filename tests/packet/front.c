// SPDX-License-Identifier: GPL-2.0-only
/* Puts steps together with a tail call to the program that they stand before. */
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "front.h"
#include "maps.h"

#define MOVE(to, from)	((struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)})
#define SET(to, value)	((struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value)})
#define CALL(helper)	((struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = (helper)})
#define EXIT		((struct bpf_insn){.code = BPF_JMP | BPF_EXIT})
#define NO_SUCH_VERDICT 99
#define LOAD_MAP(to, map)                                                                                         \
	((struct bpf_insn){                                                                                       \
		.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (to), .src_reg = BPF_PSEUDO_MAP_FD, .imm = (map)}), \
		((struct bpf_insn){0})

void front_call(struct front *front, int helper, int a, int b)
{
	const struct bpf_insn steps[] = {MOVE(1, 6), SET(2, a), SET(3, b), CALL(helper)};

	assert_true(front->n + sizeof(steps) / sizeof(steps[0]) <= FRONT_STEPS);
	memcpy(front->steps + front->n, steps, sizeof(steps));
	front->n += sizeof(steps) / sizeof(steps[0]);
}

/* The array must stay open while the program is in use: with its last descriptor it is emptied. */
static int front_load(const struct front *front, int array)
{
	const struct bpf_insn last[] = {
		MOVE(1, 6), LOAD_MAP(2, array), SET(3, 0), CALL(BPF_FUNC_tail_call), SET(0, NO_SUCH_VERDICT), EXIT};
	struct bpf_insn insns[1 + FRONT_STEPS + sizeof(last) / sizeof(last[0])] = {MOVE(6, 1)};
	int prog = prog_fd(front->prog), zero = 0, fd;

	memcpy(insns + 1, front->steps, front->n * sizeof(insns[0]));
	memcpy(insns + 1 + front->n, last, sizeof(last));
	assert_int_equal(bpf_map_update_elem(array, &zero, &prog, BPF_ANY), 0);
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "front", "GPL", insns,
			   1 + front->n + sizeof(last) / sizeof(last[0]), NULL);
	assert_true(fd >= 0);
	return fd;
}

void front_run(struct test *t, const struct front *front)
{
	struct __sk_buff ctx = {.ifindex = dev_ifindex(front->dev)};
	int array = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "front", 4, 4, 1, NULL);
	int fd = front_load(front, array);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->sent.data, .data_size_in = t->sent.len,
		    .data_out = t->got.data, .data_size_out = FRAME_MAX, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	memset(&t->got, 0, sizeof(t->got));
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	t->retval = opts.retval;
	t->got.len = opts.data_size_out;
	close(fd);
	close(array);
}
