/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_X86_ENTRY_HOOK_H
#define _ASM_X86_ENTRY_HOOK_H

#ifdef CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS
#include <linux/ftrace.h>
#include <linux/ptrace.h>

/* Nothing but a landing pad is in front of the call. */
#define ARCH_ENTRY_REACH	FTRACE_MCOUNT_MAX_OFFSET

struct arch_entry_room { };

/* Ftrace saves them there, all of them, as it is asked to: there is nothing to test or fill in. */
static __always_inline struct pt_regs *arch_entry_regs(struct ftrace_regs *fregs,
						       struct arch_entry_room *room)
{
	return &arch_ftrace_regs(fregs)->regs;
}

static __always_inline void arch_entry_regs_back(struct ftrace_regs *fregs, struct pt_regs *regs)
{
}
#else
#include <asm-generic/entry_hook.h>
#endif

#endif /* _ASM_X86_ENTRY_HOOK_H */
