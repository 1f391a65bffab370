/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the argument engine of probe events that depend on the architecture: defaults. */
#ifndef _ASM_GENERIC_PROBE_ARGS_H
#define _ASM_GENERIC_PROBE_ARGS_H

#include <linux/ptrace.h>
#include <linux/types.h>

/*
 * Number of registers with a function's first parameters, and the word of the stack that has the
 * next one. 0: use regs_get_kernel_argument() for all that it knows.
 */
#define ARCH_PARAM_REGISTERS	0
#define ARCH_PARAM_STACK_WORD	0

/* Offset of parameter @n in struct pt_regs; negative: use regs_get_kernel_argument(). */
static inline int arch_param_offset(unsigned int n)
{
	return -1;
}

/*
 * Offset in struct pt_regs of word @n of a function's result; negative: not known. A result of up
 * to two words is in registers, a larger one in memory.
 */
static inline int arch_result_offset(unsigned int n)
{
	return -1;
}

/*
 * Is the address of a result in memory passed as the first parameter, and returned as word 0 of the
 * result?
 */
#define ARCH_RESULT_IS_PARAM	0

/* Is the address of a function's symbol what kprobe_lookup_name() returns? */
#define ARCH_SYMBOL_IS_PLACE	0

/*
 * Prefixes of the functions that system calls enter, in place of "sys_". Each function takes a
 * struct pt_regs *. Strings, each with a comma behind it; empty if there is only "sys_".
 */
#define ARCH_SYSCALL_PREFIXES

/* The register at @offset, which is one that regs_query_register_offset() returns. */
static __always_inline unsigned long arch_saved_register(struct pt_regs *regs, unsigned int offset)
{
	return regs_get_register(regs, offset);
}

/*
 * Is @addr in kernel memory, so that __get_kernel_nofault() may read it without a call of
 * copy_from_kernel_nofault_allowed()? False also if that is not known.
 */
static __always_inline bool arch_is_kernel_memory(unsigned long addr)
{
	return false;
}

#endif /* _ASM_GENERIC_PROBE_ARGS_H */
