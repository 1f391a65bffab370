/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks on the entries of functions, where ftrace saves all registers if it is asked to. */
#ifndef _ASM_GENERIC_ENTRY_HOOK_H
#define _ASM_GENERIC_ENTRY_HOOK_H

#include <linux/ftrace.h>
#include <linux/ptrace.h>

/*
 * The largest distance of ftrace's call from the start of its function; 0 if ftrace does not define
 * it. A call that is farther away may belong to another function. Then ftrace has to find the
 * functions of a name.
 */
#ifdef FTRACE_MCOUNT_MAX_OFFSET
#define ARCH_ENTRY_REACH	FTRACE_MCOUNT_MAX_OFFSET
#else
#define ARCH_ENTRY_REACH	0
#endif

/* What an architecture needs on the stack to make a struct pt_regs of what ftrace has saved. */
struct arch_entry_room { };

/* The registers at the entry as hits get them, all of them. */
static __always_inline struct pt_regs *arch_entry_regs(struct ftrace_regs *fregs,
						       struct arch_entry_room *room)
{
	return ftrace_get_regs(fregs);
}

/* Have ftrace restore what hits changed. */
static __always_inline void arch_entry_regs_back(struct ftrace_regs *fregs, struct pt_regs *regs)
{
}

#endif /* _ASM_GENERIC_ENTRY_HOOK_H */
