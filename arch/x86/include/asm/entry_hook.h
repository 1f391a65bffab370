/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_ENTRY_HOOK_H
#define _ASM_X86_ENTRY_HOOK_H

#ifdef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
#include <linux/bits.h>
#include <linux/ftrace.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>

/* Nothing but a landing pad is in front of the call. */
#define ARCH_ENTRY_REACH	FTRACE_MCOUNT_MAX_OFFSET

struct arch_entry_room { };

/* Ftrace saves them there, as many as it is asked to: there is nothing to test or fill in. */
static __always_inline struct pt_regs *arch_entry_regs(struct ftrace_regs *fregs,
						       struct arch_entry_room *room)
{
	return &arch_ftrace_regs(fregs)->regs;
}

static __always_inline void arch_entry_regs_back(struct ftrace_regs *fregs, struct pt_regs *regs)
{
}

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_REGS
/*
 * For an ftrace_ops without SAVE_REGS, ftrace saves arguments, AX, BP, SP and IP, which takes 26
 * instructions less for a call. CS is 0 then; the others are not set.
 */
#define ARCH_ENTRY_ARGS		true

static __always_inline bool arch_entry_regs_are_args(const struct pt_regs *regs)
{
	return !regs->cs;
}

/* Nobody restores what is saved of SS. */
#define ENTRY_CLAIMED		BIT_ULL(63)

/* Have handlers run for this call already? The second one of two callbacks asks last. */
static __always_inline bool arch_entry_claimed(struct pt_regs *regs)
{
	if (!(regs->ssx & ENTRY_CLAIMED))
		return false;
	regs->ssx &= ~ENTRY_CLAIMED;
	return true;
}

/* After handlers have run, for the other callback. */
static __always_inline void arch_entry_claim(struct pt_regs *regs)
{
	regs->ssx |= ENTRY_CLAIMED;
}

/*
 * For those who pass @regs on: registers that were not saved are 0, but perf takes the call chain
 * from @regs only if the flags are some. CS remains 0, for other hooks.
 */
static __always_inline void arch_entry_zero_rest(struct pt_regs *regs)
{
	regs->r15 = 0;
	regs->r14 = 0;
	regs->r13 = 0;
	regs->r12 = 0;
	regs->r11 = 0;
	regs->r10 = 0;
	regs->bx = 0;
	regs->flags = X86_EFLAGS_FIXED;
	regs->ssx = __KERNEL_DS;
}
#endif /* CONFIG_DYNAMIC_FTRACE_WITH_REGS */
#else
#include <asm-generic/entry_hook.h>
#endif

#endif /* _ASM_X86_ENTRY_HOOK_H */
