/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Return hooks on arm64: the link register has the return address of a call.
 *
 * The frame pointer is the caller's both at the entry of a function and after its return, so it
 * identifies the call. A function that is called by a branch at the end of another one has the
 * same frame pointer. It is hooked later, so it is found first.
 */
#ifndef _ASM_ARM64_RETHOOK_H
#define _ASM_ARM64_RETHOOK_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/ptrace.h>

/* Included by <linux/rethook.h> only, behind struct rethook_node. */

void arch_rethook_trampoline(void);

/* The &rethook_node.frame that arch_rethook_prepare() stores at this entry. */
static __always_inline unsigned long arch_rethook_frame(struct pt_regs *regs)
{
	return regs->regs[29];
}

/**
 * arch_rethook_prepare() - replace the return address of a call by the trampoline
 * @node: stores the return address
 * @regs: registers at the entry of the function
 * @mcount: ftrace is the caller; not used, because the registers are the same in both cases
 */
static __always_inline void arch_rethook_prepare(struct rethook_node *node, struct pt_regs *regs,
						 bool mcount)
{
	node->ret_addr = procedure_link_pointer(regs);
	node->frame = arch_rethook_frame(regs);
	procedure_link_pointer_set(regs, (unsigned long)arch_rethook_trampoline);
}

/**
 * arch_rethook_fixup_return() - restore the return address
 * @regs: the registers that the trampoline saved, with a frame record for unwinders
 * @ret_addr: stored in that record
 */
static __always_inline void arch_rethook_fixup_return(struct pt_regs *regs, unsigned long ret_addr)
{
	regs->stackframe[1] = ret_addr;
}

#define arch_rethook_fixup_return arch_rethook_fixup_return

#endif /* _ASM_ARM64_RETHOOK_H */
