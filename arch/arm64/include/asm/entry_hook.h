/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks on the entries of functions: ftrace saves arguments, the stack and frame pointers, the
 * link register and the program counter. Hits get a struct pt_regs with these, in which the other
 * registers are 0.
 */
#ifndef _ASM_ARM64_ENTRY_HOOK_H
#define _ASM_ARM64_ENTRY_HOOK_H

#include <linux/ftrace.h>
#include <linux/kconfig.h>
#include <linux/ptrace.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/insn-def.h>

/* Before the call are the instruction that saves the link register and maybe a landing pad. */
#define ARCH_ENTRY_REACH \
	(IS_ENABLED(CONFIG_ARM64_BTI_KERNEL) ? 2 * AARCH64_INSN_SIZE : AARCH64_INSN_SIZE)

struct arch_entry_room {
	struct pt_regs regs;
};

/* Zero two words at @offset. A compiler could use memset(), which may be probed. */
static __always_inline void zero_words(struct pt_regs *regs, size_t offset)
{
	asm volatile("stp	xzr, xzr, [%1, %2]" : "=m" (*regs) : "r" (regs), "i" (offset));
}

static __always_inline struct pt_regs *arch_entry_regs(struct ftrace_regs *fregs,
						       struct arch_entry_room *room)
{
	struct pt_regs *regs = &room->regs;

	zero_words(regs, offsetof(struct pt_regs, regs[9]));
	zero_words(regs, offsetof(struct pt_regs, regs[11]));
	zero_words(regs, offsetof(struct pt_regs, regs[13]));
	zero_words(regs, offsetof(struct pt_regs, regs[15]));
	zero_words(regs, offsetof(struct pt_regs, regs[17]));
	zero_words(regs, offsetof(struct pt_regs, regs[19]));
	zero_words(regs, offsetof(struct pt_regs, regs[21]));
	zero_words(regs, offsetof(struct pt_regs, regs[23]));
	zero_words(regs, offsetof(struct pt_regs, regs[25]));
	zero_words(regs, offsetof(struct pt_regs, regs[27]));
	/* The members after pc and pstate. */
	zero_words(regs, offsetof(struct pt_regs, orig_x0));
	zero_words(regs, offsetof(struct pt_regs, sdei_ttbr1));
	zero_words(regs, offsetof(struct pt_regs, stackframe));
	zero_words(regs, offsetof(struct pt_regs, lockdep_hardirqs));
	return ftrace_partial_regs(fregs, regs);
}

/* Ftrace does not restore the stack pointer. */
static __always_inline void arch_entry_regs_back(struct ftrace_regs *fregs, struct pt_regs *regs)
{
	struct __arch_ftrace_regs *saved = arch_ftrace_regs(fregs);

	memcpy(saved->regs, regs->regs, sizeof(saved->regs));
	saved->fp = regs->regs[29];
	saved->lr = regs->regs[30];
	saved->pc = regs->pc;
}

#endif /* _ASM_ARM64_ENTRY_HOOK_H */
