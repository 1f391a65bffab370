/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks on the entries of functions, for kprobes and fprobes; entry.c explains them. */
#ifndef _KERNEL_KPROBES_ENTRY_H
#define _KERNEL_KPROBES_ENTRY_H

#include <linux/fprobe.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

/*
 * The context that this CPU runs a handler in, 0 if it runs none; only this CPU reads or
 * writes it.
 */
DECLARE_PER_CPU(unsigned int, entry_context);

#define ENTRY_CONTEXT_MASK	(NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/**
 * entry_handlers_begin() - handlers are going to run, unless they already do
 * @outer: for entry_handlers_end()
 *
 * Handlers may be interrupted, and what interrupts them may be hooked as well, but a
 * handler that calls what is hooked is not to be called again. An interrupt puts
 * entry_context back to what it was. So if that is not the present context, no handler
 * runs in the present context. What is called in an interrupt before preempt_count() shows
 * it looks like a call from the handler; entry code takes care that this is next to
 * nothing.
 *
 * That is what ftrace_test_recursion_trylock() is for, which takes three times as many
 * instructions for it, as it also serves callbacks that can be preempted, and lets
 * through the first recursion.
 *
 * Context: preemption off.
 * Return: false if this is a call from a handler.
 */
static __always_inline bool entry_handlers_begin(unsigned int *outer)
{
	unsigned int now = (preempt_count() & ENTRY_CONTEXT_MASK) | 1;

	*outer = __this_cpu_read(entry_context);
	if (unlikely(*outer == now))
		return false;
	__this_cpu_write(entry_context, now);
	/* Nothing of the handlers moves out of the region. */
	barrier();
	return true;
}

/**
 * entry_handlers_end() - handlers have run
 * @outer: from entry_handlers_begin()
 */
static __always_inline void entry_handlers_end(unsigned int outer)
{
	barrier();
	__this_cpu_write(entry_context, outer);
}

int entry_hooks_join(struct entry_hook *batch);
void entry_hooks_leave(struct entry_hook *batch);

#endif /* _KERNEL_KPROBES_ENTRY_H */
