/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which context does this CPU run a kprobe's handler?
 *
 * A hit in an interrupt or an NMI that came while a handler ran is no recursion, and handlers that
 * ask for it, KPROBE_FLAG_REENTRANT, run there. A hit in the context of the handler is.
 */
#ifndef _LINUX_KPROBE_CONTEXT_H
#define _LINUX_KPROBE_CONTEXT_H

#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

/* The bits of preempt_count() that tell contexts apart; disabling bottom halves is none. */
#define PROBE_CONTEXT_MASK	(NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/*
 * The preempt_count() of the innermost handler that runs on this CPU, or of the copy that is
 * stepped behind it; KPROBE_NO_CONTEXT if there is none. Only this CPU reads or writes it, with
 * preemption off. A nested hit restores it. A hit that comes before current_kprobe is set finds
 * KPROBE_NO_CONTEXT, and leaves that.
 */
#ifdef KPROBE_MAX_NESTING
#define kprobe_context	kprobe_ctlblk.context
#else
DECLARE_PER_CPU(unsigned int, kprobe_context);
#endif

/* Matches no context: a CPU does not nest that many interrupts. */
#define KPROBE_NO_CONTEXT	(~0U)

/* Call it when current_kprobe is set, before the handler runs. */
static __always_inline void kprobe_context_begin(void)
{
	/* Otherwise an NMI between the two stores would be an outermost hit, and reset this. */
	barrier();
	__this_cpu_write(kprobe_context, preempt_count());
}

/* Call it when the handler has run, before or after resetting current_kprobe. */
static __always_inline void kprobe_context_end(void)
{
	__this_cpu_write(kprobe_context, KPROBE_NO_CONTEXT);
}

/*
 * Does the innermost handler run in the context of @count? A context has more in preempt_count()
 * than those that it interrupts, so no outer handler has to be compared with.
 */
static __always_inline bool kprobe_context_is(unsigned int count)
{
	return !((__this_cpu_read(kprobe_context) ^ count) & PROBE_CONTEXT_MASK);
}

#endif /* _LINUX_KPROBE_CONTEXT_H */
