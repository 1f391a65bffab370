/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Return hooks on x86: where the return address of a call is.
 *
 * At the entry of a function the stack pointer is at the return address. That slot
 * identifies the call.
 */
#ifndef _ASM_X86_RETHOOK_H
#define _ASM_X86_RETHOOK_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/ptrace.h>

/* Included by <linux/rethook.h> only, behind struct rethook_node. */

void arch_rethook_trampoline(void);

/**
 * arch_rethook_prepare() - replace the return address of a call by the trampoline
 * @node: stores the return address
 * @regs: registers at the entry of the function
 * @mcount: ftrace is the caller; not used, because the stack is the same in both cases
 */
static __always_inline void arch_rethook_prepare(struct rethook_node *node,
						 struct pt_regs *regs, bool mcount)
{
	unsigned long *slot = (unsigned long *)kernel_stack_pointer(regs);

	node->ret_addr = *slot;
	*slot = (unsigned long)arch_rethook_trampoline;
	node->frame = (unsigned long)slot;
}

/* What arch_rethook_prepare() would store in &rethook_node.frame at this entry. */
static __always_inline unsigned long arch_rethook_frame(struct pt_regs *regs)
{
	return kernel_stack_pointer(regs);
}

/**
 * arch_rethook_fixup_return() - restore the return address
 * @regs: the registers that the trampoline saved, right below the stack slot
 * @ret_addr: stored in the stack slot, for the trampoline's RET and for unwinders
 */
static __always_inline void arch_rethook_fixup_return(struct pt_regs *regs,
						      unsigned long ret_addr)
{
	*(unsigned long *)(regs + 1) = ret_addr;
}

#define arch_rethook_fixup_return arch_rethook_fixup_return

#endif /* _ASM_X86_RETHOOK_H */
