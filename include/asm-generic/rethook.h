/* SPDX-License-Identifier: GPL-2.0 */
/* Return hooks: for architectures whose functions are in a rethook.c of their own. */
#ifndef _ASM_GENERIC_RETHOOK_H
#define _ASM_GENERIC_RETHOOK_H

#include <linux/ptrace.h>
#include <linux/types.h>

struct pt_regs;
struct rethook_node;

void arch_rethook_prepare(struct rethook_node *call, struct pt_regs *entry, bool by_ftrace);
void arch_rethook_fixup_return(struct pt_regs *saved, unsigned long ret_addr);

/* The &rethook_node.frame that arch_rethook_prepare() stores; most store the stack pointer. */
static inline unsigned long arch_rethook_frame(struct pt_regs *regs)
{
	return kernel_stack_pointer(regs);
}

#endif /* _ASM_GENERIC_RETHOOK_H */
