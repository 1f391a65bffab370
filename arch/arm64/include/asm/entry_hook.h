/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks on the entries of functions: ftrace saves arguments, the stack and frame pointers, the
 * link register and the program counter. Hits find them in a struct pt_regs, and the other
 * registers of that are 0.
 */
#ifndef _ASM_ARM64_ENTRY_HOOK_H
#define _ASM_ARM64_ENTRY_HOOK_H

#include <linux/ftrace.h>
#include <linux/ptrace.h>
#include <linux/string.h>

struct arch_entry_room {
	struct pt_regs regs;
};

static __always_inline struct pt_regs *arch_entry_regs(struct ftrace_regs *fregs,
						       struct arch_entry_room *room)
{
	return ftrace_partial_regs(fregs, &room->regs);
}

/* The stack pointer is not restored. */
static __always_inline void arch_entry_regs_back(struct ftrace_regs *fregs, struct pt_regs *regs)
{
	struct __arch_ftrace_regs *saved = arch_ftrace_regs(fregs);

	memcpy(saved->regs, regs->regs, sizeof(saved->regs));
	saved->fp = regs->regs[29];
	saved->lr = regs->regs[30];
	saved->pc = regs->pc;
}

#endif /* _ASM_ARM64_ENTRY_HOOK_H */
