/* SPDX-License-Identifier: GPL-2.0-only */
/* What the halves of the instruction tests share. */
#ifndef _ARM64_KERNEL_PROBES_INSN_KUNIT_H
#define _ARM64_KERNEL_PROBES_INSN_KUNIT_H

/* How an instruction is expected to be run from a probe. */
#define INSN_TEST_SIMULATE	0	/* in a trap; something stands for it with a jump */
#define INSN_TEST_TRAP		1	/* the same, and nothing can stand for it */
#define INSN_TEST_BOOST		2	/* from a copy that goes on by itself */
#define INSN_TEST_STEP		3	/* only from the one that is stepped */

/* What the CPU must have for a snippet to be run. */
#define INSN_NEEDS_NOTHING	0
#define INSN_NEEDS_SIMD		1	/* and the snippet works on v0 to v7 */
#define INSN_NEEDS_LSE		2
#define INSN_NEEDS_PAUTH	3
#define INSN_NEEDS_CRC32	4
#define INSN_NEEDS_RCPC		5
#define INSN_NEEDS_RCPC2	6
#define INSN_NEEDS_FLAGM	7
#define INSN_NEEDS_SB		8
#define INSN_NEEDS_PAN		9
#define INSN_NEEDS_UAO		10
#define INSN_NEEDS_DIT		11
#define INSN_NEEDS_SSBS		12
#define INSN_NEEDS_MTE		13
#define INSN_NEEDS_SVE		14	/* includes INSN_NEEDS_SIMD */
#define INSN_NEEDS_SME		15
#define INSN_NEEDS_HBC		16
#define INSN_NEEDS_RNG		17
#define INSN_NEEDS_CSSC		18
#define INSN_NEEDS_LOR		19
#define INSN_NEEDS_GIC		20	/* whose registers are the CPU's */

/* Words of stack that a snippet starts with, and all that are looked at. */
#define INSN_TEST_STACK_FILLED	8
#define INSN_TEST_STACK_WORDS	24

#define INSN_TEST_MEM_WORDS	32

/* From the start of insn_test_mem to where snippets point. */
#define INSN_TEST_MEM_BASE	128

/* What is in x26 of who comes by insn_test_elsewhere(). */
#define INSN_TEST_WAS_ELSEWHERE	0x5eed

/* Offsets into struct insn_test_state. */
#define STATE_X(n)	(8 * (n))
#define STATE_NZCV	248
#define STATE_DAIF	256
#define STATE_SP	264
#define STATE_V		272
#define STATE_STACK	400
#define STATE_SIZE	(STATE_STACK + 8 * INSN_TEST_STACK_WORDS)

#ifndef __ASSEMBLY__
#include <linux/linkage.h>
#include <linux/types.h>

/**
 * struct insn_test_case - a snippet with one instruction to be probed in it
 * @entry: where the snippet starts
 * @name: its name
 * @offset: of the instruction from @entry
 * @kind: INSN_TEST_*; what registration has to return if it is to be refused
 * @needs: INSN_NEEDS_*, what the CPU must have
 * @faults: the instruction does, and an exception table says where to go on
 */
struct insn_test_case {
	void *entry;
	const char *name;
	s32 offset;
	s32 kind;
	u32 needs;
	u32 faults;
};

/**
 * struct insn_test_state - what a snippet starts with, or ends with
 * @regs: x0 to x30. x17 is where it starts, x18 the stack of return addresses
 * @nzcv: the condition flags
 * @daif: the masks of exceptions, only of the end
 * @sp: only of the end
 * @v: v0 to v7, if insn_test_simd
 * @stack: the stack, lowest address first; of the end, that below @sp is undefined
 */
struct insn_test_state {
	u64 regs[31];
	u64 nzcv;
	u64 daif;
	u64 sp;
	u64 v[16];
	u64 stack[INSN_TEST_STACK_WORDS];
};

/* Snippets to be run; those of which no probe may go on @offset; those of state_kunit.c. */
extern const struct insn_test_case insn_test_cases[], insn_test_cases_end[];
extern const struct insn_test_case insn_test_refused[], insn_test_refused_end[];
extern const struct insn_test_case insn_test_states[], insn_test_states_end[];

/* Input, output and data of a run. There is one run at a time. */
extern struct insn_test_state insn_test_in;
extern struct insn_test_state insn_test_out;
extern u64 insn_test_mem[INSN_TEST_MEM_WORDS];

/* Whether SIMD registers are part of it. */
extern u64 insn_test_simd;

/* Where sp was when the snippet started; @insn_test_state.stack is around it. */
extern u64 insn_test_sp;

/* Three bytes before the end of a mapping, and user memory. */
extern void *insn_test_edge;
extern void __user *insn_test_user;

asmlinkage void insn_test_run(void *entry);
asmlinkage void insn_test_exit(void);
asmlinkage void insn_test_elsewhere(void);

static inline void *insn_test_addr(const struct insn_test_case *c)
{
	return c->entry + c->offset;
}

/* insn_kunit.c */
bool insn_test_cpu_has(unsigned int need);
void insn_test_set_input(unsigned int nr);
void insn_test_allow_jumps(bool allowed);
#endif /* __ASSEMBLY__ */

#endif /* _ARM64_KERNEL_PROBES_INSN_KUNIT_H */
