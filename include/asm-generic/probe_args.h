/* SPDX-License-Identifier: GPL-2.0-only */
/* What the arguments of probe events rely on, where an architecture promises nothing. */
#ifndef _ASM_GENERIC_PROBE_ARGS_H
#define _ASM_GENERIC_PROBE_ARGS_H

#include <linux/ptrace.h>
#include <linux/types.h>

/*
 * A function's first parameters are in so many registers, and the next one is in this word of the
 * stack. 0: all that regs_get_kernel_argument() knows are taken as they are.
 */
#define ARCH_PARAM_REGISTERS	0
#define ARCH_PARAM_STACK_WORD	0

/* Where struct pt_regs has parameter @n; negative: only regs_get_kernel_argument() knows. */
static inline int arch_param_offset(unsigned int n)
{
	return -1;
}

/*
 * Where struct pt_regs has word @n of a function's result; negative: not known. A result of up to
 * two words is in registers, a larger one in memory.
 */
static inline int arch_result_offset(unsigned int n)
{
	return -1;
}

/*
 * Is the address of a result in memory passed like a first parameter, and word 0 of what the
 * function returns?
 */
#define ARCH_RESULT_IS_PARAM	0

/* Is the address of a function's symbol what kprobe_lookup_name() returns? */
#define ARCH_SYMBOL_IS_PLACE	0

/*
 * What the names of the functions begin with that system calls enter, in place of "sys_": each
 * takes a struct pt_regs *. Strings with a comma behind each; nothing: they are called sys_ only.
 */
#define ARCH_SYSCALL_PREFIXES

/* The register at @offset, of those that regs_query_register_offset() has told. */
static __always_inline unsigned long arch_saved_register(struct pt_regs *regs, unsigned int offset)
{
	return regs_get_register(regs, offset);
}

/*
 * May memory at @addr be read by __get_kernel_nofault() without asking
 * copy_from_kernel_nofault_allowed(), and is it no process's? False if that is not known.
 */
static __always_inline bool arch_is_kernel_memory(unsigned long addr)
{
	return false;
}

#endif /* _ASM_GENERIC_PROBE_ARGS_H */
