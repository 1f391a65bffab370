/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the argument engine of probe events that depend on the architecture. */
#ifndef _ASM_X86_PROBE_ARGS_H
#define _ASM_X86_PROBE_ARGS_H

#ifdef CONFIG_X86_64
#include <linux/array_size.h>
#include <linux/ptrace.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <uapi/asm/vsyscall.h>

/* The word below the parameters on the stack is the return address. */
#define ARCH_PARAM_REGISTERS	6
#define ARCH_PARAM_STACK_WORD	1

static inline int arch_param_offset(unsigned int n)
{
	static const u8 offsets[ARCH_PARAM_REGISTERS] = {
		offsetof(struct pt_regs, di), offsetof(struct pt_regs, si),
		offsetof(struct pt_regs, dx), offsetof(struct pt_regs, cx),
		offsetof(struct pt_regs, r8), offsetof(struct pt_regs, r9),
	};

	return n < ARRAY_SIZE(offsets) ? offsets[n] : -1;
}

static inline int arch_result_offset(unsigned int n)
{
	switch (n) {
	case 0:
		return offsetof(struct pt_regs, ax);
	case 1:
		return offsetof(struct pt_regs, dx);
	default:
		return -1;
	}
}

#define ARCH_RESULT_IS_PARAM	1

#define ARCH_SYMBOL_IS_PLACE	1

#define ARCH_SYSCALL_PREFIXES	"__x64_sys_", "__ia32_sys_", "__ia32_compat_sys_", \
				"__x64_compat_sys_",

static __always_inline unsigned long arch_saved_register(struct pt_regs *regs, unsigned int offset)
{
	return *(unsigned long *)((void *)regs + offset);
}

/*
 * The upper half of the canonical addresses with page tables of four levels. They are canonical
 * with five levels, too. An address that is not canonical raises an exception that is not fixed up.
 * The page of vsyscalls counts as a process's.
 */
#define KERNEL_MEMORY_BEGIN	0xffff800000000000UL

static __always_inline bool arch_is_kernel_memory(unsigned long addr)
{
	return addr - KERNEL_MEMORY_BEGIN < VSYSCALL_ADDR - KERNEL_MEMORY_BEGIN;
}
#else
#include <asm-generic/probe_args.h>
#endif

#endif /* _ASM_X86_PROBE_ARGS_H */
