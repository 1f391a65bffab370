/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The context in which this CPU runs the handler of a kprobe.
 *
 * A hit in an interrupt or an NMI that came while a handler ran is not a recursion. Handlers of
 * kprobes with KPROBE_FLAG_REENTRANT run then. A hit in the context of the handler is a recursion.
 */
#ifndef _LINUX_KPROBE_CONTEXT_H
#define _LINUX_KPROBE_CONTEXT_H

#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

/* The bits of preempt_count() that distinguish contexts. Disabled bottom halves are not one. */
#define PROBE_CONTEXT_MASK	(NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/*
 * The preempt_count() of the innermost handler that runs on this CPU, or of the copy that is
 * stepped after it; KPROBE_NO_CONTEXT if there is none. Only this CPU accesses it, with preemption
 * off. A nested hit restores it. A hit in an NMI that comes before current_kprobe is set leaves
 * KPROBE_NO_CONTEXT.
 */
#ifdef KPROBE_MAX_NESTING
#define kprobe_context	kprobe_ctlblk.context
#else
DECLARE_PER_CPU(unsigned int, kprobe_context);
#endif

/* Matches no context: a CPU does not nest that many interrupts. */
#define KPROBE_NO_CONTEXT	(~0U)

/* Call it after current_kprobe is set and before the handler runs. */
static __always_inline void kprobe_context_begin(void)
{
	/* An NMI that hits before current_kprobe is set resets kprobe_context, so set it later. */
	barrier();
	__this_cpu_write(kprobe_context, preempt_count());
}

/* Call it after the handler has run, before or after current_kprobe is reset. */
static __always_inline void kprobe_context_end(void)
{
	__this_cpu_write(kprobe_context, KPROBE_NO_CONTEXT);
}

/*
 * Does the innermost handler run in the context of @count, a preempt_count()? A context has more
 * bits in preempt_count() than the contexts that it interrupts, so outer handlers need not be
 * compared.
 */
static __always_inline bool kprobe_context_is(unsigned int count)
{
	return !((__this_cpu_read(kprobe_context) ^ count) & PROBE_CONTEXT_MASK);
}

#endif /* _LINUX_KPROBE_CONTEXT_H */
