/* SPDX-License-Identifier: GPL-2.0-only */
/* Interface between the C and the assembly code of the instruction tests. */
#ifndef _ARM64_KERNEL_PROBES_INSN_KUNIT_H
#define _ARM64_KERNEL_PROBES_INSN_KUNIT_H

/* How a probe is expected to run the instruction. */
#define INSN_TEST_SIMULATE	0	/* simulated in a trap; a jump has code that replaces it */
#define INSN_TEST_TRAP		1	/* simulated in a trap; not possible with a jump */
#define INSN_TEST_BOOST		2	/* a copy that branches back */
#define INSN_TEST_STEP		3	/* only a copy that is stepped */

/* Features of the CPU that a snippet needs. */
#define INSN_NEEDS_NOTHING	0
#define INSN_NEEDS_SIMD		1	/* the snippet uses v0 to v7 */
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
#define INSN_NEEDS_GIC		20	/* uses registers of the CPU */

/* Words of stack for a snippet, and words of stack that are compared. */
#define INSN_TEST_STACK_FILLED	8
#define INSN_TEST_STACK_WORDS	24

#define INSN_TEST_MEM_WORDS	32

/* Offset in insn_test_mem of the address that snippets get. */
#define INSN_TEST_MEM_BASE	128

/* insn_test_elsewhere() sets x26 to this. */
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
 * struct insn_test_case - a snippet with an instruction to be probed
 * @entry: address of the snippet
 * @name: its name
 * @offset: of the instruction, from @entry
 * @kind: INSN_TEST_*, or the errno of a probe that has to be refused
 * @needs: INSN_NEEDS_*
 * @faults: the instruction faults, and has an entry in the exception table
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
 * struct insn_test_state - input or output of a snippet
 * @regs: x0 to x30. x17 is its address, x18 the shadow call stack
 * @nzcv: the condition flags
 * @daif: the masks of exceptions, only in the output
 * @sp: the stack pointer, only in the output
 * @v: v0 to v7, if insn_test_simd
 * @stack: the stack, lowest address first; in the output, words below @sp are undefined
 */
struct insn_test_state {
	u64 regs[31];
	u64 nzcv;
	u64 daif;
	u64 sp;
	u64 v[16];
	u64 stack[INSN_TEST_STACK_WORDS];
};

/* Snippets that are run; those that refuse a probe at @offset; those of state_kunit.c. */
extern const struct insn_test_case insn_test_cases[], insn_test_cases_end[];
extern const struct insn_test_case insn_test_refused[], insn_test_refused_end[];
extern const struct insn_test_case insn_test_states[], insn_test_states_end[];

/* Input, output and data of a run. There is one run at a time. */
extern struct insn_test_state insn_test_in;
extern struct insn_test_state insn_test_out;
extern u64 insn_test_mem[INSN_TEST_MEM_WORDS];

/* Load and save SIMD registers, too. */
extern u64 insn_test_simd;

/* sp at the start of the snippet; @insn_test_state.stack is around it. */
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
