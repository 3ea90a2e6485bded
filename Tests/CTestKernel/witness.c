#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "CTestKernel.h"

static int load(int map, uint32_t mark) {
    const struct bpf_insn program[] = {
        // If the mark is another, go to the end.
        {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = offsetof(struct __sk_buff, mark)},
        {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 2, .off = 9, .imm = (int)mark},
        // Look up entry 0 of the map.
        {.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10},
        {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4},
        {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
        {0},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
        {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2},
        // Add one.
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1},
        {.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1, .imm = BPF_ADD},
        // TC_ACT_UNSPEC.
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "witness", "GPL", program, sizeof program / sizeof program[0], NULL);
}

int witness_attach(struct witness *witness, uint32_t ifindex, int ingress, uint32_t priority, uint32_t mark) {
    witness->program = -1;
    witness->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "witness", sizeof(uint32_t), sizeof(uint64_t), 1, NULL);
    if (witness->map < 0) return witness->map;
    witness->program = load(witness->map, mark);
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
    int code = witness->program < 0 ? witness->program : bpf_tc_hook_create(&hook);
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = 1, .priority = priority, .prog_fd = witness->program);
    if (!code || code == -EEXIST) code = bpf_tc_attach(&hook, &options);
    if (code) witness_close(witness);
    return code;
}

int64_t witness_count(const struct witness *witness) {
    uint32_t zero = 0;
    int64_t count = 0;
    int code = bpf_map_lookup_elem(witness->map, &zero, &count);
    return code ? code : count;
}

void witness_close(struct witness *witness) {
    if (witness->map >= 0) close(witness->map);
    if (witness->program >= 0) close(witness->program);
}
