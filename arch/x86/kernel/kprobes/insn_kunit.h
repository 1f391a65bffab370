/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations that C and assembly of the instruction tests share. */
#ifndef _ARCH_X86_KPROBES_INSN_KUNIT_H
#define _ARCH_X86_KPROBES_INSN_KUNIT_H

/* How an instruction is expected to be run from a probe. */
#define INSN_TEST_EMULATE	0	/* no slot */
#define INSN_TEST_BOOST		1	/* both copies in the slot */
#define INSN_TEST_STEP		2	/* only the one to be stepped */
#define INSN_TEST_EITHER	3	/* both copies, and emulated if there is a post handler */

/* Words of stack that a snippet starts with, and words that are compared. */
#define INSN_TEST_STACK_FILLED	8
#define INSN_TEST_STACK_WORDS	24

#define INSN_TEST_MEM_WORDS	8

/* Offsets into struct insn_test_state. */
#define STATE_AX	0
#define STATE_BX	8
#define STATE_CX	16
#define STATE_DX	24
#define STATE_SI	32
#define STATE_DI	40
#define STATE_BP	48
#define STATE_R8	56
#define STATE_R9	64
#define STATE_R10	72
#define STATE_R11	80
#define STATE_R12	88
#define STATE_R13	96
#define STATE_R14	104
#define STATE_R15	112
#define STATE_FLAGS	120
#define STATE_SP	128
#define STATE_STACK	136

#ifndef __ASSEMBLY__
#include <linux/percpu.h>
#include <linux/types.h>

#include <uapi/asm/processor-flags.h>

/* Flags that depend on a result. */
#define INSN_TEST_RESULT_FLAGS	((u64)(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
				       X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF))

/**
 * struct insn_test_case - a snippet with one instruction to be probed in it
 * @entry: start of the snippet
 * @name: its name
 * @offset: offset of the instruction from @entry
 * @kind: INSN_TEST_*, or the errno of a probe that has to be refused
 */
struct insn_test_case {
	void *entry;
	const char *name;
	s32 offset;
	s32 kind;
};

/**
 * struct insn_test_state - the state at the start or the end of a snippet
 * @regs: the general purpose registers without %rsp, in the order of STATE_*
 * @flags: EFLAGS
 * @sp: %rsp, only at the end
 * @stack: the stack, lowest address first; at the end, words below @sp are undefined
 */
struct insn_test_state {
	u64 regs[15];
	u64 flags;
	u64 sp;
	u64 stack[INSN_TEST_STACK_WORDS];
};

/* Snippets to be run; snippets in which no probe may be at @offset; functions. */
extern const struct insn_test_case insn_test_cases[], insn_test_cases_end[];
extern const struct insn_test_case insn_test_refused[], insn_test_refused_end[];
extern const struct insn_test_case insn_test_points[], insn_test_points_end[];

/* For state_kunit.c: one to emulate, one to boost, a branch, and those that may be puns. */
extern const struct insn_test_case insn_test_states[], insn_test_states_end[];

/* Input, output and data of a run. There is one run at a time. */
extern struct insn_test_state insn_test_in;
extern struct insn_test_state insn_test_out;
extern u64 insn_test_mem[INSN_TEST_MEM_WORDS];

/* %rsp at the start of the snippet; @insn_test_state.stack is around it. */
extern u64 insn_test_sp;

DECLARE_PER_CPU(void *, insn_test_percpu_target);

asmlinkage void insn_test_run(void *entry);
asmlinkage void insn_test_exit(void);
asmlinkage void insn_test_percpu_landing(void);
asmlinkage unsigned long insn_test_sum(unsigned long n);
asmlinkage unsigned long insn_test_keep(unsigned long n);
asmlinkage unsigned long insn_test_padded(unsigned long n);
#endif /* __ASSEMBLY__ */

#endif /* _ARCH_X86_KPROBES_INSN_KUNIT_H */
