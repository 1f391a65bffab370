/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In which context does this CPU run a kprobe's handler?
 *
 * A hit in an interrupt or an NMI that came while a handler ran is no recursion, and handlers that
 * ask for it, KPROBE_FLAG_REENTRANT, run there. A hit in the context of the handler is.
 */
#ifndef _LINUX_KPROBE_CONTEXT_H
#define _LINUX_KPROBE_CONTEXT_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

/*
 * What of preempt_count() tells contexts apart. That bottom halves are disabled does not make a
 * context.
 */
#define PROBE_CONTEXT_MASK	(NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)

/*
 * The preempt_count() of the latest handler, or of the copy that is stepped behind it. Valid while
 * current_kprobe is set. Only this CPU reads or writes it, with preemption off; what interrupts a
 * hit leaves it as it was.
 */
DECLARE_PER_CPU(unsigned int, kprobe_context);

/* A handler is about to run here. */
static __always_inline void kprobe_context_begin(void)
{
	__this_cpu_write(kprobe_context, preempt_count());
}

/*
 * Is this what preempt_count() is where a handler runs, for all that tells contexts apart? Contexts
 * only nest in ones that have more in it, so that none further out has to be compared with.
 */
static __always_inline bool kprobe_context_is(unsigned int count)
{
	return !((__this_cpu_read(kprobe_context) ^ count) & PROBE_CONTEXT_MASK);
}

#endif /* _LINUX_KPROBE_CONTEXT_H */
