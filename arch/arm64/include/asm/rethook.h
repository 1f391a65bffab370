/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Return hooks on arm64: the link register has the return address of a call.
 *
 * At the entry of a function the frame pointer is its caller's, as it is again when the function
 * has returned. It identifies the call; the one of a function that was called by a branch at the
 * end of another has the same, and comes later.
 */
#ifndef _ASM_ARM64_RETHOOK_H
#define _ASM_ARM64_RETHOOK_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <asm/ptrace.h>

/* Included by <linux/rethook.h> only, behind struct rethook_node. */

void arch_rethook_trampoline(void);

/* What arch_rethook_prepare() stores in &rethook_node.frame at this entry. */
static __always_inline unsigned long arch_rethook_frame(struct pt_regs *regs)
{
	return regs->regs[29];
}

/**
 * arch_rethook_prepare() - displace the return address of a call
 * @node: remembers it
 * @regs: registers at the entry of the function
 * @mcount: what caught the entry; the registers are the same in both cases
 */
static __always_inline void arch_rethook_prepare(struct rethook_node *node, struct pt_regs *regs,
						 bool mcount)
{
	node->ret_addr = procedure_link_pointer(regs);
	node->frame = arch_rethook_frame(regs);
	procedure_link_pointer_set(regs, (unsigned long)arch_rethook_trampoline);
}

/**
 * arch_rethook_fixup_return() - put the return address back
 * @regs: what the trampoline saved, with a frame record for unwinders
 * @ret_addr: goes into that record
 */
static __always_inline void arch_rethook_fixup_return(struct pt_regs *regs, unsigned long ret_addr)
{
	regs->stackframe[1] = ret_addr;
}

#define arch_rethook_fixup_return arch_rethook_fixup_return

#endif /* _ASM_ARM64_RETHOOK_H */
