/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the argument engine of probe events that depend on the architecture. */
#ifndef _ASM_ARM64_PROBE_ARGS_H
#define _ASM_ARM64_PROBE_ARGS_H

#include <linux/ptrace.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <asm/memory.h>

#define ARCH_PARAM_REGISTERS	8
#define ARCH_PARAM_STACK_WORD	0

static inline int arch_param_offset(unsigned int n)
{
	return n < ARCH_PARAM_REGISTERS ? offsetof(struct pt_regs, regs) + n * sizeof(u64) : -1;
}

static inline int arch_result_offset(unsigned int n)
{
	return n < 2 ? offsetof(struct pt_regs, regs) + n * sizeof(u64) : -1;
}

/* The address of a result has a register of its own, which the function need not return. */
#define ARCH_RESULT_IS_PARAM	0

#define ARCH_SYMBOL_IS_PLACE	1

#define ARCH_SYSCALL_PREFIXES	"__arm64_sys_", "__arm64_compat_sys_",

static __always_inline unsigned long arch_saved_register(struct pt_regs *regs, unsigned int offset)
{
	return *(u64 *)((void *)regs + offset);
}

/* An address with a tag counts as unknown. */
static __always_inline bool arch_is_kernel_memory(unsigned long addr)
{
	return addr >= PAGE_OFFSET;
}

#endif /* _ASM_ARM64_PROBE_ARGS_H */
