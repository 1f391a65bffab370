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

/* The call is the first instruction of a function, or is behind a landing pad. */
#define ARCH_ENTRY_REACH	FTRACE_MCOUNT_MAX_OFFSET

struct arch_entry_room { };

/* Ftrace saves the registers in a struct pt_regs. The flags of the ftrace_ops say which. */
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
 * For an ftrace_ops without FTRACE_OPS_FL_SAVE_REGS, ftrace saves the arguments, AX, BP, SP and IP.
 * That takes 26 instructions less for each call. It sets CS and ORIG_AX to 0, and leaves the other
 * members uninitialized.
 */
#define ARCH_ENTRY_ARGS		true

static __always_inline bool arch_entry_regs_are_args(const struct pt_regs *regs)
{
	return !regs->cs;
}

/* A bit in the saved SS, which ftrace does not restore. */
#define ENTRY_CLAIMED		BIT_ULL(63)

/* True in the second of two callbacks for a call if handlers have run in the first. Clears it. */
static __always_inline bool arch_entry_claimed(struct pt_regs *regs)
{
	if (!(regs->ssx & ENTRY_CLAIMED))
		return false;
	regs->ssx &= ~ENTRY_CLAIMED;
	return true;
}

/* Tell the second callback for this call that handlers have run. */
static __always_inline void arch_entry_claim(struct pt_regs *regs)
{
	regs->ssx |= ENTRY_CLAIMED;
}

/*
 * For a hook that passes @regs on: set the registers that were not saved to 0. FLAGS are not 0,
 * because perf takes the call chain from @regs only if they are set. CS stays 0, because the next
 * hooks call arch_entry_regs_are_args().
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
